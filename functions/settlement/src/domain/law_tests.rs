//! Laws of statements and deposits.

use kernel::{MerchantId, StatementId, Timestamp};
use proptest::prelude::*;
use wire::mall::{Collection, Standing};

use super::contract::tests::contract;
use super::*;

fn statement(number: usize, owed_minor: i64) -> Statement {
    let at = Timestamp::EPOCH;
    Statement {
        id: StatementId::parse(&format!("s{number}")).unwrap(),
        merchant: MerchantId::parse("m1").unwrap(),
        month: Month::parse("2026-10").unwrap(),
        collection: Collection::Direct,
        contract_version: 1,
        zone: kernel::Zone::SHANGHAI,
        sums: Sums::default(),
        owed_minor,
        netted_minor: 0,
        paid_minor: 0,
        deducted_minor: 0,
        review: Review::Sent,
        money: Money::Owed,
        issued_at: at,
        late_ms: 0,
        object_until: at,
        confirm_at: at,
        due_at: at,
        overdue_at: None,
    }
}

fn check(debt: i64, deposit: i64, taken: i64, money: Money, after: Standing) {
    let (statement, deducted) = statement(1, debt).deduct(deposit, Timestamp::EPOCH);
    assert_eq!(
        (deducted, statement.money),
        (taken, money),
        "{debt} of {deposit}"
    );
    let left = statement.unpaid_minor();
    let means = Means {
        deposit_minor: deposit - taken,
        arrears_minor: if money == Money::Shortfall { left } else { 0 },
    };
    assert_eq!(left, debt - taken);
    assert_eq!(standing(Some(Standing::Good), &contract(), means), after);
}

#[test]
fn the_deposit_bears_what_it_can_and_only_what_is_left_freezes() {
    use Money::{SettledByDeposit, Shortfall};
    // Debt 100.00 and deposit 60.00: take 60.00, 40.00 remain, frozen.
    check(10_000, 6_000, 6_000, Shortfall, Standing::Frozen);
    check(6_001, 6_000, 6_000, Shortfall, Standing::Frozen);
    check(
        6_000,
        6_000,
        6_000,
        SettledByDeposit,
        Standing::TopUpRequired,
    );
    check(
        5_999,
        6_000,
        5_999,
        SettledByDeposit,
        Standing::TopUpRequired,
    );
    check(1, 6_000, 1, SettledByDeposit, Standing::TopUpRequired);
    // A deposit that was doubled still covers the contract's.
    check(6_000, 12_000, 6_000, SettledByDeposit, Standing::Good);
    check(
        6_001,
        12_000,
        6_001,
        SettledByDeposit,
        Standing::TopUpRequired,
    );
    check(1, 0, 0, Shortfall, Standing::Frozen);
}

proptest! {
    #[test]
    fn a_deduction_takes_neither_more_than_is_owed_nor_more_than_there_is(
        debt in 1_i64..1_000_000, deposit in 0_i64..1_000_000,
    ) {
        let (after, taken) = statement(1, debt).deduct(deposit, Timestamp::EPOCH);
        prop_assert!(taken >= 0 && taken <= debt && taken <= deposit);
        prop_assert_eq!(after.unpaid_minor(), debt - taken);
        prop_assert_eq!(after.money == Money::Shortfall, debt > deposit);
    }

    #[test]
    fn money_goes_to_the_oldest_statements_and_none_is_lost(
        owed in prop::collection::vec(1_i64..10_000, 0..8), money in 0_i64..50_000,
    ) {
        let all: Vec<Statement> = owed.iter().enumerate().map(|(number, owed)| statement(number, *owed)).collect();
        let (paid, over) = pay_oldest(all, money);
        let taken: i64 = paid.iter().map(|(_, taken)| taken).sum();
        prop_assert_eq!(taken + over, money);
        prop_assert!(over == 0 || taken == owed.iter().sum::<i64>());
        // Only the last one that was paid may be left unpaid in part.
        for (statement, _) in paid.iter().rev().skip(1) {
            prop_assert_eq!(statement.unpaid_minor(), 0);
        }
    }

    #[test]
    fn a_statement_that_is_paid_in_parts_is_paid_when_the_parts_are_the_whole(
        owed in 1_i64..10_000, parts in prop::collection::vec(1_i64..5_000, 0..8),
    ) {
        let mut statement = statement(1, owed);
        for part in &parts {
            statement = statement.pay(*part).0;
        }
        let paid: i64 = parts.iter().sum();
        prop_assert_eq!(statement.unpaid_minor(), (owed - paid).max(0));
        prop_assert_eq!(statement.money == Money::Paid, paid >= owed);
    }
}
