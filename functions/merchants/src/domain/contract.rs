//! Contracts: what was agreed with a merchant, from a month on.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use kernel::{ActorId, Currency, MerchantId, Message, Refusal, Timestamp, Zone};
use wire::mall::Collection;

use super::Note;

const FEE_MINOR_MAX: i64 = 1_000_000_000_000;
/// A month as a number, counted from the year 0.
const MONTHS: std::ops::RangeInclusive<i32> = 24_000..=47_999;

/// A month, `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Month(i32);

impl Month {
    /// The month of a moment, by the clocks of Shanghai.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let date: NaiveDate = Zone::SHANGHAI.local(at).date;
        Self(date.year() * 12 + date.month0().cast_signed())
    }

    /// The next month.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.0 / 12, self.0 % 12 + 1)
    }
}

impl TryFrom<String> for Month {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parsed = text.split_once('-').and_then(|(year, month)| {
            let (year, month): (i32, i32) = (year.parse().ok()?, month.parse().ok()?);
            (1..=12).contains(&month).then_some(year * 12 + month - 1)
        });
        let month = parsed.filter(|number| MONTHS.contains(number)).map(Self);
        month
            .filter(|month| month.to_string() == text)
            .ok_or("a month is written as 2026-11")
    }
}

/// What is agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Who receives the money of sales.
    pub collection: Collection,
    /// The day of the next month by whose end a statement is to be paid.
    pub due_day: u8,
    /// For how many days after a statement was sent lines can be disputed.
    pub objection_days: u8,
    /// How many days before the due day silence counts as a confirmation.
    pub confirm_days: u8,
    /// The deposit, in minor units.
    pub deposit_minor: i64,
    /// How many times the deposit it takes to open again after a freeze, in 1/100.
    pub reopening_percent: u32,
    /// Monthly fee for keeping the shop, in minor units.
    pub hosting_fee_minor: i64,
    /// Monthly fee for technical maintenance, in minor units.
    pub maintenance_fee_minor: i64,
    /// Monthly fee for the platform, in minor units.
    pub platform_fee_minor: i64,
    /// The currency of all of them.
    pub currency: Currency,
}

/// A version of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// With whom.
    pub merchant: MerchantId,
    /// Counts up.
    pub version: i64,
    /// The first month for which it counts.
    pub from: Month,
    /// What is agreed.
    pub terms: Terms,
    /// What else there is to say.
    pub note: Option<Note>,
    /// Who made it.
    pub made_by: ActorId,
    /// When.
    pub made_at: Timestamp,
}

impl Terms {
    fn check(self) -> Result<(), Refusal> {
        let fees = [
            self.deposit_minor,
            self.hosting_fee_minor,
            self.maintenance_fee_minor,
            self.platform_fee_minor,
        ];
        let fits = (1..=28).contains(&self.due_day)
            && self.objection_days <= 28
            && self.confirm_days < self.due_day
            && (100..=1_000).contains(&self.reopening_percent)
            && fees.iter().all(|fee| (0..=FEE_MINOR_MAX).contains(fee));
        if fits {
            return Ok(());
        }
        Err(Refusal::invalid(
            "merchant_contract_invalid",
            Message::new(
                "The due day is 1 to 28, the objection at most 28 days, the confirmation fewer days than the due day, reopening 100 to 1000 percent, and no amount is below zero.",
                "付款日为 1 至 28 日，异议期最多 28 天，自动确认提前天数须小于付款日，重开保证金为 100% 至 1000%，金额不得为负数。",
            ),
        ))
    }
}

/// The next version of a contract. The first counts from this month on or later; another from next month on, and not
/// before what was agreed last.
///
/// # Errors
/// Terms that cannot be, or a month that is too early.
pub fn agree(last: Option<&Contract>, new: Contract, now: Timestamp) -> Result<Contract, Refusal> {
    new.terms.check()?;
    let this = Month::of(now);
    let first = match last {
        None => this,
        Some(last) => last.from.max(this.next()),
    };
    if new.from < first {
        return Err(Refusal::conflict(
            "merchant_contract_too_early",
            Message::new(
                format!(
                    "A month that has begun keeps what was agreed for it. Begin in {first} or later."
                ),
                format!("已开始的月份不可变更，最早自 {first} 起生效。"),
            ),
        ));
    }
    Ok(Contract {
        version: last.map_or(1, |last| last.version + 1),
        ..new
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Month {
        Month::try_from(text.to_owned()).unwrap()
    }

    fn contract(from: &str) -> Contract {
        Contract {
            merchant: MerchantId::parse("m").unwrap(),
            version: 1,
            from: month(from),
            terms: Terms {
                collection: Collection::Platform,
                due_day: 15,
                objection_days: 7,
                confirm_days: 3,
                deposit_minor: 100_000,
                reopening_percent: 200,
                hosting_fee_minor: 0,
                maintenance_fee_minor: 0,
                platform_fee_minor: 0,
                currency: Currency::Cny,
            },
            note: None,
            made_by: ActorId::parse("wang").unwrap(),
            made_at: Timestamp::EPOCH,
        }
    }

    #[test]
    fn a_month_is_that_of_shanghai_and_is_written_one_way() {
        let at = |text: &str| Month::of(Timestamp::parse(text).unwrap()).to_string();
        assert_eq!(at("2026-11-30T15:59:59.999Z"), "2026-11");
        assert_eq!(at("2026-11-30T16:00:00Z"), "2026-12");
        assert_eq!(month("2026-12").next().to_string(), "2027-01");
        for wrong in ["", "2026", "2026-13", "2026-00", "2026-1", "1999-12"] {
            assert!(Month::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_month_that_has_begun_keeps_what_was_agreed_for_it() {
        let now = Timestamp::parse("2026-11-02T02:00:00Z").unwrap();
        let first = agree(None, contract("2026-11"), now).unwrap();
        assert_eq!(first.version, 1);
        let early = Err("merchant_contract_too_early");
        let code = |last: Option<&Contract>, from: &str| {
            agree(last, contract(from), now)
                .map(|agreed| agreed.version)
                .map_err(|refusal| refusal.code)
        };
        assert_eq!(code(None, "2026-10"), early);
        assert_eq!(code(Some(&first), "2026-11"), early);
        assert_eq!(code(Some(&first), "2026-12"), Ok(2));
        let ahead = contract("2027-03");
        assert_eq!(code(Some(&ahead), "2027-02"), early);
        assert_eq!(code(Some(&ahead), "2027-03"), Ok(2));
    }

    #[test]
    fn terms_have_bounds() {
        let now = Timestamp::parse("2026-11-02T02:00:00Z").unwrap();
        let good = contract("2026-11");
        let code = |terms| {
            let new = Contract {
                terms,
                ..good.clone()
            };
            agree(None, new, now)
                .map(drop)
                .map_err(|refusal| refusal.code)
        };
        let terms = good.terms;
        assert_eq!(
            code(Terms {
                due_day: 28,
                confirm_days: 27,
                ..terms
            }),
            Ok(())
        );
        for wrong in [
            Terms {
                due_day: 0,
                ..terms
            },
            Terms {
                due_day: 29,
                ..terms
            },
            Terms {
                confirm_days: 15,
                ..terms
            },
            Terms {
                objection_days: 29,
                ..terms
            },
            Terms {
                reopening_percent: 99,
                ..terms
            },
            Terms {
                deposit_minor: -1,
                ..terms
            },
        ] {
            assert_eq!(code(wrong), Err("merchant_contract_invalid"));
        }
    }
}
