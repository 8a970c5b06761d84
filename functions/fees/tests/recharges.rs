//! Recharges: paid, commanded, and confirmed or given back.

use kernel::{CommunityId, DeviceId, MeterId, RechargeId};
use serde_json::{Value, json};
use wire::event::MeterRecharged;

use crate::support::{CHEN, DAY_MS, LI, World, ZHAO, on_each_engine};

async fn asked(world: &World) -> (Value, Value) {
    let ask = json!({"room": "r101", "commodity": "electricity", "amount_minor": 10_000});
    let recharge = world
        .post("/api/recharges")
        .by(LI)
        .key("r")
        .json(&ask)
        .content()
        .await;
    (recharge, world.last_fact("payment.requested").await)
}

fn path(recharge: &Value, what: &str) -> String {
    format!("/api/recharges/{}{what}", recharge["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_recharge_is_income_once_the_meter_has_taken_it() {
    on_each_engine(async |world| {
        let (recharge, asked) = asked(&world).await;
        assert_eq!(
            (&recharge["state"], &asked["purpose"]),
            (&json!("requested"), &json!("recharge"))
        );
        world.money_came("recharge", &asked).await;
        world.money_came("recharge", &asked).await;
        assert_eq!(
            world.get(&path(&recharge, "")).by(LI).content().await["state"],
            "commanded"
        );
        assert_eq!(
            world.last_fact("recharge.commanded").await["amount_minor"],
            10_000
        );
        let said = json!({"accepted": true});
        world
            .post(&path(&recharge, "/acknowledgement"))
            .by(LI)
            .key("a")
            .json(&said)
            .refused(403, "managers_only")
            .await;
        world
            .post(&path(&recharge, "/acknowledgement"))
            .by(ZHAO)
            .key("a")
            .json(&said)
            .refused(404, "recharge_unknown")
            .await;
        let taken = world
            .post(&path(&recharge, "/acknowledgement"))
            .by(CHEN)
            .key("a")
            .json(&said)
            .content()
            .await;
        assert_eq!(taken["state"], "confirmed");
        assert_eq!(world.balance("fee_income:garden").await, 10_000);
        assert_eq!(world.balance("suspense").await, 0);
        world
            .post(&path(&recharge, "/acknowledgement"))
            .by(CHEN)
            .key("b")
            .json(&said)
            .refused(409, "recharge_state")
            .await;
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_recharge_that_no_meter_confirms_goes_back_after_a_day() {
    on_each_engine(async |mut world| {
        let (recharge, asked) = asked(&world).await;
        world.money_came("recharge", &asked).await;
        world.tick().await;
        world.pass_ms(DAY_MS);
        assert_eq!(world.tick().await["given_back"], 1);
        assert_eq!(world.tick().await["given_back"], 0);
        assert_eq!(
            world.get(&path(&recharge, "")).by(LI).content().await["state"],
            "refunding"
        );
        let back = world.last_fact("refund.requested").await;
        assert_eq!(
            (&back["amount_minor"], &back["payment"]),
            (&json!(10_000), &asked["payment"])
        );
        assert_eq!(world.balance("suspense").await, 10_000);
    })
    .await;
}

fn answered(recharge: &Value, taken: bool) -> MeterRecharged {
    MeterRecharged {
        recharge: RechargeId::parse(recharge["id"].as_str().unwrap()).unwrap(),
        meter: MeterId::parse("e101").unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        gateway: DeviceId::parse("gateway-1").unwrap(),
        taken,
        detail: (!taken).then(|| "valve open".to_owned()),
    }
}

#[tokio::test]
async fn the_meters_own_word_confirms_a_recharge_once() {
    on_each_engine(async |world| {
        let (recharge, asked) = asked(&world).await;
        world.money_came("recharge", &asked).await;
        world.tick().await;
        world.record(&answered(&recharge, true)).await;
        world.record(&answered(&recharge, true)).await;
        world.record(&answered(&recharge, false)).await;
        let shown = world.get(&path(&recharge, "")).by(LI).content().await;
        assert_eq!(shown["state"], "confirmed");
        assert!(shown["note"].as_str().unwrap().contains("e101"), "{shown}");
        assert_eq!(
            world.last_fact("recharge.finished").await["actor"],
            "gateway-1"
        );
        assert_eq!(world.balance("fee_income:garden").await, 10_000);
        assert_eq!(world.balance("suspense").await, 0);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn what_the_meter_refuses_goes_back_at_once() {
    on_each_engine(async |world| {
        let (recharge, asked) = asked(&world).await;
        world.money_came("recharge", &asked).await;
        world.tick().await;
        world.record(&answered(&recharge, false)).await;
        world.tick().await;
        let shown = world.get(&path(&recharge, "")).by(LI).content().await;
        assert_eq!(shown["state"], "refunding");
        let back = world.last_fact("refund.requested").await;
        assert_eq!(back["amount_minor"], 10_000);
        // A word that comes too late changes nothing.
        world.record(&answered(&recharge, true)).await;
        world.tick().await;
        let shown = world.get(&path(&recharge, "")).by(LI).content().await;
        assert_eq!(shown["state"], "refunding");
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn staff_at_the_counter_ask_for_a_recharge_of_one_of_the_room() {
    on_each_engine(async |world| {
        let ask = |payer: Option<&str>| {
            let mut ask =
                json!({"room": "r101", "commodity": "electricity", "amount_minor": 5_000});
            if let Some(payer) = payer {
                ask["payer"] = json!(payer);
            }
            ask
        };
        let by = |person, key: &'static str, payer| {
            world
                .post("/api/recharges")
                .by(person)
                .key(key)
                .json(&ask(payer))
        };
        assert_eq!(by(CHEN, "a", Some("ma")).content().await["payer"], "ma");
        assert_eq!(by(CHEN, "b", None).content().await["payer"], "li");
        assert_eq!(by(CHEN, "c", Some("zhao")).content().await["payer"], "zhao");
        by(LI, "d", Some("ma")).refused(404, "room_unknown").await;
    })
    .await;
}
