//! The consumers of the log under failure: each fact takes effect once.

use std::cell::RefCell;
use std::rc::Rc;

use proptest::prelude::*;
use store::events::{self, Drained, TRIES_MAX};
use store::{Db, tx};

use crate::support::{append, at, databases, effect, effects, join, run, runner, tenant};

#[test]
fn each_event_takes_effect_once_whatever_fails_and_however_many_drain() {
    runner()
        .run(
            &(
                1_usize..20,
                1_usize..4,
                prop::collection::vec(any::<bool>(), 64),
            ),
            |(count, drainers, failures)| {
                run(async {
                    for database in databases().await {
                        check_drain(&database, count, drainers, &failures).await;
                    }
                });
                Ok(())
            },
        )
        .unwrap();
}

/// Drains in parallel with failures in that pattern, then without, and compares effects and parked events.
async fn check_drain(db: &Db, count: usize, drainers: usize, failures: &[bool]) {
    let owner = tenant("demo");
    for event in 0..count {
        tx(db, &owner, async |tx| {
            append(tx, &format!("d{event:02}")).await
        })
        .await
        .unwrap();
    }
    let failures = Rc::new(RefCell::new(failures.to_vec()));
    join((0..drainers).map(|_| {
        let (db, failures) = (db.clone(), Rc::clone(&failures));
        async move {
            while !failures.borrow().is_empty() {
                let fails = || failures.borrow_mut().pop().unwrap_or(false);
                let drained =
                    events::drain(&db, &tenant("demo"), "probe", at(1), async |tx, event| {
                        effect(tx, event.id.as_str()).await?;
                        anyhow::ensure!(!fails(), "injected");
                        Ok(())
                    })
                    .await
                    .unwrap();
                if drained == Drained::default() {
                    break;
                }
            }
        }
    }))
    .await;
    let rest = events::drain(db, &owner, "probe", at(2), async |tx, event| {
        effect(tx, event.id.as_str()).await
    })
    .await
    .unwrap();
    assert_eq!((rest.parked, rest.failed), (0, None));
    let mut ids = effects(db, &owner).await;
    for parked in events::parked(db, &owner, "probe", 0).await.unwrap() {
        ids.push(format!("d{:02}", parked.seq - 1));
    }
    ids.sort();
    assert_eq!(
        ids,
        (0..count)
            .map(|event| format!("d{event:02}"))
            .collect::<Vec<_>>()
    );
    assert!(events::waiting(db, "probe").await.unwrap().is_empty());
}

#[test]
fn a_poison_event_is_parked_after_five_tries_and_can_be_replayed() {
    run(async {
        for db in databases().await {
            let owner = tenant("demo");
            for door in ["good", "poison", "later"] {
                tx(&db, &owner, async |tx| append(tx, door).await)
                    .await
                    .unwrap();
            }
            let handle = async |tx: &mut store::Tx, event: &events::Recorded| {
                effect(tx, event.id.as_str()).await?;
                anyhow::ensure!(event.id.as_str() != "poison", "cannot be handled");
                Ok(())
            };
            for round in 1..TRIES_MAX {
                let drained = events::drain(&db, &owner, "probe", at(round), handle)
                    .await
                    .unwrap();
                assert_eq!(drained.failed.as_deref(), Some("cannot be handled"));
                assert_eq!(effects(&db, &owner).await, ["good"]);
                assert_eq!(
                    events::waiting(&db.db, "probe").await.unwrap(),
                    std::slice::from_ref(&owner)
                );
            }
            let drained = events::drain(&db, &owner, "probe", at(9), handle)
                .await
                .unwrap();
            assert_eq!(
                drained,
                Drained {
                    handled: 1,
                    parked: 1,
                    failed: None
                }
            );
            assert_eq!(effects(&db, &owner).await, ["good", "later"]);
            let parked = events::parked(&db.db, &owner, "probe", 0).await.unwrap();
            assert_eq!(
                (parked.len(), parked[0].seq, parked[0].error.as_str()),
                (1, 2, "cannot be handled")
            );

            let replayed = events::replay(&db, &owner, "probe", 2, handle).await;
            replayed.unwrap_err();
            let parked = events::parked(&db.db, &owner, "probe", 0).await.unwrap();
            assert_eq!(parked.len(), 1);
            let succeed = async |tx: &mut store::Tx, event: &events::Recorded| {
                effect(tx, event.id.as_str()).await
            };
            let replayed = events::replay(&db, &owner, "probe", 2, succeed).await;
            assert!(replayed.unwrap());
            let replayed = events::replay(&db, &owner, "probe", 2, handle).await;
            assert!(!replayed.unwrap());
            assert_eq!(effects(&db, &owner).await, ["good", "later", "poison"]);
        }
    });
}

