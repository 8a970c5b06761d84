//! Posting, reversing, reading and verifying.

use kernel::{Currency, TransactionId};
use ledger::{Account, AccountKind, Key, Posting};
use store::Value;

use crate::support::{
    databases, day, income, moving, post, post_many, posted, receivable, refused, run, tamper,
    tenant, verify, wallet,
};

#[test]
fn the_same_key_is_the_same_transaction_and_other_content_is_refused() {
    run(async {
        for db in databases().await {
            let bill = moving("b1/1", receivable("r101"), income(), 12_345);
            let first = post(&db, &bill).await.unwrap();
            let mut retried = bill.clone();
            retried.at = day(1);
            let second = post(&db, &retried).await.unwrap();
            assert!(first.fresh && !second.fresh);
            assert_eq!(first.id, second.id);
            let other = moving("b1/1", receivable("r101"), income(), 12_346);
            assert_eq!(refused(post(&db, &other).await), "ledger_key_reused");
            assert_eq!(posted(&db, &receivable("r101")).await, 12_345);
            assert_eq!(posted(&db, &income()).await, 12_345);
        }
    });
}

#[test]
fn a_guarded_account_never_goes_below_zero_and_the_database_says_so_too() {
    run(async {
        for db in databases().await {
            post(&db, &moving("1", Account::bank(), wallet("li"), 100))
                .await
                .unwrap();
            post(&db, &moving("2", wallet("li"), Account::suspense(), 100))
                .await
                .unwrap();
            let too_much = moving("3", wallet("li"), Account::suspense(), 1);
            assert_eq!(refused(post(&db, &too_much).await), "balance_insufficient");
            assert_eq!(posted(&db, &wallet("li")).await, 0);
            let forced =
                "update ledger_account set posted_debits = 101 where name = 'resident_wallet:li'";
            assert!(db.rows(forced, &[] as &[Value]).await.is_err());
            assert!(verify(&db).await.is_clean());
        }
    });
}

#[test]
fn a_transaction_is_reversed_once_and_a_reversal_never() {
    run(async {
        for db in databases().await {
            let bill = post(&db, &moving("1", receivable("r101"), income(), 500))
                .await
                .unwrap();
            let void = |reference: &str| Key::new("bill.void", reference, day(1));
            let reverse = async |id: &TransactionId, key: Key| {
                store::tx(&db, &tenant(), async |tx| {
                    ledger::reverse(tx, id, &key).await
                })
                .await
            };
            let reversal = reverse(&bill.id, void("1")).await.unwrap();
            assert!(!reverse(&bill.id, void("1")).await.unwrap().fresh);
            assert_eq!(
                refused(reverse(&bill.id, void("2")).await),
                "ledger_already_reversed"
            );
            assert_eq!(
                refused(reverse(&reversal.id, void("3")).await),
                "ledger_is_reversal"
            );
            let unknown = TransactionId::parse("77").unwrap();
            assert_eq!(
                refused(reverse(&unknown, void("4")).await),
                "ledger_transaction_unknown"
            );
            assert_eq!(posted(&db, &receivable("r101")).await, 0);
            let shown = ledger::transaction(&*db, &tenant(), &bill.id)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(shown.reversed_by, Some(reversal.id));
            assert_eq!(shown.legs.len(), 2);
        }
    });
}

#[test]
fn a_batch_is_all_or_nothing_and_knows_its_own_doubles() {
    run(async {
        for db in databases().await {
            let fine = moving("1", Account::bank(), wallet("li"), 50);
            let poor = moving("2", wallet("ma"), Account::suspense(), 1);
            assert_eq!(
                refused(post_many(&db, &[fine.clone(), poor]).await),
                "balance_insufficient"
            );
            assert_eq!(posted(&db, &wallet("li")).await, 0);
            let posted_twice = post_many(&db, &[fine.clone(), fine.clone()]).await.unwrap();
            assert_eq!(posted_twice[0].id, posted_twice[1].id);
            assert_eq!(
                [posted_twice[0].fresh, posted_twice[1].fresh],
                [true, false]
            );
            let other = moving("1", Account::bank(), wallet("li"), 51);
            assert_eq!(
                refused(post_many(&db, &[fine, other]).await),
                "ledger_key_reused"
            );
            // Money that comes only later in the batch cannot be spent before.
            let spend = moving("3", wallet("sun"), Account::suspense(), 10);
            let earn = moving("4", Account::bank(), wallet("sun"), 10);
            assert_eq!(
                refused(post_many(&db, &[spend.clone(), earn.clone()]).await),
                "balance_insufficient"
            );
            post_many(&db, &[earn, spend]).await.unwrap();
            assert!(verify(&db).await.is_clean());
        }
    });
}

#[test]
fn thousands_of_bills_are_posted_at_once_and_again_change_nothing() {
    run(async {
        for db in databases().await {
            let bills: Vec<Posting> = (0..1_200)
                .map(|number| {
                    moving(
                        &format!("b{number}"),
                        receivable(&format!("r{number}")),
                        income(),
                        100 + number,
                    )
                })
                .collect();
            let first = post_many(&db, &bills).await.unwrap();
            assert!(first.iter().all(|posted| posted.fresh));
            let second = post_many(&db, &bills).await.unwrap();
            assert!(second.iter().all(|posted| !posted.fresh));
            assert_eq!(ledger::tenants(&db, None, 10).await.unwrap(), [tenant()]);
            let report = verify(&db).await;
            assert_eq!(
                (report.transactions, report.legs, report.wrong),
                (1_200, 2_400, 0)
            );
            let sums = ledger::trial_balance(&*db, &tenant()).await.unwrap();
            let kinds: Vec<AccountKind> = sums.iter().map(|sum| sum.kind).collect();
            assert_eq!(kinds, [AccountKind::FeeIncome, AccountKind::FeeReceivable]);
            assert_eq!(sums[0].credits, sums[1].debits);
        }
    });
}

