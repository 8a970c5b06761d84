//! Visits to slaves of the M-Bus, by their address or by their number.

use meter_protocols::mbus::{
    Application, Frame, Function, Identity, Quantity, Record, SELECTED, Value, find, find_long,
};
use meter_protocols::{Amount, Error};
use wire::meter::{Flag, Register};

use super::sample::Sample;
use super::wire::{Silence, Wire};

/// The most answers that one slave's records may be spread over.
const ANSWERS_MAX: usize = 16;

/// Reads the slave at that address.
pub async fn primary(wire: &mut Wire, address: u8) -> Result<Sample, Silence> {
    acknowledged(wire, &Frame::initialise(address)).await?;
    answers(wire, address, None).await
}

/// Selects the slave of that number, and reads it.
pub async fn secondary(wire: &mut Wire, identity: &Identity) -> Result<Sample, Silence> {
    acknowledged(wire, &Frame::select(identity)).await?;
    answers(wire, SELECTED, Some(identity)).await
}

async fn acknowledged(wire: &mut Wire, frame: &Frame) -> Result<(), Silence> {
    let read = |bytes: &[u8]| match find(bytes)? {
        (Frame::Acknowledged, used) => Ok(((), used)),
        _ => Err(Error::OtherQuestion("an acknowledgement was expected")),
    };
    wire.ask(&frame.to_bytes(), read).await
}

async fn answers(
    wire: &mut Wire,
    address: u8,
    identity: Option<&Identity>,
) -> Result<Sample, Silence> {
    let (mut records, mut sample, mut second) = (Vec::new(), Sample::default(), true);
    for _ in 0..ANSWERS_MAX {
        let read = |bytes: &[u8]| {
            let (frame, used) = find_long(bytes)?;
            Ok((frame.application(address)?, used))
        };
        let question = Frame::ask(address, second).to_bytes();
        let said: Application = wire.ask(&question, read).await?;
        sample.evidence(wire.heard());
        if let (Some(asked), Some(answered)) = (identity, &said.header.identity)
            && !asked.covers(answered)
        {
            return Err(Silence::Answered(Error::ForeignAddress {
                asked: asked.printed(),
                answered: answered.printed(),
            }));
        }
        if said.header.is_low_on_power() {
            sample.flag(Flag::BatteryLow);
        }
        if said.header.is_faulty() {
            sample.flag(Flag::Fault);
        }
        records.extend(said.records);
        if !said.more {
            break;
        }
        second = !second;
    }
    told(&records, &mut sample);
    Ok(sample)
}

/// The register that is billed is the energy, or the volume where there is none.
fn told(records: &[Record], sample: &mut Sample) {
    let plain = |record: &&Record| {
        record.function == Function::Instantaneous && record.tariff == 0 && record.subunit == 0
    };
    let amount = |storage: u64, quantity: Quantity| -> Option<Amount> {
        let mut plain = records.iter().filter(plain);
        plain.find_map(|record| match record.value {
            Value::Amount(amount) if (record.storage, record.quantity) == (storage, quantity) => {
                Some(amount)
            }
            _ => None,
        })
    };
    let energy = amount(0, Quantity::Energy);
    let billed = match energy {
        Some(_) => Quantity::Energy,
        None => Quantity::Volume,
    };
    let volume = energy.and(amount(0, Quantity::Volume));
    let backward = records
        .iter()
        .filter(plain)
        .find_map(|record| match record.value {
            Value::Backward(amount) if (record.storage, record.quantity) == (0, billed) => {
                Some(amount)
            }
            _ => None,
        });
    for (register, amount) in [
        (Register::Total, amount(0, billed)),
        (Register::Settlement, amount(1, billed)),
        (Register::Reverse, backward),
        (Register::Volume, volume),
        (Register::Power, amount(0, Quantity::Power)),
        (Register::Voltage, amount(0, Quantity::Voltage)),
        (Register::Current, amount(0, Quantity::Current)),
        (Register::Flow, amount(0, Quantity::VolumeFlow)),
        (
            Register::SupplyTemperature,
            amount(0, Quantity::FlowTemperature),
        ),
        (
            Register::ReturnTemperature,
            amount(0, Quantity::ReturnTemperature),
        ),
    ] {
        if let Some(amount) = amount {
            sample.register(register, amount);
        }
    }
    let clock = records
        .iter()
        .filter(plain)
        .find_map(|record| match record.value {
            Value::Moment(moment)
                if (record.storage, record.quantity) == (0, Quantity::DateTime) =>
            {
                Some(moment)
            }
            _ => None,
        });
    sample.clock(clock);
}
