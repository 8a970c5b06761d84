//! Profiles of devices: which register holds what, as data in TOML.
//!
//! ```toml
//! name = "Eastron SDM"
//! function = "input"                # or "holding"
//!
//! [[registers]]
//! name = "total"
//! address = 0x0156
//! type = "f32"                      # u16 i16 u32 i32 u64 i64 f32 f64 bcd16 bcd32
//! words = "big"                     # ABCD; or word-swapped (CDAB), byte-swapped (BADC), little (DCBA)
//! scale = "1"                       # what one step is worth, a decimal number
//! unit = "kWh"                      # kWh GJ MJ kvarh m3 l W kW V A Hz m3/h l/h Cel bar 1 ...
//! absent = [0xFFFF, 0xFFFF]         # registers that mean "nothing there", if the device has such
//! ```

use serde::Deserialize;

use super::{Question, REGISTERS_MAX};
use crate::Error;
use crate::amount::{Amount, Scale, Unit};
use crate::bytes::decimal;

/// The most registers that a profile names.
pub const PROFILE_REGISTERS_MAX: usize = 64;

/// The registers of one sort of device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What device it is.
    pub name: String,
    input: bool,
    registers: Vec<Register>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Register {
    name: String,
    address: u16,
    form: RegisterType,
    words: WordOrder,
    scale: Scale,
    absent: Option<Vec<u16>>,
}

/// How a number stands in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum RegisterType {
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
    Bcd16,
    Bcd32,
}

impl RegisterType {
    /// How many registers it takes.
    #[must_use]
    pub fn registers(self) -> u16 {
        match self {
            Self::U16 | Self::I16 | Self::Bcd16 => 1,
            Self::U32 | Self::I32 | Self::F32 | Self::Bcd32 => 2,
            Self::U64 | Self::I64 | Self::F64 => 4,
        }
    }
}

/// In which order the bytes of a number come, A being the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WordOrder {
    /// `AB CD`, as the standard would have it.
    #[default]
    Big,
    /// `CD AB`: low register first.
    WordSwapped,
    /// `BA DC`: low byte first in each register.
    ByteSwapped,
    /// `DC BA`: low byte first altogether.
    Little,
}

impl WordOrder {
    /// The bytes of a number, highest first.
    #[must_use]
    pub fn high_first(self, registers: &[u16]) -> Vec<u8> {
        let bytes = |word: &u16| match self {
            Self::Big | Self::WordSwapped => word.to_be_bytes(),
            Self::ByteSwapped | Self::Little => word.to_le_bytes(),
        };
        match self {
            Self::Big | Self::ByteSwapped => registers.iter().flat_map(bytes).collect(),
            Self::WordSwapped | Self::Little => registers.iter().rev().flat_map(bytes).collect(),
        }
    }
}

/// Registers that are read with one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The question.
    pub question: Question,
    first: usize,
    last: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileFile {
    name: String,
    function: FunctionFile,
    registers: Vec<RegisterFile>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum FunctionFile {
    Input,
    Holding,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterFile {
    name: String,
    address: u16,
    #[serde(rename = "type")]
    form: RegisterType,
    #[serde(default)]
    words: WordOrder,
    scale: String,
    unit: String,
    absent: Option<Vec<u16>>,
}

impl Profile {
    /// Eastron's SDM meters (SDM120, SDM230, SDM630).
    pub const EASTRON_SDM: &str = include_str!("../../profiles/eastron-sdm.toml");
    /// An example of a heat meter with word-swapped counters, as many ultrasonic ones have them.
    pub const HEAT_EXAMPLE: &str = include_str!("../../profiles/heat-example.toml");

    /// Reads a profile.
    ///
    /// # Errors
    /// A sentence that names what cannot be.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let file: ProfileFile =
            toml::from_str(text).map_err(|error| Error::Text(error.to_string()))?;
        let mut registers = Vec::new();
        for register in file.registers {
            registers.push(register.check()?);
        }
        registers.sort_by_key(|register| register.address);
        if registers.is_empty() || registers.len() > PROFILE_REGISTERS_MAX {
            return Err(Error::Text(format!(
                "a profile names 1 to {PROFILE_REGISTERS_MAX} registers"
            )));
        }
        Ok(Self {
            name: file.name,
            input: file.function == FunctionFile::Input,
            registers,
        })
    }

    /// The names of its registers, by address.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.registers.iter().map(|register| register.name.as_str())
    }

    /// The questions that read everything. Registers that touch are read at once; no others are, because many devices
    /// refuse a question that touches a hole.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<(u16, u16, usize, usize)> = Vec::new();
        for (index, register) in self.registers.iter().enumerate() {
            let (start, count) = (register.address, register.form.registers());
            match spans.last_mut() {
                Some((first, length, _, last))
                    if first.checked_add(*length) == Some(start)
                        && *length + count <= REGISTERS_MAX =>
                {
                    *length += count;
                    *last = index;
                }
                _ => spans.push((start, count, index, index)),
            }
        }
        let asked = |(start, count, first, last)| Span {
            question: if self.input {
                Question::Input { start, count }
            } else {
                Question::Holding { start, count }
            },
            first,
            last,
        };
        spans.into_iter().map(asked).collect()
    }

    /// Names and amounts of what a span's answer holds; none where the device has nothing.
    ///
    /// # Errors
    /// When the answer has too few registers, or a value does not fit.
    pub fn decode(
        &self,
        span: &Span,
        answer: &[u16],
    ) -> Result<Vec<(&str, Option<Amount>)>, Error> {
        let registers = self.registers.get(span.first..=span.last);
        let (mut rest, mut values) = (answer, Vec::new());
        for register in registers.unwrap_or_default() {
            let count = usize::from(register.form.registers());
            let Some((held, others)) = rest.split_at_checked(count) else {
                let missing = (count - rest.len()) * 2;
                return Err(Error::Truncated { missing });
            };
            rest = others;
            values.push((register.name.as_str(), register.amount(held)?));
        }
        Ok(values)
    }
}

