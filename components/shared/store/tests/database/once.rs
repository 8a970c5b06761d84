//! Requests under a key.

use std::cell::Cell;
use std::rc::Rc;

use kernel::{Message, Refusal};
use store::{Answer, Ask, Db, RETENTION_MS, SWEEP_ROWS_MAX, bulk, once, sweep};

use crate::support::{at, databases, effect, effects, join, run, tenant};

const NOW: i64 = 1_800_000_000_000;

fn ask(caller: &str, key: &str, body: &str) -> Ask {
    Ask::new(caller, key, &[b"POST /api/doors", body.as_bytes()]).unwrap()
}

/// Does the work under the key at that time; the effect is named after the body.
async fn perform(db: &Db, ask: &Ask, name: &str, now: i64) -> anyhow::Result<Answer> {
    once(db, &tenant("demo"), (Some(ask), at(now)), async |tx| {
        effect(tx, name).await?;
        Ok(Answer {
            status: 201,
            body: format!("made {name}"),
        })
    })
    .await
}

#[test]
fn the_same_request_twice_has_one_effect_and_one_answer() {
    run(async {
        for db in databases().await {
            let first = perform(&db, &ask("li", "k1", "a"), "a", NOW).await.unwrap();
            let second = perform(&db, &ask("li", "k1", "a"), "a", NOW + 1)
                .await
                .unwrap();
            assert_eq!(
                first,
                Answer {
                    status: 201,
                    body: "made a".to_owned()
                }
            );
            assert_eq!(first, second);
            assert_eq!(effects(&db, &tenant("demo")).await, ["a"]);
        }
    });
}

#[test]
fn another_content_under_the_key_is_refused_and_another_caller_is_not_concerned() {
    run(async {
        for db in databases().await {
            perform(&db, &ask("li", "k1", "a"), "a", NOW).await.unwrap();
            let reused = perform(&db, &ask("li", "k1", "b"), "b", NOW)
                .await
                .unwrap_err();
            assert_eq!(
                reused.downcast::<Refusal>().unwrap().code,
                "idempotency_key_reused"
            );
            perform(&db, &ask("wang", "k1", "c"), "c", NOW)
                .await
                .unwrap();
            assert_eq!(effects(&db, &tenant("demo")).await, ["a", "c"]);
        }
    });
}

#[test]
fn a_refused_request_may_be_tried_again_under_its_key() {
    run(async {
        for db in databases().await {
            let owner = tenant("demo");
            let asked = ask("li", "k1", "a");
            let refused = once(&db, &owner, (Some(&asked), at(NOW)), async |tx| {
                effect(tx, "a").await?;
                Err(Refusal::conflict("not_now", Message::new("Later.", "稍后再试。")).into())
            });
            assert_eq!(
                refused
                    .await
                    .unwrap_err()
                    .downcast::<Refusal>()
                    .unwrap()
                    .code,
                "not_now"
            );
            perform(&db, &ask("li", "k1", "a"), "a", NOW).await.unwrap();
        }
    });
}

#[test]
fn the_same_request_many_times_at_once_has_one_effect_and_one_answer() {
    run(async {
        for database in databases().await {
            let runs = Rc::new(Cell::new(0));
            let answers = join((0..12).map(|_| {
                let (db, runs) = (database.db.clone(), Rc::clone(&runs));
                async move {
                    let (asked, owner) = (ask("li", "k1", "a"), tenant("demo"));
                    once(&db, &owner, (Some(&asked), at(NOW)), async |tx| {
                        runs.set(runs.get() + 1);
                        let run = runs.get();
                        tokio::task::yield_now().await;
                        effect(tx, "a").await?;
                        Ok(Answer {
                            status: 202,
                            body: format!("run {run}"),
                        })
                    })
                    .await
                    .unwrap()
                }
            }))
            .await;
            assert!(answers.iter().all(|answer| *answer == answers[0]));
            assert_eq!(effects(&database.db, &tenant("demo")).await, ["a"]);
        }
    });
}

