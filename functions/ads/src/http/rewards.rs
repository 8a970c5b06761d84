//! `/api/ads/rewards`: goods of exchanges that residents get for nothing or for less.

use chrono::NaiveDate;
use kernel::{BarterId, CommunityId, Message, Refusal, RewardId};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Read;
use web::{Query, Reply, Request};

use super::{answer, caller, path_id, private, replied, stored, write, write_once};
use crate::context::Context;
use crate::domain::text::Name;
use crate::domain::{
    check_resident, check_writer, unknown_claim, unknown_community, unknown_goods, unknown_reward,
};
use crate::store::barters;
use crate::store::rewards::{self as sql, Claim, Reward};
use crate::{inbox, rewarding};

/// How many months of a reward its person is shown.
const CLAIMS_MAX: i64 = 24;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewReward {
    barter: BarterId,
    item: i64,
    name: Name,
    units: i64,
    price_minor: i64,
    until: NaiveDate,
    #[serde(default)]
    monthly: bool,
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_writer(&actor)?;
    let new: NewReward = web::body(request)?;
    if !(1..=1_000_000).contains(&new.units) || new.price_minor < 0 || new.until <= context.today()
    {
        return Err(reward_invalid().into());
    }
    let made = write(context, request, &actor, async |tx| {
        let known = barters::goods(tx, tx.tenant(), &new.barter).await?;
        if !known.iter().any(|item| item.is(new.item)) {
            return Err(unknown_goods().into());
        }
        let given = barters::give(tx, (&new.barter, new.item), new.units).await?;
        let unit_minor = given.ok_or_else(shelf_empty)?;
        if new.price_minor > unit_minor {
            return Err(reward_invalid().into());
        }
        let reward = Reward {
            id: context.new_id()?,
            barter: new.barter.clone(),
            item: new.item,
            name: new.name.clone(),
            price_minor: new.price_minor,
            unit_minor,
            units: new.units,
            available: new.units,
            until: new.until,
            monthly: new.monthly,
        };
        sql::insert_reward(tx, &reward, &actor.id).await?;
        answer(201, &shown(&reward))
    })
    .await?;
    stored(&made, "/api/ads/rewards")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(RewardId::parse)?;
    query.finish()?;
    let found = sql::rewards(&context.db, &actor.tenant, context.today(), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |one| one.id.to_string(),
        |one| shown(&one),
    )))
}

async fn known_reward(db: &impl Read, actor: &kernel::Actor, id: &str) -> anyhow::Result<Reward> {
    let id: RewardId = path_id(id, unknown_reward)?;
    let reward = sql::reward(db, &actor.tenant, &id).await?;
    Ok(reward.ok_or_else(unknown_reward)?)
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Claiming {
    community: Option<CommunityId>,
}

pub(super) async fn claim(
    context: &Context,
    request: &Request,
    reward: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_resident(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let claiming: Claiming = if request.body().is_empty() {
        Claiming::default()
    } else {
        web::body(request)?
    };
    let there = claiming
        .community
        .filter(|community| actor.reaches(community));
    let community = there.or_else(|| actor.communities.first().cloned());
    let community = community.ok_or_else(unknown_community)?;
    let claimed = write_once(context, request, &actor, async |tx| {
        let reward = known_reward(tx, &actor, reward).await?;
        let claim = rewarding::claim(context, tx, &reward, (&actor, &community)).await?;
        answer(201, &shown_claim(&claim, &reward))
    })
    .await?;
    Ok(private(replied(&claimed)?))
}

/// What the caller has of a reward.
pub(super) async fn own(
    context: &Context,
    request: &Request,
    reward: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_resident(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let reward = known_reward(&context.db, &actor, reward).await?;
    let whose = (&reward.id, &actor.id, CLAIMS_MAX);
    let claims = sql::claims_of(&context.db, &actor.tenant, whose).await?;
    let items: Vec<Value> = claims
        .iter()
        .map(|claim| shown_claim(claim, &reward))
        .collect();
    Ok(private(Reply::ok(&json!({"items": items, "next": null}))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redeeming {
    code: String,
}

pub(super) async fn redeem(
    context: &Context,
    request: &Request,
    reward: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_writer(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let redeeming: Redeeming = web::body(request)?;
    let redeemed = write(context, request, &actor, async |tx| {
        let reward = known_reward(tx, &actor, reward).await?;
        let code = redeeming.code.trim().to_uppercase();
        let claim = sql::claim_by_code(tx, tx.tenant(), (&reward.id, &code)).await?;
        let claim = claim.ok_or_else(unknown_claim)?;
        let to = ("claimed", "redeemed");
        if !sql::set_state(tx, &claim.id, to, Some(context.now)).await? {
            return Err(claim_state(&claim.state).into());
        }
        let after = Claim {
            state: "redeemed".to_owned(),
            redeemed_at: Some(context.now),
            ..claim
        };
        answer(200, &shown_claim(&after, &reward))
    })
    .await?;
    replied(&redeemed)
}

fn shown(reward: &Reward) -> Value {
    json!({
        "id": reward.id,
        "barter": reward.barter,
        "item": reward.item,
        "name": reward.name.as_str(),
        "price_minor": reward.price_minor,
        "worth_minor": reward.unit_minor,
        "currency": "CNY",
        "units": reward.units,
        "available": reward.available,
        "until": reward.until,
        "monthly": reward.monthly,
    })
}

fn shown_claim(claim: &Claim, reward: &Reward) -> Value {
    json!({
        "id": claim.id,
        "reward": claim.reward,
        "name": reward.name.as_str(),
        "state": claim.state,
        "code": claim.code,
        "price_minor": reward.price_minor,
        "currency": "CNY",
        "payment": claim.payment,
        "claimed_at": claim.claimed_at,
        "redeemed_at": claim.redeemed_at,
        "month": Some(&claim.period).filter(|month| !month.is_empty()),
    })
}

fn reward_invalid() -> Refusal {
    Refusal::invalid(
        "reward_invalid",
        Message::new(
            "A reward has 1 to 1000000 units, a price_minor of at most what one is worth, and ends after today.",
            "奖品数量为 1 至 1000000，价格不得高于其价值，截止日期须晚于今天。",
        ),
    )
}

fn shelf_empty() -> Refusal {
    Refusal::conflict(
        "reward_shelf_empty",
        Message::new(
            "There are fewer units of these goods on the shelf. Receive more of the exchange first.",
            "该货品库存不足，请先登记到货。",
        ),
    )
}

fn claim_state(state: &str) -> Refusal {
    Refusal::conflict(
        "reward_claim_state",
        Message::new(
            format!("The claim is {state}: only what is claimed and paid for is picked up, once."),
            format!("领取记录当前状态为 {state}，仅已领取且未兑换的可以兑换。"),
        ),
    )
}
