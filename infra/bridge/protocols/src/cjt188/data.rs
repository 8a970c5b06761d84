//! What readings of CJ/T 188 hold: the fields of water and gas meters, and those of heat meters.

use super::MeterType;
use crate::amount::{Amount, Scale, Unit};
use crate::bytes::{Bytes, decimal, two_digits};
use crate::{Error, LocalTime, units};

/// How the registers of a meter stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Its values.
    pub values: Vec<Value>,
    /// The meter's clock; none when it has none, or it stands at no real moment.
    pub clock: Option<LocalTime>,
    /// The meter's status.
    pub status: Status,
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    /// What it is.
    pub quantity: Quantity,
    /// How much; none when the meter has nothing there (FF).
    pub amount: Option<Amount>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// The register that is billed: the volume, or the heat.
    Current,
    /// That register as it stood at the settlement day.
    Settlement,
    /// The heat's power.
    Power,
    /// The flow.
    Flow,
    /// The volume that carried the heat.
    Volume,
    /// The temperature of what flows to the room.
    SupplyTemperature,
    /// The temperature of what comes back.
    ReturnTemperature,
    /// How long the meter has worked.
    WorkingTime,
}

/// What was paid ahead, as a prepaid meter keeps it; amounts in hundredths of a yuan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purchase {
    /// The number of the last purchase.
    pub number: u8,
    /// What was bought with it.
    pub amount_fen: i64,
    /// Everything that was ever bought.
    pub total_fen: i64,
    /// What is left.
    pub left_fen: i64,
    /// The meter's status.
    pub status: Status,
}

impl Purchase {
    /// Reads what follows the data id and the serial number.
    pub(super) fn decode(data: &[u8]) -> Result<Self, Error> {
        let mut rest = Bytes(data);
        let number = rest.byte()?;
        let mut money = || {
            let amount = decimal(rest.take(4)?)?;
            amount.ok_or(Error::Malformed("the meter keeps no money"))
        };
        let (amount_fen, total_fen, left_fen) = (money()?, money()?, money()?);
        Ok(Self {
            number,
            amount_fen,
            total_fen,
            left_fen,
            status: Status::decode(rest.array()?),
        })
    }
}

/// What a meter says about itself, in two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Its valve.
    pub valve: Valve,
    /// Its battery is low.
    pub battery_low: bool,
    /// The bytes; what is not named above is the maker's own.
    pub bytes: [u8; 2],
}

/// How a valve stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Valve {
    /// It flows, or there is no valve.
    Open,
    /// It is shut.
    Closed,
    /// It does not move.
    Faulty,
}

impl Status {
    /// Reads the two bytes.
    #[must_use]
    pub fn decode(bytes: [u8; 2]) -> Self {
        let [low, _] = bytes;
        Self {
            valve: match low & 0b11 {
                0b00 => Valve::Open,
                0b01 => Valve::Closed,
                _ => Valve::Faulty,
            },
            battery_low: low & 0b100 != 0,
            bytes,
        }
    }
}

impl Value {
    fn new(quantity: Quantity, amount: Option<Amount>) -> Self {
        Self { quantity, amount }
    }

    /// The one value of a history.
    pub(super) fn settlement(data: &[u8]) -> Result<Self, Error> {
        let amount = with_unit(&mut Bytes(data), -2)?;
        Ok(Self::new(Quantity::Settlement, amount))
    }
}

impl Reading {
    /// Reads what follows the data id and the serial number. What comes behind the status is the maker's own.
    pub(super) fn decode(meter_type: MeterType, data: &[u8]) -> Result<Self, Error> {
        let mut rest = Bytes(data);
        let values = if meter_type.is_heat() {
            heat(&mut rest)?
        } else {
            vec![
                Value::new(Quantity::Current, with_unit(&mut rest, -2)?),
                Value::new(Quantity::Settlement, with_unit(&mut rest, -2)?),
            ]
        };
        Ok(Self {
            values,
            clock: clock(rest.array()?),
            status: Status::decode(rest.array()?),
        })
    }
}

fn heat(rest: &mut Bytes<'_>) -> Result<Vec<Value>, Error> {
    let mut values = Vec::with_capacity(8);
    for (quantity, exponent) in [
        (Quantity::Settlement, -2),
        (Quantity::Current, -2),
        (Quantity::Power, -2),
        (Quantity::Flow, -4),
        (Quantity::Volume, -2),
    ] {
        values.push(Value::new(quantity, with_unit(rest, exponent)?));
    }
    let degrees = Scale::ten(-2, Unit::DegreeCelsius);
    let hours = Scale {
        numerator: 3_600,
        ..Scale::ten(0, Unit::Second)
    };
    for (quantity, scale) in [
        (Quantity::SupplyTemperature, degrees),
        (Quantity::ReturnTemperature, degrees),
        (Quantity::WorkingTime, hours),
    ] {
        let steps = decimal(rest.take(3)?)?;
        let amount = steps.map(|steps| scale.of(steps)).transpose()?;
        values.push(Value::new(quantity, amount));
    }
    Ok(values)
}

/// Four bytes of digits and the code of their unit.
fn with_unit(rest: &mut Bytes<'_>, exponent: i32) -> Result<Option<Amount>, Error> {
    let (digits, code) = (rest.take(4)?, rest.byte()?);
    let Some(steps) = decimal(digits)? else {
        return Ok(None);
    };
    let scale = match code {
        0x01 => Scale::joules(0),
        code => units::scale(code)?,
    };
    scale.times_ten(exponent).of(steps).map(Some)
}

/// `ss mm hh DD MM YY CC`.
fn clock(bytes: [u8; 7]) -> Option<LocalTime> {
    let [second, minute, hour, day, month, year, century] = bytes.map(|byte| two_digits(byte).ok());
    let year = u16::from(century?) * 100 + u16::from(year?);
    LocalTime::new((year, month?, day?), (hour?, minute?, second?))
}
