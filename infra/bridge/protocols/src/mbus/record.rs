//! The records of the variable structure: which register, and its value.

use super::vif::{Meaning, Quantity};
use crate::amount::{Amount, Scale};
use crate::bytes::{Bytes, decimal};
use crate::{Error, LocalTime};

/// The most bytes of data information behind the first.
const EXTENSIONS_MAX: u32 = 10;
const EXTENDED: u8 = 0x80;
const FILLER: u8 = 0x2F;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What the value is of its quantity.
    pub function: Function,
    /// 0 is now; others are the slave's own days in the past.
    pub storage: u64,
    /// 0 is the total.
    pub tariff: u32,
    /// Which part of the slave.
    pub subunit: u32,
    /// What is measured.
    pub quantity: Quantity,
    /// The value.
    pub value: Value,
}

/// What a value is of its quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// As it stands.
    Instantaneous,
    /// The largest.
    Maximum,
    /// The smallest.
    Minimum,
    /// As it stood when there was an error.
    InError,
}

/// The value of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An amount.
    Amount(Amount),
    /// What flowed backwards.
    Backward(Amount),
    /// A number without a meaning that is known here.
    Number(i64),
    /// A moment by the slave's clock.
    Moment(LocalTime),
    /// A text.
    Text(String),
    /// Something without a meaning that is known here.
    Bytes(Vec<u8>),
    /// The slave has nothing there.
    Absent,
    /// An amount beyond what fits into 64 bits of thousandths.
    OutOfRange,
}

/// What the number of a record is before it is scaled.
enum Raw {
    Steps(i64),
    Real32(u32),
    Text(String),
    Bytes(Vec<u8>),
    Absent,
}

/// Reads records to the end; whether more of them are to be asked for.
pub fn records(rest: &mut Bytes<'_>) -> Result<(Vec<Record>, bool), Error> {
    let mut records = Vec::new();
    while !rest.is_empty() {
        match rest.byte()? {
            FILLER => {}
            0x0F => return Ok((records, false)),
            0x1F => return Ok((records, true)),
            // The other special ones concern questions.
            dif if dif & 0x0F == 0x0F => {
                return Err(Error::Unknown {
                    what: "DIF",
                    code: dif.into(),
                });
            }
            dif => records.push(record(dif, rest)?),
        }
    }
    Ok((records, false))
}

fn record(dif: u8, rest: &mut Bytes<'_>) -> Result<Record, Error> {
    let (mut storage, mut tariff, mut subunit) = (u64::from(dif >> 6 & 1), 0, 0);
    let mut extended = dif & EXTENDED != 0;
    let mut count = 0;
    while extended {
        if count == EXTENSIONS_MAX {
            return Err(Error::Malformed("a record has more than ten DIFEs"));
        }
        let dife = rest.byte()?;
        extended = dife & EXTENDED != 0;
        storage |= u64::from(dife & 0x0F) << (1 + 4 * count);
        tariff |= u32::from(dife >> 4 & 0b11) << (2 * count);
        subunit |= u32::from(dife >> 6 & 1) << count;
        count += 1;
    }
    let meaning = Meaning::decode(rest)?;
    let raw = raw(dif & 0x0F, rest)?;
    Ok(Record {
        function: match dif >> 4 & 0b11 {
            0 => Function::Instantaneous,
            1 => Function::Maximum,
            2 => Function::Minimum,
            _ => Function::InError,
        },
        storage,
        tariff,
        subunit,
        quantity: meaning.quantity,
        value: match value(&meaning, raw) {
            // One register that overflows does not take the others with it.
            Err(Error::OutOfRange) => Value::OutOfRange,
            value => value?,
        },
    })
}

fn raw(field: u8, rest: &mut Bytes<'_>) -> Result<Raw, Error> {
    Ok(match field {
        0x00 | 0x08 => Raw::Absent,
        0x01..=0x04 => binary(rest.take(field.into())?),
        0x05 => Raw::Real32(u32::from_le_bytes(rest.array()?)),
        0x06 => binary(rest.take(6)?),
        0x07 => binary(rest.take(8)?),
        0x09..=0x0C => digits(rest.take(usize::from(field) - 8)?)?,
        0x0E => digits(rest.take(6)?)?,
        _ => variable(rest)?,
    })
}

/// A length, and the data it is of.
fn variable(rest: &mut Bytes<'_>) -> Result<Raw, Error> {
    let length = rest.byte()?;
    let count = |from: u8| usize::from(length - from);
    Ok(match length {
        0x00..=0xBF => {
            // Texts come last letter first.
            let letters = rest.take(length.into())?.iter().rev();
            Raw::Text(letters.map(|letter| char::from(*letter)).collect())
        }
        0xC0..=0xC9 => digits(rest.take(count(0xC0))?)?,
        0xD0..=0xD9 => match digits(rest.take(count(0xD0))?)? {
            Raw::Steps(steps) => Raw::Steps(-steps),
            other => other,
        },
        0xE0..=0xE8 => binary(rest.take(count(0xE0))?),
        0xE9..=0xEF => Raw::Bytes(rest.take(count(0xE0))?.to_vec()),
        0xF0..=0xF4 => Raw::Bytes(rest.take(4 * count(0xEC))?.to_vec()),
        0xF5 => Raw::Bytes(rest.take(48)?.to_vec()),
        0xF6 => Raw::Bytes(rest.take(64)?.to_vec()),
        _ => {
            return Err(Error::Unknown {
                what: "length of variable data",
                code: length.into(),
            });
        }
    })
}

