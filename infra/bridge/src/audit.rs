//! Verifies an export of a gate's audit: one entry a line, each chained to the one before.

use std::fmt;
use std::io::BufRead;

use wire::audit::{Break, Line, follows};

/// The longest line of an export, in bytes.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// What a whole export holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// The first entry's number; none when the export is empty.
    pub first: Option<u64>,
    /// How many entries there are.
    pub entries: u64,
}

/// The first line that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its number in the file, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {} is broken: {}", self.line, self.why)
    }
}

impl std::error::Error for Broken {}

/// Verifies an export. One that does not begin with the first entry is verified from where it begins.
///
/// # Errors
/// The first broken line.
pub fn verify(mut export: impl BufRead) -> Result<Verified, Broken> {
    let (mut verified, mut before) = (Verified::default(), None::<Line>);
    for number in 1_u64.. {
        let broken = |why: String| Broken { line: number, why };
        let mut text = Vec::new();
        let mut limited = std::io::Read::take(&mut export, LINE_BYTES_MAX as u64);
        let length = limited
            .read_until(b'\n', &mut text)
            .map_err(|error| broken(error.to_string()))?;
        if length == 0 {
            break;
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_slice(&text)
            .map_err(|error| broken(format!("it is no entry: {error}")))?;
        check(before.as_ref(), &line).map_err(broken)?;
        verified.first.get_or_insert(line.entry.sequence);
        verified.entries += 1;
        before = Some(line);
    }
    Ok(verified)
}

fn check(before: Option<&Line>, line: &Line) -> Result<(), String> {
    let entry = &line.entry;
    let from_here;
    let previous = match before {
        Some(before) if before.gateway != line.gateway => {
            return Err(format!(
                "it is an entry of {}, not of {}",
                line.gateway, before.gateway
            ));
        }
        Some(before) => Some((before.entry.sequence, before.entry.hash.as_str())),
        None if entry.sequence > 1 => {
            from_here = entry.previous_hash.clone();
            Some((entry.sequence - 1, from_here.as_str()))
        }
        None => None,
    };
    follows(previous, line).map_err(|found| match found {
        Break::Changed { sequence } => {
            format!("entry {sequence} was changed: its hash does not fit")
        }
        Break::Gap { sequence } => {
            format!("entries are missing before entry {sequence}, or it stands in the wrong place")
        }
        Break::Torn { sequence } => format!("entry {sequence} does not follow the one before it"),
    })
}
