//! Water, gas and heat meters of CJ/T 188; all of them answer with a volume in m3.

use meter_protocols::Error;
use meter_protocols::cjt188::{Address, find};

use super::{Bus, Heard, Said, digits};

const READ: u8 = 0x01;
const CUBIC_METRES: u8 = 0x2C;
/// The data id of readings, in either order.
const READING: [[u8; 2]; 2] = [[0x90, 0x1F], [0x1F, 0x90]];

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
        let asked = frame.data.get(..2).unwrap_or_default();
        let known = frame.control == READ && READING.iter().any(|id| id == asked);
        let answer = if known {
            frame.answered(address, &reading(bus, meter))
        } else {
            frame.refused(address, [0, 0])
        };
        Said {
            meter,
            bytes: answer.to_bytes(3),
            checksum_from_end: 2,
        }
    });
    Some((used, said))
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
    said.extend([0, 0]);
    said
}
