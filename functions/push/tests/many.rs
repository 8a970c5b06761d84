//! How fast many are told: printed, and not asserted, for a machine's speed is no law.

use std::time::Instant;

use messaging::webpush::{Once, Push, Subscription, Urgency, encrypt};
use serde_json::json;

use crate::events::door_opened;
use crate::support::{Ask, ENDPOINT, LI, MIGRATIONS, WANG, World, browser, demo};

const HOUSEHOLDS: usize = 3_000;
const OPENINGS: usize = 2_000;

#[tokio::test]
#[ignore = "prints how fast three thousand households are told"]
async fn three_thousand_households_are_told() {
    let mut world = World::on(store::testing::sqlite(&MIGRATIONS).await);
    world.found().await;
    world.crowd(HOUSEHOLDS, false).await;
    devices(&world).await;
    let body = json!({
        "audience": {"community": "garden"},
        "notification": {"purpose": "notice", "title": {"zh": "停水通知"}, "body": {"zh": "明早八点停水"}},
    });
    world.tell("many", &body).await;
    let id = world.last_fact("push.message_created").await;
    let id = kernel::PushMessageId::parse(id["message"].as_str().unwrap()).unwrap();
    let begun = Instant::now();
    while push::expanding::advance(&world.context, &demo(), &id)
        .await
        .unwrap()
    {}
    let expanded = begun.elapsed();
    let begun = Instant::now();
    let mut sent = 0;
    loop {
        let done = world.tick().await;
        sent += done["sent"].as_i64().unwrap();
        if done["more"] != true {
            break;
        }
        world.later(1);
    }
    let handed = begun.elapsed();
    println!(
        "measured: {HOUSEHOLDS} households: expanded in {expanded:?}, {sent} pushes handed off in {handed:?}"
    );
    let calls = world.context.courier.take();
    assert_eq!(calls.len(), HOUSEHOLDS);
}

#[tokio::test]
#[ignore = "prints how fast what happens at doors is told"]
async fn openings_stand_in_the_inbox() {
    let mut world = World::on(store::testing::sqlite(&MIGRATIONS).await);
    world.found().await;
    for _ in 0..OPENINGS {
        world.record(&door_opened("li")).await;
    }
    let begun = Instant::now();
    while world.tick().await["more"] == true {
        world.later(1);
    }
    let told = begun.elapsed();
    println!("measured: push, {OPENINGS} door openings from the log to the inbox: {told:?}");
    let unread = world.get("/api/inbox/unread").by(LI).content().await;
    assert_eq!(unread["unread"], OPENINGS);
}

/// What an app asks most, and what a system that tells people asks: each through its route, one after another.
#[tokio::test]
#[ignore = "prints how many API calls are answered in a second"]
async fn api_calls_a_second() {
    let world = World::on(store::testing::sqlite(&MIGRATIONS).await);
    world.found().await;
    without_limits(&world).await;
    let body = json!({
        "people": ["li"],
        "notification": {"purpose": "notice", "title": {"zh": "停水通知"}, "body": {"zh": "明早八点停水"}},
    });
    for number in 0..20 {
        world.tell(&format!("before-{number}"), &body).await;
    }
    world.tick().await;
    assert_eq!(world.inbox(LI).await.len(), 20);
    measured("inbox reads (20 messages)", async |_| {
        world.get("/api/inbox").by(LI)
    })
    .await;
    measured("unread counts", async |_| {
        world.get("/api/inbox/unread").by(LI)
    })
    .await;
    measured("messages submitted", async |number| {
        let ask = world.post("/api/push/messages").by(WANG);
        ask.key(&format!("k{number}")).json(&body)
    })
    .await;
    let topic = json!({"topic": "li-phone"});
    let made = world.post("/api/push/topics").by(LI).json(&topic);
    let key = made.content().await["topic_key"].clone();
    measured("notes published under /n/", async |_| {
        let ask = world.post("/n/li-phone").bearer(key.as_str().unwrap());
        ask.plain("明早八点停水")
    })
    .await;
}

/// Asks for two seconds, and prints how often a second it was answered.
async fn measured<'a>(what: &str, ask: impl AsyncFn(u64) -> Ask<'a>) {
    let (begun, mut count) = (Instant::now(), 0_u64);
    while begun.elapsed().as_millis() < 2_000 {
        let reply = ask(count).await.reply().await;
        assert!(reply.status.is_success(), "{}", reply.status);
        count += 1;
    }
    println!("measured: push API, {what}: {} calls a second", count / 2);
}

/// The limits of callers as high as they go.
async fn without_limits(world: &World) {
    let mut terms = world.get("/api/push/terms").by(WANG).content().await;
    terms["calls_per_minute"] = json!(100_000);
    terms["messages_per_day"] = json!(100_000);
    terms.as_object_mut().unwrap().remove("version");
    let ask = world.put("/api/push/terms").by(WANG).json(&terms);
    ask.header("if-match", "\"0\"").content().await;
}

#[test]
#[ignore = "prints how many messages are encrypted in a second"]
fn encryptions_a_second() {
    let device = browser("x");
    let keys = &device["keys"];
    let subscription = Subscription::parse(
        &format!("{ENDPOINT}x"),
        keys["p256dh"].as_str().unwrap(),
        keys["auth"].as_str().unwrap(),
        messaging::endpoint::Reach::Public,
    )
    .unwrap();
    let text = vec![b'x'; 1_000];
    let (begun, mut count) = (Instant::now(), 0_u64);
    while begun.elapsed().as_millis() < 2_000 {
        encrypt(&text, &subscription.receiver, &once()).unwrap();
        count += 1;
    }
    println!("measured: {} encryptions a second", count / 2);
    let push = Push {
        plaintext: &text,
        ttl_seconds: 60,
        urgency: Urgency::Normal,
        topic: None,
    };
    assert!(push.request(&subscription, "x", &once()).is_ok());
}

/// A browser for each household.
async fn devices(world: &World) {
    let device = browser("x");
    let keys = &device["keys"];
    store::tx(&world.context.db, &demo(), async |tx| {
        let rows: Vec<Vec<store::Value>> = (0..HOUSEHOLDS)
            .map(|number| {
                let address = format!("{ENDPOINT}{number}");
                vec![
                    "demo".into(),
                    format!("d{number}").into(),
                    format!("p{number:05}").into(),
                    "web_push".into(),
                    address.into(),
                    "https://push.example.net".into(),
                    keys["p256dh"].as_str().unwrap().into(),
                    keys["auth"].as_str().unwrap().into(),
                    "active".into(),
                    0.into(),
                    0.into(),
                    0.into(),
                ]
            })
            .collect();
        tx.insert_many(
            "insert into push_subscription (tenant, id, person, channel, address, origin, p256dh, auth, state,
                secret_number, created_at, changed_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            &rows,
        )
        .await
    })
    .await
    .unwrap();
}

/// Random bytes of a test: always the same.
fn once() -> Once {
    Once {
        ephemeral: [7; 32],
        salt: [9; 16],
    }
}
