//! Visits to meters of CJ/T 188, and orders to them.

use meter_protocols::Error;
use meter_protocols::cjt188::{
    Answer, PREAMBLES_MAX, Purchase, Quantity, Question, Reading, Valve, find,
};
use wire::meter::{Flag, Register};

use super::sample::Sample;
use super::wire::{Silence, Wire};

/// Reads the registers as they stand.
pub async fn now(wire: &mut Wire, question: Question) -> Result<Sample, Silence> {
    let Answer::Reading(reading) = ask(wire, question).await? else {
        return Err(other());
    };
    let mut sample = told(&reading);
    sample.evidence(wire.heard());
    Ok(sample)
}

/// What was bought last.
pub async fn purchase(wire: &mut Wire, question: Question) -> Result<Purchase, Silence> {
    match ask(wire, question).await? {
        Answer::Purchase(purchase) => Ok(purchase),
        _ => Err(other()),
    }
}

/// Has a valve moved, or money taken.
pub async fn order(wire: &mut Wire, question: Question) -> Result<(), Silence> {
    match ask(wire, question).await? {
        Answer::Valve(_) | Answer::Recharged => Ok(()),
        _ => Err(other()),
    }
}

fn other() -> Silence {
    Silence::Answered(Error::OtherQuestion("what was asked for"))
}

async fn ask(wire: &mut Wire, question: Question) -> Result<Answer, Silence> {
    let asked = question.frame().to_bytes(PREAMBLES_MAX);
    let taken = |bytes: &[u8]| {
        let mut at = 0;
        loop {
            let (frame, used) = find(bytes.get(at..).unwrap_or_default())?;
            at += used;
            match question.answer(&frame) {
                Ok(answer) => return Ok((answer, at)),
                Err(error) if error.is_worth_waiting() && at < bytes.len() => {}
                Err(error) => return Err(error),
            }
        }
    };
    wire.ask(&asked, taken).await
}

fn told(reading: &Reading) -> Sample {
    let mut sample = Sample::default();
    for value in &reading.values {
        let register = match value.quantity {
            Quantity::Current => Register::Total,
            Quantity::Settlement => Register::Settlement,
            Quantity::Power => Register::Power,
            Quantity::Flow => Register::Flow,
            Quantity::Volume => Register::Volume,
            Quantity::SupplyTemperature => Register::SupplyTemperature,
            Quantity::ReturnTemperature => Register::ReturnTemperature,
            Quantity::WorkingTime => continue,
        };
        if let Some(amount) = value.amount {
            sample.register(register, amount);
        }
    }
    sample.clock(reading.clock);
    match reading.status.valve {
        Valve::Open => {}
        Valve::Closed => sample.flag(Flag::ValveClosed),
        Valve::Faulty => sample.flag(Flag::Fault),
    }
    if reading.status.battery_low {
        sample.flag(Flag::BatteryLow);
    }
    sample
}
