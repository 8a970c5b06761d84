//! Money set aside: posted whole or in part, let go, or expired, once.

use kernel::{HoldId, Money, Timestamp};
use ledger::{Account, AccountKind, Hold, Posted};
use store::Db;

use crate::support::{
    available, databases, day, fen, moving, post, posted, refused, run, tenant, verify, wallet,
};

fn withdrawal(reference: &str, minor: i64) -> Hold {
    Hold {
        kind: "withdrawal".to_owned(),
        reference: reference.to_owned(),
        debit: wallet("li"),
        credit: Account::new(AccountKind::WithdrawalInTransit, None).unwrap(),
        amount: fen(minor),
        at: day(0),
        expires_at: day(2),
        memo: String::new(),
    }
}

async fn hold(db: &Db, hold: &Hold) -> anyhow::Result<HoldId> {
    store::tx(db, &tenant(), async |tx| {
        Ok(ledger::hold(tx, hold).await?.id)
    })
    .await
}

async fn settle(
    db: &Db,
    id: &HoldId,
    amount: Option<Money>,
    at: Timestamp,
) -> anyhow::Result<Posted> {
    store::tx(db, &tenant(), async |tx| {
        ledger::settle(tx, id, amount, at).await
    })
    .await
}

async fn void(db: &Db, id: &HoldId) -> anyhow::Result<()> {
    store::tx(db, &tenant(), async |tx| ledger::void(tx, id, day(1)).await).await
}

/// Li's wallet with 1.00 on it.
async fn funded(db: &Db) {
    post(db, &moving("in", Account::bank(), wallet("li"), 100))
        .await
        .unwrap();
}

#[test]
fn what_is_held_cannot_be_taken_and_what_is_left_of_it_can() {
    run(async {
        for db in databases().await {
            funded(&db).await;
            let held = hold(&db, &withdrawal("w1", 70)).await.unwrap();
            assert_eq!(
                (
                    posted(&db, &wallet("li")).await,
                    available(&db, &wallet("li")).await
                ),
                (100, 30)
            );
            assert_eq!(
                refused(hold(&db, &withdrawal("w2", 31)).await),
                "balance_insufficient"
            );
            let spend = moving("out", wallet("li"), Account::suspense(), 31);
            assert_eq!(refused(post(&db, &spend).await), "balance_insufficient");
            assert_eq!(
                refused(settle(&db, &held, Some(fen(71)), day(1)).await),
                "hold_amount"
            );
            let part = settle(&db, &held, Some(fen(50)), day(1)).await.unwrap();
            assert_eq!(
                (
                    posted(&db, &wallet("li")).await,
                    available(&db, &wallet("li")).await
                ),
                (50, 50)
            );
            let again = settle(&db, &held, Some(fen(50)), day(1)).await.unwrap();
            assert_eq!((again.id, again.fresh), (part.id, false));
            assert_eq!(
                refused(settle(&db, &held, None, day(1)).await),
                "hold_ended"
            );
            assert_eq!(refused(void(&db, &held).await), "hold_ended");
            assert!(verify(&db).await.is_clean());
        }
    });
}

#[test]
fn a_hold_is_let_go_or_expires_and_is_then_over() {
    run(async {
        for db in databases().await {
            funded(&db).await;
            let voided = hold(&db, &withdrawal("w1", 60)).await.unwrap();
            let expired = hold(&db, &withdrawal("w2", 40)).await.unwrap();
            assert_eq!(hold(&db, &withdrawal("w2", 40)).await.unwrap(), expired);
            assert_eq!(
                refused(hold(&db, &withdrawal("w2", 41)).await),
                "ledger_key_reused"
            );
            void(&db, &voided).await.unwrap();
            void(&db, &voided).await.unwrap();
            assert_eq!(
                refused(settle(&db, &voided, None, day(1)).await),
                "hold_ended"
            );
            assert_eq!(
                refused(settle(&db, &expired, None, day(2)).await),
                "hold_ended"
            );
            assert_eq!(
                ledger::tenants_with_expired(&*db, day(2)).await.unwrap(),
                [tenant()]
            );
            let ended = store::tx(&db, &tenant(), async |tx| {
                ledger::expire_holds(tx, day(2)).await
            })
            .await;
            assert_eq!(ended.unwrap(), 1);
            assert_eq!(available(&db, &wallet("li")).await, 100);
            assert!(verify(&db).await.is_clean());
        }
    });
}
