//! A row, read by position: the columns stand in the statement right above the reading.

use anyhow::{Context, anyhow};
use kernel::Timestamp;

use crate::Value;

/// One row of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(Vec<Value>);

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self(values)
    }

    /// The values in the order of the statement's columns.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.0
    }

    /// The whole number at that position (from 0).
    ///
    /// # Errors
    /// No such column, or it is not an integer.
    pub fn integer(&self, position: usize) -> anyhow::Result<i64> {
        self.optional_integer(position)?
            .ok_or_else(|| unexpected(position, "an integer", &Value::Null))
    }

    /// The text at that position.
    ///
    /// # Errors
    /// No such column, or it is not text.
    pub fn text(&self, position: usize) -> anyhow::Result<&str> {
        self.optional_text(position)?
            .ok_or_else(|| unexpected(position, "text", &Value::Null))
    }

    /// The bytes at that position.
    ///
    /// # Errors
    /// No such column, or it is not a blob.
    pub fn blob(&self, position: usize) -> anyhow::Result<&[u8]> {
        match self.value(position)? {
            Value::Blob(bytes) => Ok(bytes),
            other => Err(unexpected(position, "a blob", other)),
        }
    }

    /// The truth at that position: 0 or 1.
    ///
    /// # Errors
    /// No such column, or it is neither 0 nor 1.
    pub fn boolean(&self, position: usize) -> anyhow::Result<bool> {
        match self.integer(position)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(anyhow!("column {position} is {other}, expected 0 or 1")),
        }
    }

    /// The moment at that position, stored as epoch milliseconds.
    ///
    /// # Errors
    /// No such column, not an integer, or outside the years 1 to 9999.
    pub fn timestamp(&self, position: usize) -> anyhow::Result<Timestamp> {
        moment(position, self.integer(position)?)
    }

    /// The id (or whatever else is made of text) at that position.
    ///
    /// # Errors
    /// No such column, not text, or not such an id.
    pub fn id<Id>(&self, position: usize) -> anyhow::Result<Id>
    where
        Id: TryFrom<String>,
        Id::Error: std::error::Error + Send + Sync + 'static,
    {
        identify(position, self.text(position)?)
    }

    /// The whole number at that position, or nothing for NULL.
    ///
    /// # Errors
    /// No such column, or it is neither an integer nor NULL.
    pub fn optional_integer(&self, position: usize) -> anyhow::Result<Option<i64>> {
        match self.value(position)? {
            Value::Null => Ok(None),
            Value::Integer(number) => Ok(Some(*number)),
            other => Err(unexpected(position, "an integer", other)),
        }
    }

    /// The text at that position, or nothing for NULL.
    ///
    /// # Errors
    /// No such column, or it is neither text nor NULL.
    pub fn optional_text(&self, position: usize) -> anyhow::Result<Option<&str>> {
        match self.value(position)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            other => Err(unexpected(position, "text", other)),
        }
    }

    /// The moment at that position, or nothing for NULL.
    ///
    /// # Errors
    /// No such column, not an integer, or outside the years 1 to 9999.
    pub fn optional_timestamp(&self, position: usize) -> anyhow::Result<Option<Timestamp>> {
        self.optional_integer(position)?
            .map(|millis| moment(position, millis))
            .transpose()
    }

    /// The id at that position, or nothing for NULL.
    ///
    /// # Errors
    /// No such column, not text, or not such an id.
    pub fn optional_id<Id>(&self, position: usize) -> anyhow::Result<Option<Id>>
    where
        Id: TryFrom<String>,
        Id::Error: std::error::Error + Send + Sync + 'static,
    {
        self.optional_text(position)?
            .map(|text| identify(position, text))
            .transpose()
    }

    fn value(&self, position: usize) -> anyhow::Result<&Value> {
        self.0.get(position).ok_or_else(|| {
            anyhow!(
                "the row has {} columns, there is none at position {position}",
                self.0.len()
            )
        })
    }
}

fn unexpected(position: usize, expected: &str, found: &Value) -> anyhow::Error {
    anyhow!(
        "column {position} is {}, expected {expected}",
        found.type_name()
    )
}

fn moment(position: usize, millis: i64) -> anyhow::Result<Timestamp> {
    Timestamp::from_millis(millis)
        .with_context(|| format!("column {position} is {millis}, expected a time"))
}

fn identify<Id>(position: usize, text: &str) -> anyhow::Result<Id>
where
    Id: TryFrom<String>,
    Id::Error: std::error::Error + Send + Sync + 'static,
{
    Id::try_from(text.to_owned())
        .with_context(|| format!("column {position} is {text:?}, expected an id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::DeviceId;

    fn check<T: std::fmt::Debug>(result: anyhow::Result<T>, message: &str) {
        assert_eq!(result.unwrap_err().to_string(), message);
    }

    #[test]
    fn a_wrong_reading_names_the_position_and_both_types() {
        let row = Row::new(vec![
            Value::Null,
            Value::Integer(7),
            Value::Text("a/b".to_owned()),
        ]);
        check(row.integer(0), "column 0 is null, expected an integer");
        check(row.text(1), "column 1 is an integer, expected text");
        check(row.blob(2), "column 2 is text, expected a blob");
        check(row.boolean(1), "column 1 is 7, expected 0 or 1");
        check(row.id::<DeviceId>(2), "column 2 is \"a/b\", expected an id");
        check(
            row.integer(3),
            "the row has 3 columns, there is none at position 3",
        );
        assert_eq!(row.optional_text(0).unwrap(), None);
    }
}
