//! Conversations: reading data, over several frames if need be, reading an address, and moving the relay.

use super::{Address, DataId, Frame, Function, Item, decode, expect};
use crate::bytes::{Bytes, digits};
use crate::{Error, LocalTime};

/// The most bytes that one inquiry gathers.
const GATHERED_BYTES_MAX: usize = 4_096;

/// One data id read from one meter: ask [`Inquiry::question`], hand every answer to [`Inquiry::take`], until done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    address: Address,
    id: DataId,
    gathered: Vec<u8>,
    /// The number of the frame that is asked for; 0 is the first.
    sequence: u8,
    done: bool,
}

/// Where an inquiry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Everything was said.
    Done,
    /// The next [`Inquiry::question`] asks for the rest.
    More,
}

impl Inquiry {
    /// Nothing was asked yet.
    #[must_use]
    pub fn new(address: Address, id: DataId) -> Self {
        Self {
            address,
            id,
            gathered: Vec::new(),
            sequence: 0,
            done: false,
        }
    }

    /// The bytes that ask for what is missing, behind so many that wake the receiver.
    #[must_use]
    pub fn question(&self, preambles: u8) -> Vec<u8> {
        let mut data = self.id.to_wire().to_vec();
        let function = if self.sequence == 0 {
            Function::Read
        } else {
            data.push(self.sequence);
            Function::ReadMore
        };
        Frame::question(self.address, function, data).to_bytes(preambles)
    }

    /// Takes an answer.
    ///
    /// # Errors
    /// When it is another meter's, another question's, or a refusal. What was gathered before stays.
    pub fn take(&mut self, frame: &Frame) -> Result<Progress, Error> {
        let function = if self.sequence == 0 {
            Function::Read
        } else {
            Function::ReadMore
        };
        expect(frame, self.address, function)?;
        let mut data = Bytes(&frame.data);
        let id = DataId::from_wire(data.array()?);
        if id != self.id {
            return Err(Error::OtherQuestion("the data id"));
        }
        let data = match (self.sequence, data.0) {
            (0, all) => all,
            (asked, [part @ .., said]) if *said == asked => part,
            _ => return Err(Error::OtherQuestion("the number of the frame")),
        };
        if self.gathered.len() + data.len() > GATHERED_BYTES_MAX {
            return Err(Error::Malformed("the meter never comes to an end"));
        }
        if frame.has_more() {
            let next = self.sequence.checked_add(1);
            self.sequence = next.ok_or(Error::Malformed("the meter never comes to an end"))?;
        }
        self.gathered.extend_from_slice(data);
        self.done = !frame.has_more();
        Ok(if self.done {
            Progress::Done
        } else {
            Progress::More
        })
    }

    /// What the gathered data say.
    ///
    /// # Errors
    /// When not everything was said yet, or the data are not what the id promises.
    pub fn items(&self) -> Result<Vec<Item>, Error> {
        if !self.done {
            return Err(Error::Truncated { missing: 1 });
        }
        decode(self.id, &self.gathered)
    }
}

/// The question for the address of the only meter on a line.
#[must_use]
pub fn read_address(preambles: u8) -> Vec<u8> {
    Frame::question(Address::ANY, Function::ReadAddress, Vec::new()).to_bytes(preambles)
}

impl Address {
    /// The address that the answer to [`read_address`] tells.
    ///
    /// # Errors
    /// When it is no such answer.
    pub fn told_by(frame: &Frame) -> Result<Self, Error> {
        expect(frame, Self::ANY, Function::ReadAddress)?;
        let wire = frame.data.as_slice().try_into();
        wire.map(Self::from_wire)
            .map_err(|_| Error::Malformed("an address has six bytes"))
    }
}

/// What a relay is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Relay {
    /// Cut the supply.
    Trip = 0x1A,
    /// Let the person at the meter close it.
    AllowClosing = 0x1B,
    /// Close it.
    Close = 0x1C,
}

/// The question that moves a relay, until `valid_until` by the meter's clock. The password is its level and six digits.
///
/// # Errors
/// When the address is not that of one meter, or a number has too many digits.
pub fn relay_question(
    address: Address,
    password: (u8, u32),
    operator: u32,
    relay: Relay,
    valid_until: LocalTime,
) -> Result<Vec<u8>, Error> {
    if !address.is_exact() {
        return Err(Error::Text(format!(
            "{address} may be several meters: a relay is moved at one"
        )));
    }
    let number = |number: u32, bytes| digits(number.into(), bytes).ok_or(Error::OutOfRange);
    let mut data = vec![password.0];
    data.extend(number(password.1, 3)?);
    data.extend(number(operator, 4)?);
    data.extend([relay as u8, 0]);
    for part in [
        valid_until.second,
        valid_until.minute,
        valid_until.hour,
        valid_until.day,
        valid_until.month,
    ] {
        data.extend(number(part.into(), 1)?);
    }
    data.extend(number(u32::from(valid_until.year % 100), 1)?);
    Ok(Frame::question(address, Function::Relay, data).to_bytes(4))
}

/// Whether the meter moved the relay.
///
/// # Errors
/// When it refuses, or it is no such answer.
pub fn relay_answer(address: Address, frame: &Frame) -> Result<(), Error> {
    expect(frame, address, Function::Relay)
}
