//! From PostgreSQL's binary formats to the interface's values. The formats are those of the server's own `send`
//! functions; they have not changed since version 8.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use sqlx::{
    Column as _, Row, TypeInfo, ValueRef,
    postgres::{PgColumn, PgRow},
};

use crate::bindings::postgres::{Column, DbDataType, DbValue, Interval, RangeBoundKind};

/// A reader of one value.
pub(super) type Bytes<'a> = &'a [u8];
type Bound<T> = Option<(T, RangeBoundKind)>;

/// Describes a column.
pub fn column(column: &PgColumn) -> Column {
    Column {
        name: column.name().to_owned(),
        data_type: data_type(column.type_info().name()),
    }
}

/// The values of a row, and their size in bytes.
///
/// # Errors
/// A reason, when a value is outside what the interface can express.
pub fn row(row: &PgRow) -> Result<(Vec<DbValue>, usize), String> {
    let mut values = Vec::with_capacity(row.len());
    let mut size = 0;
    for (index, column) in row.columns().iter().enumerate() {
        let raw = row.try_get_raw(index).map_err(|error| error.to_string())?;
        let name = column.type_info().name();
        size += size_of::<DbValue>();
        values.push(if raw.is_null() {
            DbValue::DbNull
        } else {
            let bytes = raw.as_bytes().map_err(|error| error.to_string())?;
            size += bytes.len();
            value(name, bytes)
                .map_err(|reason| format!("column {:?} of type {name}: {reason}", column.name()))?
        });
    }
    Ok((values, size))
}

fn data_type(name: &str) -> DbDataType {
    match name {
        "BOOL" => DbDataType::Boolean,
        "BYTEA" => DbDataType::Binary,
        "FLOAT4" => DbDataType::Floating32,
        "FLOAT8" => DbDataType::Floating64,
        "INT2" => DbDataType::Int16,
        "INT4" => DbDataType::Int32,
        "INT8" => DbDataType::Int64,
        "TEXT" | "VARCHAR" | "CHAR" => DbDataType::Str,
        "TIMESTAMP" | "TIMESTAMPTZ" => DbDataType::Datetime,
        "DATE" => DbDataType::Date,
        "TIME" => DbDataType::Time,
        "UUID" => DbDataType::Uuid,
        "JSONB" => DbDataType::Jsonb,
        "NUMERIC" => DbDataType::Decimal,
        "INT4RANGE" => DbDataType::RangeInt32,
        "INT8RANGE" => DbDataType::RangeInt64,
        "NUMRANGE" => DbDataType::RangeDecimal,
        "INT4[]" => DbDataType::ArrayInt32,
        "INT8[]" => DbDataType::ArrayInt64,
        "NUMERIC[]" => DbDataType::ArrayDecimal,
        "TEXT[]" | "VARCHAR[]" | "CHAR[]" => DbDataType::ArrayStr,
        "INTERVAL" => DbDataType::Interval,
        other => DbDataType::Other(other.to_lowercase()),
    }
}

fn value(name: &str, bytes: Bytes<'_>) -> Result<DbValue, String> {
    Ok(match data_type(name) {
        DbDataType::Boolean => DbValue::Boolean(fixed::<1>(bytes)? != [0]),
        DbDataType::Binary => DbValue::Binary(bytes.to_vec()),
        DbDataType::Floating32 => DbValue::Floating32(f32::from_be_bytes(fixed(bytes)?)),
        DbDataType::Floating64 => DbValue::Floating64(f64::from_be_bytes(fixed(bytes)?)),
        DbDataType::Int16 => DbValue::Int16(i16::from_be_bytes(fixed(bytes)?)),
        DbDataType::Int32 => DbValue::Int32(int4(bytes)?),
        DbDataType::Int64 => DbValue::Int64(int8(bytes)?),
        DbDataType::Str => DbValue::Str(text(bytes)?),
        DbDataType::Datetime => DbValue::Datetime(datetime(int8(bytes)?)?),
        DbDataType::Date => DbValue::Date(date(int4(bytes)?)?),
        DbDataType::Time => DbValue::Time(time(int8(bytes)?)?),
        DbDataType::Uuid => DbValue::Uuid(uuid::Uuid::from_bytes(fixed(bytes)?).to_string()),
        DbDataType::Jsonb => match bytes {
            [1, json @ ..] => DbValue::Jsonb(json.to_vec()),
            _ => return Err("an unknown version of the format".to_owned()),
        },
        DbDataType::Decimal => DbValue::Decimal(numeric(bytes)?),
        DbDataType::RangeInt32 => DbValue::RangeInt32(range(bytes, int4)?),
        DbDataType::RangeInt64 => DbValue::RangeInt64(range(bytes, int8)?),
        DbDataType::RangeDecimal => DbValue::RangeDecimal(range(bytes, numeric)?),
        DbDataType::ArrayInt32 => DbValue::ArrayInt32(array(bytes, int4)?),
        DbDataType::ArrayInt64 => DbValue::ArrayInt64(array(bytes, int8)?),
        DbDataType::ArrayDecimal => DbValue::ArrayDecimal(array(bytes, numeric)?),
        DbDataType::ArrayStr => DbValue::ArrayStr(array(bytes, text)?),
        DbDataType::Interval => DbValue::Interval(interval(bytes)?),
        DbDataType::Int8 | DbDataType::Timestamp | DbDataType::Other(_) => {
            DbValue::Unsupported(bytes.to_vec())
        }
    })
}

