//! What one visit to a meter brought, in the words of the wire.

use chrono::NaiveDate;
use kernel::{DeviceId, Timestamp, Zone};
use meter_protocols::{Amount, LocalTime, Unit};
use wire::meter::{self, Flag, RAW_BYTES_MAX, Reading, Register, RegisterValue, Source};

/// A meter's clock that is further off than this does not count, in milliseconds.
pub const CLOCK_OFF_MS_MAX: i64 = 5 * 60_000;

/// What one visit brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sample {
    registers: Vec<RegisterValue>,
    clock: Option<LocalTime>,
    flags: Vec<Flag>,
    raw: Vec<u8>,
}

impl Sample {
    /// Adds a register, unless it is there already or its unit is none that is told.
    pub fn register(&mut self, register: Register, amount: Amount) {
        let known = self
            .registers
            .iter()
            .any(|known| known.register == register);
        if let (false, Some((value_milli, unit))) = (known, told(amount)) {
            self.registers.push(RegisterValue {
                register,
                value_milli,
                unit,
            });
        }
    }

    /// Adds something to be known about it.
    pub fn flag(&mut self, flag: Flag) {
        self.flags.push(flag);
    }

    /// The meter's clock said this.
    pub fn clock(&mut self, clock: Option<LocalTime>) {
        self.clock = clock;
    }

    /// Adds bytes that it was read from; what is too much for a message is left out whole.
    pub fn evidence(&mut self, bytes: &[u8]) {
        if self.raw.len() + bytes.len() <= RAW_BYTES_MAX {
            self.raw.extend_from_slice(bytes);
        }
    }

    /// Whether the meter told the register that is billed: without it there is no reading.
    pub fn has_total(&self) -> bool {
        let mut registers = self.registers.iter();
        registers.any(|value| value.register == Register::Total)
    }

    /// The registers as they stood at a midnight of the meters' zone.
    pub fn freeze(
        self,
        meter: &DeviceId,
        midnight: NaiveDate,
        today: NaiveDate,
        zone: Zone,
    ) -> Reading {
        let mut sample = self;
        if midnight < today {
            sample.flag(Flag::Recovered);
        }
        sample.reading(meter, Source::Freeze, zone.moment(midnight, 0))
    }

    /// The registers as they stand.
    pub fn interval(self, meter: &DeviceId, now: Timestamp, zone: Zone) -> Reading {
        let mut sample = self;
        let clock = sample.clock.and_then(|clock| moment(clock, zone));
        let read_at = match clock {
            Some(clock) if clock.millis_since(now).abs() <= CLOCK_OFF_MS_MAX => clock,
            Some(_) => {
                sample.flag(Flag::MeterClockWrong);
                now
            }
            None => {
                sample.flag(Flag::GatewayClock);
                now
            }
        };
        sample.reading(meter, Source::Interval, read_at)
    }

    fn reading(mut self, meter: &DeviceId, source: Source, read_at: Timestamp) -> Reading {
        self.flags.sort_unstable();
        self.flags.dedup();
        let hex = self.raw.iter().map(|byte| format!("{byte:02x}"));
        Reading {
            meter: meter.clone(),
            source,
            read_at,
            registers: self.registers,
            flags: self.flags,
            raw: Some(hex.collect()).filter(|raw: &String| !raw.is_empty()),
        }
    }
}

fn moment(clock: LocalTime, zone: Zone) -> Option<Timestamp> {
    let (month, day) = (clock.month.into(), clock.day.into());
    let date = NaiveDate::from_ymd_opt(clock.year.into(), month, day)?;
    let minute = u16::from(clock.hour) * 60 + u16::from(clock.minute);
    let second = i64::from(clock.second);
    Some(zone.moment(date, minute).plus_millis(second * 1_000))
}

fn told(amount: Amount) -> Option<(i64, meter::Unit)> {
    Some(match amount.unit {
        Unit::KilowattHour => (amount.milli, meter::Unit::KilowattHour),
        Unit::KilovarHour => (amount.milli, meter::Unit::KilovarHour),
        Unit::CubicMetre => (amount.milli, meter::Unit::CubicMetre),
        Unit::Watt => (thousandth(amount.milli), meter::Unit::Kilowatt),
        Unit::Volt => (amount.milli, meter::Unit::Volt),
        Unit::Ampere => (amount.milli, meter::Unit::Ampere),
        Unit::CubicMetrePerHour => (amount.milli, meter::Unit::CubicMetrePerHour),
        Unit::DegreeCelsius => (amount.milli, meter::Unit::DegreeCelsius),
        _ => return None,
    })
}

/// A thousandth, rounded, halves away from zero: power is no register that is billed.
fn thousandth(number: i64) -> i64 {
    let (whole, rest) = (number / 1_000, number % 1_000);
    match rest {
        500.. => whole + 1,
        ..=-500 => whole - 1,
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(clock: Option<LocalTime>) -> Sample {
        let mut sample = Sample::default();
        let amount = |milli, unit| Amount { milli, unit };
        sample.register(Register::Total, amount(6_350, Unit::KilowattHour));
        sample.register(Register::Total, amount(9, Unit::KilowattHour));
        sample.register(Register::Power, amount(-1_500, Unit::Watt));
        sample.register(Register::Flow, amount(1, Unit::KilogramPerHour));
        sample.clock(clock);
        sample
    }

    #[test]
    fn registers_are_told_once_and_in_units_of_the_wire() {
        let reading = sample(None).interval(
            &DeviceId::parse("m").unwrap(),
            Timestamp::parse("2026-11-22T04:00:00Z").unwrap(),
            Zone::SHANGHAI,
        );
        let said: Vec<_> = reading
            .registers
            .iter()
            .map(|value| (value.register, value.value_milli, value.unit))
            .collect();
        let expected = [
            (Register::Total, 6_350, meter::Unit::KilowattHour),
            (Register::Power, -2, meter::Unit::Kilowatt),
        ];
        assert_eq!(said, expected);
        assert_eq!(
            (reading.flags, reading.raw),
            (vec![Flag::GatewayClock], None)
        );
    }

    #[test]
    fn a_meters_clock_counts_unless_it_is_far_off() {
        let now = Timestamp::parse("2026-11-22T04:00:00Z").unwrap();
        let meter = DeviceId::parse("m").unwrap();
        let read = |time| {
            let clock = LocalTime::new((2026, 11, 22), time);
            sample(clock).interval(&meter, now, Zone::SHANGHAI)
        };
        let right = read((12, 4, 59));
        assert_eq!(right.read_at, now.plus_millis(299_000));
        assert!(right.flags.is_empty());
        let wrong = read((4, 0, 0));
        assert_eq!(
            (wrong.read_at, wrong.flags),
            (now, vec![Flag::MeterClockWrong])
        );
    }

    #[test]
    fn a_freeze_stands_at_its_midnight_and_says_when_it_is_late() {
        let meter = DeviceId::parse("m").unwrap();
        let (midnight, today) = ("2026-11-20".parse().unwrap(), "2026-11-22".parse().unwrap());
        let late = sample(None).freeze(&meter, midnight, today, Zone::SHANGHAI);
        assert_eq!(
            late.read_at,
            Timestamp::parse("2026-11-19T16:00:00Z").unwrap()
        );
        assert_eq!(late.flags, [Flag::Recovered]);
        let punctual = sample(None).freeze(&meter, today, today, Zone::SHANGHAI);
        assert!(punctual.flags.is_empty());
    }
}
