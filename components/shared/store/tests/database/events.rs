//! The log: order, gaps, and who is told of what.

use std::cell::Cell;
use std::rc::Rc;

use kernel::{ActorId, CommunityId, DeviceId, EventId};
use proptest::prelude::*;
use store::events::{self, DRAIN_EVENTS_MAX};
use store::{Db, tx};
use wire::event::{DoorOpened, DoorRegistered, Event as _, PersonErased};

use crate::support::{append, at, databases, join, run, runner, tenant};

#[test]
fn an_event_is_read_as_its_own_kind_and_no_other() {
    run(async {
        for db in databases().await {
            tx(&db, &tenant("demo"), async |tx| append(tx, "d1").await)
                .await
                .unwrap();
            let page = events::page(&db.db, &tenant("demo"), 0, 10).await.unwrap();
            assert_eq!(page.len(), 1);
            assert_eq!(
                page[0]
                    .read::<DoorRegistered>()
                    .unwrap()
                    .unwrap()
                    .door
                    .as_str(),
                "d1"
            );
            assert!(page[0].read::<DoorOpened>().unwrap().is_none());
            assert!(
                events::page(&db.db, &tenant("other"), 0, 10)
                    .await
                    .unwrap()
                    .is_empty()
            );
        }
    });
}

#[test]
fn many_facts_at_once_stand_in_the_log_like_one_after_another() {
    run(async {
        for db in databases().await {
            tx(&db, &tenant("demo"), async |tx| {
                append(tx, "first").await?;
                let facts: Vec<_> = (0..600)
                    .map(|number| {
                        let door = format!("d{number:03}");
                        let fact = DoorRegistered {
                            door: DeviceId::parse(&door).unwrap(),
                            community: CommunityId::parse("garden").unwrap(),
                            actor: ActorId::parse("li").unwrap(),
                        };
                        (EventId::parse(&door).unwrap(), fact)
                    })
                    .collect();
                events::append_all(tx, at(0), &facts).await?;
                events::append_all::<DoorRegistered>(tx, at(0), &[]).await?;
                append(tx, "last").await
            })
            .await
            .unwrap();
            let page = events::page(&db.db, &tenant("demo"), 599, 10)
                .await
                .unwrap();
            let told: Vec<_> = page
                .iter()
                .map(|event| (event.seq, event.id.as_str()))
                .collect();
            assert_eq!(told, [(600, "d598"), (601, "d599"), (602, "last")]);
        }
    });
}

#[test]
fn only_committed_facts_that_others_await_are_news() {
    run(async {
        for db in databases().await {
            let demo = tenant("demo");
            let erased = PersonErased {
                person: ActorId::parse("li").unwrap(),
                actor: ActorId::parse("li").unwrap(),
            };
            tx(&db, &demo, async |tx| append(tx, "d1").await)
                .await
                .unwrap();
            assert!(db.take_news().is_empty(), "nobody awaits a door");
            let given_up = tx(&db, &demo, async |tx| {
                events::append(tx, &EventId::parse("e0").unwrap(), at(0), &erased).await?;
                anyhow::bail!("given up")
            });
            let given_up: anyhow::Result<()> = given_up.await;
            given_up.unwrap_err();
            assert!(db.take_news().is_empty(), "nothing was committed");
            tx(&db.clone(), &demo, async |tx| {
                events::append(tx, &EventId::parse("e1").unwrap(), at(0), &erased).await
            })
            .await
            .unwrap();
            tx(&db, &tenant("other"), async |tx| {
                let facts = [(EventId::parse("e2").unwrap(), erased.clone())];
                events::append_all(tx, at(0), &facts).await
            })
            .await
            .unwrap();
            assert_eq!(
                Vec::from_iter(db.take_news()),
                [demo.clone(), tenant("other")]
            );
            assert!(db.take_news().is_empty(), "told once");
        }
    });
}

