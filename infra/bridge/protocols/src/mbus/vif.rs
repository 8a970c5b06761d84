//! What the value information of a record means: the quantity, and what one step of the number is worth.

use crate::Error;
use crate::amount::{Scale, Unit};
use crate::bytes::Bytes;

/// The most bytes of value information behind the first.
const EXTENSIONS_MAX: usize = 10;
const EXTENDED: u8 = 0x80;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Energy.
    Energy,
    /// Reactive energy.
    ReactiveEnergy,
    /// Volume.
    Volume,
    /// Mass.
    Mass,
    /// How long the slave was under power.
    OnTime,
    /// How long it has worked.
    OperatingTime,
    /// Power.
    Power,
    /// Flow as volume.
    VolumeFlow,
    /// Flow as mass.
    MassFlow,
    /// The temperature of what flows to the room.
    FlowTemperature,
    /// The temperature of what comes back.
    ReturnTemperature,
    /// The difference of the two.
    TemperatureDifference,
    /// The temperature outside.
    ExternalTemperature,
    /// Pressure.
    Pressure,
    /// Voltage.
    Voltage,
    /// Current.
    Current,
    /// A day.
    Date,
    /// A moment.
    DateTime,
    /// The number of the slave.
    FabricationNumber,
    /// The identification with all its digits.
    Identification,
    /// The units of a heat cost allocator.
    AllocatorUnits,
    /// Bits that name errors.
    ErrorFlags,
    /// Something else, or something that a qualifier makes unlike what it looks like.
    Other,
}

/// A quantity and its scale, and what the qualifiers make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What is measured.
    pub quantity: Quantity,
    /// What one step is worth; none for what is no amount.
    pub scale: Option<Scale>,
    /// Steps that are to be added, in powers of ten of the unit.
    pub offset_exponent: Option<i32>,
    /// It counts what flows backwards.
    pub backward: bool,
    /// The slave says that there is no value: an error of the record.
    pub error: bool,
}

impl Meaning {
    fn of(quantity: Quantity, scale: Scale) -> Self {
        Self {
            scale: Some(scale),
            ..Self::without_scale(quantity)
        }
    }

    fn without_scale(quantity: Quantity) -> Self {
        Self {
            quantity,
            scale: None,
            offset_exponent: None,
            backward: false,
            error: false,
        }
    }

    /// Reads the value information at the front.
    pub fn decode(rest: &mut Bytes<'_>) -> Result<Self, Error> {
        let vif = rest.byte()?;
        let mut extended = vif & EXTENDED != 0;
        let mut meaning = match vif {
            0xFB | 0xFD => {
                let true_vif = rest.byte()?;
                extended = true_vif & EXTENDED != 0;
                match vif {
                    0xFB => second_table(true_vif & !EXTENDED),
                    _ => third_table(true_vif & !EXTENDED),
                }
            }
            _ => first_table(vif & !EXTENDED),
        };
        if vif & !EXTENDED == 0x7C {
            // The unit as a text, of which only the length matters here.
            let length = rest.byte()?;
            rest.take(length.into())?;
        }
        // What follows a maker's own code is the maker's own as well.
        let makers_own = vif & !EXTENDED == 0x7F;
        for _ in 0..EXTENSIONS_MAX {
            if !extended {
                return Ok(meaning);
            }
            let qualifier = rest.byte()?;
            extended = qualifier & EXTENDED != 0;
            if !makers_own {
                meaning.qualify(qualifier & !EXTENDED);
            }
        }
        if extended {
            return Err(Error::Malformed("a record has more than ten VIFEs"));
        }
        Ok(meaning)
    }

    fn qualify(&mut self, qualifier: u8) {
        match qualifier {
            // Errors of the record; 0 is none, and the others concern writing.
            0x00 => {}
            0x15..=0x18 => self.error = true,
            0x70..=0x77 => self.times_ten(i32::from(qualifier) - 0x70 - 6),
            0x78..=0x7B => self.offset_exponent = Some(i32::from(qualifier) - 0x78 - 3),
            0x7D => self.times_ten(3),
            // Counting only what flows forward is what a register does anyway.
            0x3B => {}
            0x3C => self.backward = true,
            // Peaks, rates, limits, moments of events: not what the quantity says.
            _ => self.quantity = Quantity::Other,
        }
    }

    fn times_ten(&mut self, exponent: i32) {
        self.scale = self.scale.map(|scale| scale.times_ten(exponent));
    }
}

