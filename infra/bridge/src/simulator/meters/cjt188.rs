//! Water, gas and heat meters of CJ/T 188; all of them answer with a volume in m3, have a valve, and take money.

use meter_protocols::Error;
use meter_protocols::cjt188::{Address, Frame, find};

use super::{Bus, Heard, Said, digits};

const READ: u8 = 0x01;
const WRITE: u8 = 0x04;
const CUBIC_METRES: u8 = 0x2C;
/// The data ids, high byte first.
const READING: [u8; 2] = [0x90, 0x1F];
const PURCHASE: [u8; 2] = [0x81, 0x05];
const RECHARGE: [u8; 2] = [0xA0, 0x13];
const VALVE: [u8; 2] = [0xA0, 0x17];
const VALVE_SHUT: u8 = 0x99;
/// The status of a shut valve.
const SHUT: u8 = 0b01;

pub fn is_address(text: &str) -> bool {
    text.parse::<Address>().is_ok()
}

pub fn hear(bus: &mut Bus, bytes: &[u8]) -> Option<Heard> {
    let (frame, used) = match find(bytes) {
        Ok(found) => found,
        Err(Error::Truncated { .. }) => return None,
        Err(_) => return Some((1, None)),
    };
    let meant = |text: &str| text.parse().is_ok_and(|meter| frame.address.covers(meter));
    let found = bus.find(meant).filter(|_| frame.control & 0x80 == 0);
    let Some(meter) = found else {
        return Some((used, None));
    };
    let address = bus
        .meters
        .get(meter)
        .and_then(|meter| meter.address.parse().ok());
    let said = address.map(|address| {
        let answer = match said(bus, meter, &frame) {
            Some(said) => frame.answered(address, &said),
            None => frame.refused(address, [0, 0]),
        };
        Said {
            meter,
            bytes: answer.to_bytes(3),
            checksum_from_end: 2,
        }
    });
    Some((used, said))
}

/// What is answered, behind the data id and the serial number.
fn said(bus: &mut Bus, meter: usize, asked: &Frame) -> Option<Vec<u8>> {
    let [first, second, _, rest @ ..] = asked.data.as_slice() else {
        return None;
    };
    let is = |id: [u8; 2]| [*first, *second] == id || [*second, *first] == id;
    match asked.control {
        READ if is(READING) => Some(reading(bus, meter)),
        READ if is(PURCHASE) => purchase(bus, meter),
        WRITE if is(RECHARGE) => recharge(bus, meter, rest),
        WRITE if is(VALVE) => {
            bus.obeying(meter)?.cut = rest == [VALVE_SHUT];
            Some(status(bus, meter).to_vec())
        }
        _ => None,
    }
}

fn status(bus: &Bus, meter: usize) -> [u8; 2] {
    [if bus.is_cut(meter) { SHUT } else { 0 }, 0]
}

fn purchase(bus: &Bus, meter: usize) -> Option<Vec<u8>> {
    let purchases = &bus.meters.get(meter)?.purchases;
    let (number, last) = purchases.last().copied().unwrap_or_default();
    let total: i64 = purchases.iter().map(|(_, amount)| amount).sum();
    let amounts = [last, total, total].into_iter();
    let mut said = vec![number];
    said.extend(amounts.flat_map(|amount| digits(amount, 4)));
    said.extend(status(bus, meter));
    Some(said)
}

/// Takes the next purchase only, and each once.
fn recharge(bus: &mut Bus, meter: usize, rest: &[u8]) -> Option<Vec<u8>> {
    let [number, amount @ ..] = rest else {
        return None;
    };
    let pairs = amount
        .iter()
        .rev()
        .map(|byte| i64::from(byte >> 4) * 10 + i64::from(byte & 0x0F));
    let amount_fen = pairs.fold(0, |sum, pair| sum * 100 + pair);
    let purchases = &mut bus.obeying(meter)?.purchases;
    let last = purchases.last().map_or(0, |(number, _)| *number);
    if last.wrapping_add(1) != *number {
        return None;
    }
    purchases.push((*number, amount_fen));
    Some(rest.to_vec())
}

/// The volume, the volume at the settlement day, the clock, and that all is well.
fn reading(bus: &Bus, meter: usize) -> Vec<u8> {
    let volume = digits(Bus::hundredths(meter, bus.now()), 4);
    let mut said = volume;
    said.push(CUBIC_METRES);
    said.extend([0, 0, 0, 0, CUBIC_METRES]);
    match bus.local_time() {
        Some(now) => {
            let parts = [now.second, now.minute, now.hour, now.day, now.month];
            said.extend(parts.iter().flat_map(|part| digits((*part).into(), 1)));
            said.extend(digits(now.year.into(), 2));
        }
        None => said.extend([0xFF; 7]),
    }
    said.extend(status(bus, meter));
    said
}
