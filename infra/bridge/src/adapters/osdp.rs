//! OSDP v2, the control panel's side, without any I/O: frames out of orders, answers out of bytes.
//!
//! The frames themselves are crate `osdp`'s. Its driver is not used: it blocks, and it hands the sequence number
//! of a POLL that timed out to the next command, which the device then takes for a repetition and does not run.

use osdp::command::output::OutputRecord;
use osdp::command::{Command, OutputControl, OutputControlCode, Poll};
use osdp::packet::{CtrlFlags, PacketBuilder};
use osdp::reply::{NakErrorCode, Reply, ReplyCode};
use osdp::{Address, ControlByte, Error, MAX_BUS_PACKET, ParsedPacket, SOM, Sqn};

use super::Movement;

/// The unit of a device's output timer, in milliseconds.
pub const TIMER_UNIT_MS: u32 = 100;

/// The order to release an output for at least `for_ms`; the device's own timer ends it.
///
/// Zero would mean "until further notice" to some devices and is therefore never sent: the shortest release is one
/// unit, the longest what the timer holds.
#[must_use]
pub fn release_order(output: u8, for_ms: u32) -> Command {
    let units = for_ms.div_ceil(TIMER_UNIT_MS).clamp(1, u32::from(u16::MAX));
    let timer = u16::try_from(units).unwrap_or(u16::MAX);
    Command::Output(OutputControl::new(vec![OutputRecord {
        output,
        code: OutputControlCode::TemporaryOnResume,
        timer,
    }]))
}

/// The order for a movement. A hold is the one order without an end: for a fire, and until the restore.
#[must_use]
pub fn movement_order(output: u8, movement: Movement) -> Command {
    let code = match movement {
        Movement::Release { for_ms } => return release_order(output, for_ms),
        Movement::Hold => OutputControlCode::PermanentOnAbortTimed,
        Movement::Restore => OutputControlCode::PermanentOffAbortTimed,
    };
    Command::Output(OutputControl::new(vec![OutputRecord {
        output,
        code,
        timer: 0,
    }]))
}

/// The order that only asks whether the device is there.
#[must_use]
pub fn poll_order() -> Command {
    Command::Poll(Poll)
}

/// The bytes of an order, with a CRC.
///
/// # Errors
/// When the address is above 127, or the order has no valid form.
pub fn order_bytes(address: u8, sequence: Sqn, order: &Command) -> Result<Vec<u8>, Error> {
    let control = ControlByte::new(sequence, CtrlFlags::USE_CRC);
    PacketBuilder::plain(
        Address::pd(address)?,
        control,
        order.code().as_byte(),
        order.encode_data()?,
    )
    .encode()
}

/// One answer as it stood on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The device that speaks.
    pub address: u8,
    /// The sequence number of the order it answers.
    pub sequence: Sqn,
    /// What it says; an error when the frame is whole but its content is not understood.
    pub reply: Result<Reply, Error>,
}

/// Finds answers in what comes from a line: noise, echoes and broken frames are skipped.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
}

impl Decoder {
    /// Takes bytes as they come. What is older than two whole frames is forgotten.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let surplus = self.bytes.len().saturating_sub(2 * MAX_BUS_PACKET);
        self.bytes.drain(..surplus);
    }

    /// Forgets everything that has not become an answer.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// The next answer, if a whole one has come.
    pub fn next_answer(&mut self) -> Option<Answer> {
        let mut from = 0;
        // A broken start must not hide a whole frame behind it, so every possible start is tried.
        while let Some(at) = self.bytes[from..]
            .iter()
            .position(|byte| *byte == SOM)
            .map(|found| from + found)
        {
            // We ask with a CRC and are answered with one; a one-byte checksum is too easily found in noise.
            let whole = ParsedPacket::parse(&self.bytes[at..]).ok();
            let Some((packet, length)) = whole
                .filter(|(packet, length)| packet.trailer.is_crc() && *length <= MAX_BUS_PACKET)
            else {
                from = at + 1;
                continue;
            };
            let answer = packet.addr.is_reply().then(|| Answer {
                address: packet.addr.pd_addr(),
                sequence: packet.ctrl.sqn,
                reply: ReplyCode::from_byte(packet.code)
                    .and_then(|code| Reply::decode(code, packet.data)),
            });
            self.bytes.drain(..at + length);
            if answer.is_some() {
                return answer;
            }
            from = 0;
        }
        None
    }
}

