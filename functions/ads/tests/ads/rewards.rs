//! Rewards: the tickets of an exchange, for nothing and at half price, and never more than there are.

use futures_util::future::join_all;
use kernel::{ActorId, CommunityId, Currency, PaymentId, TransactionId};
use serde_json::{Value, json};
use wire::event::{PaymentClosed, PaymentSucceeded};

use crate::barters::{running, step, weather};
use crate::support::{CHEN, LI, MA, WANG, World, XU, id, on_each_engine};

async fn reward(world: &World, units: i64, price_minor: i64) -> String {
    let terms = json!({"name": "半价电影票", "units": units, "price_minor": price_minor, "until": "2026-12-01"});
    reward_of(world, &terms).await
}

async fn reward_of(world: &World, terms: &Value) -> String {
    weather(world).await;
    let barter = running(world).await;
    let mut sent = terms.clone();
    (sent["barter"], sent["item"]) = (json!(barter), json!(1));
    let ask = || world.post("/api/ads/rewards").by(XU).json(&sent);
    ask().refused(409, "reward_shelf_empty").await;
    step(world, XU, &barter, "receipts")
        .json(&json!({"item": 1, "units": 10}))
        .content()
        .await;
    id(&ask().content().await)
}

#[tokio::test]
async fn one_ticket_goes_to_one_of_many_and_is_picked_up_once() {
    on_each_engine(async |world| {
        let reward = reward(&world, 1, 0).await;
        let path = format!("/api/ads/rewards/{reward}/claims");
        let asks = [LI, MA].map(|who| world.post(&path).by(who).key("claim").reply());
        let claimed: Vec<_> = join_all(asks)
            .await
            .into_iter()
            .filter(|reply| reply.status == 201)
            .collect();
        assert_eq!(claimed.len(), 1);
        world
            .post(&path)
            .by(CHEN)
            .key("claim")
            .refused(403, "residents_only")
            .await;
        let claim = crate::support::content_of(&claimed[0]);
        let redeem = format!("/api/ads/rewards/{reward}/redemptions");
        let code = json!({"code": claim["code"]});
        world
            .post(&redeem)
            .by(LI)
            .json(&code)
            .refused(403, "operators_only")
            .await;
        world.post(&redeem).by(WANG).json(&code).content().await;
        world
            .post(&redeem)
            .by(WANG)
            .json(&code)
            .refused(409, "reward_claim_state")
            .await;
        world
            .post(&redeem)
            .by(WANG)
            .json(&json!({"code": "X"}))
            .refused(404, "reward_claim_unknown")
            .await;
        assert_eq!(world.balance("barter_stock").await, 36_000);
        assert_eq!(world.balance("coupon_subsidy_expense").await, 4_000);
    })
    .await;
}

/// Who pays 6 yuan has 10 of that month: as often as there are months, and never twice in one.
#[tokio::test]
async fn a_monthly_reward_is_had_once_in_each_month_that_is_paid_for() {
    on_each_engine(async |mut world| {
        let terms = json!({"name": "话费", "units": 3, "price_minor": 600, "until": "2027-02-01", "monthly": true});
        let reward = reward_of(&world, &terms).await;
        let path = format!("/api/ads/rewards/{reward}/claims");
        for (turn, (moment, month)) in [
            ("2026-11-30T15:59:59Z", "2026-11"),
            ("2026-11-30T16:00:00Z", "2026-12"),
        ]
        .into_iter()
        .enumerate()
        {
            world.tick_at(moment).await;
            let claim = world.post(&path).by(LI).key(month).content().await;
            assert_eq!((&claim["state"], &claim["month"]), (&json!("unpaid"), &json!(month)));
            let again = world.post(&path).by(LI).key(&format!("{month}-again"));
            again.refused(409, "reward_claimed").await;
            let asked = world.facts_of("payment.requested").await.remove(turn);
            assert_eq!(asked["amount_minor"], 600);
            world.record(&came(&asked)).await;
            world.tick().await;
            let redeem = format!("/api/ads/rewards/{reward}/redemptions");
            let code = json!({"code": claim["code"]});
            world.post(&redeem).by(WANG).json(&code).content().await;
        }
        // A month that is not paid for gives nothing, and is another's to have.
        world.tick_at("2027-01-01T02:00:00Z").await;
        let mine = world.get(&path).by(LI).content().await["items"].clone();
        let months: Vec<&Value> = mine.as_array().unwrap().iter().map(|one| &one["month"]).collect();
        assert_eq!(months, ["2026-12", "2026-11"]);
        world.post(&path).by(MA).key("ma").content().await;
        world.post(&path).by(LI).key("2027-01").refused(409, "reward_none_left").await;
    })
    .await;
}

async fn own(world: &World, reward: &str) -> Value {
    let path = format!("/api/ads/rewards/{reward}/claims");
    world.get(&path).by(LI).content().await["items"][0].clone()
}

#[tokio::test]
async fn half_a_price_is_paid_before_it_is_anybodys_and_what_is_not_paid_goes_back() {
    on_each_engine(async |world| {
        let reward = reward(&world, 1, 2_000).await;
        let path = format!("/api/ads/rewards/{reward}/claims");
        let claim = world.post(&path).by(LI).key("claim").content().await;
        assert_eq!(claim["state"], "unpaid");
        world
            .post(&path)
            .by(LI)
            .key("again")
            .refused(409, "reward_claimed")
            .await;
        world
            .post(&path)
            .by(MA)
            .key("claim")
            .refused(409, "reward_none_left")
            .await;
        let asked = world.facts_of("payment.requested").await.remove(0);
        assert_eq!(asked["amount_minor"], 2_000);
        world
            .record(&PaymentClosed {
                payment: payment(&asked),
                purpose: "ad_reward".to_owned(),
                reference: id(&claim),
                reason: "expired".to_owned(),
            })
            .await;
        world.tick().await;
        assert_eq!(own(&world, &reward).await, Value::Null);
        // Money that comes too late goes back.
        world.record(&came(&asked)).await;
        world.tick().await;
        assert_eq!(world.facts_of("refund.requested").await.len(), 1);
        world.post(&path).by(LI).key("once-more").content().await;
        let asked = world.facts_of("payment.requested").await.remove(1);
        world.record(&came(&asked)).await;
        world.tick().await;
        assert_eq!(own(&world, &reward).await["state"], "claimed");
        assert_eq!(world.balance("barter_stock").await, 36_000);
        assert_eq!(world.balance("suspense").await, -2_000);
    })
    .await;
}

fn payment(asked: &Value) -> PaymentId {
    PaymentId::parse(asked["payment"].as_str().unwrap()).unwrap()
}

fn came(asked: &Value) -> PaymentSucceeded {
    PaymentSucceeded {
        payment: payment(asked),
        purpose: "ad_reward".to_owned(),
        reference: asked["reference"].as_str().unwrap().to_owned(),
        payer: ActorId::parse("li").unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        amount_minor: 2_000,
        currency: Currency::Cny,
        channel: "simulated".to_owned(),
        paid_at: kernel::Timestamp::EPOCH,
        transaction: TransactionId::parse("1").unwrap(),
    }
}
