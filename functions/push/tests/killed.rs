//! Senders that are killed while they wait for a push service: their leases run out, and others take over.

use kernel::Timestamp;
use push::context::Context;
use serde_json::json;

use crate::support::{ENDPOINT, LI, MIN, World, ZHAO, on_each_engine};

/// How long a lease holds, in milliseconds.
const LEASE_MS: i64 = 120_000;
/// The most tries of a push.
const TRIES_MAX: usize = 6;

/// A replica leases and asks that many addresses, none of which answers; there it is killed. Where it asked.
async fn killed_while_it_waits(world: &World, now: Timestamp, requests: usize) -> Vec<String> {
    let mut replica = world.replica();
    replica.now = now;
    replica.courier.never(ENDPOINT);
    {
        let mut tick = Box::pin(push::cron::tick(&replica));
        // The tick is asked first: once it waits for all of them, it is dropped in the same breath.
        std::future::poll_fn(|task| {
            let over = tick.as_mut().poll(task);
            assert!(
                over.is_pending(),
                "nobody answers, and the tick is over: {over:?}"
            );
            match replica.courier.waiting() {
                waiting if waiting < requests => std::task::Poll::Pending,
                _ => std::task::Poll::Ready(()),
            }
        })
        .await;
    }
    asked(&replica)
}

/// A tick of a replica that is killed after it was asked that often how far it is, wherever that is.
pub async fn killed_after(replica: &Context, polls: usize) {
    let mut tick = Box::pin(push::cron::tick(replica));
    let mut left = polls;
    std::future::poll_fn(|task| {
        let polled = tick.as_mut().poll(task).map(drop);
        left = left.saturating_sub(1);
        match left {
            0 => std::task::Poll::Ready(()),
            _ => polled,
        }
    })
    .await;
}

/// Where a replica asked, in order.
fn asked(replica: &Context) -> Vec<String> {
    let calls = replica.courier.take();
    let mut urls: Vec<String> = calls.into_iter().map(|call| call.url).collect();
    urls.sort_unstable();
    urls
}

fn addresses(names: &[&str]) -> Vec<String> {
    names
        .iter()
        .map(|name| format!("{ENDPOINT}{name}"))
        .collect()
}

/// What stands of the deliveries to browsers: states, without doubles.
async fn states(world: &World, message: &str) -> Vec<String> {
    let deliveries = world.deliveries(message).await;
    let pushed = deliveries.iter().filter(|one| one["channel"] == "web_push");
    let mut states: Vec<String> = pushed
        .map(|one| one["state"].as_str().unwrap().to_owned())
        .collect();
    states.sort_unstable();
    states.dedup();
    states
}

async fn told(world: &World) -> String {
    for (person, name) in [(LI, "a"), (MIN, "b"), (ZHAO, "c")] {
        world.browser(person, name).await;
    }
    let body = json!({
        "audience": {"all": true},
        "notification": {"purpose": "notice", "title": {"zh": "停水通知"}, "body": {"zh": "明早停水"}},
    });
    world.tell("k", &body).await
}

#[tokio::test]
async fn what_a_killed_sender_had_leased_is_sent_by_one_other_when_the_lease_has_run_out() {
    on_each_engine(async |mut world| {
        let id = told(&world).await;
        let all = addresses(&["a", "b", "c"]);
        for _ in 0..2 {
            let now = world.context.now;
            assert_eq!(killed_while_it_waits(&world, now, 3).await, all);
            assert_eq!(states(&world, &id).await, ["leased"]);
            // As long as the lease holds nobody else sends, for the sender may be slow and not dead.
            world.later(LEASE_MS - 1);
            world.tick().await;
            assert!(asked(&world.context).is_empty());
            assert_eq!(states(&world, &id).await, ["leased"]);
            world.later(1);
        }
        let other = world.replica();
        let (one, two) = tokio::join!(push::cron::tick(&world.context), push::cron::tick(&other));
        assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
        let mut sent = asked(&world.context);
        sent.extend(asked(&other));
        sent.sort_unstable();
        assert_eq!(sent, all, "of two that take over, one sends each of them");
        assert_eq!(states(&world, &id).await, ["sent"]);

        world.later(10 * LEASE_MS);
        world.tick().await;
        assert!(asked(&world.context).is_empty());
        let shown = world.message(&id).await;
        assert_eq!(
            (
                &shown["state"],
                &shown["funnel"]["sent"],
                &shown["funnel"]["deliveries"]
            ),
            (&json!("finished"), &json!(6), &json!(6)),
            "{shown}"
        );
        assert_eq!(world.inbox(LI).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn senders_that_are_killed_again_and_again_give_up_after_all_tries_and_say_so() {
    on_each_engine(async |mut world| {
        let id = told(&world).await;
        for _ in 0..TRIES_MAX {
            killed_while_it_waits(&world, world.context.now, 3).await;
            world.later(LEASE_MS);
        }
        world.tick().await;
        assert!(asked(&world.context).is_empty());
        assert_eq!(states(&world, &id).await, ["dead"]);
        world.later(LEASE_MS);
        world.tick().await;
        assert_eq!(world.message(&id).await["state"], "finished");
        assert_eq!(world.last_fact("push.message_finished").await["failed"], 3);
    })
    .await;
}
