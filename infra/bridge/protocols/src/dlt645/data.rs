//! What the data ids of DL/T 645-2007 mean: a table of lengths, decimals and units, as far as meters of homes have them.

use std::fmt;

use crate::amount::{Amount, Scale, Unit};
use crate::bytes::{Bytes, decimal, two_digits};
use crate::{Error, LocalTime};

/// A data id, DI3 first as it is written: `00010000`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataId(pub u32);

impl DataId {
    /// Forward and reverse active energy combined, total.
    pub const COMBINED_TOTAL: Self = Self(0x0000_0000);
    /// Forward active energy, total.
    pub const FORWARD_TOTAL: Self = Self(0x0001_0000);
    /// Forward active energy, total and every tariff.
    pub const FORWARD_BLOCK: Self = Self(0x0001_FF00);
    /// Reverse active energy, total.
    pub const REVERSE_TOTAL: Self = Self(0x0002_0000);
    /// The voltage of phase A.
    pub const VOLTAGE_A: Self = Self(0x0201_0100);
    /// The current of phase A.
    pub const CURRENT_A: Self = Self(0x0202_0100);
    /// The active power, total.
    pub const POWER: Self = Self(0x0203_0000);
    /// The meter's date.
    pub const DATE: Self = Self(0x0400_0101);
    /// The meter's time of day.
    pub const TIME: Self = Self(0x0400_0102);
    /// The oldest daily freeze that a meter keeps.
    pub const FREEZE_DAYS_MAX: u8 = 62;

    /// The moment of the daily freeze that many midnights ago, 1 being the last one.
    #[must_use]
    pub fn freeze_time(midnights_ago: u8) -> Self {
        Self(0x0506_0000 | u32::from(midnights_ago))
    }

    /// Forward active energy, total and tariffs, at the daily freeze that many midnights ago, 1 being the last one.
    #[must_use]
    pub fn freeze(midnights_ago: u8) -> Self {
        Self(0x0506_0100 | u32::from(midnights_ago))
    }

    pub(super) fn from_wire(bytes: [u8; 4]) -> Self {
        Self(u32::from_le_bytes(bytes))
    }

    /// The bytes in a frame, DI0 first.
    #[must_use]
    pub fn to_wire(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }
}

impl fmt::Debug for DataId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DataId({:08X})", self.0)
    }
}

/// One value of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// What was measured.
    pub quantity: Quantity,
    /// In which tariff, or phase (1 to 3) for what has phases.
    pub tariff: Tariff,
    /// How much; none when the meter has nothing there (FF).
    pub amount: Option<Amount>,
    /// When, for a value that is a moment.
    pub moment: Option<LocalTime>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Forward and reverse active energy, combined.
    CombinedEnergy,
    /// Active energy from the grid.
    ForwardEnergy,
    /// Active energy into the grid.
    ReverseEnergy,
    /// Reactive energy: combined 1 and 2, then the four quadrants.
    ReactiveEnergy(u8),
    /// Voltage.
    Voltage,
    /// Current.
    Current,
    /// Active power.
    ActivePower,
    /// Reactive power.
    ReactivePower,
    /// Apparent power.
    ApparentPower,
    /// Power factor.
    PowerFactor,
    /// The grid's frequency.
    Frequency,
    /// The meter's date, or the moment of a freeze.
    Moment,
    /// The meter's time of day: [`Amount::milli`] are thousandths of seconds since midnight.
    TimeOfDay,
}

/// Which part of a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tariff {
    /// All of it.
    Total,
    /// A tariff from 1 (sharp, peak, flat, valley), or a phase from 1.
    Number(u8),
}

impl Tariff {
    fn of(number: u8) -> Self {
        match number {
            0 => Self::Total,
            number => Self::Number(number),
        }
    }
}

/// How a value stands in the bytes.
#[derive(Debug, Clone, Copy)]
struct Form {
    quantity: Quantity,
    bytes: usize,
    scale: Scale,
    /// The highest bit is a sign.
    signed: bool,
}

