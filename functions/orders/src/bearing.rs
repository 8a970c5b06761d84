//! Who bears a refund of what a merchant was settled for: the platform gives its commission back, the merchant bears
//! the rest out of what it may draw, and owes what is not there.

use kernel::{Currency, MerchantId};
use ledger::Account;
use store::Tx;
use wire::mall::Collection;

use crate::store::refunds::RefundLine;

/// How a refund is borne, in fen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Borne {
    /// What goes back to the buyer.
    pub(crate) amount: i64,
    /// What goes back to the platform of its subsidy.
    pub(crate) subsidy: i64,
    /// What the platform gives back of its commission now.
    pub(crate) commission: i64,
    /// What the merchant may draw less of.
    pub(crate) from_payable: i64,
    /// What the merchant owes.
    pub(crate) owed: i64,
}

/// What the merchant may draw.
pub(crate) async fn available(tx: &Tx, merchant: &MerchantId) -> anyhow::Result<i64> {
    let account = Account::merchant_payable(merchant);
    let balance = ledger::balance(tx, tx.tenant(), &account, Currency::Cny).await?;
    Ok(balance.available().minor().max(0))
}

/// Bears a refund with what is available; each line is told what of it is owed. Where the channel pays the merchant
/// straight it takes the money from the merchant itself, and the commission goes back with the statement.
pub(crate) fn bear(collection: Collection, available: i64, lines: &mut [RefundLine]) -> Borne {
    let mut borne = Borne::default();
    let mut left = available;
    for line in lines {
        let back = line.back;
        let merchants = match collection {
            Collection::Platform => {
                borne.commission += back.commission_minor;
                back.amount_minor() + back.subsidy_minor - back.commission_minor
            }
            Collection::Direct => back.subsidy_minor,
        };
        borne.amount += back.amount_minor();
        borne.subsidy += back.subsidy_minor;
        let drawn = merchants.clamp(0, left);
        left -= drawn;
        line.owed_minor = merchants - drawn;
        borne.from_payable += drawn;
        borne.owed += line.owed_minor;
    }
    borne
}

#[cfg(test)]
mod tests {
    use kernel::OrderLineId;

    use super::*;
    use crate::domain::Back;

    fn line(goods_minor: i64, subsidy_minor: i64, commission_minor: i64) -> RefundLine {
        RefundLine {
            line: OrderLineId::parse("l1").unwrap(),
            back: Back {
                goods_minor,
                subsidy_minor,
                commission_minor,
                ..Back::default()
            },
            owed_minor: 0,
        }
    }

    #[test]
    fn the_merchant_bears_what_it_may_draw_and_owes_the_rest() {
        let mut lines = [line(1_000, 200, 120), line(500, 0, 50)];
        let borne = bear(Collection::Platform, 1_200, &mut lines);
        assert_eq!(
            (borne.from_payable, borne.owed, borne.commission),
            (1_200, 330, 170)
        );
        assert_eq!(lines.map(|line| line.owed_minor), [0, 330]);
        assert_eq!(
            borne.from_payable + borne.owed + borne.commission,
            borne.amount + borne.subsidy
        );
    }

    #[test]
    fn a_merchant_paid_by_the_channel_bears_the_subsidy_alone() {
        let mut lines = [line(1_000, 200, 120)];
        let borne = bear(Collection::Direct, 50, &mut lines);
        assert_eq!(
            (borne.from_payable, borne.owed, borne.commission),
            (50, 150, 0)
        );
    }
}