/// A number with a sign, low byte first; the lowest of all means that there is none.
fn binary(bytes: &[u8]) -> Raw {
    let Some(high) = bytes.last() else {
        return Raw::Absent;
    };
    let negative = high & 0x80 != 0;
    let mut whole = [if negative { 0xFF } else { 0 }; 8];
    for (to, from) in whole.iter_mut().zip(bytes) {
        *to = *from;
    }
    let number = i64::from_le_bytes(whole);
    let lowest = *high == 0x80 && bytes.iter().rev().skip(1).all(|byte| *byte == 0);
    if lowest && bytes.len() > 1 {
        return Raw::Absent;
    }
    Raw::Steps(number)
}

/// Decimal digits, low byte first; F in the highest place is a minus. Anything else that is no digit is what slaves
/// show when they have no value.
fn digits(bytes: &[u8]) -> Result<Raw, Error> {
    let (mut magnitude, mut negative) = (bytes.to_vec(), false);
    if let Some(high) = magnitude.last_mut()
        && *high >> 4 == 0x0F
    {
        negative = true;
        *high &= 0x0F;
    }
    match decimal(&magnitude) {
        Ok(Some(number)) => Ok(Raw::Steps(if negative { -number } else { number })),
        Ok(None) | Err(Error::NotDecimal(_)) => Ok(Raw::Absent),
        Err(_) if bytes.is_empty() => Ok(Raw::Absent),
        Err(error) => Err(error),
    }
}

fn value(meaning: &Meaning, raw: Raw) -> Result<Value, Error> {
    if meaning.error {
        return Ok(Value::Absent);
    }
    let amount = match (raw, meaning.scale, meaning.quantity) {
        (Raw::Absent, _, _) => return Ok(Value::Absent),
        (Raw::Text(text), _, _) => return Ok(Value::Text(text)),
        (Raw::Bytes(bytes), _, _) => return Ok(Value::Bytes(bytes)),
        (Raw::Steps(steps), _, Quantity::Date) => {
            return Ok(date(steps).map_or(Value::Absent, Value::Moment));
        }
        (Raw::Steps(steps), _, Quantity::DateTime) => {
            return Ok(date_time(steps).map_or(Value::Absent, Value::Moment));
        }
        (Raw::Steps(steps), None, _) => return Ok(Value::Number(steps)),
        (Raw::Real32(bits), None, _) => return Ok(Value::Bytes(bits.to_le_bytes().to_vec())),
        (Raw::Steps(steps), Some(scale), _) => scale.of(steps)?,
        (Raw::Real32(bits), Some(scale), _) => match scale.of_real32(bits)? {
            Some(amount) => amount,
            None => return Ok(Value::Absent),
        },
    };
    let amount = match meaning.offset_exponent {
        Some(exponent) => {
            let offset = Scale::ten(exponent, amount.unit).of(1)?;
            let milli = amount.milli.checked_add(offset.milli);
            Amount {
                milli: milli.ok_or(Error::OutOfRange)?,
                ..amount
            }
        }
        None => amount,
    };
    Ok(if meaning.backward {
        Value::Backward(amount)
    } else {
        Value::Amount(amount)
    })
}

/// Type G: a day in 16 bits.
fn date(steps: i64) -> Option<LocalTime> {
    let bits = u32::try_from(steps & 0xFFFF).ok()?;
    day(bits, 0).and_then(|date| LocalTime::new(date, (0, 0, 0)))
}

/// Type F: a minute in 32 bits, invalid when its bit 7 is set.
fn date_time(steps: i64) -> Option<LocalTime> {
    let bits = u32::try_from(steps & 0xFFFF_FFFF).ok()?;
    let part = |shift: u32, mask: u32| u8::try_from(bits >> shift & mask).ok();
    let (minute, hour) = (part(0, 0x3F)?, part(8, 0x1F)?);
    let date = day(bits >> 16, part(13, 0b11)?)?;
    let time = LocalTime::new(date, (hour, minute, 0));
    time.filter(|_| bits & 0x80 == 0)
}

fn day(bits: u32, century: u8) -> Option<(u16, u8, u8)> {
    let part = |shift: u32, mask: u32| u8::try_from(bits >> shift & mask).ok();
    let year = part(5, 0b111)? | part(12, 0b1111)? << 3;
    // Slaves of before the century's bits count to 80 in this one.
    let century = match (century, year) {
        (0, 0..=80) => 2_000,
        (century, _) => 1_900 + 100 * u16::from(century),
    };
    Some((century + u16::from(year), part(8, 0x0F)?, part(0, 0x1F)?))
}