const ENERGY_BYTES: usize = 4;

fn energy(code: u8) -> Option<Form> {
    let (quantity, unit) = match code {
        0x00 => (Quantity::CombinedEnergy, Unit::KilowattHour),
        0x01 => (Quantity::ForwardEnergy, Unit::KilowattHour),
        0x02 => (Quantity::ReverseEnergy, Unit::KilowattHour),
        0x03..=0x08 => (Quantity::ReactiveEnergy(code - 2), Unit::KilovarHour),
        _ => return None,
    };
    Some(Form {
        quantity,
        bytes: ENERGY_BYTES,
        scale: Scale::ten(-2, unit),
        signed: matches!(code, 0x00 | 0x03 | 0x04),
    })
}

fn variable(code: u8) -> Option<Form> {
    let (quantity, bytes, exponent, unit, signed) = match code {
        0x01 => (Quantity::Voltage, 2, -1, Unit::Volt, false),
        0x02 => (Quantity::Current, 3, -3, Unit::Ampere, true),
        0x03 => (Quantity::ActivePower, 3, -1, Unit::Watt, true),
        0x04 => (Quantity::ReactivePower, 3, -1, Unit::Var, true),
        0x05 => (Quantity::ApparentPower, 3, -1, Unit::VoltAmpere, true),
        0x06 => (Quantity::PowerFactor, 2, -3, Unit::One, true),
        _ => return None,
    };
    Some(Form {
        quantity,
        bytes,
        scale: Scale::ten(exponent, unit),
        signed,
    })
}

/// Reads the data of an answer to that id.
///
/// # Errors
/// When the id is not one of those known here, or the bytes are not what it promises.
pub fn decode(id: DataId, data: &[u8]) -> Result<Vec<Item>, Error> {
    let unknown = || Error::Unknown {
        what: "data id",
        code: id.0,
    };
    let [group, kind, part, last] = id.0.to_be_bytes();
    match (group, kind, part, last) {
        (0x00, _, tariff, 0x00..=0x0C) => {
            let form = energy(kind).ok_or_else(unknown)?;
            match tariff {
                0xFF => block(form, 0, data),
                0..=63 => single(form, tariff, data),
                _ => Err(unknown_tariff(id)),
            }
        }
        (0x02, 0x80, 0x00, 0x02) => {
            let form = Form {
                quantity: Quantity::Frequency,
                bytes: 2,
                scale: Scale::ten(-2, Unit::Hertz),
                signed: false,
            };
            single(form, 0, data)
        }
        (0x02, _, phase, 0x00) => {
            let form = variable(kind).ok_or_else(unknown)?;
            // Voltages and currents have phases only; the others have a total in front of them.
            let first = u8::from(matches!(kind, 0x01 | 0x02));
            match phase {
                0xFF => block(form, first, data),
                phase if (first..=3).contains(&phase) => single(form, phase, data),
                _ => Err(unknown()),
            }
        }
        (0x04, 0x00, 0x01, 0x01) => date(data),
        (0x04, 0x00, 0x01, 0x02) => time_of_day(data),
        (0x05, 0x06, 0x00, 1..=DataId::FREEZE_DAYS_MAX) => freeze_moment(data),
        (0x05, 0x06, 0x01..=0x08, 1..=DataId::FREEZE_DAYS_MAX) => {
            // The freezes have no combined active energy: they count from the forward one.
            let form = energy(part).ok_or_else(unknown)?;
            block(form, 0, data)
        }
        _ => Err(unknown()),
    }
}

fn unknown_tariff(id: DataId) -> Error {
    Error::Unknown {
        what: "tariff in data id",
        code: id.0,
    }
}

fn single(form: Form, tariff: u8, data: &[u8]) -> Result<Vec<Item>, Error> {
    let mut rest = Bytes(data);
    let item = form.item(tariff, rest.take(form.bytes)?)?;
    if !rest.is_empty() {
        return Err(Error::Malformed("more bytes than the data id has"));
    }
    Ok(vec![item])
}