/// The codes of one byte. Those that end in a power of ten have it in their last bits.
fn first_table(code: u8) -> Meaning {
    let (two, three) = (i32::from(code & 0b11), i32::from(code & 0b111));
    let ten = Scale::ten;
    match code {
        0x00..=0x07 => Meaning::of(Quantity::Energy, ten(three - 6, Unit::KilowattHour)),
        0x08..=0x0F => Meaning::of(Quantity::Energy, Scale::joules(three)),
        0x10..=0x17 => Meaning::of(Quantity::Volume, ten(three - 6, Unit::CubicMetre)),
        0x18..=0x1F => Meaning::of(Quantity::Mass, ten(three - 3, Unit::Kilogram)),
        0x20..=0x23 => Meaning::of(Quantity::OnTime, duration(code)),
        0x24..=0x27 => Meaning::of(Quantity::OperatingTime, duration(code)),
        0x28..=0x2F => Meaning::of(Quantity::Power, ten(three - 3, Unit::Watt)),
        0x30..=0x37 => Meaning::of(Quantity::Power, joules_per_hour(three)),
        0x38..=0x3F => Meaning::of(
            Quantity::VolumeFlow,
            ten(three - 6, Unit::CubicMetrePerHour),
        ),
        0x40..=0x47 => Meaning::of(Quantity::VolumeFlow, flow_per(60, three - 7)),
        0x48..=0x4F => Meaning::of(Quantity::VolumeFlow, flow_per(3_600, three - 9)),
        0x50..=0x57 => Meaning::of(Quantity::MassFlow, ten(three - 3, Unit::KilogramPerHour)),
        0x58..=0x5B => Meaning::of(Quantity::FlowTemperature, ten(two - 3, Unit::DegreeCelsius)),
        0x5C..=0x5F => Meaning::of(
            Quantity::ReturnTemperature,
            ten(two - 3, Unit::DegreeCelsius),
        ),
        0x60..=0x63 => Meaning::of(Quantity::TemperatureDifference, ten(two - 3, Unit::Kelvin)),
        0x64..=0x67 => Meaning::of(
            Quantity::ExternalTemperature,
            ten(two - 3, Unit::DegreeCelsius),
        ),
        0x68..=0x6B => Meaning::of(Quantity::Pressure, ten(two - 3, Unit::Bar)),
        0x6C => Meaning::without_scale(Quantity::Date),
        0x6D => Meaning::without_scale(Quantity::DateTime),
        0x6E => Meaning::of(Quantity::AllocatorUnits, ten(0, Unit::One)),
        0x78 => Meaning::without_scale(Quantity::FabricationNumber),
        0x79 => Meaning::without_scale(Quantity::Identification),
        _ => Meaning::without_scale(Quantity::Other),
    }
}

/// The codes behind FB.
fn second_table(code: u8) -> Meaning {
    let one = i32::from(code & 1);
    match code {
        0x00 | 0x01 => Meaning::of(Quantity::Energy, Scale::ten(one + 2, Unit::KilowattHour)),
        0x02 | 0x03 => Meaning::of(Quantity::ReactiveEnergy, Scale::ten(one, Unit::KilovarHour)),
        0x08 | 0x09 => Meaning::of(Quantity::Energy, Scale::joules(one + 8)),
        0x10 | 0x11 => Meaning::of(Quantity::Volume, Scale::ten(one + 2, Unit::CubicMetre)),
        0x18 | 0x19 => Meaning::of(Quantity::Mass, Scale::ten(one + 5, Unit::Kilogram)),
        0x28 | 0x29 => Meaning::of(Quantity::Power, Scale::ten(one + 5, Unit::Watt)),
        0x30 | 0x31 => Meaning::of(Quantity::Power, joules_per_hour(one + 8)),
        _ => Meaning::without_scale(Quantity::Other),
    }
}

/// The codes behind FD.
fn third_table(code: u8) -> Meaning {
    let four = i32::from(code & 0x0F);
    match code {
        0x17 => Meaning::without_scale(Quantity::ErrorFlags),
        0x40..=0x4F => Meaning::of(Quantity::Voltage, Scale::ten(four - 9, Unit::Volt)),
        0x50..=0x5F => Meaning::of(Quantity::Current, Scale::ten(four - 12, Unit::Ampere)),
        _ => Meaning::without_scale(Quantity::Other),
    }
}

fn duration(code: u8) -> Scale {
    let seconds = match code & 0b11 {
        0 => 1,
        1 => 60,
        2 => 3_600,
        _ => 86_400,
    };
    Scale {
        numerator: seconds,
        ..Scale::ten(0, Unit::Second)
    }
}

/// 1 J/h is 1/3600 W.
fn joules_per_hour(exponent: i32) -> Scale {
    Scale {
        numerator: 1,
        denominator: 36,
        exponent: exponent - 2,
        unit: Unit::Watt,
    }
}

fn flow_per(per_hour: i64, exponent: i32) -> Scale {
    Scale {
        numerator: per_hour,
        ..Scale::ten(exponent, Unit::CubicMetrePerHour)
    }
}