/// What a device's answer to a release order means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The output is on.
    Released,
    /// The device has no time: the same order with the same number may be tried again.
    Busy,
    /// The device did not get the frame whole: the same order with the same number may be tried again.
    Garbled,
    /// The device expected another sequence number and did nothing.
    OutOfSequence,
    /// The device did nothing, and says why.
    Refused(String),
    /// The device said something that is no answer to such an order.
    Unclear(String),
}

/// Reads the answer to the order for a movement of `output`.
#[must_use]
pub fn verdict(output: u8, movement: Movement, reply: &Result<Reply, Error>) -> Verdict {
    let wanted = movement != Movement::Restore;
    match reply {
        Ok(Reply::Ack(_)) => Verdict::Released,
        Ok(Reply::OStatR(status)) => match status.outputs.get(usize::from(output)) {
            Some(state) if (*state != 0) != wanted => Verdict::Refused(format!(
                "the controller reports output {output} still {}",
                if wanted { "off" } else { "on" }
            )),
            Some(_) => Verdict::Released,
            None => Verdict::Refused(format!(
                "the controller reports {} outputs, not output {output}",
                status.outputs.len()
            )),
        },
        Ok(Reply::Busy(_)) => Verdict::Busy,
        Ok(Reply::Nak(nak)) => match nak.error {
            NakErrorCode::UnexpectedSequenceNumber => Verdict::OutOfSequence,
            NakErrorCode::BadCrcOrChecksum => Verdict::Garbled,
            error => Verdict::Refused(format!("NAK {:02X}, {error:?}", error.as_byte())),
        },
        Ok(other) => Verdict::Unclear(format!(
            "the controller answered an output order with {:?}",
            other.code()
        )),
        Err(error) => Verdict::Unclear(format!(
            "the controller's answer is not understood: {error}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osdp::reply::{Ack, Busy, Nak, OStatR};
    use proptest::prelude::*;

    const RELEASE: Movement = Movement::Release { for_ms: 3_000 };

    fn hex(text: &str) -> Vec<u8> {
        text.split(' ')
            .map(|byte| u8::from_str_radix(byte, 16).unwrap())
            .collect()
    }

    fn answer_bytes(address: u8, sequence: u8, reply: &Reply) -> Vec<u8> {
        let control = ControlByte::new(Sqn::new(sequence).unwrap(), CtrlFlags::USE_CRC);
        let data = reply.encode_data().unwrap();
        PacketBuilder::plain(
            Address::reply(address).unwrap(),
            control,
            reply.code().as_byte(),
            data,
        )
        .encode()
        .unwrap()
    }

    fn decode(bytes: &[u8]) -> Vec<Answer> {
        let mut decoder = Decoder::default();
        decoder.push(bytes);
        std::iter::from_fn(|| decoder.next_answer()).collect()
    }

    #[test]
    fn the_published_frames_are_written_byte_for_byte() {
        assert_eq!(
            order_bytes(0x65, Sqn::ZERO, &poll_order()).unwrap(),
            hex("53 65 08 00 04 60 60 90")
        );
        let release = order_bytes(0, Sqn::new(1).unwrap(), &release_order(0, 3_000)).unwrap();
        assert_eq!(release, hex("53 00 0C 00 05 68 00 05 1E 00 71 51"));
    }

    #[test]
    fn the_published_frames_are_read_to_their_meaning() {
        let ack = Answer {
            address: 0x65,
            sequence: Sqn::new(2).unwrap(),
            reply: Ok(Reply::Ack(Ack)),
        };
        assert_eq!(decode(&hex("53 E5 08 00 06 40 B0 F0")), [ack]);
        let (poll, length) = ParsedPacket::parse(&hex("53 65 07 00 00 60 E1"))
            .map(|(p, l)| (p.code, l))
            .unwrap();
        assert_eq!((poll, length), (0x60, 7), "a checksum instead of a CRC");
    }

    #[test]
    fn a_release_is_never_without_an_end() {
        for (for_ms, units) in [
            (0, 1),
            (1, 1),
            (100, 1),
            (101, 2),
            (3_000, 30),
            (u32::MAX, u16::MAX),
        ] {
            let Command::Output(order) = release_order(3, for_ms) else {
                panic!("not an output order")
            };
            let [record] = order.records.as_slice() else {
                panic!("not one record")
            };
            assert_eq!((record.output, record.timer), (3, units), "{for_ms} ms");
            assert_eq!(record.code, OutputControlCode::TemporaryOnResume);
        }
    }

    #[test]
    fn an_answer_behind_noise_and_our_own_echo_is_found() {
        let mut bytes = hex("00 FF 53 05 53 E5 40 00 04");
        bytes.extend(order_bytes(0x65, Sqn::ZERO, &poll_order()).unwrap());
        bytes.extend(hex("53 E5 08 00 06 40 B0 F0"));
        assert_eq!(decode(&bytes).len(), 1);
    }

    #[test]
    fn a_frame_with_one_wrong_bit_is_no_answer() {
        let good = hex("53 E5 08 00 06 40 B0 F0");
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&bad), [], "bit {bit}");
        }
    }

    #[test]
    fn only_the_device_s_own_word_counts_as_released() {
        let nak = |error| Ok(Reply::Nak(Nak::simple(error)));
        let status = |outputs: &[u8]| {
            Ok(Reply::OStatR(OStatR {
                outputs: outputs.to_vec(),
            }))
        };
        assert_eq!(verdict(0, RELEASE, &Ok(Reply::Ack(Ack))), Verdict::Released);
        assert_eq!(verdict(1, RELEASE, &status(&[0, 1])), Verdict::Released);
        assert!(matches!(
            verdict(0, RELEASE, &status(&[0, 1])),
            Verdict::Refused(_)
        ));
        assert!(matches!(
            verdict(2, RELEASE, &status(&[0, 1])),
            Verdict::Refused(_)
        ));
        assert_eq!(verdict(0, RELEASE, &Ok(Reply::Busy(Busy))), Verdict::Busy);
        assert_eq!(
            verdict(0, RELEASE, &nak(NakErrorCode::UnexpectedSequenceNumber)),
            Verdict::OutOfSequence
        );
        assert_eq!(
            verdict(0, RELEASE, &nak(NakErrorCode::BadCrcOrChecksum)),
            Verdict::Garbled
        );
        assert!(matches!(
            verdict(0, RELEASE, &nak(NakErrorCode::UnknownCommandCode)),
            Verdict::Refused(_)
        ));
        assert!(matches!(
            verdict(0, RELEASE, &Err(Error::UnknownReply(0xFF))),
            Verdict::Unclear(_)
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_are_answers_or_nothing(
            pieces in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(SOM), any::<u8>()], 0..64), 0..40),
        ) {
            let mut decoder = Decoder::default();
            for piece in pieces {
                decoder.push(&piece);
                while decoder.next_answer().is_some() {}
            }
        }

        #[test]
        fn any_content_of_a_whole_frame_is_a_verdict(code in any::<u8>(), data in proptest::collection::vec(any::<u8>(), 0..200)) {
            let control = ControlByte::new(Sqn::ZERO, CtrlFlags::USE_CRC);
            let bytes = PacketBuilder::plain(Address::reply(9).unwrap(), control, code, data).encode().unwrap();
            let answers = decode(&bytes);
            prop_assert_eq!(answers.len(), 1);
            let _ = verdict(0, RELEASE, &answers[0].reply);
        }

        #[test]
        fn an_answer_is_found_behind_any_noise_without_a_frame(
            noise in proptest::collection::vec(any::<u8>(), 0..60),
            address in 0_u8..=126,
            sequence in 0_u8..=3,
        ) {
            let mut bytes = noise;
            bytes.extend(answer_bytes(address, sequence, &Reply::Ack(Ack)));
            let last = decode(&bytes).pop();
            prop_assert_eq!(last.map(|answer| (answer.address, answer.sequence.value())), Some((address, sequence)));
        }
    }
}
