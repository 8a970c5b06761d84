//! The bytes of a message, and what they are worth.

const START: u8 = 0xA5;
const CABLE_CUT: u8 = 0b10;
const MESSAGE_BYTES: usize = 7;

/// Why bytes are no count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Not as many bytes as a message has.
    Length,
    /// Another format.
    Start,
    /// The checksum is not that of the bytes.
    Checksum,
    /// The cable to the meter is cut: the pulses do not say what flowed.
    CableCut,
    /// The register does not fit into 64 bits.
    OutOfRange,
}

impl Wrong {
    /// The code that stays the same, and the sentences in English and Chinese.
    #[must_use]
    pub fn said(self) -> [&'static str; 3] {
        match self {
            Self::Length => [
                "wrong-length",
                "A message of this counter has 7 bytes. Check the format that is set for the device.",
                "该计数器的报文应为7个字节，请检查设备所设的格式。",
            ],
            Self::Start => [
                "wrong-format",
                "The message does not begin with A5. Check the format that is set for the device.",
                "报文不是以A5开头，请检查设备所设的格式。",
            ],
            Self::Checksum => [
                "wrong-checksum",
                "The checksum is wrong: the message was damaged on its way. Wait for the next one.",
                "校验和错误，报文在传输中受损，请等待下一条。",
            ],
            Self::CableCut => [
                "cable-cut",
                "The counter's cable is cut. Read the meter by hand and repair the cable.",
                "计数器线缆已断开，请人工抄表并修复线缆。",
            ],
            Self::OutOfRange => [
                "out-of-range",
                "The register is too large. Check the worth of a pulse and the offset.",
                "读数超出范围，请检查脉冲当量和底数。",
            ],
        }
    }
}

/// What the meter shows, in thousandths: what it showed at first, and what each pulse since then is worth.
///
/// # Errors
/// Why the bytes say no such thing.
pub fn total_milli(bytes: &[u8], step_milli: i64, offset_milli: i64) -> Result<i64, Wrong> {
    let message: [u8; MESSAGE_BYTES] = bytes.try_into().map_err(|_| Wrong::Length)?;
    let [start, status, p0, p1, p2, p3, checksum] = message;
    if start != START {
        return Err(Wrong::Start);
    }
    let sum = [start, status, p0, p1, p2, p3];
    let sum = sum.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    if sum != checksum {
        return Err(Wrong::Checksum);
    }
    if status & CABLE_CUT != 0 {
        return Err(Wrong::CableCut);
    }
    let pulses = i64::from(u32::from_le_bytes([p0, p1, p2, p3]));
    let flowed = pulses.checked_mul(step_milli);
    let total = flowed.and_then(|flowed| flowed.checked_add(offset_milli));
    total.ok_or(Wrong::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(status: u8, pulses: u32) -> Vec<u8> {
        let mut bytes = vec![START, status];
        bytes.extend(pulses.to_le_bytes());
        bytes.push(bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte)));
        bytes
    }

    #[test]
    fn pulses_are_worth_what_the_hints_say() {
        let bytes = [0xA5, 0x01, 0xD2, 0x04, 0x00, 0x00, 0x7C];
        assert_eq!(total_milli(&bytes, 10, 5_000), Ok(17_340));
        assert_eq!(message(1, 1_234), bytes);
    }

    #[test]
    fn a_message_that_says_nothing_is_refused_with_the_reason() {
        let mut wrong = message(0, 7);
        wrong[6] ^= 1;
        let other = [[0x68].as_slice(), &message(0, 7)[1..]].concat();
        for (bytes, reason) in [
            (vec![], Wrong::Length),
            (message(0, 7)[..6].to_vec(), Wrong::Length),
            (other, Wrong::Start),
            (wrong, Wrong::Checksum),
            (message(CABLE_CUT, 7), Wrong::CableCut),
        ] {
            assert_eq!(total_milli(&bytes, 1, 0), Err(reason));
        }
        let most = message(0, u32::MAX);
        assert_eq!(total_milli(&most, i64::MAX, 0), Err(Wrong::OutOfRange));
        assert_eq!(total_milli(&most, 1, i64::MAX), Err(Wrong::OutOfRange));
    }

    #[test]
    fn every_refusal_says_what_to_do_in_both_languages() {
        let all = [
            Wrong::Length,
            Wrong::Start,
            Wrong::Checksum,
            Wrong::CableCut,
            Wrong::OutOfRange,
        ];
        let mut codes = all.map(|wrong| wrong.said()[0]).to_vec();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all.len());
        assert!(
            all.iter()
                .all(|wrong| wrong.said()[1].is_ascii() && !wrong.said()[2].is_ascii())
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_register_or_a_reason(bytes: Vec<u8>, step: i64, offset: i64) {
            let _ = total_milli(&bytes, step, offset);
        }

        #[test]
        fn a_message_written_is_the_count_read(pulses: u32, step in 0_i64..1_000_000, offset in 0_i64..1_000_000_000) {
            let expected = i64::from(pulses) * step + offset;
            prop_assert_eq!(total_milli(&message(0, pulses), step, offset), Ok(expected));
        }
    }
}
