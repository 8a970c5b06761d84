//! From the interface's parameters to PostgreSQL's binary formats. As on Spin, the server says which type each
//! parameter of a statement has, and a value goes only where its own kind belongs: an int64 is refused for an
//! INTEGER column, rather than converted.

use chrono::{NaiveDate, NaiveTime, Timelike};
use sqlx::{
    Arguments, Either, Encode, Postgres, Statement, Type, TypeInfo,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgArguments, PgStatement, PgTypeInfo, types::Oid},
};

use super::{decode::first_day, error};
use crate::bindings::postgres::{Error, ParameterValue, RangeBoundKind};

type Bound<T> = Option<(T, RangeBoundKind)>;

/// Checks and encodes what a guest gives for a prepared statement.
///
/// # Errors
/// `malformed`, when a value is not what its kind says (a date without a 31st); otherwise `query-failed`.
pub fn arguments(
    prepared: &PgStatement,
    parameters: &[ParameterValue],
    malformed: fn(String) -> Error,
) -> Result<PgArguments, Error> {
    let expected = match prepared.parameters() {
        Some(Either::Left(types)) => types,
        _ => &[],
    };
    if expected.len() != parameters.len() {
        let (wanted, given) = (expected.len(), parameters.len());
        return Err(error::query_text(format!("the statement has {wanted} parameters, {given} are given")));
    }
    let mut arguments = PgArguments::default();
    for (number, (parameter, type_info)) in parameters.iter().zip(expected).enumerate() {
        let name = type_info.name();
        if !fits(parameter, name) {
            let (number, kind) = (number + 1, kind(parameter));
            return Err(error::query_text(format!("parameter ${number}: the statement expects {name}, not {kind}")));
        }
        let bytes = encode(parameter, name).map_err(|reason| malformed(format!("parameter ${}: {reason}", number + 1)))?;
        let encoded = Encoded { bytes, type_info: type_info.clone() };
        arguments.add(encoded).map_err(|error| malformed(error.to_string()))?;
    }
    Ok(arguments)
}

/// Whether a value of this kind may stand for this type.
fn fits(parameter: &ParameterValue, name: &str) -> bool {
    use ParameterValue as Value;
    match parameter {
        Value::Boolean(_) => name == "BOOL",
        Value::Int8(_) => name == "\"CHAR\"",
        Value::Int16(_) => name == "INT2",
        Value::Int32(_) => name == "INT4",
        Value::Int64(_) => name == "INT8",
        Value::Floating32(_) => name == "FLOAT4",
        Value::Floating64(_) => name == "FLOAT8",
        Value::Str(_) => matches!(name, "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" | "citext"),
        Value::Binary(_) => name == "BYTEA",
        Value::Date(_) => name == "DATE",
        Value::Time(_) => name == "TIME",
        Value::Datetime(_) => name == "TIMESTAMP",
        Value::Timestamp(_) => name == "TIMESTAMPTZ",
        Value::Uuid(_) => name == "UUID",
        Value::Jsonb(_) => matches!(name, "JSONB" | "JSON"),
        Value::Decimal(_) => name == "NUMERIC",
        Value::RangeInt32(_) => name == "INT4RANGE",
        Value::RangeInt64(_) => name == "INT8RANGE",
        Value::RangeDecimal(_) => name == "NUMRANGE",
        Value::ArrayInt32(_) => name == "INT4[]",
        Value::ArrayInt64(_) => name == "INT8[]",
        Value::ArrayDecimal(_) => name == "NUMERIC[]",
        Value::ArrayStr(_) => matches!(name, "TEXT[]" | "VARCHAR[]" | "CHAR[]" | "NAME[]"),
        Value::Interval(_) => name == "INTERVAL",
        Value::DbNull => true,
    }
}

fn kind(parameter: &ParameterValue) -> &'static str {
    use ParameterValue as Value;
    match parameter {
        Value::Boolean(_) => "boolean",
        Value::Int8(_) => "int8 (one byte)",
        Value::Int16(_) => "int16",
        Value::Int32(_) => "int32",
        Value::Int64(_) => "int64",
        Value::Floating32(_) => "floating32",
        Value::Floating64(_) => "floating64",
        Value::Str(_) => "str",
        Value::Binary(_) => "binary",
        Value::Date(_) => "date",
        Value::Time(_) => "time",
        Value::Datetime(_) => "datetime",
        Value::Timestamp(_) => "timestamp",
        Value::Uuid(_) => "uuid",
        Value::Jsonb(_) => "jsonb",
        Value::Decimal(_) => "decimal",
        Value::RangeInt32(_) => "range-int32",
        Value::RangeInt64(_) => "range-int64",
        Value::RangeDecimal(_) => "range-decimal",
        Value::ArrayInt32(_) => "array-int32",
        Value::ArrayInt64(_) => "array-int64",
        Value::ArrayDecimal(_) => "array-decimal",
        Value::ArrayStr(_) => "array-str",
        Value::Interval(_) => "interval",
        Value::DbNull => "null",
    }
}

