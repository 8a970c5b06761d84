//! One simulated OSDP device, without any I/O: bytes in, bytes out, outputs with timers of their own.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use osdp::caps::{Capability, FunctionCode};
use osdp::command::{Command, CommandCode, OutputControl, OutputControlCode};
use osdp::packet::{CtrlFlags, PacketBuilder};
use osdp::reply::{Ack, Busy, LStatR, Nak, NakErrorCode, OStatR, PdCap, PdId, Reply};
use osdp::{Address, ControlByte, Error, ParsedPacket, Sqn};

use super::{Behaviour, Released};

/// How many outputs a device has.
pub const OUTPUTS: u8 = 8;

/// One device.
#[derive(Debug)]
pub struct Peripheral {
    address: u8,
    last: Option<(Sqn, Vec<u8>)>,
    on_until: BTreeMap<u8, Option<Instant>>,
    released: BTreeMap<u8, u64>,
    orders: u64,
    shown: VecDeque<Reply>,
}

impl Peripheral {
    /// A device that was just switched on.
    #[must_use]
    pub fn new(address: u8) -> Self {
        Self {
            address,
            last: None,
            on_until: BTreeMap::new(),
            released: BTreeMap::new(),
            orders: 0,
            shown: VecDeque::new(),
        }
    }

    /// Something is shown at a reader: the answer to one of the next polls says so.
    pub fn show(&mut self, reading: Reply) {
        self.shown.push_back(reading);
    }

    /// How often the output was switched on.
    #[must_use]
    pub fn releases(&self, output: u8) -> u64 {
        self.released.get(&output).copied().unwrap_or(0)
    }

    /// Whether the output is on at `now`.
    #[must_use]
    pub fn is_on(&self, output: u8, now: Instant) -> bool {
        self.on_until
            .get(&output)
            .is_some_and(|until| until.is_none_or(|until| now < until))
    }

    /// How many frames were meant for this device.
    #[must_use]
    pub fn orders(&self) -> u64 {
        self.orders
    }

    /// Switched off and on again: it forgets its sequence number and its outputs, but we do not forget the count.
    pub fn restart(&mut self) {
        self.last = None;
        self.on_until.clear();
        self.shown.clear();
    }

    /// Takes one frame that is meant for this device and gives the answer's bytes.
    pub fn take(
        &mut self,
        packet: &ParsedPacket<'_>,
        behaviour: &Behaviour,
        now: Instant,
        released: &mut Vec<Released>,
    ) -> Result<Vec<u8>, Error> {
        self.orders += 1;
        let sequence = packet.ctrl.sqn;
        if let Some((last, answer)) = &self.last
            && *last == sequence
            && sequence != Sqn::ZERO
        {
            return Ok(answer.clone());
        }
        let expected = self.last.as_ref().map(|(last, _)| last.next());
        let reply = if sequence != Sqn::ZERO && expected != Some(sequence) {
            Reply::Nak(Nak::simple(NakErrorCode::UnexpectedSequenceNumber))
        } else {
            self.obey(packet, behaviour, now, released)
        };
        let answer = self.answer(sequence, packet.ctrl.use_crc(), &reply)?;
        if !matches!(&reply, Reply::Nak(nak) if nak.error == NakErrorCode::UnexpectedSequenceNumber)
        {
            self.last = Some((sequence, answer.clone()));
        }
        Ok(answer)
    }

    fn obey(
        &mut self,
        packet: &ParsedPacket<'_>,
        behaviour: &Behaviour,
        now: Instant,
        released: &mut Vec<Released>,
    ) -> Reply {
        let Ok(code) = CommandCode::from_byte(packet.code) else {
            return nak(NakErrorCode::UnknownCommandCode);
        };
        let Ok(command) = Command::decode(code, packet.data) else {
            return nak(NakErrorCode::CommandLengthError);
        };
        match command {
            Command::Poll(_) => self.shown.pop_front().unwrap_or(Reply::Ack(Ack)),
            Command::Id(_) => Reply::PdId(PdId {
                vendor_oui: [0; 3],
                model: 1,
                version: 1,
                serial: u32::from(self.address),
                firmware: [0, 1, 0],
            }),
            Command::Cap(_) => Reply::PdCap(PdCap::new(vec![Capability {
                code: FunctionCode::OutputControl.as_byte(),
                compliance: 2,
                number_of: OUTPUTS,
            }])),
            Command::LocalStatus(_) => Reply::LStatR(LStatR {
                tamper: 0,
                power: 0,
            }),
            Command::OutputStatus(_) => self.outputs(now),
            Command::Output(_) if behaviour.refuse => {
                nak(NakErrorCode::UnableToProcessCommandRecord)
            }
            Command::Output(order) => self.switch(&order, now, released),
            _ => nak(NakErrorCode::UnknownCommandCode),
        }
    }

