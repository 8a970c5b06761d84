//! Parameters, results, and the ends of transactions.

use std::cell::Cell;

use kernel::{Message, Refusal};
use store::{Error, ErrorKind, RERUNS_MAX, ROWS_MAX, Value, bulk, tx};

use crate::support::{append, databases, effect, effects, run, tenant};

#[test]
fn parameters_are_bound_by_number_in_any_order_and_more_than_once() {
    run(async {
        for db in databases().await {
            let sql = "select cast($2 as text), cast($1 as bigint), cast($2 as text), '$1'";
            let row = db
                .row(sql, &[7.into(), "seven".into()])
                .await
                .unwrap()
                .unwrap();
            assert_eq!(
                row.values(),
                [
                    "seven".into(),
                    Value::Integer(7),
                    "seven".into(),
                    "$1".into()
                ],
                "{}",
                db.url
            );
        }
    });
}

#[test]
fn nulls_numbers_and_texts_come_back_as_they_went_in() {
    run(async {
        for db in databases().await {
            let insert = "insert into probe_effect (tenant, name, amount) values ($1, $2, $3) returning amount, name";
            for (name, amount) in [
                ("null", None),
                ("most", Some(i64::MAX)),
                ("least 门'\"", Some(i64::MIN)),
            ] {
                let values = ["demo".into(), name.into(), amount.into()];
                let row = tx(&db, &tenant("demo"), async |tx| {
                    tx.row(insert, &values).await
                })
                .await
                .unwrap()
                .unwrap();
                assert_eq!(row.optional_integer(0).unwrap(), amount);
                assert_eq!(row.text(1).unwrap(), name);
            }
        }
    });
}

#[test]
fn the_error_of_the_work_comes_back_as_it_is_and_nothing_is_kept() {
    run(async {
        for db in databases().await {
            let refusal = Refusal::conflict("busy_door", Message::new("Wait.", "请稍候。"));
            let outcome: anyhow::Result<()> = tx(&db, &tenant("demo"), async |tx| {
                effect(tx, "lost").await?;
                append(tx, "d1").await?;
                Err(refusal.clone().into())
            })
            .await;
            assert_eq!(outcome.unwrap_err().downcast::<Refusal>().unwrap(), refusal);
            assert!(effects(&db, &tenant("demo")).await.is_empty());
            // The connection is free again, and the next event is the first.
            assert_eq!(
                tx(&db, &tenant("demo"), async |tx| append(tx, "d1").await)
                    .await
                    .unwrap(),
                1
            );
        }
    });
}

#[test]
fn a_refused_statement_is_an_error_and_ends_the_transaction() {
    run(async {
        for db in databases().await {
            for sql in [
                "insert into probe_effect (tenant) values ('demo')",
                "insert into nowhere (a) values (1)",
                "selec 1",
            ] {
                let outcome = tx(&db, &tenant("demo"), async |tx| {
                    effect(tx, "lost").await?;
                    tx.execute(sql, &[]).await
                })
                .await;
                let error = outcome.unwrap_err().downcast::<Error>().unwrap();
                assert_eq!(error.kind, ErrorKind::Statement, "{error}");
                assert!(effects(&db, &tenant("demo")).await.is_empty());
            }
        }
    });
}

#[test]
fn work_is_run_again_when_others_were_in_the_way_but_not_for_ever() {
    run(async {
        for db in databases().await {
            for (busy_times, succeeds) in [(RERUNS_MAX, true), (RERUNS_MAX + 1, false)] {
                let calls = Cell::new(0);
                let name = format!("after {busy_times}");
                let outcome = tx(&db, &tenant("demo"), async |tx| {
                    calls.set(calls.get() + 1);
                    effect(tx, &name).await?;
                    if calls.get() <= busy_times {
                        let busy = Error {
                            kind: ErrorKind::Busy,
                            sql: String::new(),
                            cause: "injected".to_owned(),
                        };
                        return Err(anyhow::Error::new(busy).context("somewhere deep"));
                    }
                    Ok(())
                })
                .await;
                assert_eq!(outcome.is_ok(), succeeds);
                assert_eq!(calls.get(), RERUNS_MAX + 1);
                assert_eq!(
                    effects(&db, &tenant("demo")).await.contains(&name),
                    succeeds
                );
            }
        }
    });
}

#[test]
fn a_result_without_a_limit_is_refused() {
    run(async {
        for db in databases().await {
            let count = i64::try_from(ROWS_MAX).unwrap();
            let sql = "with recursive n (i) as (select cast(1 as bigint) union all select i + 1 from n where i < $1) select i from n";
            assert_eq!(db.rows(sql, &[count.into()]).await.unwrap().len(), ROWS_MAX);
            let error = db
                .rows(sql, &[(count + 1).into()])
                .await
                .unwrap_err()
                .downcast::<Error>()
                .unwrap();
            assert_eq!(error.kind, ErrorKind::TooManyRows);
        }
    });
}

#[test]
fn a_batch_keeps_all_of_its_rows_or_none() {
    run(async {
        for db in databases().await {
            let insert = "insert into probe_effect (tenant, name) values ('demo', $1)";
            for names in [vec!["a", "b"], vec!["c", "a"]] {
                let outcome = bulk(&db, async |batch| {
                    for name in &names {
                        batch.execute(insert, &[(*name).into()]).await?;
                    }
                    Ok(())
                });
                assert_eq!(outcome.await.is_ok(), names == ["a", "b"]);
            }
            assert_eq!(effects(&db, &tenant("demo")).await, ["a", "b"]);
        }
    });
}

#[test]
fn an_int4_parameter_is_refused_natively_as_it_is_under_spin() {
    run(async {
        if let Some(db) = store::testing::postgres(&[]).await {
            let refused = db.rows("select cast($1 as integer)", &[7.into()]).await;
            assert!(refused.is_err());
        }
    });
}
