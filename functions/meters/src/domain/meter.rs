//! Meters, and what they measure for at which time.

use kernel::{Commodity, CommunityId, DeviceId, Message, MeterId, Refusal, RoomId, Timestamp};

use super::counting::Register;
use super::text::{Name, Serial};

/// The most intervals a day: every minute.
const INTERVAL_MS_MIN: i64 = 60 * 1_000;
/// The rarest reading: every 62 days.
const INTERVAL_MS_MAX: i64 = 62 * 24 * 60 * 60 * 1_000;

/// The whole digits of a register: 3 to 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits(u32);

/// What a register is multiplied with (CT x PT): 1 to 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Multiplier(i64);

impl Digits {
    /// That many digits.
    ///
    /// # Errors
    /// When no register has so many.
    pub fn new(digits: i64) -> Result<Self, Refusal> {
        match u32::try_from(digits) {
            Ok(digits @ 3..=9) => Ok(Self(digits)),
            _ => Err(invalid(
                "digits_invalid",
                "A register has 3 to 9 whole digits.",
                "表计整数位数应为 3 到 9 位。",
            )),
        }
    }

    /// How many.
    #[must_use]
    pub fn count(self) -> u32 {
        self.0
    }
}

impl Multiplier {
    /// That ratio.
    ///
    /// # Errors
    /// When it is not from 1 to 1,000,000.
    pub fn new(ratio: i64) -> Result<Self, Refusal> {
        if (1..=1_000_000).contains(&ratio) {
            return Ok(Self(ratio));
        }
        Err(invalid(
            "multiplier_invalid",
            "A multiplier (CT x PT) is a whole number from 1 to 1000000.",
            "倍率应为 1 到 1000000 的整数。",
        ))
    }

    /// The ratio.
    #[must_use]
    pub fn ratio(self) -> i64 {
        self.0
    }
}

/// What a meter measures for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// A room.
    Room(RoomId),
    /// A common area, by its name.
    Area(Name),
}

impl Object {
    /// A room or an area, and not both.
    ///
    /// # Errors
    /// When it is neither or both.
    pub fn new(room: Option<RoomId>, area: Option<Name>) -> Result<Self, Refusal> {
        match (room, area) {
            (Some(room), None) => Ok(Self::Room(room)),
            (None, Some(area)) => Ok(Self::Area(area)),
            _ => Err(invalid(
                "one_object",
                "Name the room or the common area that the meter measures for: one of them.",
                "请指定表计所属的房屋或公共区域，二者选一。",
            )),
        }
    }

    /// The room, if it is one.
    #[must_use]
    pub fn room(&self) -> Option<&RoomId> {
        match self {
            Self::Room(room) => Some(room),
            Self::Area(_) => None,
        }
    }

    /// The common area, if it is one.
    #[must_use]
    pub fn area(&self) -> Option<&str> {
        match self {
            Self::Room(_) => None,
            Self::Area(area) => Some(area.as_str()),
        }
    }
}

/// From when on a meter measures for what; until the next binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// From when on.
    pub from: Timestamp,
    /// For what.
    pub object: Object,
}

/// A meter as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    /// The meter; as a device it goes by the same text.
    pub id: MeterId,
    /// Where.
    pub community: CommunityId,
    /// What it measures.
    pub commodity: Commodity,
    /// What people call it.
    pub name: Name,
    /// The gateway that reads it; none: somebody reads it by hand.
    pub gateway: Option<DeviceId>,
    /// The meter behind which it stands.
    pub master: Option<MeterId>,
    /// How often it is read, in milliseconds.
    pub interval_ms: i64,
    /// What the main breaker or the pipe lets through, in thousandths an hour.
    pub limit_milli_per_hour: i64,
    /// The present register.
    pub register: Register,
    /// What the maker wrote on it.
    pub serial: Option<Serial>,
    /// When it was registered.
    pub opened_at: Timestamp,
    /// When it was taken down for good.
    pub removed_at: Option<Timestamp>,
    /// What it measures for now.
    pub object: Object,
    /// Whether it takes money that was paid ahead.
    pub prepaid: bool,
    /// How its messages are read, when the plugged decoder reads them.
    pub decoding: Option<Decoding>,
    /// From 1.
    pub version: i64,
}