fn fixed<const SIZE: usize>(bytes: Bytes<'_>) -> Result<[u8; SIZE], String> {
    bytes
        .try_into()
        .map_err(|_| format!("{} bytes instead of {SIZE}", bytes.len()))
}

fn int4(bytes: Bytes<'_>) -> Result<i32, String> {
    Ok(i32::from_be_bytes(fixed(bytes)?))
}

fn int8(bytes: Bytes<'_>) -> Result<i64, String> {
    Ok(i64::from_be_bytes(fixed(bytes)?))
}

fn text(bytes: Bytes<'_>) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a text that is not UTF-8".to_owned())
}

/// The day from which PostgreSQL counts.
pub(super) fn first_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default()
}

fn date(days: i32) -> Result<(i32, u8, u8), String> {
    let distance = Days::new(u64::from(days.unsigned_abs()));
    let day = if days < 0 {
        first_day().checked_sub_days(distance)
    } else {
        first_day().checked_add_days(distance)
    };
    day.map(year_month_day)
        .ok_or_else(|| "a date out of range, or infinity".to_owned())
}

fn time(micros: i64) -> Result<(u8, u8, u8, u32), String> {
    // 24:00 is a time for PostgreSQL only.
    let seconds = u32::try_from(micros.div_euclid(1_000_000)).map_err(|_| "a time out of range")?;
    let nanos =
        u32::try_from(micros.rem_euclid(1_000_000) * 1_000).map_err(|_| "a time out of range")?;
    let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos)
        .ok_or("a time out of range")?;
    Ok(hour_minute_second(time))
}

/// Year, month, day, hour, minute, second and nanosecond, as Spin's interface has them.
type Datetime = (i32, u8, u8, u8, u8, u8, u32);

fn datetime(micros: i64) -> Result<Datetime, String> {
    let start: NaiveDateTime = first_day().and_time(NaiveTime::MIN);
    let found = start.checked_add_signed(TimeDelta::microseconds(micros));
    let found = found.ok_or_else(|| "a time stamp out of range, or infinity".to_owned())?;
    let (year, month, day) = year_month_day(found.date());
    let (hour, minute, second, nanos) = hour_minute_second(found.time());
    Ok((year, month, day, hour, minute, second, nanos))
}

fn year_month_day(date: NaiveDate) -> (i32, u8, u8) {
    (date.year(), small(date.month()), small(date.day()))
}

fn hour_minute_second(time: NaiveTime) -> (u8, u8, u8, u32) {
    (
        small(time.hour()),
        small(time.minute()),
        small(time.second()),
        time.nanosecond(),
    )
}

/// For parts of dates and times, which are below 60.
fn small(part: u32) -> u8 {
    u8::try_from(part).unwrap_or(u8::MAX)
}

fn interval(bytes: Bytes<'_>) -> Result<Interval, String> {
    let (micros, rest) = split(bytes, 8)?;
    let (days, months) = split(rest, 4)?;
    Ok(Interval {
        micros: int8(micros)?,
        days: int4(days)?,
        months: int4(months)?,
    })
}