/// The bytes of a value; none for null.
fn encode(parameter: &ParameterValue, name: &str) -> Result<Option<Vec<u8>>, String> {
    use ParameterValue as Value;
    Ok(Some(match parameter {
        Value::DbNull => return Ok(None),
        Value::Boolean(value) => vec![u8::from(*value)],
        Value::Int8(value) => value.to_be_bytes().to_vec(),
        Value::Int16(value) => value.to_be_bytes().to_vec(),
        Value::Int32(value) => int4(value)?,
        Value::Int64(value) => int8(value)?,
        Value::Floating32(value) => value.to_be_bytes().to_vec(),
        Value::Floating64(value) => value.to_be_bytes().to_vec(),
        Value::Str(value) => text(value)?,
        Value::Binary(value) => value.clone(),
        Value::Date(value) => days(date(*value)?)?.to_be_bytes().to_vec(),
        Value::Time(value) => micros_of_day(time(*value)?).to_be_bytes().to_vec(),
        Value::Datetime((year, month, day, hour, minute, second, nanos)) => {
            let day = i64::from(days(date((*year, *month, *day))?)?);
            let time = micros_of_day(time((*hour, *minute, *second, *nanos))?);
            (day * MICROS_OF_DAY + time).to_be_bytes().to_vec()
        }
        Value::Timestamp(seconds) => {
            let since = seconds.checked_sub(first_day().and_time(NaiveTime::MIN).and_utc().timestamp());
            let micros = since.and_then(|since| since.checked_mul(1_000_000)).ok_or("the time stamp is out of range")?;
            micros.to_be_bytes().to_vec()
        }
        Value::Uuid(value) => {
            uuid::Uuid::parse_str(value).map_err(|_| format!("{value:?} is not a UUID"))?.as_bytes().to_vec()
        }
        Value::Jsonb(value) => {
            serde_json::from_slice::<serde::de::IgnoredAny>(value).map_err(|error| format!("invalid JSON: {error}"))?;
            let version: &[u8] = if name == "JSONB" { &[1] } else { &[] };
            [version, value].concat()
        }
        Value::Decimal(value) => numeric(value)?,
        Value::RangeInt32((lower, upper)) => range(lower, upper, int4)?,
        Value::RangeInt64((lower, upper)) => range(lower, upper, int8)?,
        Value::RangeDecimal((lower, upper)) => range(lower, upper, |value: &String| numeric(value))?,
        Value::ArrayInt32(values) => array(values, 23, int4)?,
        Value::ArrayInt64(values) => array(values, 20, int8)?,
        Value::ArrayDecimal(values) => array(values, 1700, |value: &String| numeric(value))?,
        Value::ArrayStr(values) => array(values, text_oid(name), |value: &String| text(value))?,
        Value::Interval(value) => {
            [&value.micros.to_be_bytes()[..], &value.days.to_be_bytes(), &value.months.to_be_bytes()].concat()
        }
    }))
}

const MICROS_OF_DAY: i64 = 86_400_000_000;

fn int4(value: &i32) -> Result<Vec<u8>, String> {
    Ok(value.to_be_bytes().to_vec())
}

fn int8(value: &i64) -> Result<Vec<u8>, String> {
    Ok(value.to_be_bytes().to_vec())
}

fn text(value: &str) -> Result<Vec<u8>, String> {
    if value.contains('\0') {
        return Err("a text for PostgreSQL cannot hold the character zero".to_owned());
    }
    Ok(value.as_bytes().to_vec())
}

/// The element type of an array of texts.
fn text_oid(array: &str) -> u32 {
    match array {
        "VARCHAR[]" => 1043,
        "CHAR[]" => 1042,
        "NAME[]" => 19,
        _ => 25,
    }
}

fn date((year, month, day): (i32, u8, u8)) -> Result<NaiveDate, String> {
    NaiveDate::from_ymd_opt(year, month.into(), day.into()).ok_or_else(|| format!("invalid date {year}-{month}-{day}"))
}

