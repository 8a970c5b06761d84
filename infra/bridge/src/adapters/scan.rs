//! What is shown at a reader, as the reader says it: a card's bits, a text, or keys. What it means is not known here.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use osdp::reply::Reply;
use tokio::time::Instant;

/// The longest text of a reader that is passed on, in bytes; what is longer is no credential of ours.
pub const TEXT_BYTES_MAX: usize = 1024;
/// Readers send cards up to this length as bits; longer readings are texts.
pub const CARD_BITS_MAX: u16 = 128;
/// The most keys of one code.
const KEYS_MAX: usize = 20;
/// Keys that are not ended by then are forgotten.
const KEYS_TIME_MAX: Duration = Duration::from_secs(10);
/// The keys that end and clear a code.
const ENTER: [u8; 2] = [0x0D, b'#'];
const CLEAR: [u8; 2] = [0x7F, b'*'];

/// One reading.
#[derive(Clone, PartialEq, Eq)]
pub enum Scan {
    /// The bits of a card, or of a reader that passes on a code as bits (Wiegand).
    Card {
        /// How many bits there are.
        bits: u16,
        /// The bits, the first one highest; unused bits of the last byte are 0.
        bytes: Vec<u8>,
    },
    /// A text: a QR code.
    Text(String),
    /// The digits of a code that was typed.
    Digits(String),
}

impl Scan {
    /// A card's bits; unused bits of the last byte are cleared.
    #[must_use]
    pub fn card(bits: u16, bytes: &[u8]) -> Self {
        let mut bytes = bytes.to_vec();
        bytes.truncate(usize::from(bits).div_ceil(8));
        if let (Some(last), rest @ 1..) = (bytes.last_mut(), bits % 8) {
            *last &= 0xFF << (8 - rest);
        }
        Self::Card { bits, bytes }
    }

    /// A text, when it is short enough and has only characters that can be seen.
    #[must_use]
    pub fn text(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?.trim();
        let fits = !text.is_empty()
            && text.len() <= TEXT_BYTES_MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self::Text(text.to_owned()))
    }
}

impl fmt::Debug for Scan {
    /// Never the credential itself: this goes to the log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Card { bits, .. } => write!(formatter, "Card({bits} bits)"),
            Self::Text(text) => write!(formatter, "Text({} bytes)", text.len()),
            Self::Digits(digits) => write!(formatter, "Digits({})", digits.len()),
        }
    }
}

/// The keys that were pressed at the readers of one controller and are not ended yet.
#[derive(Debug, Default)]
pub struct Keypads {
    typed: BTreeMap<u8, (String, Instant)>,
}

impl Keypads {
    /// What a controller's answer to a poll says was shown, with the reader's number.
    pub fn read(&mut self, reply: &Reply, now: Instant) -> Option<(u8, Scan)> {
        match reply {
            Reply::Raw(raw) if raw.bit_count <= CARD_BITS_MAX => {
                (raw.bit_count > 0).then(|| (raw.reader, Scan::card(raw.bit_count, &raw.bits)))
            }
            Reply::Raw(raw) => Some((raw.reader, Scan::text(&raw.bits)?)),
            Reply::Fmt(formatted) => Some((formatted.reader, Scan::text(&formatted.chars)?)),
            Reply::Keypad(keys) => {
                let digits = self.typed(keys.reader, &keys.digits, now)?;
                Some((keys.reader, Scan::Digits(digits)))
            }
            _ => None,
        }
    }

    fn typed(&mut self, reader: u8, keys: &[u8], now: Instant) -> Option<String> {
        let (typed, at) = self.typed.entry(reader).or_insert((String::new(), now));
        if now.duration_since(*at) > KEYS_TIME_MAX {
            typed.clear();
        }
        *at = now;
        let mut whole = None;
        for key in keys {
            if key.is_ascii_digit() && typed.len() < KEYS_MAX {
                typed.push(char::from(*key));
            } else if ENTER.contains(key) {
                whole = Some(std::mem::take(typed)).filter(|digits| !digits.is_empty());
            } else if CLEAR.contains(key) {
                typed.clear();
            }
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osdp::reply::{Fmt, Keypad, Raw};

    fn raw(bit_count: u16, bits: &[u8]) -> Reply {
        Reply::Raw(Raw {
            reader: 1,
            format_code: 0,
            bit_count,
            bits: bits.to_vec(),
        })
    }

    fn keys(digits: &[u8]) -> Reply {
        Reply::Keypad(Keypad {
            reader: 0,
            digit_count: digits.len() as u8,
            digits: digits.to_vec(),
        })
    }

    #[test]
    fn bits_beyond_the_card_are_cleared() {
        let found = Keypads::default().read(&raw(26, &[0xAA, 0xBB, 0xCC, 0xFF]), Instant::now());
        let bytes = vec![0xAA, 0xBB, 0xCC, 0xC0];
        assert_eq!(found, Some((1, Scan::Card { bits: 26, bytes })));
    }

    #[test]
    fn a_text_comes_formatted_or_as_very_many_bits() {
        let (mut keypads, now) = (Keypads::default(), Instant::now());
        let text = "L1.abc.0123456789abcdef";
        let formatted = Reply::Fmt(Fmt {
            reader: 0,
            direction: 0,
            char_count: text.len() as u8,
            chars: text.into(),
        });
        assert_eq!(
            keypads.read(&formatted, now),
            Some((0, Scan::Text(text.into())))
        );
        let bits = raw(text.len() as u16 * 8, text.as_bytes());
        assert_eq!(keypads.read(&bits, now), Some((1, Scan::Text(text.into()))));
        assert_eq!(keypads.read(&raw(0, &[]), now), None);
        assert_eq!(keypads.read(&raw(200, &[0xFF; 25]), now), None, "no text");
    }

    #[test]
    fn keys_become_a_code_when_they_are_ended_and_are_forgotten_after_a_while() {
        let (mut keypads, now) = (Keypads::default(), Instant::now());
        assert_eq!(keypads.read(&keys(b"12"), now), None);
        let found = keypads.read(&keys(b"34\r"), now);
        assert_eq!(found, Some((0, Scan::Digits("1234".into()))));
        assert_eq!(
            keypads.read(&keys(b"9\x7f56#"), now),
            Some((0, Scan::Digits("56".into())))
        );
        assert_eq!(keypads.read(&keys(b"78"), now), None);
        let later = now + KEYS_TIME_MAX + Duration::from_millis(1);
        assert_eq!(
            keypads.read(&keys(b"9#"), later),
            Some((0, Scan::Digits("9".into())))
        );
        assert_eq!(keypads.read(&keys(b"#"), later), None);
    }

    #[test]
    fn a_credential_never_stands_in_the_log() {
        let card = Scan::card(32, &[1, 2, 3, 4]);
        assert_eq!(format!("{card:?}"), "Card(32 bits)");
    }
}