fn block(form: Form, first: u8, data: &[u8]) -> Result<Vec<Item>, Error> {
    let values = data.chunks_exact(form.bytes);
    if data.is_empty() || !values.remainder().is_empty() {
        let missing = form.bytes - values.remainder().len();
        return Err(Error::Truncated { missing });
    }
    if values.len() > 64 {
        return Err(Error::Malformed(
            "a block has at most a total and 63 tariffs",
        ));
    }
    (first..=63 + first)
        .zip(values)
        .map(|(tariff, bytes)| form.item(tariff, bytes))
        .collect()
}

impl Form {
    fn item(self, tariff: u8, bytes: &[u8]) -> Result<Item, Error> {
        Ok(Item {
            quantity: self.quantity,
            tariff: Tariff::of(tariff),
            amount: self.amount(bytes)?,
            moment: None,
        })
    }

    fn amount(self, bytes: &[u8]) -> Result<Option<Amount>, Error> {
        let absent = bytes.iter().all(|byte| *byte == 0xFF);
        let (mut magnitude, mut negative) = (bytes.to_vec(), false);
        if let (true, false, Some(high)) = (self.signed, absent, magnitude.last_mut()) {
            negative = *high & 0x80 != 0;
            *high &= 0x7F;
        }
        let Some(steps) = decimal(&magnitude)? else {
            return Ok(None);
        };
        let amount = self.scale.of(if negative { -steps } else { steps })?;
        Ok(Some(amount))
    }
}

fn moment(moment: Option<LocalTime>) -> Vec<Item> {
    vec![Item {
        quantity: Quantity::Moment,
        tariff: Tariff::Total,
        amount: None,
        moment,
    }]
}

/// `WW DD MM YY`: the day of the week does not count.
fn date(data: &[u8]) -> Result<Vec<Item>, Error> {
    let [_, day, month, year] = exact(data)?;
    if [day, month, year] == [0xFF; 3] {
        return Ok(moment(None));
    }
    Ok(moment(LocalTime::new(ymd(year, month, day)?, (0, 0, 0))))
}

/// `ss mm hh`.
fn time_of_day(data: &[u8]) -> Result<Vec<Item>, Error> {
    let parts: [u8; 3] = exact(data)?;
    let amount = if parts == [0xFF; 3] {
        None
    } else {
        let [second, minute, hour] = parts.map(two_digits);
        let (second, minute, hour) = (i64::from(second?), i64::from(minute?), i64::from(hour?));
        Some(Scale::ten(0, Unit::Second).of(hour * 3_600 + minute * 60 + second)?)
    };
    Ok(vec![Item {
        quantity: Quantity::TimeOfDay,
        tariff: Tariff::Total,
        amount,
        moment: None,
    }])
}

/// `mm hh DD MM YY`; zeros and FF stand where nothing was frozen yet.
fn freeze_moment(data: &[u8]) -> Result<Vec<Item>, Error> {
    let parts: [u8; 5] = exact(data)?;
    if parts == [0xFF; 5] || parts == [0; 5] {
        return Ok(moment(None));
    }
    let [minute, hour, day, month, year] = parts;
    let time = (two_digits(hour)?, two_digits(minute)?, 0);
    Ok(moment(LocalTime::new(ymd(year, month, day)?, time)))
}

fn ymd(year: u8, month: u8, day: u8) -> Result<(u16, u8, u8), Error> {
    let year = 2_000 + u16::from(two_digits(year)?);
    Ok((year, two_digits(month)?, two_digits(day)?))
}

fn exact<const COUNT: usize>(data: &[u8]) -> Result<[u8; COUNT], Error> {
    let mut rest = Bytes(data);
    let bytes = rest.array()?;
    if rest.is_empty() {
        Ok(bytes)
    } else {
        Err(Error::Malformed("more bytes than the data id has"))
    }
}