fn days(date: NaiveDate) -> Result<i32, String> {
    i32::try_from(date.signed_duration_since(first_day()).num_days()).map_err(|_| format!("{date} is out of range"))
}

fn time((hour, minute, second, nanos): (u8, u8, u8, u32)) -> Result<NaiveTime, String> {
    NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nanos)
        .ok_or_else(|| format!("invalid time {hour}:{minute}:{second} and {nanos} ns"))
}

fn micros_of_day(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond() / 1_000)
}

/// See `decode::numeric` for the format.
fn numeric(value: &str) -> Result<Vec<u8>, String> {
    let invalid = || format!("{value:?} is not a decimal number");
    let (negative, digits) = match value.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, value.strip_prefix('+').unwrap_or(value)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return Err(invalid());
    }
    let scale = u16::try_from(fraction.len()).ok().filter(|scale| *scale <= 0x3fff).ok_or_else(invalid)?;
    let whole = format!("{}{whole}", "0".repeat((4 - whole.len() % 4) % 4));
    let fraction = format!("{fraction}{}", "0".repeat((4 - fraction.len() % 4) % 4));
    let mut weight = i32::try_from(whole.len() / 4).map_err(|_| invalid())? - 1;
    let mut groups = Vec::with_capacity((whole.len() + fraction.len()) / 4);
    for four in [whole.as_bytes(), fraction.as_bytes()].into_iter().flat_map(|part| part.chunks(4)) {
        groups.push(four.iter().fold(0_u16, |group, digit| group * 10 + u16::from(digit - b'0')));
    }
    let leading = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..leading);
    weight -= i32::try_from(leading).map_err(|_| invalid())?;
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let sign: u16 = if negative && !groups.is_empty() { 0x4000 } else { 0 };
    let weight = if groups.is_empty() { 0 } else { i16::try_from(weight).map_err(|_| invalid())? };
    let count = i16::try_from(groups.len()).map_err(|_| invalid())?;
    let mut bytes = [count.to_be_bytes(), weight.to_be_bytes(), sign.to_be_bytes(), scale.to_be_bytes()].concat();
    bytes.extend(groups.iter().flat_map(|group| group.to_be_bytes()));
    Ok(bytes)
}

fn range<T>(
    lower: &Bound<T>,
    upper: &Bound<T>,
    write: fn(&T) -> Result<Vec<u8>, String>,
) -> Result<Vec<u8>, String> {
    let flag = |bound: &Bound<T>, absent: u8, inclusive: u8| match bound {
        None => absent,
        Some((_, RangeBoundKind::Inclusive)) => inclusive,
        Some((_, RangeBoundKind::Exclusive)) => 0,
    };
    let mut bytes = vec![flag(lower, 0x08, 0x02) | flag(upper, 0x10, 0x04)];
    for (value, _) in [lower, upper].into_iter().flatten() {
        element(&mut bytes, &write(value)?)?;
    }
    Ok(bytes)
}

fn array<T>(
    values: &[Option<T>],
    element_oid: u32,
    write: fn(&T) -> Result<Vec<u8>, String>,
) -> Result<Vec<u8>, String> {
    let length = i32::try_from(values.len()).map_err(|_| "the array is too long")?;
    let has_nulls = i32::from(values.iter().any(Option::is_none));
    let (dimensions, first_index) = (1_i32, 1_i32);
    let mut bytes = [dimensions.to_be_bytes(), has_nulls.to_be_bytes(), element_oid.to_be_bytes()].concat();
    bytes.extend(length.to_be_bytes());
    bytes.extend(first_index.to_be_bytes());
    for value in values {
        match value {
            Some(value) => element(&mut bytes, &write(value)?)?,
            None => bytes.extend((-1_i32).to_be_bytes()),
        }
    }
    Ok(bytes)
}

fn element(into: &mut Vec<u8>, bytes: &[u8]) -> Result<(), String> {
    into.extend(i32::try_from(bytes.len()).map_err(|_| "the value is too long")?.to_be_bytes());
    into.extend(bytes);
    Ok(())
}

/// A value that is already in the format of its type.
struct Encoded {
    bytes: Option<Vec<u8>>,
    type_info: PgTypeInfo,
}

impl Type<Postgres> for Encoded {
    fn type_info() -> PgTypeInfo {
        // Unspecified; every value says its own, see `produces`.
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for Encoded {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(match &self.bytes {
            Some(bytes) => {
                buffer.extend_from_slice(bytes);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.type_info.clone())
    }
}
