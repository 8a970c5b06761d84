//! Whose income advertising is: the platform's, a property company's by its share, or, less reasonable cost, the owners'
//! of what is common (Civil Code, article 282). Each charge is split once, in the books.

use kernel::{Currency, Money, MoneyError};
use ledger::{Account, Posting};
use store::Tx;
use wire::advertising::{ChargeSource, Ownership};
use wire::event::{AdvertisingCharged, AdvertisingShared};

use crate::context::Context;
use crate::facts;
use crate::store::billing::{self, Parts, Place};

/// Hears of a charge. What an exchange charges at its edges is no income: its advertising is split when it is shown.
pub(crate) async fn hear(
    context: &Context,
    tx: &Tx,
    charged: &AdvertisingCharged,
) -> anyhow::Result<()> {
    if charged.source == ChargeSource::Barter {
        return Ok(());
    }
    share(context, tx, charged).await
}

/// Splits income once, and posts the split.
pub(crate) async fn share(
    context: &Context,
    tx: &Tx,
    charged: &AdvertisingCharged,
) -> anyhow::Result<()> {
    let place = match &charged.placement {
        None => None,
        Some(placement) => billing::place(tx, tx.tenant(), placement).await?,
    };
    let parts = parts_of(charged, place.as_ref())?;
    let parts = bearable(tx, charged, parts).await?;
    if !billing::insert_share(tx, charged, parts).await? {
        return Ok(());
    }
    post(context, tx, charged, parts).await?;
    let fact = AdvertisingShared {
        charge: charged.charge.clone(),
        platform_minor: parts.platform_minor,
        company_minor: parts.company_minor,
        owners_minor: parts.owners_minor,
        at: context.now,
    };
    facts::append(context, tx, &fact).await
}

/// Whose part is how much: by largest remainder, so that the parts are the amount.
fn parts_of(charged: &AdvertisingCharged, place: Option<&Place>) -> Result<Parts, MoneyError> {
    let bps = |share: i64| u64::try_from(share.clamp(0, 10_000)).unwrap_or(0);
    let weights = match (charged.ownership, &charged.community) {
        (Ownership::Platform, _) | (_, None) => [10_000, 0, 0],
        (Ownership::Company, Some(_)) => {
            let company = bps(place.map_or(0, |place| place.company_bps));
            [10_000 - company, company, 0]
        }
        (Ownership::Common, Some(_)) => {
            let cost = bps(place.map_or(0, |place| place.cost_bps));
            [cost, 0, 10_000 - cost]
        }
    };
    let split = Money::new(charged.amount_minor, Currency::Cny).split(&weights)?;
    let part = |index: usize| split.get(index).map_or(0, |part| part.minor());
    Ok(Parts {
        platform_minor: part(0),
        company_minor: part(1),
        owners_minor: part(2),
    })
}

/// What is given back takes from the owners' fund only what is in it; the platform bears the rest.
async fn bearable(tx: &Tx, charged: &AdvertisingCharged, parts: Parts) -> anyhow::Result<Parts> {
    let Some(community) = charged
        .community
        .as_ref()
        .filter(|_| parts.owners_minor < 0)
    else {
        return Ok(parts);
    };
    let fund = Account::owners_common_fund(community);
    let balance = ledger::balance(tx, tx.tenant(), &fund, Currency::Cny).await?;
    let owners_minor = parts.owners_minor.max(-balance.available().minor().max(0));
    Ok(Parts {
        platform_minor: parts.platform_minor + parts.owners_minor - owners_minor,
        owners_minor,
        ..parts
    })
}

async fn post(
    context: &Context,
    tx: &Tx,
    charged: &AdvertisingCharged,
    parts: Parts,
) -> anyhow::Result<()> {
    let Some(community) = &charged.community else {
        return Ok(());
    };
    let others = [
        (Account::company_payable(community), parts.company_minor),
        (Account::owners_common_fund(community), parts.owners_minor),
    ];
    for (account, minor) in others.into_iter().filter(|(_, minor)| *minor != 0) {
        let amount = Money::new(minor.saturating_abs(), Currency::Cny);
        let posting = Posting::new("advertising.shared", &charged.charge, context.now);
        let posting = if minor > 0 {
            posting
                .debit(Account::ad_income(), amount)
                .credit(account, amount)
        } else {
            posting
                .debit(account, amount)
                .credit(Account::ad_income(), amount)
        };
        ledger::post(tx, &posting).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{CommunityId, MerchantId, Timestamp};
    use proptest::prelude::*;

    fn charged(amount_minor: i64, ownership: Ownership) -> AdvertisingCharged {
        AdvertisingCharged {
            charge: "booking/l1/2026-11".to_owned(),
            merchant: MerchantId::parse("m1").unwrap(),
            source: ChargeSource::Booking,
            reference: "l1".to_owned(),
            placement: None,
            ownership,
            community: CommunityId::parse("garden").ok(),
            month: "2026-11".to_owned(),
            amount_minor,
            currency: Currency::Cny,
            at: Timestamp::EPOCH,
        }
    }

    fn place(company_bps: i64, cost_bps: i64) -> Place {
        Place {
            company_bps,
            cost_bps,
            ownership: Ownership::Common,
            community: None,
        }
    }

    fn split(amount: i64, ownership: Ownership, place: &Place) -> [i64; 3] {
        let parts = parts_of(&charged(amount, ownership), Some(place)).unwrap();
        [
            parts.platform_minor,
            parts.company_minor,
            parts.owners_minor,
        ]
    }

    #[test]
    fn the_owners_have_what_is_common_less_its_cost_and_a_company_its_share() {
        assert_eq!(
            split(1_001, Ownership::Platform, &place(3_000, 3_000)),
            [1_001, 0, 0]
        );
        assert_eq!(
            split(1_001, Ownership::Company, &place(3_000, 0)),
            [701, 300, 0]
        );
        assert_eq!(
            split(1_001, Ownership::Common, &place(0, 3_000)),
            [300, 0, 701]
        );
        assert_eq!(
            split(-1_001, Ownership::Common, &place(0, 3_000)),
            [-300, 0, -701]
        );
    }

    proptest! {
        #[test]
        fn no_fen_is_lost_whoever_has_it(amount in -1_000_000_i64..1_000_000, bps in 0_i64..=10_000) {
            for ownership in [Ownership::Platform, Ownership::Company, Ownership::Common] {
                let parts = split(amount, ownership, &place(bps, bps));
                prop_assert_eq!(parts.iter().sum::<i64>(), amount);
                prop_assert!(parts.iter().all(|part| part.signum() * amount.signum() >= 0));
            }
        }
    }
}
