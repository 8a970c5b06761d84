//! What one meter is asked or told, and what it answers.

use super::{
    ABNORMAL, ANSWER, Address, FUNCTION, Frame, IdOrder, MeterType, Purchase, Reading, Status,
    Value,
};
use crate::Error;
use crate::bytes::{Bytes, digits};

const READ: u8 = 0x01;
const READ_ADDRESS: u8 = 0x03;
const WRITE: u8 = 0x04;

const ID_READING: u16 = 0x901F;
const ID_HISTORY: u16 = 0xD120;
const ID_ADDRESS: u16 = 0x810A;
const ID_PURCHASE: u16 = 0x8105;
const ID_RECHARGE: u16 = 0xA013;
const ID_VALVE: u16 = 0xA017;

/// What a question asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// How the registers stand now.
    Reading,
    /// The register at the end of a settlement month, so many months ago, 1 to 12.
    History(u8),
    /// The meter's address.
    Address,
    /// What was bought last, and what is left of it.
    Purchase,
    /// Take money that was paid ahead.
    Recharge {
        /// The number of the purchase: one more than the last.
        number: u8,
        /// How much.
        amount: Fen,
    },
    /// Open or shut the valve.
    Valve(ValveOrder),
}

/// Money for a meter: eight digits of hundredths of a yuan, low byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fen([u8; 4]);

impl Fen {
    /// That much.
    ///
    /// # Errors
    /// When it is below zero or has more than eight digits.
    pub fn new(amount_fen: i64) -> Result<Self, Error> {
        let digits = digits(amount_fen, 4).and_then(|digits| digits.try_into().ok());
        digits.map(Self).ok_or(Error::OutOfRange)
    }
}

/// What a valve is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ValveOrder {
    /// Let it flow.
    Open = 0x55,
    /// Stop it.
    Close = 0x99,
}

/// What a meter said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Topic::Reading`].
    Reading(Reading),
    /// To [`Topic::History`].
    History(Value),
    /// To [`Topic::Address`].
    Address(Address),
    /// To [`Topic::Purchase`].
    Purchase(Purchase),
    /// To [`Topic::Recharge`]: the meter has taken it.
    Recharged,
    /// To [`Topic::Valve`]: the valve as it stands; it may still be on its way.
    Valve(Status),
}

/// One question to one meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// What sort of meter.
    pub meter_type: MeterType,
    /// Which.
    pub address: Address,
    /// The order of the data id.
    pub order: IdOrder,
    /// The serial number of the question; its answer has the same.
    pub serial: u8,
    /// What is asked for.
    pub topic: Topic,
}

impl Question {
    /// The frame.
    #[must_use]
    pub fn frame(&self) -> Frame {
        let mut data = self.order.wire(self.id()).to_vec();
        data.push(self.serial);
        match self.topic {
            Topic::Valve(order) => data.push(order as u8),
            Topic::Recharge { number, amount } => {
                data.push(number);
                data.extend(amount.0);
            }
            _ => {}
        }
        Frame {
            meter_type: self.meter_type,
            address: self.address,
            control: self.control(),
            data,
        }
    }

    fn id(&self) -> u16 {
        match self.topic {
            Topic::Reading => ID_READING,
            Topic::History(months) => ID_HISTORY + u16::from(months.clamp(1, 12)) - 1,
            Topic::Address => ID_ADDRESS,
            Topic::Purchase => ID_PURCHASE,
            Topic::Recharge { .. } => ID_RECHARGE,
            Topic::Valve(_) => ID_VALVE,
        }
    }

    fn control(&self) -> u8 {
        match self.topic {
            Topic::Reading | Topic::History(_) | Topic::Purchase => READ,
            Topic::Address => READ_ADDRESS,
            Topic::Recharge { .. } | Topic::Valve(_) => WRITE,
        }
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// When it is another meter's, another question's, a refusal, or not what was asked for.
    pub fn answer(&self, frame: &Frame) -> Result<Answer, Error> {
        self.expect(frame)?;
        let mut data = Bytes(&frame.data);
        if frame.control & ABNORMAL != 0 {
            let code = frame.data.get(1).or(frame.data.first());
            return Err(Error::Refused {
                code: code.copied().unwrap_or_default(),
                meaning: "the meter's status",
            });
        }
        let id: [u8; 2] = data.array()?;
        if id != self.id().to_be_bytes() && id != self.id().to_le_bytes() {
            return Err(Error::OtherQuestion("the data id"));
        }
        if data.byte()? != self.serial {
            return Err(Error::OtherQuestion("the serial number"));
        }
        Ok(match self.topic {
            Topic::Reading => Answer::Reading(Reading::decode(frame.meter_type, data.0)?),
            Topic::History(_) => Answer::History(Value::settlement(data.0)?),
            Topic::Address => Answer::Address(frame.address),
            Topic::Purchase => Answer::Purchase(Purchase::decode(data.0)?),
            Topic::Recharge { number, amount } => {
                if (data.byte()?, data.array()?) != (number, amount.0) {
                    return Err(Error::OtherQuestion("the purchase"));
                }
                Answer::Recharged
            }
            Topic::Valve(_) => Answer::Valve(Status::decode(data.array()?)),
        })
    }

    fn expect(&self, frame: &Frame) -> Result<(), Error> {
        if frame.control & ANSWER == 0 {
            return Err(Error::OtherQuestion("a question came back"));
        }
        let sort = self.meter_type == MeterType::ANY || self.meter_type == frame.meter_type;
        if !sort || !self.address.covers(frame.address) {
            return Err(Error::ForeignAddress {
                asked: format!("{:02X}-{}", self.meter_type.0, self.address),
                answered: format!("{:02X}-{}", frame.meter_type.0, frame.address),
            });
        }
        if frame.control & FUNCTION != self.control() {
            return Err(Error::OtherQuestion("the control byte"));
        }
        Ok(())
    }
}
