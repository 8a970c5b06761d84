//! The laws, for any sequence of postings.

use kernel::{Currency, TransactionId};
use ledger::{Account, Key, Posted, Posting};
use proptest::prelude::*;
use store::Db;

use crate::support::{
    databases, day, fen, income, join, moving, post, post_many, receivable, run, tenant, verify,
    wallet,
};

/// An account of a few, guarded and not.
fn account() -> impl Strategy<Value = Account> {
    prop_oneof![
        Just(Account::bank()),
        Just(Account::suspense()),
        Just(income()),
        Just(receivable("r101")),
        Just(wallet("li")),
        Just(wallet("ma")),
    ]
}

/// A posting that balances, mostly; with a few keys, so that some come twice.
fn posting() -> impl Strategy<Value = Posting> {
    let legs = prop::collection::vec((account(), account(), 1_i64..200, 0_i64..40), 1..3);
    (0..12_u32, legs).prop_map(|(key, legs)| {
        let start = Posting::new("law", &key.to_string(), day(0));
        legs.into_iter()
            .fold(start, |posting, (debit, credit, minor, skew)| {
                // One in twenty does not balance.
                let other = if skew == 0 { minor + 1 } else { minor };
                posting.debit(debit, fen(minor)).credit(credit, fen(other))
            })
    })
}

/// Every account's sums, and that they are 0 together.
async fn standing(db: &Db) -> Vec<(String, i64)> {
    let sums = ledger::trial_balance(db, &tenant()).await.unwrap();
    let debits: i64 = sums.iter().map(|sum| sum.debits).sum();
    let credits: i64 = sums.iter().map(|sum| sum.credits).sum();
    assert_eq!(debits, credits);
    let mut stands = Vec::new();
    for row in ledger::accounts(db, &tenant(), None, None, 100)
        .await
        .unwrap()
    {
        let balance = ledger::balance(db, &tenant(), &row.account, Currency::Cny)
            .await
            .unwrap();
        assert!(
            !row.account.kind().is_guarded() || balance.available().minor() >= 0,
            "{}",
            row.account
        );
        stands.push((row.account.to_string(), balance.posted().minor()));
    }
    stands
}

/// The postings one at a time, as far as they are accepted.
async fn one_at_a_time(db: &Db, postings: &[Posting]) -> Vec<anyhow::Result<Posted>> {
    let mut answers = Vec::new();
    for posting in postings {
        answers.push(post(db, posting).await);
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_postings_keep_the_sums_at_zero_or_are_refused(postings in prop::collection::vec(posting(), 1..25)) {
        run(async {
            for db in databases().await {
                for answer in one_at_a_time(&db, &postings).await {
                    if let Err(error) = answer {
                        assert!(error.downcast_ref::<kernel::Refusal>().is_some(), "{error:#}");
                    }
                }
                standing(&db).await;
                let report = verify(&db).await;
                assert!(report.is_clean(), "{report:?}");
            }
        });
    }

    #[test]
    fn a_batch_equals_the_same_postings_one_at_a_time(postings in prop::collection::vec(posting(), 1..12)) {
        run(async {
            for (single, batched) in databases().await.into_iter().zip(databases().await) {
                let singly = one_at_a_time(&single, &postings).await;
                let together = post_many(&batched, &postings).await;
                match together {
                    Ok(together) => {
                        let singly: Vec<Posted> = singly.into_iter().map(Result::unwrap).collect();
                        assert_eq!(singly, together);
                        assert_eq!(standing(&single).await, standing(&batched).await);
                    }
                    Err(_) => assert!(singly.iter().any(Result::is_err)),
                }
                assert!(verify(&batched).await.is_clean());
            }
        });
    }
}

#[test]
fn many_transactions_reversed_by_concurrent_callers_are_reversed_once_each() {
    const TRANSACTIONS: usize = 6;
    const CALLERS: usize = 5;
    run(async {
        for database in databases().await {
            let mut posted = Vec::new();
            for number in 0..TRANSACTIONS {
                let bill = moving(&number.to_string(), receivable("r101"), income(), 100);
                posted.push(post(&database, &bill).await.unwrap().id);
            }
            let callers = (0..CALLERS).flat_map(|caller| {
                let url = database.url.clone();
                posted
                    .clone()
                    .into_iter()
                    .map(move |id| reverse(url.clone(), id, caller))
            });
            let outcomes = join(callers).await;
            let reversed = outcomes
                .iter()
                .filter(|outcome| **outcome == Ok(true))
                .count();
            let refused = outcomes
                .iter()
                .filter(|outcome| **outcome == Err("ledger_already_reversed"))
                .count();
            assert_eq!(
                (reversed, refused),
                (TRANSACTIONS, (CALLERS - 1) * TRANSACTIONS),
                "{outcomes:?}"
            );
            let stands = standing(&database).await;
            assert!(stands.iter().all(|(_, minor)| *minor == 0));
            assert!(verify(&database).await.is_clean());
        }
    });
}

/// One caller on a connection of its own; a busy database is tried again.
async fn reverse(url: String, id: TransactionId, caller: usize) -> Result<bool, &'static str> {
    let db = Db::open(&url).unwrap();
    let key = Key::new("void", &format!("{id}/{caller}"), day(1));
    loop {
        let outcome = store::tx(&db, &tenant(), async |tx| {
            ledger::reverse(tx, &id, &key).await
        })
        .await;
        match outcome {
            Ok(posted) => return Ok(posted.fresh),
            Err(error) if store::Error::is_transient(&error) => {}
            Err(error) => {
                return Err(error
                    .downcast_ref::<kernel::Refusal>()
                    .map_or("no refusal", |refusal| refusal.code));
            }
        }
    }
}
