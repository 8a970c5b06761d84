//! The content coding `aes128gcm` (RFC 8188): a header, then records that are encrypted one by one.

use aes_gcm::aead::{Aead as _, KeyInit as _};
use aes_gcm::{Aes128Gcm, Nonce};
use hkdf::Hkdf;
use kernel::Refusal;
use sha2::Sha256;

use crate::invalid;

/// The bytes of a salt.
pub const SALT_BYTES: usize = 16;
/// What a record is longer than its content: the delimiter and the tag.
pub const RECORD_OVERHEAD_BYTES: usize = 17;
/// The header before the key id: salt, size of records, length of the key id.
pub const HEADER_BYTES: usize = SALT_BYTES + 4 + 1;

const RECORD_BYTES_MIN: u32 = 18;
const NONCE_BYTES: usize = 12;
const MORE: u8 = 1;
const LAST: u8 = 2;

/// What stands before the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// Random, another one for each content.
    pub salt: [u8; SALT_BYTES],
    /// The size of every record but the last, in bytes; at least 18.
    pub record_bytes: u32,
    /// Which key; at most 255 bytes.
    pub key_id: &'a [u8],
}

impl<'a> Header<'a> {
    /// The header and the records of an encoded content.
    ///
    /// # Errors
    /// When the content is too short for its header, or names records that hold nothing.
    pub fn read(body: &'a [u8]) -> Result<(Self, &'a [u8]), Refusal> {
        let read = || {
            let (salt, rest) = body.split_first_chunk::<SALT_BYTES>()?;
            let (size, rest) = rest.split_first_chunk::<4>()?;
            let (length, rest) = rest.split_first()?;
            let (key_id, records) = rest.split_at_checked(usize::from(*length))?;
            let header = Self {
                salt: *salt,
                record_bytes: u32::from_be_bytes(*size),
                key_id,
            };
            (header.record_bytes >= RECORD_BYTES_MIN).then_some((header, records))
        };
        read().ok_or_else(unreadable)
    }
}

/// Encrypts a content into a header and its records.
///
/// # Errors
/// When the header is none that RFC 8188 allows.
pub fn encode(plaintext: &[u8], keying: &[u8], header: &Header<'_>) -> Result<Vec<u8>, Refusal> {
    let length = u8::try_from(header.key_id.len()).map_err(|_| unreadable())?;
    let room = usize::try_from(header.record_bytes)
        .ok()
        .and_then(|bytes| bytes.checked_sub(RECORD_OVERHEAD_BYTES))
        .filter(|room| *room > 0)
        .ok_or_else(unreadable)?;
    let keys = Keys::derive(keying, &header.salt)?;
    let mut body = Vec::with_capacity(HEADER_BYTES + header.key_id.len() + plaintext.len() + 64);
    body.extend_from_slice(&header.salt);
    body.extend_from_slice(&header.record_bytes.to_be_bytes());
    body.push(length);
    body.extend_from_slice(header.key_id);
    // Nothing is a record of its own, too.
    let count = plaintext.len().div_ceil(room).max(1);
    for index in 0..count {
        let from = index * room;
        let until = plaintext.len().min(from + room);
        let mut record = plaintext.get(from..until).unwrap_or_default().to_vec();
        record.push(if index + 1 == count { LAST } else { MORE });
        let sealed = keys.cipher.encrypt(&keys.nonce(index), record.as_slice());
        body.extend(sealed.map_err(|_| unreadable())?);
    }
    Ok(body)
}

/// Decrypts the records that follow a header.
///
/// # Errors
/// When a record was changed, cut off, moved, or made with another key.
pub fn decode(records: &[u8], keying: &[u8], header: &Header<'_>) -> Result<Vec<u8>, Refusal> {
    let size = usize::try_from(header.record_bytes).map_err(|_| unreadable())?;
    let keys = Keys::derive(keying, &header.salt)?;
    let count = records.len().div_ceil(size);
    let mut plaintext = Vec::with_capacity(records.len());
    for (index, record) in records.chunks(size).enumerate() {
        let opened = keys.cipher.decrypt(&keys.nonce(index), record);
        let opened = opened.map_err(|_| unreadable())?;
        let padding = opened.iter().rev().take_while(|byte| **byte == 0).count();
        let (delimiter, content) = opened
            .get(..opened.len() - padding)
            .and_then(|padded| padded.split_last())
            .ok_or_else(unreadable)?;
        let expected = if index + 1 == count { LAST } else { MORE };
        if *delimiter != expected {
            return Err(unreadable());
        }
        plaintext.extend_from_slice(content);
    }
    if count == 0 {
        return Err(unreadable());
    }
    Ok(plaintext)
}

struct Keys {
    cipher: Aes128Gcm,
    nonce: [u8; NONCE_BYTES],
}

impl Keys {
    fn derive(keying: &[u8], salt: &[u8; SALT_BYTES]) -> Result<Self, Refusal> {
        let (mut key, mut nonce) = ([0; 16], [0; NONCE_BYTES]);
        let derived = Hkdf::<Sha256>::new(Some(salt), keying);
        derived
            .expand(b"Content-Encoding: aes128gcm\0", &mut key)
            .and_then(|()| derived.expand(b"Content-Encoding: nonce\0", &mut nonce))
            .map_err(|_| unreadable())?;
        Ok(Self {
            cipher: Aes128Gcm::new(&key.into()),
            nonce,
        })
    }

    /// The nonce of a record: the derived one, exclusive-or its number.
    fn nonce(&self, index: usize) -> Nonce<aes_gcm::aead::consts::U12> {
        let number = (index as u128).to_be_bytes();
        let mut nonce = self.nonce;
        for (byte, other) in nonce.iter_mut().rev().zip(number.iter().rev()) {
            *byte ^= other;
        }
        Nonce::from(nonce)
    }
}

fn unreadable() -> Refusal {
    invalid(
        "content_unreadable",
        "The encrypted content cannot be read with this key. Check the keys of the subscription.",
        "无法用该密钥读取加密内容，请检查订阅的密钥。",
    )
}