#[test]
fn a_busy_database_is_no_try_of_the_event() {
    run(async {
        for db in databases().await {
            let owner = tenant("demo");
            tx(&db, &owner, async |tx| append(tx, "d1").await)
                .await
                .unwrap();
            for _ in 0..=TRIES_MAX {
                let busy = events::drain(&db, &owner, "probe", at(1), async |_, _| {
                    let kind = store::ErrorKind::Unavailable;
                    Err(store::Error {
                        kind,
                        sql: String::new(),
                        cause: "injected".to_owned(),
                    }
                    .into())
                });
                assert!(busy.await.is_err());
            }
            let drained = events::drain(&db, &owner, "probe", at(2), async |_, _| Ok(()))
                .await
                .unwrap();
            assert_eq!(
                drained,
                Drained {
                    handled: 1,
                    parked: 0,
                    failed: None
                }
            );
        }
    });
}

#[test]
fn a_consumer_started_at_the_end_skips_the_past_only() {
    run(async {
        for db in databases().await {
            let owner = tenant("demo");
            tx(&db, &owner, async |tx| append(tx, "past").await)
                .await
                .unwrap();
            store::bulk(&db, async |batch| {
                events::start_at_end(batch, "probe", at(1)).await
            })
            .await
            .unwrap();
            tx(&db, &owner, async |tx| append(tx, "present").await)
                .await
                .unwrap();
            events::drain(&db, &owner, "probe", at(2), async |tx, event| {
                effect(tx, event.id.as_str()).await
            })
            .await
            .unwrap();
            assert_eq!(effects(&db, &owner).await, ["present"]);
        }
    });
}

#[test]
fn facts_far_behind_others_and_facts_of_the_handler_itself_are_found() {
    const KINDS: &[&str] = &["person.erased"];
    let consumer = events::Consumer {
        name: "probe",
        kinds: KINDS,
    };
    let erased = async |tx: &store::Tx, id: &str| {
        let fact = wire::event::PersonErased {
            person: kernel::ActorId::parse("li")?,
            actor: kernel::ActorId::parse("li")?,
        };
        events::append(tx, &kernel::EventId::parse(id)?, at(0), &fact).await
    };
    run(async {
        for db in databases().await {
            let owner = tenant("demo");
            tx(&db, &owner, async |tx| {
                let mut last = 0;
                for number in 0..700 {
                    append(tx, &format!("d{number:03}")).await?;
                }
                for id in ["near", "last"] {
                    last = erased(tx, id).await?;
                }
                assert_eq!(last, 702);
                Ok(())
            })
            .await
            .unwrap();
            let drained = events::drain(&db, &owner, consumer, at(1), async |tx, event| {
                effect(tx, event.id.as_str()).await?;
                if event.id.as_str() == "last" {
                    append(tx, "foreign").await?;
                    erased(tx, "own").await?;
                    append(tx, "foreign-too").await?;
                }
                Ok(())
            })
            .await
            .unwrap();
            assert_eq!(drained.handled, 3);
            assert_eq!(effects(&db, &owner).await, ["last", "near", "own"]);
            assert!(events::waiting(&db.db, "probe").await.unwrap().is_empty());
        }
    });
}

#[test]
fn a_batch_that_fails_is_handed_over_one_after_another() {
    run(async {
        for db in databases().await {
            let owner = tenant("demo");
            for door in ["a", "b", "poison", "c"] {
                tx(&db, &owner, async |tx| append(tx, door).await)
                    .await
                    .unwrap();
            }
            let sizes = RefCell::new(Vec::new());
            let mut drained = Drained::default();
            for round in 1..=TRIES_MAX {
                drained =
                    events::drain_batches(&db, &owner, "probe", at(round), async |tx, facts| {
                        sizes.borrow_mut().push(facts.events.len());
                        for event in facts.events {
                            effect(tx, event.id.as_str()).await?;
                            anyhow::ensure!(event.id.as_str() != "poison", "cannot be handled");
                        }
                        Ok(())
                    })
                    .await
                    .unwrap();
            }
            assert_eq!(
                (drained.handled, drained.parked, &drained.failed),
                (1, 1, &None)
            );
            assert_eq!(effects(&db, &owner).await, ["a", "b", "c"]);
            let sizes = sizes.into_inner();
            assert_eq!(&sizes[..4], [4, 1, 1, 1], "{sizes:?}");
            assert_eq!(
                events::parked(&db.db, &owner, "probe", 0)
                    .await
                    .unwrap()
                    .len(),
                1
            );
        }
    });
}