    fn switch(
        &mut self,
        order: &OutputControl,
        now: Instant,
        released: &mut Vec<Released>,
    ) -> Reply {
        if order.records.iter().any(|record| record.output >= OUTPUTS) {
            return nak(NakErrorCode::UnableToProcessCommandRecord);
        }
        for record in &order.records {
            let for_ms = u64::from(record.timer) * 100;
            let until = match record.code {
                OutputControlCode::Nop | OutputControlCode::TemporaryOffResume => continue,
                OutputControlCode::PermanentOffAbortTimed
                | OutputControlCode::PermanentOffAllowTimed => {
                    self.on_until.remove(&record.output);
                    continue;
                }
                OutputControlCode::PermanentOnAbortTimed
                | OutputControlCode::PermanentOnAllowTimed => None,
                OutputControlCode::TemporaryOnResume => Some(now + Duration::from_millis(for_ms)),
            };
            self.on_until.insert(record.output, until);
            *self.released.entry(record.output).or_default() += 1;
            released.push(Released {
                address: self.address,
                output: record.output,
                for_ms,
            });
        }
        self.outputs(now)
    }

    fn outputs(&self, now: Instant) -> Reply {
        Reply::OStatR(OStatR {
            outputs: (0..OUTPUTS)
                .map(|output| u8::from(self.is_on(output, now)))
                .collect(),
        })
    }

    /// The answer of a device that has no time; it always carries the number 0.
    pub fn busy(&self, crc: bool) -> Result<Vec<u8>, Error> {
        self.answer(Sqn::ZERO, crc, &Reply::Busy(Busy))
    }

    fn answer(&self, sequence: Sqn, crc: bool, reply: &Reply) -> Result<Vec<u8>, Error> {
        let control = ControlByte::new(
            sequence,
            if crc {
                CtrlFlags::USE_CRC
            } else {
                CtrlFlags::empty()
            },
        );
        PacketBuilder::plain(
            Address::reply(self.address)?,
            control,
            reply.code().as_byte(),
            reply.encode_data()?,
        )
        .encode()
    }
}

fn nak(error: NakErrorCode) -> Reply {
    Reply::Nak(Nak::simple(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::osdp::{order_bytes, poll_order, release_order};

    fn ask(device: &mut Peripheral, sequence: u8, order: &Command, now: Instant) -> Vec<u8> {
        let bytes = order_bytes(0x65, Sqn::new(sequence).unwrap(), order).unwrap();
        let (packet, _) = ParsedPacket::parse(&bytes).unwrap();
        device
            .take(&packet, &Behaviour::default(), now, &mut Vec::new())
            .unwrap()
    }

    #[test]
    fn the_output_goes_off_by_its_own_timer() {
        let (now, mut device) = (Instant::now(), Peripheral::new(0x65));
        ask(&mut device, 0, &poll_order(), now);
        ask(&mut device, 1, &release_order(2, 3_000), now);
        assert!(
            device.is_on(2, now + Duration::from_millis(2_999))
                && !device.is_on(2, now + Duration::from_secs(3))
        );
        assert!(!device.is_on(1, now));
    }

    #[test]
    fn a_repeated_number_repeats_the_answer_and_moves_nothing() {
        let (now, mut device) = (Instant::now(), Peripheral::new(0x65));
        ask(&mut device, 0, &poll_order(), now);
        let first = ask(&mut device, 1, &release_order(0, 3_000), now);
        assert_eq!(ask(&mut device, 1, &release_order(0, 3_000), now), first);
        assert_eq!(device.releases(0), 1);
        ask(&mut device, 2, &release_order(0, 3_000), now);
        assert_eq!(device.releases(0), 2);
    }

    #[test]
    fn a_poll_after_the_numbers_two_is_acknowledged_byte_for_byte() {
        let (now, mut device) = (Instant::now(), Peripheral::new(0x65));
        for sequence in 0..2 {
            ask(&mut device, sequence, &poll_order(), now);
        }
        let expected = [0x53, 0xE5, 0x08, 0x00, 0x06, 0x40, 0xB0, 0xF0];
        assert_eq!(ask(&mut device, 2, &poll_order(), now), expected);
    }

    #[test]
    fn a_number_out_of_turn_is_refused_and_moves_nothing() {
        let (now, mut device) = (Instant::now(), Peripheral::new(0x65));
        let answer = ask(&mut device, 2, &release_order(0, 3_000), now);
        let (packet, _) = ParsedPacket::parse(&answer).unwrap();
        assert_eq!((packet.code, packet.data), (0x41, [4].as_slice()));
        assert_eq!(device.releases(0), 0);
    }
}
