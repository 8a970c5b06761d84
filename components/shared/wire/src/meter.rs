//! What a gateway says about its meters, and what it is told to do at them.
//!
//! The same body stands on two topics: on `linli/{tenant}/meter/{meter}/reading` every reading is of that meter; on
//! `linli/{tenant}/gateway/{gateway}/reading` a gateway says at once what it read from several of its registered
//! meters. Receipts go to the gateway, as for doors. Orders stand on `linli/{tenant}/meter/{meter}/cmd`, what became of
//! them on `linli/{tenant}/meter/{meter}/ack`.

mod orders;

use kernel::{DeviceId, Timestamp};
use serde::{Deserialize, Serialize};

pub use orders::{Acknowledgement, Command, Order, Outcome, Supply};

/// The most readings in one message; more are refused as a whole.
pub const READINGS_MAX: usize = 50;
/// The most registers in one reading.
pub const REGISTERS_MAX: usize = 16;
/// The most bytes of frames that stand in [`Reading::raw`]; the text has twice as many characters.
pub const RAW_BYTES_MAX: usize = 256;

/// The body of a message on a `reading` topic: 1 to [`READINGS_MAX`] readings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readings {
    /// The gateway that read; receipts go there.
    pub gateway: DeviceId,
    /// What it read, in the order in which it read.
    pub readings: Vec<Reading>,
}

/// What one meter said at one moment. (meter, source, `read_at`) is the key: the same reading may come again in
/// another message, with the same values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The meter, as the device that is registered.
    pub meter: DeviceId,
    /// How it was read.
    pub source: Source,
    /// The moment the registers stood so: the meter's clock where it has one that can be read, else the gateway's
    /// (see [`Flag::GatewayClock`]). For a freeze the midnight, in the estate's zone, at which the meter kept it.
    pub read_at: Timestamp,
    /// The registers, each at most once, [`Register::Total`] always among them; 1 to [`REGISTERS_MAX`].
    pub registers: Vec<RegisterValue>,
    /// What is to be known about the reading; in order, without repetition, often empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// The frames that were decoded, in lower-case hexadecimal; the evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
}

/// The other body on a `reading` topic: 1 to [`READINGS_MAX`] messages of devices whose format the gateway does not
/// know; the function has them decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawReadings {
    /// The gateway that received them; receipts go there.
    pub gateway: DeviceId,
    /// What it received, in that order.
    pub messages: Vec<RawReading>,
}

/// What one device said, as it said it. (meter, `read_at`) is the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawReading {
    /// The meter, as the device that is registered.
    pub meter: DeviceId,
    /// When the gateway received it.
    pub read_at: Timestamp,
    /// The bytes in hexadecimal, at most [`RAW_BYTES_MAX`] of them.
    pub bytes: String,
}

/// How a reading came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Read as it stands, on the gateway's plan.
    Interval,
    /// The meter's own register of a midnight, for which billing asks first.
    Freeze,
    /// Read as it stands because somebody at the site asked.
    Manual,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Interval, Self::Freeze, Self::Manual];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interval => "interval",
            Self::Freeze => "freeze",
            Self::Manual => "manual",
        }
    }

    /// The source of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }
}

/// One register and what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterValue {
    /// Which register.
    pub register: Register,
    /// What it shows, in 1/1000 of the unit, without any transformer ratio.
    pub value_milli: i64,
    /// The unit.
    pub unit: Unit,
}

/// The registers that a meter can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Register {
    /// What is billed: forward active energy, volume of water or gas, heat.
    Total,
    /// The part of [`Register::Total`] in the sharp peak.
    Sharp,
    /// The part of [`Register::Total`] in the peak.
    Peak,
    /// The part of [`Register::Total`] in flat hours.
    Flat,
    /// The part of [`Register::Total`] in the valley.
    Valley,
    /// Forward and reverse energy combined, as the meter is set to combine them.
    Combined,
    /// Energy or volume that flowed backwards.
    Reverse,
    /// [`Register::Total`] as it stood at the meter's own last settlement day.
    Settlement,
    /// The volume that carried the heat.
    Volume,
    /// The power at this moment.
    Power,
    /// The voltage at this moment; the first phase's.
    Voltage,
    /// The current at this moment; the first phase's.
    Current,
    /// The flow at this moment.
    Flow,
    /// The temperature of what flows to the room.
    SupplyTemperature,
    /// The temperature of what comes back from the room.
    ReturnTemperature,
}

impl Register {
    /// Every register.
    pub const ALL: [Self; 15] = [
        Self::Total,
        Self::Sharp,
        Self::Peak,
        Self::Flat,
        Self::Valley,
        Self::Combined,
        Self::Reverse,
        Self::Settlement,
        Self::Volume,
        Self::Power,
        Self::Voltage,
        Self::Current,
        Self::Flow,
        Self::SupplyTemperature,
        Self::ReturnTemperature,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Sharp => "sharp",
            Self::Peak => "peak",
            Self::Flat => "flat",
            Self::Valley => "valley",
            Self::Combined => "combined",
            Self::Reverse => "reverse",
            Self::Settlement => "settlement",
            Self::Volume => "volume",
            Self::Power => "power",
            Self::Voltage => "voltage",
            Self::Current => "current",
            Self::Flow => "flow",
            Self::SupplyTemperature => "supply_temperature",
            Self::ReturnTemperature => "return_temperature",
        }
    }

    /// The register of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }
}