/// Groups of four decimal digits, the first of them worth 10000^weight, and the digits after the point to show.
fn numeric(bytes: Bytes<'_>) -> Result<String, String> {
    let (head, groups) = split(bytes, 8)?;
    let word = |index: usize| -> Result<u16, String> {
        head.get(index..index + 2).map_or_else(
            || Err("too short".to_owned()),
            |word| Ok(u16::from_be_bytes(fixed(word)?)),
        )
    };
    let weight = i32::from(word(2)?.cast_signed());
    let scale = usize::from(word(6)?);
    let sign = match word(4)? {
        0 => "",
        0x4000 => "-",
        0xC000 => return Ok("NaN".to_owned()),
        0xD000 => return Ok("Infinity".to_owned()),
        0xF000 => return Ok("-Infinity".to_owned()),
        other => return Err(format!("an unknown sign {other:#x}")),
    };
    let groups: Vec<u16> = groups
        .chunks(2)
        .map(|group| fixed(group).map(u16::from_be_bytes))
        .collect::<Result<_, _>>()?;
    let group = |exponent: i32| -> u16 {
        usize::try_from(weight - exponent)
            .ok()
            .and_then(|index| groups.get(index))
            .copied()
            .unwrap_or(0)
    };
    let mut whole: String = (0..=weight.max(0))
        .rev()
        .map(|exponent| format!("{:04}", group(exponent)))
        .collect();
    let leading = whole.len() - whole.trim_start_matches('0').len().max(1);
    whole.drain(..leading);
    let places = i32::try_from(scale.div_ceil(4)).unwrap_or(i32::MAX);
    let mut fraction: String = (1..=places)
        .map(|place| format!("{:04}", group(-place)))
        .collect();
    fraction.truncate(scale);
    let point = if scale == 0 { "" } else { "." };
    Ok(format!("{sign}{whole}{point}{fraction}"))
}

fn range<T>(
    bytes: Bytes<'_>,
    read: fn(Bytes<'_>) -> Result<T, String>,
) -> Result<(Bound<T>, Bound<T>), String> {
    let (flags, mut rest) = split(bytes, 1)?;
    let [flags] = fixed(flags)?;
    if flags & 0x01 != 0 {
        return Err("an empty range, which the interface cannot express".to_owned());
    }
    let mut bound = |absent: u8, inclusive: u8| -> Result<Bound<T>, String> {
        if flags & absent != 0 {
            return Ok(None);
        }
        let (element, after) = element(rest)?;
        rest = after;
        let element = element.ok_or("a bound that is null")?;
        let kind = if flags & inclusive != 0 {
            RangeBoundKind::Inclusive
        } else {
            RangeBoundKind::Exclusive
        };
        Ok(Some((read(element)?, kind)))
    };
    Ok((bound(0x08, 0x02)?, bound(0x10, 0x04)?))
}

fn array<T>(
    bytes: Bytes<'_>,
    read: fn(Bytes<'_>) -> Result<T, String>,
) -> Result<Vec<Option<T>>, String> {
    let (head, rest) = split(bytes, 12)?;
    let (dimensions, _) = split(head, 4)?;
    match int4(dimensions)? {
        0 => return Ok(Vec::new()),
        1 => {}
        more => {
            return Err(format!(
                "an array of {more} dimensions, which the interface cannot express"
            ));
        }
    }
    let (length, rest) = split(rest, 4)?;
    let (_, mut rest) = split(rest, 4)?;
    let mut found = Vec::new();
    for _ in 0..int4(length)? {
        let (element, after) = element(rest)?;
        rest = after;
        found.push(element.map(read).transpose()?);
    }
    Ok(found)
}

/// An element with its length before it; null has length -1.
fn element(bytes: Bytes<'_>) -> Result<(Option<Bytes<'_>>, Bytes<'_>), String> {
    let (length, rest) = split(bytes, 4)?;
    match usize::try_from(int4(length)?) {
        Ok(length) => split(rest, length).map(|(element, rest)| (Some(element), rest)),
        Err(_) => Ok((None, rest)),
    }
}

fn split(bytes: Bytes<'_>, at: usize) -> Result<(Bytes<'_>, Bytes<'_>), String> {
    bytes
        .split_at_checked(at)
        .ok_or_else(|| format!("{} bytes are too short", bytes.len()))
}
