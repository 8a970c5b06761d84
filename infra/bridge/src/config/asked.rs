//! One meter, how it is asked, and what it can be ordered.

use std::fmt;

use anyhow::{Context, Result, ensure};
use kernel::DeviceId;
use meter_protocols::cjt188::{self, IdOrder, MeterType};
use meter_protocols::dlt645;
use meter_protocols::mbus::Identity;
use meter_protocols::modbus::Profile;

/// The highest number that an electricity meter notes down as who moved its relay.
const OPERATOR_MAX: u32 = 99_999_999;

/// One meter.
#[derive(Debug, Clone)]
pub struct MeterConfig {
    /// The meter, as it is registered.
    pub id: DeviceId,
    /// How it is asked.
    pub asked: Asked,
}

/// How a meter is asked.
#[derive(Debug, Clone)]
pub enum Asked {
    /// By DL/T 645.
    Dlt645 {
        /// Its address.
        address: dlt645::Address,
        /// Read the tariffs as well.
        tariffs: bool,
        /// How many daily freezes are asked for when they were missed.
        freeze_days: u8,
        /// What its relay obeys; none: no order moves it.
        relay: Option<Authority>,
    },
    /// By CJ/T 188.
    Cjt188 {
        /// What sort of meter it is.
        sort: MeterType,
        /// Its address.
        address: cjt188::Address,
        /// The order of the data id.
        order: IdOrder,
        /// Whether orders move its valve.
        valve: bool,
        /// Whether orders recharge it.
        prepaid: bool,
    },
    /// By Modbus.
    Modbus {
        /// Its unit.
        unit: u8,
        /// Its registers.
        profile: Profile,
    },
    /// By its address on the M-Bus.
    MbusPrimary(u8),
    /// By its number on the M-Bus.
    MbusSecondary(Identity),
}

impl Asked {
    /// How many daily freezes it is asked for; 0 when it keeps none that can be asked for.
    #[must_use]
    pub fn freeze_days(&self) -> u8 {
        match self {
            Self::Dlt645 { freeze_days, .. } => *freeze_days,
            _ => 0,
        }
    }

    /// Whether there are orders that it takes.
    #[must_use]
    pub fn takes_orders(&self) -> bool {
        match self {
            Self::Dlt645 { relay, .. } => relay.is_some(),
            Self::Cjt188 { valve, prepaid, .. } => *valve || *prepaid,
            _ => false,
        }
    }
}

/// What the relay of an electricity meter obeys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Authority {
    /// The level of the password.
    pub level: u8,
    /// Its six digits.
    pub digits: u32,
    /// Who the meter notes down.
    pub operator: u32,
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Authority(..)")
    }
}

impl Authority {
    pub(super) fn new(password: &str, operator: u32) -> Result<Self> {
        let sentence = "relay_password must be 8 digits: two of its level, six of its own";
        let is_digits = password.len() == 8 && password.bytes().all(|byte| byte.is_ascii_digit());
        ensure!(is_digits, sentence);
        let (level, digits) = password.split_at_checked(2).context(sentence)?;
        ensure!(
            operator <= OPERATOR_MAX,
            "relay_operator must be 0 to {OPERATOR_MAX}, not {operator}"
        );
        Ok(Self {
            level: level.parse().context(sentence)?,
            digits: digits.parse().context(sentence)?,
            operator,
        })
    }
}