#[test]
fn a_statement_pages_through_an_account_with_its_balance() {
    run(async {
        for db in databases().await {
            for number in 1..=5 {
                post(
                    &db,
                    &moving(
                        &number.to_string(),
                        Account::bank(),
                        Account::suspense(),
                        number,
                    ),
                )
                .await
                .unwrap();
            }
            post(&db, &moving("6", Account::suspense(), Account::bank(), 4))
                .await
                .unwrap();
            let page = async |after| {
                let account = (&Account::suspense(), Currency::Cny);
                ledger::statement(&*db, &tenant(), account, after, 4)
                    .await
                    .unwrap()
            };
            let first = page(None).await;
            let balances = |lines: &[ledger::Line]| {
                lines
                    .iter()
                    .map(|line| line.balance.minor())
                    .collect::<Vec<_>>()
            };
            assert_eq!(balances(&first), [1, 3, 6, 10]);
            let second = page(first.last().map(|line| line.place)).await;
            assert_eq!(balances(&second), [15, 11]);
            let used = ledger::accounts(&*db, &tenant(), None, None, 10)
                .await
                .unwrap();
            let names: Vec<String> = used.iter().map(|row| row.account.to_string()).collect();
            assert_eq!(names, ["bank", "suspense"]);
        }
    });
}

#[test]
fn days_are_sealed_one_after_another_and_only_when_they_are_over() {
    run(async {
        for db in databases().await {
            let seal = async |now| {
                store::tx(&db, &tenant(), async |tx| ledger::seal(tx, now).await)
                    .await
                    .unwrap()
            };
            post(&db, &moving("1", Account::bank(), wallet("li"), 7))
                .await
                .unwrap();
            assert!(!seal(day(0)).await);
            assert!(
                ledger::tenants_to_seal(&*db, day(0))
                    .await
                    .unwrap()
                    .is_empty()
            );
            let mut next = moving("2", Account::bank(), wallet("li"), 8);
            next.at = day(1);
            post(&db, &next).await.unwrap();
            assert_eq!(
                ledger::tenants_to_seal(&*db, day(1)).await.unwrap(),
                [tenant()]
            );
            assert!(seal(day(1)).await && !seal(day(1)).await);
            // Recorded late for a sealed day: the next seal has it.
            post(&db, &moving("3", Account::bank(), wallet("li"), 9))
                .await
                .unwrap();
            assert!(seal(day(3)).await && !seal(day(3)).await);
            let report = verify(&db).await;
            assert_eq!((report.seals, report.wrong), (2, 0), "{report:?}");
        }
    });
}

#[test]
fn whatever_is_changed_behind_the_ledgers_back_is_found_and_named() {
    let cases: [(&str, &[&str]); 7] = [
        (
            "update ledger_leg set amount = amount + 1 where seq = 1 and leg = 0",
            &["unbalanced", "content_changed"],
        ),
        (
            "update ledger_leg set amount = amount + 1 where seq = 1",
            &["content_changed", "balance_wrong"],
        ),
        (
            "update ledger_transaction set memo = 'x' where seq = 1",
            &["seal_broken"],
        ),
        (
            "update ledger_account set posted_credits = posted_credits + 1 where name = 'resident_wallet:li'",
            &["balance_wrong"],
        ),
        (
            "update ledger_account set held_debits = 1 where name = 'resident_wallet:li'",
            &["held_wrong"],
        ),
        ("update ledger_head set seq = seq + 1", &["gap"]),
        ("delete from ledger_seal", &["seal_missing"]),
    ];
    run(async {
        for (sql, codes) in cases {
            for db in databases().await {
                post(&db, &moving("1", Account::bank(), wallet("li"), 7))
                    .await
                    .unwrap();
                post(&db, &moving("2", wallet("li"), Account::suspense(), 2))
                    .await
                    .unwrap();
                store::tx(&db, &tenant(), async |tx| ledger::seal(tx, day(1)).await)
                    .await
                    .unwrap();
                assert!(verify(&db).await.is_clean());
                tamper(&db, sql).await;
                let report = verify(&db).await;
                let found: Vec<&str> = report.findings.iter().map(|finding| finding.code).collect();
                assert_eq!(found, codes, "{sql}");
            }
        }
    });
}

#[test]
fn every_statement_is_understood_by_both_engines() {
    run(async {
        for db in databases().await {
            for (name, sql) in ledger::STATEMENTS {
                let count = (1..=40)
                    .filter(|number| sql.contains(&format!("${number}")))
                    .count();
                let nothing = vec![Value::Null; count];
                let plan = db.rows(&format!("explain {sql}"), &nothing).await;
                assert!(plan.is_ok(), "{name}: {:#}", plan.unwrap_err());
                assert!(!sql.contains(" * "), "{name} names its columns");
            }
        }
    });
}

#[test]
fn amounts_beyond_64_bits_are_an_error_and_no_wrong_sum() {
    run(async {
        for db in databases().await {
            post(&db, &moving("1", Account::bank(), wallet("li"), i64::MAX))
                .await
                .unwrap();
            assert!(
                post(&db, &moving("2", Account::bank(), wallet("li"), 1))
                    .await
                    .is_err()
            );
            assert_eq!(posted(&db, &wallet("li")).await, i64::MAX);
        }
    });
}
