//! Platform fees of property companies and owners: paid ahead, taken whole on the charge day, or not at all.

use kernel::{ActorId, CommunityId, Message, Refusal, Timestamp, Zone};

use super::Month;

/// Who pays for the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// A property company (物业公司).
    Company,
    /// An owner (业主).
    Owner,
}

impl Party {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Company, Self::Owner];

    /// The name in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Owner => "owner",
        }
    }
}

/// The one field that others judge by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// The platform is used.
    Active,
    /// A fee could not be taken: of which month, and how much.
    Suspended {
        /// The month.
        period: Month,
        /// The fee.
        owed_minor: i64,
    },
    /// Nothing is charged any more.
    Closed,
}

impl Use {
    /// The name in the database and on the wire.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended { .. } => "suspended",
            Self::Closed => "closed",
        }
    }
}

/// A prepaid account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformAccount {
    /// The company's or the person's id.
    pub id: ActorId,
    /// Which.
    pub party: Party,
    /// What people call it.
    pub name: String,
    /// Where payments are asked for.
    pub community: CommunityId,
    /// The monthly fee, in fen.
    pub fee_minor: i64,
    /// The day of the month on which it is taken, from 00:00.
    pub charge_day: u8,
    /// Whether the platform is used.
    pub state: Use,
    /// The next moment at which a fee is taken.
    pub charge_at: Timestamp,
    /// Counts up with each change.
    pub version: i64,
}

/// A fee that is taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fee {
    /// Of which month.
    pub period: Month,
    /// How much, in fen.
    pub amount_minor: i64,
}

/// The first charge day after a moment.
#[must_use]
pub fn charge_after(zone: Zone, charge_day: u8, now: Timestamp) -> Timestamp {
    let month = Month::at(zone, now);
    let this = zone.moment(month.day(charge_day), 0);
    if this > now {
        this
    } else {
        zone.moment(month.next().day(charge_day), 0)
    }
}

impl PlatformAccount {
    /// On the charge day: the fee is taken when the balance bears all of it; else nothing is, and the account is
    /// suspended. While it is suspended no further month is charged.
    #[must_use]
    pub fn charge(self, zone: Zone, balance_minor: i64) -> (Self, Option<Fee>) {
        let period = Month::at(zone, self.charge_at);
        let mut after = self;
        after.charge_at = charge_after(zone, after.charge_day, after.charge_at);
        if balance_minor >= after.fee_minor {
            let fee = Fee {
                period,
                amount_minor: after.fee_minor,
            };
            return (after, Some(fee));
        }
        after.state = Use::Suspended {
            period,
            owed_minor: after.fee_minor,
        };
        (after, None)
    }

    /// After a recharge: a suspended account whose balance bears what is owed pays it and is used again.
    #[must_use]
    pub fn resume(self, zone: Zone, (balance_minor, now): (i64, Timestamp)) -> (Self, Option<Fee>) {
        let Use::Suspended { period, owed_minor } = self.state else {
            return (self, None);
        };
        if balance_minor < owed_minor {
            return (self, None);
        }
        let fee = Fee {
            period,
            amount_minor: owed_minor,
        };
        let mut after = self;
        after.state = Use::Active;
        if after.charge_at <= now {
            after.charge_at = charge_after(zone, after.charge_day, now);
        }
        (after, Some(fee))
    }
}

/// No such account, or none that the caller may know.
#[must_use]
pub fn unknown_account() -> Refusal {
    Refusal::not_found(
        "platform_account_unknown",
        Message::new(
            "There is no such platform account that you can see.",
            "未找到您可查看的平台账户。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn account() -> PlatformAccount {
        PlatformAccount {
            id: ActorId::parse("company-1").unwrap(),
            party: Party::Company,
            name: "好邻居物业".to_owned(),
            community: CommunityId::parse("garden").unwrap(),
            fee_minor: 10_000,
            charge_day: 1,
            state: Use::Active,
            charge_at: at("2026-02-28T16:00:00Z"),
            version: 1,
        }
    }

    #[test]
    fn the_fee_is_taken_whole_or_not_at_all() {
        let zone = Zone::SHANGHAI;
        for (balance, taken) in [(9_999, false), (10_000, true), (10_001, true)] {
            let (after, fee) = account().charge(zone, balance);
            assert_eq!(fee.is_some(), taken, "{balance}");
            assert_eq!(after.state == Use::Active, taken, "{balance}");
            assert_eq!(after.charge_at, at("2026-03-31T16:00:00Z"));
        }
    }

    #[test]
    fn a_recharge_that_makes_it_enough_resumes_and_one_fen_less_does_not() {
        let zone = Zone::SHANGHAI;
        let (suspended, _) = account().charge(zone, 0);
        let now = at("2026-05-10T00:00:00Z");
        let (still, fee) = suspended.clone().resume(zone, (9_999, now));
        assert_eq!((still, fee), (suspended.clone(), None));
        let (active, fee) = suspended.resume(zone, (10_000, now));
        assert_eq!(active.state, Use::Active);
        assert_eq!(fee.unwrap().period.to_string(), "2026-03");
        // The months in which it was suspended are not charged.
        assert_eq!(active.charge_at, at("2026-05-31T16:00:00Z"));
    }

    #[test]
    fn resuming_before_the_next_charge_day_passes_over_no_month() {
        let zone = Zone::SHANGHAI;
        let (suspended, _) = account().charge(zone, 0);
        let (active, _) = suspended.resume(zone, (10_000, at("2026-03-05T00:00:00Z")));
        assert_eq!(active.charge_at, at("2026-03-31T16:00:00Z"));
    }
}
