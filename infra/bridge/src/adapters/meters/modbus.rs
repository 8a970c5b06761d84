//! Visits to Modbus units, in either envelope, through their profiles.

use meter_protocols::Error;
use meter_protocols::modbus::{Answer, Profile};
use wire::meter::Register;

use super::sample::Sample;
use super::wire::{Silence, Wire};
use crate::config::Protocol;

/// Reads every register of the profile. Over TCP `transaction` is counted on.
pub async fn now(
    wire: &mut Wire,
    protocol: Protocol,
    unit: u8,
    profile: &Profile,
    transaction: &mut u16,
) -> Result<Sample, Silence> {
    let mut sample = Sample::default();
    for span in profile.spans() {
        let question = span.question;
        let answer = if protocol == Protocol::ModbusTcp {
            *transaction = transaction.wrapping_add(1);
            let asked = question.to_tcp(*transaction, unit);
            let read = |bytes: &[u8]| question.tcp_answer(*transaction, unit, bytes);
            wire.ask(&asked, read).await?
        } else {
            let read = |bytes: &[u8]| question.rtu_answer(unit, bytes);
            wire.ask(&question.to_rtu(unit), read).await?
        };
        sample.evidence(wire.heard());
        let Answer::Registers(registers) = answer else {
            return Err(Silence::Answered(Error::OtherQuestion(
                "registers were asked for",
            )));
        };
        let values = profile
            .decode(&span, &registers)
            .map_err(Silence::Answered)?;
        for (name, amount) in values {
            if let (Some(register), Some(amount)) = (Register::parse(name), amount) {
                sample.register(register, amount);
            }
        }
    }
    Ok(sample)
}
