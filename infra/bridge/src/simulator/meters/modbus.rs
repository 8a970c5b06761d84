//! Meters that speak Modbus, with the registers of an Eastron SDM.

use meter_protocols::Error;
use meter_protocols::modbus::{Envelope, Question, crc, rtu, tcp};

use super::{Bus, Heard, Said, shows};

/// A question on a serial line has so many bytes.
const QUESTION_BYTES: usize = 8;
/// The registers, and which of them hold the energy.
const VOLTAGE: u16 = 0x0000;
const POWER: u16 = 0x000C;
const IMPORT: u16 = 0x0048;
const EXPORT: u16 = 0x004A;
const TOTAL: u16 = 0x0156;
const NO_FUNCTION: u8 = 1;
const NO_REGISTER: u8 = 2;

pub fn hear_rtu(bus: &mut Bus, bytes: &[u8]) -> Option<Heard> {
    let frame = bytes.get(..QUESTION_BYTES)?;
    let (checked, said) = frame.split_at(QUESTION_BYTES - 2);
    let (Some((unit, body)), Ok(said)) = (checked.split_first(), <[u8; 2]>::try_from(said)) else {
        return Some((1, None));
    };
    if u16::from_le_bytes(said) != crc(checked) {
        return Some((1, None));
    }
    let said = answer(bus, *unit, body).map(|(meter, body)| Said {
        meter,
        bytes: rtu(*unit, &body),
        checksum_from_end: 1,
    });
    Some((QUESTION_BYTES, said))
}

pub fn hear_tcp(bus: &mut Bus, bytes: &[u8]) -> Option<Heard> {
    let (envelope, used) = match Envelope::parse(bytes) {
        Ok(parsed) => parsed,
        Err(Error::Truncated { .. }) => return None,
        Err(_) => return Some((bytes.len(), None)),
    };
    let said = answer(bus, envelope.unit, &envelope.body).map(|(meter, body)| {
        let bytes = tcp(envelope.transaction, envelope.unit, &body);
        // There is no checksum over TCP; the function's byte stands for it.
        let checksum_from_end = body.len();
        Said {
            meter,
            bytes,
            checksum_from_end,
        }
    });
    Some((used, said))
}

fn answer(bus: &Bus, unit: u8, body: &[u8]) -> Option<(usize, Vec<u8>)> {
    let meter = bus.find(|address| address.parse() == Ok(unit))?;
    let function = body.first().copied().unwrap_or_default();
    let (start, count) = match Question::of_body(body) {
        Ok(Question::Input { start, count } | Question::Holding { start, count }) => (start, count),
        _ => return Some((meter, vec![function | 0x80, NO_FUNCTION])),
    };
    let total = shows(meter, bus.now()) as f32 / 1_000.0;
    let mut registers = Vec::new();
    for register in (start..start.saturating_add(count)).step_by(2) {
        let value = match register {
            VOLTAGE => 230.25_f32,
            POWER => 1_000.0,
            IMPORT | TOTAL => total,
            EXPORT => 0.0,
            _ => return Some((meter, vec![function | 0x80, NO_REGISTER])),
        };
        registers.extend(value.to_be_bytes());
    }
    let length = u8::try_from(registers.len()).ok()?;
    Some((meter, [[function, length].as_slice(), &registers].concat()))
}
