//! A table of the manifest that knows where it stands: keys are taken out of it, and whatever is left when it
//! is finished is refused by its full name.

use anyhow::{Result, bail};
use toml::{Table, Value};

/// A table and its path.
pub(super) struct Section {
    path: String,
    table: Table,
}

impl Section {
    pub fn root(table: Table) -> Self {
        Self {
            path: String::new(),
            table,
        }
    }

    /// A value that must be a table.
    pub fn of(path: String, value: Value) -> Result<Self> {
        match value {
            Value::Table(table) => Ok(Self { path, table }),
            other => bail!("{path} must be a table, not {}", other.type_str()),
        }
    }

    /// The full name of a key.
    pub fn name(&self, key: &str) -> String {
        let quoted = key.contains(|character: char| {
            !(character.is_ascii_alphanumeric() || "-_".contains(character))
        });
        let key = if quoted {
            format!("{key:?}")
        } else {
            key.to_owned()
        };
        if self.path.is_empty() {
            key
        } else {
            format!("{}.{key}", self.path)
        }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.table.remove(key)
    }

    pub fn text(&mut self, key: &str) -> Result<Option<String>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => bail!(
                "{} must be a text, not {}",
                self.name(key),
                other.type_str()
            ),
        }
    }

    pub fn required_text(&mut self, key: &str) -> Result<String> {
        match self.text(key)? {
            Some(text) => Ok(text),
            None => bail!("{} is missing", self.name(key)),
        }
    }

    pub fn flag(&mut self, key: &str) -> Result<Option<bool>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Boolean(flag)) => Ok(Some(flag)),
            Some(other) => bail!(
                "{} must be true or false, not {}",
                self.name(key),
                other.type_str()
            ),
        }
    }

    pub fn whole(&mut self, key: &str) -> Result<Option<u64>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Integer(number)) if number >= 0 => Ok(Some(number.unsigned_abs())),
            Some(other) => bail!("{} must be a whole number, not {other}", self.name(key)),
        }
    }

    pub fn list(&mut self, key: &str) -> Result<Vec<Value>> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => Ok(values),
            Some(other) => bail!(
                "{} must be a list, not {}",
                self.name(key),
                other.type_str()
            ),
        }
    }

    pub fn texts(&mut self, key: &str) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for value in self.list(key)? {
            match value {
                Value::String(text) => texts.push(text),
                other => bail!(
                    "{} must be a list of texts; {other} is none",
                    self.name(key)
                ),
            }
        }
        Ok(texts)
    }

    /// The table under a key; an empty one where there is none.
    pub fn section(&mut self, key: &str) -> Result<Self> {
        let path = self.name(key);
        Self::of(
            path,
            self.take(key).unwrap_or_else(|| Value::Table(Table::new())),
        )
    }

    /// The list of tables under a key.
    pub fn sections(&mut self, key: &str) -> Result<Vec<Self>> {
        let path = self.name(key);
        let numbered = self.list(key)?.into_iter().enumerate();
        numbered
            .map(|(index, value)| Self::of(format!("{path}[{index}]"), value))
            .collect()
    }

    /// All that is left, by key, each with its full name.
    pub fn rest(&mut self) -> Vec<(String, String, Value)> {
        let table = std::mem::take(&mut self.table);
        table
            .into_iter()
            .map(|(key, value)| (self.name(&key), key, value))
            .collect()
    }

    /// Refuses what was not taken.
    pub fn finish(self) -> Result<()> {
        match self.table.keys().next() {
            None => Ok(()),
            Some(key) => bail!("{} is not supported by linli", self.name(key)),
        }
    }
}