#[test]
fn an_answer_is_forgotten_after_its_retention_swept_or_not() {
    run(async {
        for db in databases().await {
            perform(&db, &ask("li", "old", "a"), "a", NOW)
                .await
                .unwrap();
            perform(&db, &ask("li", "old", "b"), "b", NOW + RETENTION_MS)
                .await
                .unwrap();
            assert_eq!(sweep(&db, at(NOW + RETENTION_MS)).await.unwrap(), 0);
            assert_eq!(sweep(&db, at(NOW + 2 * RETENTION_MS)).await.unwrap(), 1);
        }
    });
}

#[test]
fn a_sweep_is_bounded() {
    run(async {
        for db in databases().await {
            bulk(&db, async |batch| {
                for key in 0..=SWEEP_ROWS_MAX {
                    let insert = "insert into once (scope, request_key, hash, status, body, created_at) values ('s', $1, 'h', 200, '', 0)";
                    batch.execute(insert, &[key.to_string().into()]).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
            assert_eq!(
                sweep(&db, at(NOW)).await.unwrap(),
                usize::try_from(SWEEP_ROWS_MAX).unwrap()
            );
            assert_eq!(sweep(&db, at(NOW)).await.unwrap(), 1);
        }
    });
}

#[test]
fn a_key_is_visible_ascii_and_contents_are_kept_apart() {
    for key in ["", "two words", "门", &"x".repeat(256)] {
        assert_eq!(
            Ask::new("li", key, &[]).unwrap_err().code,
            "idempotency_key_invalid"
        );
    }
    assert_ne!(
        Ask::new("li", "k", &[b"ab", b"c"]),
        Ask::new("li", "k", &[b"a", b"bc"])
    );
}

/// As [`perform`], where the work refuses to be done twice.
async fn perform_unless_done(db: &Db, ask: &Ask, name: &str, now: i64) -> anyhow::Result<Answer> {
    once(db, &tenant("demo"), (Some(ask), at(now)), async |tx| {
        if !effects_of(tx, name).await? {
            return Err(Refusal::conflict("done", Message::new("Done.", "已完成。")).into());
        }
        Ok(Answer {
            status: 201,
            body: format!("made {name} at {now}"),
        })
    })
    .await
}

/// Leaves an effect, unless it is there already; whether it was not.
async fn effects_of(tx: &store::Tx, name: &str) -> anyhow::Result<bool> {
    let select = "select name from probe_effect where tenant = $1 and name = $2";
    if tx
        .row(select, &[tx.tenant().into(), name.into()])
        .await?
        .is_some()
    {
        return Ok(false);
    }
    effect(tx, name).await?;
    Ok(true)
}

#[test]
fn work_that_refuses_to_be_done_twice_has_one_effect_and_one_answer_too() {
    run(async {
        for database in databases().await {
            let db = &database.db;
            let answers = join((0..12).map(|number| {
                let db = database.db.clone();
                async move {
                    // Half of them come to refuse what the first one did; half of them come to do it again.
                    let name = if number % 2 == 0 { "a" } else { "b" };
                    let asked = ask("li", name, name);
                    perform_unless_done(&db, &asked, name, NOW).await.unwrap()
                }
            }))
            .await;
            for (number, answer) in answers.iter().enumerate() {
                assert_eq!(answer, &answers[number % 2]);
            }
            let again = perform_unless_done(db, &ask("li", "c", "c"), "c", NOW)
                .await
                .unwrap();
            let (same, owner) = (ask("li", "c", "c"), tenant("demo"));
            let other = once(db, &owner, (Some(&same), at(NOW + 1)), async |tx| {
                effect(tx, "never").await?;
                Ok(Answer {
                    status: 200,
                    body: "other".to_owned(),
                })
            });
            assert_eq!(other.await.unwrap(), again);
            let reused = perform_unless_done(db, &ask("li", "c", "d"), "d", NOW).await;
            let reused = reused.unwrap_err().downcast::<Refusal>().unwrap();
            assert_eq!(reused.code, "idempotency_key_reused");
            let refused = perform_unless_done(db, &ask("li", "new", "a"), "a", NOW).await;
            assert_eq!(
                refused.unwrap_err().downcast::<Refusal>().unwrap().code,
                "done"
            );
            assert_eq!(effects(db, &tenant("demo")).await, ["a", "b", "c"]);
            perform_unless_done(db, &ask("li", "c", "e"), "e", NOW + RETENTION_MS)
                .await
                .unwrap();
        }
    });
}
