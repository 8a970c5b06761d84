//! How a merchant stands: by its deposit and by what it owes that is overdue.

use wire::mall::Standing;

use super::Contract;

/// What standing is decided by, in fen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Means {
    /// What is deposited.
    pub deposit_minor: i64,
    /// What is overdue and unpaid.
    pub arrears_minor: i64,
}

/// How the merchant stands from now on. A freeze is not left by paying alone: it takes no arrears and the multiple of
/// the contract's deposit.
#[must_use]
pub fn standing(before: Option<Standing>, contract: &Contract, means: Means) -> Standing {
    let covers = means.deposit_minor >= contract.deposit_minor;
    match before {
        Some(Standing::Frozen) => {
            let reopens =
                means.arrears_minor == 0 && means.deposit_minor >= contract.reopening_minor();
            if reopens {
                Standing::Good
            } else {
                Standing::Frozen
            }
        }
        // The deposit was asked for them and did not suffice.
        _ if means.arrears_minor > 0 => Standing::Frozen,
        None | Some(Standing::DepositDue) if !covers => Standing::DepositDue,
        _ if !covers => Standing::TopUpRequired,
        _ => Standing::Good,
    }
}

/// What has to be deposited for the merchant to trade without a flaw, in fen.
#[must_use]
pub fn required_minor(standing: Option<Standing>, contract: &Contract) -> i64 {
    match standing {
        Some(Standing::Frozen) => contract.reopening_minor(),
        _ => contract.deposit_minor,
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::tests::contract;
    use super::*;

    fn check(before: Option<Standing>, deposit_minor: i64, arrears_minor: i64, after: Standing) {
        let means = Means {
            deposit_minor,
            arrears_minor,
        };
        assert_eq!(
            standing(before, &contract(), means),
            after,
            "{before:?} {means:?}"
        );
    }

    #[test]
    fn a_shop_opens_when_its_deposit_is_paid_to_the_last_fen() {
        check(None, 0, 0, Standing::DepositDue);
        check(None, 5_999, 0, Standing::DepositDue);
        check(Some(Standing::DepositDue), 5_999, 0, Standing::DepositDue);
        check(Some(Standing::DepositDue), 6_000, 0, Standing::Good);
        let free = Contract {
            deposit_minor: 0,
            ..contract()
        };
        let nothing = Means {
            deposit_minor: 0,
            arrears_minor: 0,
        };
        assert_eq!(standing(None, &free, nothing), Standing::Good);
    }

    #[test]
    fn a_deposit_that_was_drawn_on_is_to_be_topped_up_and_trade_goes_on() {
        check(Some(Standing::Good), 0, 0, Standing::TopUpRequired);
        check(Some(Standing::Good), 5_999, 0, Standing::TopUpRequired);
        check(Some(Standing::TopUpRequired), 6_000, 0, Standing::Good);
        assert!(Standing::TopUpRequired.may_trade());
    }

    #[test]
    fn what_the_deposit_did_not_bear_freezes() {
        check(Some(Standing::Good), 0, 1, Standing::Frozen);
        check(Some(Standing::DepositDue), 0, 1, Standing::Frozen);
    }

    #[test]
    fn a_frozen_shop_opens_at_double_and_without_arrears_and_not_before() {
        check(Some(Standing::Frozen), 12_000, 0, Standing::Good);
        check(Some(Standing::Frozen), 11_999, 0, Standing::Frozen);
        check(Some(Standing::Frozen), 12_000, 1, Standing::Frozen);
        check(Some(Standing::Frozen), 0, 0, Standing::Frozen);
        // A second freeze asks for the same.
        assert_eq!(required_minor(Some(Standing::Frozen), &contract()), 12_000);
        assert_eq!(required_minor(Some(Standing::Good), &contract()), 6_000);
    }
}
