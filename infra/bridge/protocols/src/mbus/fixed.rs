//! The fixed structure (CI 73) of old slaves: a number and two counters.

use super::header::{Header, Identity};
use super::record::{Function, Record, Value};
use super::vif::Quantity;
use crate::amount::{Amount, Unit};
use crate::bytes::{Bytes, decimal};
use crate::{Error, units};

/// The counter has the unit of the other one, and is what it was at a day in the past.
const SAME_BUT_PAST: u8 = 0x3E;

pub fn decode(rest: &mut Bytes<'_>) -> Result<(Header, Vec<Record>), Error> {
    let number = rest.array()?;
    let (access, status) = (rest.byte()?, rest.byte()?);
    let [first, second] = rest.array()?;
    let identity = Identity {
        number,
        manufacturer: 0xFFFF,
        version: 0xFF,
        medium: first >> 6 | (second >> 6) << 2,
    };
    let (first, second) = (first & 0x3F, second & 0x3F);
    let binary = status & 1 != 0;
    let past = u64::from(status >> 1 & 1);
    let mut records = Vec::with_capacity(2);
    for (code, storage) in [(first, past), (second, past)] {
        let bytes: [u8; 4] = rest.array()?;
        let (code, storage) = match code {
            SAME_BUT_PAST => (first, 1),
            code => (code, storage),
        };
        let value = match counter(bytes, binary)? {
            Some(steps) => units::scale(code).and_then(|scale| scale.of(steps)),
            None => {
                records.push(record(Quantity::Other, Value::Absent, storage));
                continue;
            }
        };
        records.push(match value {
            Ok(amount) => record(quantity(amount), Value::Amount(amount), storage),
            // Codes that say nothing here, such as a date instead of a counter.
            Err(_) => record(Quantity::Other, Value::Bytes(bytes.to_vec()), storage),
        });
    }
    // Bit 2 of the status means low power in both structures; the others differ.
    let status = status & 0b0001_1100;
    Ok((
        Header {
            identity: Some(identity),
            access,
            status,
        },
        records,
    ))
}

fn counter(bytes: [u8; 4], binary: bool) -> Result<Option<i64>, Error> {
    if binary {
        let number = i32::from_le_bytes(bytes);
        return Ok((number != i32::MIN).then_some(number.into()));
    }
    decimal(&bytes)
}

fn quantity(amount: Amount) -> Quantity {
    match amount.unit {
        Unit::KilowattHour => Quantity::Energy,
        Unit::CubicMetre => Quantity::Volume,
        Unit::Watt => Quantity::Power,
        Unit::CubicMetrePerHour => Quantity::VolumeFlow,
        Unit::DegreeCelsius => Quantity::FlowTemperature,
        _ => Quantity::Other,
    }
}

fn record(quantity: Quantity, value: Value, storage: u64) -> Record {
    Record {
        function: Function::Instantaneous,
        storage,
        tariff: 0,
        subunit: 0,
        quantity,
        value,
    }
}
