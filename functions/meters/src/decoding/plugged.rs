//! The plugged component: values of ours become values of the interface, and back.

use wire::meter::{Register, RegisterValue, Unit};

use super::{Decoding, Undecoded};

mod bindings {
    #![allow(missing_docs)]
    wit_bindgen::generate!({
        path: "../../wit/metering",
        world: "caller",
    });
}

use bindings::linli::metering::decoder as wit;

pub(super) fn decode(
    bytes: &[u8],
    decoding: Decoding,
    unit: Unit,
) -> Result<Vec<RegisterValue>, Undecoded> {
    let hints = wit::Hints {
        unit: match unit {
            Unit::KilowattHour => wit::Unit::KilowattHour,
            Unit::KilovarHour => wit::Unit::KilovarHour,
            Unit::CubicMetre => wit::Unit::CubicMetre,
            Unit::Kilowatt => wit::Unit::Kilowatt,
            Unit::Volt => wit::Unit::Volt,
            Unit::Ampere => wit::Unit::Ampere,
            Unit::CubicMetrePerHour => wit::Unit::CubicMetrePerHour,
            Unit::DegreeCelsius => wit::Unit::DegreeCelsius,
        },
        step_milli: decoding.step_milli,
        offset_milli: decoding.offset_milli,
    };
    match wit::decode(bytes, hints) {
        Ok(values) => Ok(values.into_iter().map(value).collect()),
        Err(error) => Err(Undecoded {
            code: error.code,
            english: error.english,
            chinese: error.chinese,
        }),
    }
}

fn value(value: wit::RegisterValue) -> RegisterValue {
    RegisterValue {
        register: register(value.register),
        value_milli: value.value_milli,
        unit: match value.unit {
            wit::Unit::KilowattHour => Unit::KilowattHour,
            wit::Unit::KilovarHour => Unit::KilovarHour,
            wit::Unit::CubicMetre => Unit::CubicMetre,
            wit::Unit::Kilowatt => Unit::Kilowatt,
            wit::Unit::Volt => Unit::Volt,
            wit::Unit::Ampere => Unit::Ampere,
            wit::Unit::CubicMetrePerHour => Unit::CubicMetrePerHour,
            wit::Unit::DegreeCelsius => Unit::DegreeCelsius,
        },
    }
}

fn register(register: wit::Register) -> Register {
    match register {
        wit::Register::Total => Register::Total,
        wit::Register::Sharp => Register::Sharp,
        wit::Register::Peak => Register::Peak,
        wit::Register::Flat => Register::Flat,
        wit::Register::Valley => Register::Valley,
        wit::Register::Combined => Register::Combined,
        wit::Register::Reverse => Register::Reverse,
        wit::Register::Settlement => Register::Settlement,
        wit::Register::Volume => Register::Volume,
        wit::Register::Power => Register::Power,
        wit::Register::Voltage => Register::Voltage,
        wit::Register::Current => Register::Current,
        wit::Register::Flow => Register::Flow,
        wit::Register::SupplyTemperature => Register::SupplyTemperature,
        wit::Register::ReturnTemperature => Register::ReturnTemperature,
    }
}
