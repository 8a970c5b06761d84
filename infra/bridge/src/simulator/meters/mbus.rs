//! Slaves of the M-Bus: water meters that are found by their address or by their number.

use meter_protocols::Error;
use meter_protocols::mbus::{Frame, Identity, SELECTED, find, manufacturer_code};

use super::{Bus, Heard, Said, digits, shows};

const SND_NKE: u8 = 0x40;
const REQ_UD2: u8 = 0x5B;
const FRAME_COUNT: u8 = 0x20;
const CI_SELECT: u8 = 0x52;
const CI_LONG: u8 = 0x72;
const WATER: u8 = 0x07;

pub fn is_address(text: &str) -> bool {
    text.parse::<u8>().is_ok() || text.parse::<Identity>().is_ok_and(|_| text.len() == 8)
}

pub fn hear(bus: &mut Bus, bytes: &[u8]) -> Option<Heard> {
    let (frame, used) = match find(bytes) {
        Ok(found) => found,
        Err(Error::Truncated { .. }) => return None,
        Err(_) => return Some((1, None)),
    };
    Some((used, answer(bus, &frame)))
}

fn answer(bus: &mut Bus, frame: &Frame) -> Option<Said> {
    match frame {
        Frame::Long {
            ci: CI_SELECT,
            data,
            ..
        } => {
            let number: [u8; 4] = data.get(..4)?.try_into().ok()?;
            let meant = Identity {
                number,
                manufacturer: 0xFFFF,
                version: 0xFF,
                medium: 0xFF,
            };
            bus.selected =
                bus.find(|text| identity(text).is_some_and(|slave| meant.covers(&slave)));
            Some(said(bus.selected?, Frame::Acknowledged))
        }
        Frame::Short { control, address } => {
            let meter = if *address == SELECTED {
                bus.selected?
            } else {
                bus.find(|text| text.parse() == Ok(*address) && text.len() < 8)?
            };
            match control & !FRAME_COUNT {
                SND_NKE => Some(said(meter, Frame::Acknowledged)),
                REQ_UD2 => Some(said(meter, reading(bus, meter, *address))),
                _ => None,
            }
        }
        Frame::Acknowledged | Frame::Long { .. } => None,
    }
}

fn said(meter: usize, frame: Frame) -> Said {
    let bytes = frame.to_bytes();
    Said {
        meter,
        // An acknowledgement is one byte, and that one goes wrong.
        checksum_from_end: bytes.len().min(2),
        bytes,
    }
}

/// What a slave of that address or number is.
fn identity(text: &str) -> Option<Identity> {
    let printed: Identity = text.parse().ok()?;
    Some(Identity {
        number: printed.number,
        manufacturer: manufacturer_code("LIN")?,
        version: 1,
        medium: WATER,
    })
}

/// The number, the volume in litres, and the clock.
fn reading(bus: &Bus, meter: usize, address: u8) -> Frame {
    let address_text = bus.meters.get(meter).map_or("0", |meter| &meter.address);
    let who = identity(address_text).map_or([0; 8], |identity| identity.to_wire());
    let mut data = who.to_vec();
    data.extend([1, 0, 0, 0]);
    data.extend([0x0C, 0x13]);
    data.extend(digits(shows(meter, bus.now()), 4));
    if let Some(now) = bus.local_time() {
        let year = u32::from(now.year - 2_000);
        let day = u32::from(now.day) | (year & 0b111) << 5;
        let month = u32::from(now.month) | (year >> 3) << 4;
        let time = u32::from(now.minute) | u32::from(now.hour) << 8;
        data.extend([0x04, 0x6D]);
        data.extend((time | day << 16 | month << 24).to_le_bytes());
    }
    Frame::answer(address, CI_LONG, data)
}
