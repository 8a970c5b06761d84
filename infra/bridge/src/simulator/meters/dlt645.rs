//! Electricity meters of DL/T 645, with four tariffs and 62 daily freezes.

use chrono::{Datelike, Days};
use kernel::{Timestamp, Zone};
use meter_protocols::Error;
use meter_protocols::dlt645::{Address, DataId, Frame, Function, find};

use super::{Bus, Heard, Said, digits};

/// What share of the energy each tariff has, in percent; the last has the rest.
const SHARES: [i64; 3] = [10, 30, 40];
/// The voltage, in tenths of volts.
const VOLTAGE: i64 = 2_350;
/// "No such data."
const NO_DATA: u8 = 0x02;
/// "Wrong password or not authorised."
const NOT_AUTHORISED: u8 = 0x04;
/// "Another error": the order came too late.
const TOO_LATE: u8 = 0x01;

pub fn is_address(text: &str) -> bool {
    text.parse::<Address>().is_ok_and(Address::is_exact)
}

pub fn hear(bus: &mut Bus, bytes: &[u8]) -> Option<Heard> {
    let (frame, used) = match find(bytes) {
        Ok(found) => found,
        Err(Error::Truncated { .. }) => return None,
        Err(_) => return Some((1, None)),
    };
    if frame.is_answer() {
        return Some((used, None));
    }
    let meant = |text: &str| text.parse().is_ok_and(|meter| frame.address.covers(meter));
    let Some(meter) = bus.find(meant) else {
        return Some((used, None));
    };
    let address = bus
        .meters
        .get(meter)
        .and_then(|meter| meter.address.parse().ok());
    let said = address.and_then(|address: Address| {
        let answer = answer(bus, meter, address, &frame)?;
        Some(Said {
            meter,
            bytes: answer.to_bytes(4),
            checksum_from_end: 2,
        })
    });
    Some((used, said))
}

fn answer(bus: &mut Bus, meter: usize, address: Address, asked: &Frame) -> Option<Frame> {
    if asked.is_of(Function::ReadAddress) {
        let data = address.to_wire().to_vec();
        return Some(Frame::answer(address, Function::ReadAddress, data, false));
    }
    if asked.is_of(Function::Relay) {
        return Some(match relay(bus, meter, &asked.data) {
            Ok(()) => Frame::answer(address, Function::Relay, Vec::new(), false),
            Err(code) => Frame::refusal(address, Function::Relay, code),
        });
    }
    if !asked.is_of(Function::Read) {
        return None;
    }
    let wire: [u8; 4] = asked.data.as_slice().try_into().ok()?;
    let id = DataId(u32::from_le_bytes(wire));
    Some(match data(bus, meter, id) {
        Some(said) => {
            let data = [wire.as_slice(), &said].concat();
            Frame::answer(address, Function::Read, data, false)
        }
        None => Frame::refusal(address, Function::Read, NO_DATA),
    })
}

fn data(bus: &Bus, meter: usize, id: DataId) -> Option<Vec<u8>> {
    let now = bus.now();
    let [group, kind, part, number] = id.0.to_be_bytes();
    Some(match (group, kind, part, number) {
        (0x00, 0x00 | 0x01, 0x00, 0x00) => digits(Bus::hundredths(meter, now), 4),
        (0x00, 0x01, 0xFF, 0x00) => block(meter, now),
        (0x02, 0x01, 0x01, 0x00) => digits(VOLTAGE, 2),
        (0x05, 0x06, 0x00 | 0x01, 1..=DataId::FREEZE_DAYS_MAX) => {
            let today = Zone::SHANGHAI.local(now).date;
            let midnight = today.checked_sub_days(Days::new(u64::from(number) - 1))?;
            if part == 0x01 {
                block(meter, Zone::SHANGHAI.moment(midnight, 0))
            } else {
                let parts = [midnight.day(), midnight.month(), midnight.year_ce().1 % 100];
                let date = parts.iter().flat_map(|part| digits((*part).into(), 1));
                [0, 0].into_iter().chain(date).collect()
            }
        }
        _ => return None,
    })
}

/// Password, operator, order, and until when it holds: `PA P0 P1 P2 C0 C1 C2 C3 N1 N2 ss mm hh DD MM YY`.
fn relay(bus: &mut Bus, meter: usize, data: &[u8]) -> Result<(), u8> {
    let [level, p0, p1, p2, _, _, _, _, order, _, until @ ..] = data else {
        return Err(TOO_LATE);
    };
    if format!("{level:02X}{p2:02X}{p1:02X}{p0:02X}") != super::RELAY_PASSWORD {
        return Err(NOT_AUTHORISED);
    }
    let now = bus.local_time().ok_or(TOO_LATE)?;
    let year = now.year % 100;
    let parts = [now.second, now.minute, now.hour, now.day, now.month];
    let now: Vec<u8> = parts
        .iter()
        .flat_map(|part| digits((*part).into(), 1))
        .collect();
    let now: Vec<u8> = now.into_iter().chain(digits(year.into(), 1)).collect();
    if now.iter().rev().cmp(until.iter().rev()).is_gt() {
        return Err(TOO_LATE);
    }
    let cut = match order {
        0x1A => true,
        0x1B | 0x1C => false,
        _ => return Err(TOO_LATE),
    };
    bus.obeying(meter).ok_or(TOO_LATE)?.cut = cut;
    Ok(())
}

/// The total and the four tariffs.
fn block(meter: usize, at: Timestamp) -> Vec<u8> {
    let total = Bus::hundredths(meter, at);
    let shares = SHARES.map(|share| total * share / 100);
    let rest = total - shares.iter().sum::<i64>();
    let values = [total].into_iter().chain(shares).chain([rest]);
    values.flat_map(|value| digits(value, 4)).collect()
}