/// What the plugged decoder is told of a device beside its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoding {
    /// What one step of its counter is worth, in thousandths of the unit.
    pub step_milli: i64,
    /// What the meter showed when the counter stood at 0, in thousandths of the unit.
    pub offset_milli: i64,
}

impl Decoding {
    /// Checks them.
    ///
    /// # Errors
    /// A step of nothing or of more than a million units, an offset below zero or beyond nine digits.
    pub fn checked(self) -> Result<Self, Refusal> {
        let steps = 1..=1_000_000_000;
        if steps.contains(&self.step_milli) && (0..1_000_000_000_000).contains(&self.offset_milli) {
            return Ok(self);
        }
        Err(invalid(
            "decoding_invalid",
            "A step is worth 1 to 1000000000 thousandths; the offset is 0 to 999999999999 thousandths.",
            "脉冲当量应为 1 到 1000000000（千分之一单位），底数应为 0 到 999999999999。",
        ))
    }
}

/// What an ordinary household connection lets through in an hour, in thousandths: 60 A at 220 V, a pipe of 20 mm, a
/// G4 gas meter. What a meter is given counts instead.
#[must_use]
pub fn ordinary_limit_milli_per_hour(commodity: Commodity) -> i64 {
    match commodity {
        Commodity::Electricity => 13_200,
        Commodity::Water | Commodity::HotWater => 4_000,
        Commodity::Heat => 24_000,
        Commodity::Gas => 6_000,
    }
}

/// How often a meter is read when nobody says: by a gateway every hour, by hand every month.
#[must_use]
pub fn ordinary_interval_ms(has_gateway: bool) -> i64 {
    const HOUR_MS: i64 = 60 * 60 * 1_000;
    if has_gateway {
        HOUR_MS
    } else {
        31 * 24 * HOUR_MS
    }
}

/// Checks how often a meter is read.
///
/// # Errors
/// Less than a minute, or more than 62 days.
pub fn interval(interval_ms: i64) -> Result<i64, Refusal> {
    if (INTERVAL_MS_MIN..=INTERVAL_MS_MAX).contains(&interval_ms) {
        return Ok(interval_ms);
    }
    Err(invalid(
        "interval_invalid",
        "A meter is read every 60000 ms (a minute) to 5356800000 ms (62 days).",
        "抄表间隔应在 1 分钟到 62 天之间（毫秒）。",
    ))
}

/// Checks what the main breaker lets through.
///
/// # Errors
/// Nothing, or more than a transformer station does.
pub fn limit(limit_milli_per_hour: i64) -> Result<i64, Refusal> {
    if (1..=1_000_000_000_000).contains(&limit_milli_per_hour) {
        return Ok(limit_milli_per_hour);
    }
    Err(invalid(
        "limit_invalid",
        "The limit is in thousandths an hour, from 1 to 1000000000000.",
        "上限以千分之一单位/小时计，应为 1 到 1000000000000。",
    ))
}

/// Checks what a register shows.
///
/// # Errors
/// Below zero, or more than it has digits for.
pub fn shown(register: &Register, value_milli: i64) -> Result<i64, Refusal> {
    if (0..register.capacity_milli()).contains(&value_milli) {
        return Ok(value_milli);
    }
    Err(invalid(
        "beyond_digits",
        "The register has not so many digits, or the value is below zero. Read it again.",
        "读数为负或超过表计位数，请重新抄读。",
    ))
}

pub(super) fn invalid(code: &'static str, english: &str, chinese: &str) -> Refusal {
    Refusal::invalid(code, Message::new(english, chinese))
}
