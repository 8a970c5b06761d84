//! Visits to meters of DL/T 645: the registers as they stand, the daily freezes, and the relay.

use chrono::NaiveDate;
use meter_protocols::Error;
use meter_protocols::LocalTime;
use meter_protocols::dlt645::{
    Address, DataId, Inquiry, Item, PREAMBLES_MAX, Progress, Quantity, Relay, Tariff, find,
    relay_answer, relay_question,
};
use wire::meter::Register;

use super::sample::Sample;
use super::wire::{Silence, Wire};
use crate::config::Authority;

/// The bit of a refusal that says that there is nothing; what is refused for other reasons is asked for again.
const NO_SUCH_DATA: u8 = 0b10;

/// Reads the registers as they stand.
pub async fn now(wire: &mut Wire, address: Address, tariffs: bool) -> Result<Sample, Silence> {
    let id = if tariffs {
        DataId::FORWARD_BLOCK
    } else {
        DataId::FORWARD_TOTAL
    };
    let mut sample = Sample::default();
    let items = read(wire, address, id, &mut sample).await?;
    told(&items, tariffs, &mut sample);
    Ok(sample)
}

/// Reads the freeze of a midnight; none when the meter has none.
///
/// Freezes are numbered from the last one back. The meter says of each when it was: its clock may not have come to
/// midnight yet, and a day without power may have no freeze. So the number is corrected once by what it says.
pub async fn freeze(
    wire: &mut Wire,
    address: Address,
    tariffs: bool,
    midnight: NaiveDate,
    today: NaiveDate,
) -> Result<Option<Sample>, Silence> {
    let mut number = midnights_ago(midnight, today);
    for _ in 0..2 {
        let Some(asked) = checked(number) else {
            return Ok(None);
        };
        let mut sample = Sample::default();
        let moment = match read(wire, address, DataId::freeze_time(asked), &mut sample).await {
            Ok(items) => items.first().and_then(|item| item.moment),
            // Meters that do not tell the moment count on.
            Err(Silence::Answered(Error::Refused { .. })) => {
                return energy(wire, address, tariffs, asked).await;
            }
            Err(silence) => return Err(silence),
        };
        let frozen = moment.and_then(|moment| {
            NaiveDate::from_ymd_opt(moment.year.into(), moment.month.into(), moment.day.into())
        });
        match frozen {
            None => return Ok(None),
            Some(frozen) if frozen == midnight => {
                return energy(wire, address, tariffs, asked).await;
            }
            Some(frozen) if frozen < midnight && asked == 1 => {
                let late = Error::OtherQuestion("the meter has not come to that midnight yet");
                return Err(Silence::Answered(late));
            }
            Some(frozen) => number += (frozen - midnight).num_days(),
        }
    }
    Ok(None)
}

fn midnights_ago(midnight: NaiveDate, today: NaiveDate) -> i64 {
    (today - midnight).num_days() + 1
}

fn checked(number: i64) -> Option<u8> {
    let number = u8::try_from(number).ok();
    number.filter(|number| (1..=DataId::FREEZE_DAYS_MAX).contains(number))
}

async fn energy(
    wire: &mut Wire,
    address: Address,
    tariffs: bool,
    number: u8,
) -> Result<Option<Sample>, Silence> {
    let mut sample = Sample::default();
    let items = match read(wire, address, DataId::freeze(number), &mut sample).await {
        Err(Silence::Answered(Error::Refused { code, .. })) if code & NO_SUCH_DATA != 0 => {
            return Ok(None);
        }
        items => items?,
    };
    told(&items, tariffs, &mut sample);
    Ok(Some(sample).filter(Sample::has_total))
}

/// Moves the relay, as long as the meter's clock has not come to `until`.
pub async fn switch(
    wire: &mut Wire,
    (address, authority): (Address, Authority),
    relay: Relay,
    until: LocalTime,
) -> Result<(), Silence> {
    let password = (authority.level, authority.digits);
    let question = relay_question(address, password, authority.operator, relay, until);
    let taken = |bytes: &[u8]| {
        let mut at = 0;
        loop {
            let (frame, used) = find(bytes.get(at..).unwrap_or_default())?;
            at += used;
            match relay_answer(address, &frame) {
                Ok(()) => return Ok(((), at)),
                Err(error) if error.is_worth_waiting() && at < bytes.len() => {}
                Err(error) => return Err(error),
            }
        }
    };
    wire.ask(&question.map_err(Silence::Answered)?, taken).await
}

/// Reads everything of one data id, over as many frames as it takes.
async fn read(
    wire: &mut Wire,
    address: Address,
    id: DataId,
    sample: &mut Sample,
) -> Result<Vec<Item>, Silence> {
    let mut inquiry = Inquiry::new(address, id);
    loop {
        let question = inquiry.question(PREAMBLES_MAX);
        let taken = |bytes: &[u8]| {
            // An answer of another, or to an earlier question, may stand in front of ours.
            let mut at = 0;
            loop {
                let (frame, used) = find(bytes.get(at..).unwrap_or_default())?;
                at += used;
                let mut next = inquiry.clone();
                match next.take(&frame) {
                    Ok(progress) => return Ok(((next, progress), at)),
                    Err(error) if error.is_worth_waiting() && at < bytes.len() => {}
                    Err(error) => return Err(error),
                }
            }
        };
        let (next, progress) = wire.ask(&question, taken).await?;
        sample.evidence(wire.heard());
        inquiry = next;
        if progress == Progress::Done {
            return inquiry.items().map_err(Silence::Answered);
        }
    }
}

fn told(items: &[Item], tariffs: bool, sample: &mut Sample) {
    let forward = items
        .iter()
        .filter(|item| item.quantity == Quantity::ForwardEnergy);
    for item in forward {
        let register = match item.tariff {
            Tariff::Total => Register::Total,
            Tariff::Number(1) if tariffs => Register::Sharp,
            Tariff::Number(2) if tariffs => Register::Peak,
            Tariff::Number(3) if tariffs => Register::Flat,
            Tariff::Number(4) if tariffs => Register::Valley,
            Tariff::Number(_) => continue,
        };
        if let Some(amount) = item.amount {
            sample.register(register, amount);
        }
    }
}