impl Register {
    fn amount(&self, held: &[u16]) -> Result<Option<Amount>, Error> {
        if self.absent.as_deref() == Some(held) {
            return Ok(None);
        }
        let bytes = self.words.high_first(held);
        let unsigned = bytes
            .iter()
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let low = (unsigned & u64::from(u32::MAX)) as u32;
        let steps = match self.form {
            RegisterType::F32 => return self.scale.of_real32(low),
            RegisterType::F64 => return self.scale.of_real64(unsigned),
            RegisterType::U16 | RegisterType::U32 => i64::from(low),
            RegisterType::U64 => i64::try_from(unsigned).map_err(|_| Error::OutOfRange)?,
            RegisterType::I16 => i64::from((low as u16).cast_signed()),
            RegisterType::I32 => i64::from(low.cast_signed()),
            RegisterType::I64 => unsigned.cast_signed(),
            RegisterType::Bcd16 | RegisterType::Bcd32 => {
                let low_first: Vec<u8> = bytes.into_iter().rev().collect();
                match decimal(&low_first)? {
                    Some(steps) => steps,
                    None => return Ok(None),
                }
            }
        };
        self.scale.of(steps).map(Some)
    }
}

impl RegisterFile {
    fn check(self) -> Result<Register, Error> {
        let wrong = |what: String| Error::Text(format!("register {:?}: {what}", self.name));
        let unit = named_unit(&self.unit)
            .ok_or_else(|| wrong(format!("{:?} is no unit known here", self.unit)))?;
        let step = decimal_number(&self.scale)
            .ok_or_else(|| wrong(format!("{:?} is no decimal number", self.scale)))?;
        let count = self.form.registers();
        if self.address.checked_add(count - 1).is_none() {
            return Err(wrong("it ends beyond register 65535".into()));
        }
        let absent_fits = |absent: &Vec<u16>| absent.len() == usize::from(count);
        if !self.absent.as_ref().is_none_or(absent_fits) {
            return Err(wrong(format!("absent has to name {count} registers")));
        }
        let numerator = unit.numerator.checked_mul(step.0);
        Ok(Register {
            scale: Scale {
                numerator: numerator.ok_or_else(|| wrong("the scale is too long".into()))?,
                ..unit.times_ten(step.1)
            },
            name: self.name,
            address: self.address,
            form: self.form,
            words: self.words,
            absent: self.absent,
        })
    }
}

/// Digits and the power of ten behind them; at most 12 digits.
fn decimal_number(text: &str) -> Option<(i64, i32)> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{part}");
    let unsigned = digits.strip_prefix('-').unwrap_or(&digits);
    let all_digits = unsigned.bytes().all(|digit| digit.is_ascii_digit());
    if !all_digits || unsigned.is_empty() || unsigned.len() > 12 {
        return None;
    }
    let decimals = i32::try_from(part.len()).ok()?;
    Some((digits.parse().ok()?, -decimals))
}

fn named_unit(name: &str) -> Option<Scale> {
    Some(match name {
        "Wh" => Scale::ten(-3, Unit::KilowattHour),
        "kWh" => Scale::ten(0, Unit::KilowattHour),
        "MWh" => Scale::ten(3, Unit::KilowattHour),
        "MJ" => Scale::joules(6),
        "GJ" => Scale::joules(9),
        "varh" => Scale::ten(-3, Unit::KilovarHour),
        "kvarh" => Scale::ten(0, Unit::KilovarHour),
        "kVAh" => Scale::ten(0, Unit::KilovoltAmpereHour),
        "l" => Scale::ten(-3, Unit::CubicMetre),
        "m3" => Scale::ten(0, Unit::CubicMetre),
        "W" => Scale::ten(0, Unit::Watt),
        "kW" => Scale::ten(3, Unit::Watt),
        "var" => Scale::ten(0, Unit::Var),
        "VA" => Scale::ten(0, Unit::VoltAmpere),
        "V" => Scale::ten(0, Unit::Volt),
        "A" => Scale::ten(0, Unit::Ampere),
        "Hz" => Scale::ten(0, Unit::Hertz),
        "l/h" => Scale::ten(-3, Unit::CubicMetrePerHour),
        "m3/h" => Scale::ten(0, Unit::CubicMetrePerHour),
        "Cel" => Scale::ten(0, Unit::DegreeCelsius),
        "K" => Scale::ten(0, Unit::Kelvin),
        "bar" => Scale::ten(0, Unit::Bar),
        "s" => Scale::ten(0, Unit::Second),
        "1" => Scale::ten(0, Unit::One),
        _ => return None,
    })
}
