//! The bytes of meters: questions into bytes, bytes into whole numbers or an error that names what is wrong.
//!
//! One module a protocol: [`dlt645`] (electricity), [`cjt188`] (water, heat, gas), [`modbus`] (RTU and TCP, with
//! profiles of devices as data) and [`mbus`] (wired, EN 13757). Nothing here sends, waits, knows the time or keeps
//! anything: any bytes whatever give a value or an error.
//!
//! ```
//! use meter_protocols::{Unit, dlt645::{DataId, Inquiry}};
//! let mut inquiry = Inquiry::new("910004920760".parse()?, DataId::COMBINED_TOTAL);
//! let _question: Vec<u8> = inquiry.question(4);
//! let answer = [0x68, 0x60, 0x07, 0x92, 0x04, 0x00, 0x91, 0x68, 0x91, 0x08, 0x33, 0x33, 0x33, 0x33,
//!     0x97, 0x35, 0xA8, 0x33, 0x6A, 0x16];
//! let (frame, _used) = meter_protocols::dlt645::find(&answer)?;
//! inquiry.take(&frame)?;
//! let energy = inquiry.items()?[0].amount.expect("it is there");
//! assert_eq!((energy.milli, energy.unit), (7_502_640, Unit::KilowattHour));
//! # Ok::<(), meter_protocols::Error>(())
//! ```
#![forbid(unsafe_code)]

mod amount;
mod bytes;
pub mod cjt188;
pub mod dlt645;
mod error;
pub mod mbus;
pub mod modbus;
mod units;

pub use amount::{Amount, Unit};
pub use error::Error;

/// A moment as a meter's clock tells it: local time, without a zone, and always a real date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime {
    /// The year, 2000 to 2099 where the meter keeps two digits.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to the month's last.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl LocalTime {
    /// The moment, when there is such a one.
    #[must_use]
    pub fn new(date: (u16, u8, u8), time: (u8, u8, u8)) -> Option<Self> {
        let ((year, month, day), (hour, minute, second)) = (date, time);
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        let real = (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60;
        real.then_some(Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_never_was_is_no_moment() {
        assert!(LocalTime::new((2024, 2, 29), (23, 59, 59)).is_some());
        for (date, time) in [
            ((2026, 2, 29), (0, 0, 0)),
            ((2026, 13, 1), (0, 0, 0)),
            ((2026, 0, 1), (0, 0, 0)),
            ((2026, 1, 0), (0, 0, 0)),
            ((2026, 4, 31), (0, 0, 0)),
            ((2026, 1, 1), (24, 0, 0)),
            ((2026, 1, 1), (0, 60, 0)),
        ] {
            assert_eq!(LocalTime::new(date, time), None, "{date:?} {time:?}");
        }
    }
}