#[test]
fn a_consumer_that_stops_at_its_limit_is_woken_once_more() {
    run(async {
        for db in databases().await {
            let demo = tenant("demo");
            tx(&db, &demo, async |tx| {
                let facts: Vec<_> = (0..=DRAIN_EVENTS_MAX)
                    .map(|number| {
                        let door = format!("d{number}");
                        let fact = DoorRegistered {
                            door: DeviceId::parse(&door).unwrap(),
                            community: CommunityId::parse("garden").unwrap(),
                            actor: ActorId::parse("li").unwrap(),
                        };
                        (EventId::parse(&door).unwrap(), fact)
                    })
                    .collect();
                events::append_all(tx, at(0), &facts).await
            })
            .await
            .unwrap();
            assert!(events::is_waiting(&db.db, &demo, "c").await.unwrap());
            assert!(
                !events::is_waiting(&db.db, &tenant("other"), "c")
                    .await
                    .unwrap()
            );
            let of = |kinds| events::Consumer { name: "c", kinds };
            let registered: &[&str] = &[DoorRegistered::KIND];
            for (kinds, concerned) in [(registered, true), (&["other.kind"], false), (&[], true)] {
                let found = events::concerns(&db.db, &demo, of(kinds)).await;
                assert_eq!(found.unwrap(), concerned, "{kinds:?}");
            }
            let mut rings = 0;
            loop {
                let drained = events::drain(&db, &demo, "c", at(0), async |_, _| Ok(())).await;
                drained.unwrap();
                if db.take_news().is_empty() {
                    break;
                }
                rings += 1;
            }
            assert_eq!(rings, 1);
            assert!(!events::is_waiting(&db.db, &demo, "c").await.unwrap());
        }
    });
}

#[test]
fn under_concurrent_writers_the_log_has_no_gap_and_its_order_is_the_order_of_commits() {
    runner()
        .run(
            &prop::collection::vec((0_usize..3, 1_usize..4, any::<bool>()), 8..24),
            |writers| {
                run(async {
                    for database in databases().await {
                        check_writers(&database, &writers).await;
                    }
                });
                Ok(())
            },
        )
        .unwrap();
}

/// Each writer is a tenant, a number of events, and whether its transaction is given up in the end.
async fn check_writers(db: &Db, writers: &[(usize, usize, bool)]) {
    let done = Rc::new(Cell::new(false));
    let reader = tokio::task::spawn_local(read_until(db.clone(), Rc::clone(&done)));
    join(
        writers
            .iter()
            .copied()
            .enumerate()
            .map(|(writer, (owner, count, gives_up))| {
                let db = db.clone();
                async move {
                    let outcome = tx(&db, &tenant(&format!("t{owner}")), async |tx| {
                        for event in 0..count {
                            append(tx, &format!("w{writer}-{event}")).await?;
                            tokio::task::yield_now().await;
                        }
                        anyhow::ensure!(!gives_up, "given up");
                        Ok(())
                    })
                    .await;
                    assert_eq!(outcome.is_err(), gives_up, "{outcome:?}");
                }
            }),
    )
    .await;
    done.set(true);
    reader.await.unwrap();
    for owner in 0..3 {
        let expected: usize = writers
            .iter()
            .filter(|writer| writer.0 == owner && !writer.2)
            .map(|writer| writer.1)
            .sum();
        let log = events::page(db, &tenant(&format!("t{owner}")), 0, usize::MAX)
            .await
            .unwrap();
        assert_eq!(
            log.iter().map(|event| event.seq).collect::<Vec<_>>(),
            (1..=i64::try_from(expected).unwrap()).collect::<Vec<_>>()
        );
        // The events of one transaction stand together, in their order.
        let names: Vec<(String, usize)> = log
            .iter()
            .map(|event| {
                event
                    .id
                    .as_str()
                    .split_once('-')
                    .map(|(writer, event)| (writer.to_owned(), event.parse().unwrap()))
                    .unwrap()
            })
            .collect();
        for pair in names.windows(2) {
            assert!(if pair[1].1 == 0 {
                pair[0].0 != pair[1].0
            } else {
                pair[0].0 == pair[1].0 && pair[0].1 + 1 == pair[1].1
            });
        }
    }
}

/// Whatever moment a reader looks, what it sees is a beginning of the log, and only ever grows.
async fn read_until(db: Db, done: Rc<Cell<bool>>) {
    let mut seen = vec![Vec::new(); 3];
    while !done.get() {
        for (owner, seen) in seen.iter_mut().enumerate() {
            let log = events::page(&db, &tenant(&format!("t{owner}")), 0, usize::MAX)
                .await
                .unwrap();
            let ids: Vec<String> = log
                .iter()
                .map(|event| event.id.as_str().to_owned())
                .collect();
            let seqs: Vec<i64> = log.iter().map(|event| event.seq).collect();
            assert_eq!(
                seqs,
                (1..=i64::try_from(seqs.len()).unwrap()).collect::<Vec<_>>()
            );
            assert!(ids.starts_with(seen), "{seen:?} is no beginning of {ids:?}");
            *seen = ids;
        }
    }
}