/// The units of registers. Heat is said in kWh, whatever the meter counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Energy.
    #[serde(rename = "kWh")]
    KilowattHour,
    /// Reactive energy.
    #[serde(rename = "kvarh")]
    KilovarHour,
    /// Volume.
    #[serde(rename = "m3")]
    CubicMetre,
    /// Power.
    #[serde(rename = "kW")]
    Kilowatt,
    /// Voltage.
    #[serde(rename = "V")]
    Volt,
    /// Current.
    #[serde(rename = "A")]
    Ampere,
    /// Flow.
    #[serde(rename = "m3/h")]
    CubicMetrePerHour,
    /// Temperature.
    #[serde(rename = "Cel")]
    DegreeCelsius,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Self; 8] = [
        Self::KilowattHour,
        Self::KilovarHour,
        Self::CubicMetre,
        Self::Kilowatt,
        Self::Volt,
        Self::Ampere,
        Self::CubicMetrePerHour,
        Self::DegreeCelsius,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KilowattHour => "kWh",
            Self::KilovarHour => "kvarh",
            Self::CubicMetre => "m3",
            Self::Kilowatt => "kW",
            Self::Volt => "V",
            Self::Ampere => "A",
            Self::CubicMetrePerHour => "m3/h",
            Self::DegreeCelsius => "Cel",
        }
    }

    /// The unit of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }
}

/// What is to be known about a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// `read_at` is the gateway's clock: the meter tells no time.
    GatewayClock,
    /// The meter's clock is more than 5 minutes off the gateway's; `read_at` is the gateway's.
    MeterClockWrong,
    /// A freeze that was fetched on a later day than the one that its midnight began.
    Recovered,
    /// The meter says that its battery or supply is low.
    BatteryLow,
    /// The meter says that its valve or relay is shut.
    ValveClosed,
    /// The meter says that it is faulty.
    Fault,
}

impl Flag {
    /// Every flag.
    pub const ALL: [Self; 6] = [
        Self::GatewayClock,
        Self::MeterClockWrong,
        Self::Recovered,
        Self::BatteryLow,
        Self::ValveClosed,
        Self::Fault,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GatewayClock => "gateway_clock",
            Self::MeterClockWrong => "meter_clock_wrong",
            Self::Recovered => "recovered",
            Self::BatteryLow => "battery_low",
            Self::ValveClosed => "valve_closed",
            Self::Fault => "fault",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;
    use serde::de::DeserializeOwned;
    use std::fmt::Debug;

    const FREEZE: &str = concat!(
        r#"{"id":"01900000-0000-7000-8000-000000000001","at":"2025-11-24T16:05:00.000Z","body":{"gateway":"gate-1","readings":["#,
        r#"{"meter":"m-101","source":"freeze","read_at":"2025-11-24T16:00:00.000Z","registers":["#,
        r#"{"register":"total","value_milli":7502640,"unit":"kWh"},"#,
        r#"{"register":"valley","value_milli":1000000,"unit":"kWh"}],"#,
        r#""flags":["recovered"],"raw":"6860079204"},"#,
        r#"{"meter":"m-102","source":"interval","read_at":"2025-11-24T16:04:50.000Z","registers":["#,
        r#"{"register":"total","value_milli":123000,"unit":"m3"}]}]}}"#
    );

    #[test]
    fn the_payload_stays_as_it_is() {
        let message = Message::<Readings>::from_payload(FREEZE.as_bytes()).unwrap();
        let [freeze, interval] = message.body.readings.as_slice() else {
            panic!("{message:?}")
        };
        assert_eq!(freeze.source, Source::Freeze);
        assert_eq!(freeze.registers[0].value_milli, 7_502_640);
        assert_eq!(freeze.flags, [Flag::Recovered]);
        assert_eq!((interval.flags.len(), &interval.raw), (0, &None));
        assert_eq!(
            String::from_utf8(message.to_payload().unwrap()).unwrap(),
            FREEZE
        );
    }

    #[test]
    fn every_name_is_the_name_on_the_wire() {
        fn same<Name: DeserializeOwned + PartialEq + Debug>(all: &[(Name, &str)]) {
            for (value, name) in all {
                let read: Name = serde_json::from_value((*name).into()).unwrap();
                assert_eq!(read, *value);
            }
        }
        same(&Source::ALL.map(|source| (source, source.as_str())));
        same(&Register::ALL.map(|register| (register, register.as_str())));
        same(&Unit::ALL.map(|unit| (unit, unit.as_str())));
        same(&Flag::ALL.map(|flag| (flag, flag.as_str())));
        for unit in Unit::ALL {
            assert_eq!(Unit::parse(unit.as_str()), Some(unit));
        }
        for register in Register::ALL {
            assert_eq!(Register::parse(register.as_str()), Some(register));
        }
        assert_eq!(Source::parse("guessed"), None);
    }

    #[test]
    fn a_full_message_fits_into_a_payload() {
        let raw = "f".repeat(2 * RAW_BYTES_MAX);
        let message = Message::<Readings>::from_payload(FREEZE.as_bytes()).unwrap();
        let Some(mut reading) = message.body.readings.first().cloned() else {
            panic!("the example has readings")
        };
        reading.raw = Some(raw);
        let registers = [Register::Total; 5];
        reading.registers = registers
            .map(|register| RegisterValue {
                register,
                value_milli: 99_999_999_999,
                unit: Unit::KilowattHour,
            })
            .to_vec();
        let full = Message {
            body: Readings {
                readings: vec![reading; READINGS_MAX],
                ..message.body
            },
            ..message
        };
        assert!(full.to_payload().unwrap().len() <= crate::PAYLOAD_BYTES_MAX);
    }
}
