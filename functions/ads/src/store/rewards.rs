//! Rewards: goods of exchanges that residents get for nothing or for less, and who has got which.

use chrono::NaiveDate;
use kernel::{ActorId, BarterId, PaymentId, RewardId, TenantId, Timestamp};
use store::{Read, Row, Tx, Value};
use web::Page;

use super::{day, on, text};
use crate::domain::text::Name;

statements! {
    INSERT_REWARD = "insert into ads_reward (tenant, id, barter, item, name, price_minor, unit_minor, units, available,
            until_day, created_by, monthly)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11)";

    REWARD = "select id, barter, item, name, price_minor, unit_minor, units, available, until_day, monthly
        from ads_reward where tenant = $1 and id = $2";

    REWARDS = "select id, barter, item, name, price_minor, unit_minor, units, available, until_day, monthly
        from ads_reward where tenant = $1 and id > $2 and until_day > $3 order by id limit $4";

    TAKE = "update ads_reward set available = available - 1 where tenant = $1 and id = $2 and available >= 1 returning id";

    PUT_BACK = "update ads_reward set available = available + 1 where tenant = $1 and id = $2";

    INSERT_CLAIM = "insert into ads_claim (tenant, id, reward, person, state, code, payment, claimed_at, redeemed_at, period)
        values ($1, $2, $3, $4, $5, $6, $7, $8, null, $9)";

    CLAIM_OF = "select id, reward, person, state, code, payment, claimed_at, redeemed_at, period
        from ads_claim where tenant = $1 and reward = $2 and person = $3 and period = $4 and state <> 'lapsed'";

    CLAIMS_OF = "select id, reward, person, state, code, payment, claimed_at, redeemed_at, period
        from ads_claim where tenant = $1 and reward = $2 and person = $3 and state <> 'lapsed'
        order by period desc limit $4";

    CLAIM_BY_CODE = "select id, reward, person, state, code, payment, claimed_at, redeemed_at, period
        from ads_claim where tenant = $1 and reward = $2 and code = $3";

    CLAIM_OF_PAYMENT = "select id, reward, person, state, code, payment, claimed_at, redeemed_at, period
        from ads_claim where tenant = $1 and payment = $2";

    SET_STATE = "update ads_claim set state = $3, redeemed_at = $5
        where tenant = $1 and id = $2 and state = $4
        returning id";
}

/// A reward.
#[derive(Debug, Clone)]
pub struct Reward {
    /// Its id.
    pub id: RewardId,
    /// Of which exchange.
    pub barter: BarterId,
    /// Of which goods of it.
    pub item: i64,
    /// What people read.
    pub name: Name,
    /// What it costs, in fen; 0 for nothing.
    pub price_minor: i64,
    /// What it is worth, in fen.
    pub unit_minor: i64,
    /// How many there were.
    pub units: i64,
    /// How many there are.
    pub available: i64,
    /// The first day on which it can no longer be had.
    pub until: NaiveDate,
    /// Whether one person may have it once in each month; else once.
    pub monthly: bool,
}

/// A reward in somebody's hands.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Its id.
    pub id: String,
    /// Which reward.
    pub reward: RewardId,
    /// Whose.
    pub person: ActorId,
    /// `unpaid`, `claimed`, `redeemed` or `lapsed`.
    pub state: String,
    /// What is shown when it is picked up.
    pub code: String,
    /// What it is paid with.
    pub payment: Option<PaymentId>,
    /// When.
    pub claimed_at: Timestamp,
    /// When it was picked up.
    pub redeemed_at: Option<Timestamp>,
    /// The month that it is of; empty where there is one for good.
    pub period: String,
}

/// Stores a reward that is new.
pub async fn insert_reward(tx: &Tx, reward: &Reward, by: &ActorId) -> anyhow::Result<()> {
    let row: [Value; 11] = [
        tx.tenant().into(),
        (&reward.id).into(),
        (&reward.barter).into(),
        reward.item.into(),
        reward.name.as_str().into(),
        reward.price_minor.into(),
        reward.unit_minor.into(),
        reward.units.into(),
        on(reward.until),
        by.into(),
        reward.monthly.into(),
    ];
    tx.execute(INSERT_REWARD, &row).await
}

fn reward_of(row: &Row) -> anyhow::Result<Reward> {
    Ok(Reward {
        id: row.id(0)?,
        barter: row.id(1)?,
        item: row.integer(2)?,
        name: text(row, 3)?,
        price_minor: row.integer(4)?,
        unit_minor: row.integer(5)?,
        units: row.integer(6)?,
        available: row.integer(7)?,
        until: day(row, 8)?,
        monthly: row.boolean(9)?,
    })
}

/// The reward of that id.
pub async fn reward(
    db: &impl Read,
    tenant: &TenantId,
    id: &RewardId,
) -> anyhow::Result<Option<Reward>> {
    let row = db.row(REWARD, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(reward_of).transpose()
}

/// A page of the rewards that can be had on that day.
pub async fn rewards(
    db: &impl Read,
    tenant: &TenantId,
    today: NaiveDate,
    page: &Page<RewardId>,
) -> anyhow::Result<Vec<Reward>> {
    let after = page.after.as_ref().map_or("", RewardId::as_str);
    let rows = db
        .rows(
            REWARDS,
            &[tenant.into(), after.into(), on(today), page.rows().into()],
        )
        .await?;
    rows.iter().map(reward_of).collect()
}

/// Takes one off the shelf; false when there is none left.
pub async fn take(tx: &Tx, reward: &RewardId) -> anyhow::Result<bool> {
    Ok(tx
        .row(TAKE, &[tx.tenant().into(), reward.into()])
        .await?
        .is_some())
}

/// Puts one back.
pub async fn put_back(tx: &Tx, reward: &RewardId) -> anyhow::Result<()> {
    tx.execute(PUT_BACK, &[tx.tenant().into(), reward.into()])
        .await
}

/// Stores a claim that is new.
pub async fn insert_claim(tx: &Tx, claim: &Claim) -> anyhow::Result<()> {
    let row: [Value; 9] = [
        tx.tenant().into(),
        (&claim.id).into(),
        (&claim.reward).into(),
        (&claim.person).into(),
        (&claim.state).into(),
        (&claim.code).into(),
        claim.payment.as_ref().into(),
        claim.claimed_at.into(),
        (&claim.period).into(),
    ];
    tx.execute(INSERT_CLAIM, &row).await
}

fn claim_of_row(row: &Row) -> anyhow::Result<Claim> {
    Ok(Claim {
        id: row.text(0)?.to_owned(),
        reward: row.id(1)?,
        person: row.id(2)?,
        state: row.text(3)?.to_owned(),
        code: row.text(4)?.to_owned(),
        payment: row.optional_id(5)?,
        claimed_at: row.timestamp(6)?,
        redeemed_at: row.optional_timestamp(7)?,
        period: row.text(8)?.to_owned(),
    })
}

/// What somebody has of a reward, of that month where it is a monthly one.
pub async fn claim_of(
    db: &impl Read,
    tenant: &TenantId,
    (reward, person, period): (&RewardId, &ActorId, &str),
) -> anyhow::Result<Option<Claim>> {
    let parameters = [tenant.into(), reward.into(), person.into(), period.into()];
    let row = db.row(CLAIM_OF, &parameters).await?;
    row.as_ref().map(claim_of_row).transpose()
}

/// All that somebody has of a reward, the latest first, at most `limit`.
pub async fn claims_of(
    db: &impl Read,
    tenant: &TenantId,
    (reward, person, limit): (&RewardId, &ActorId, i64),
) -> anyhow::Result<Vec<Claim>> {
    let parameters = [tenant.into(), reward.into(), person.into(), limit.into()];
    let rows = db.rows(CLAIMS_OF, &parameters).await?;
    rows.iter().map(claim_of_row).collect()
}

/// The claim of that code.
pub async fn claim_by_code(
    db: &impl Read,
    tenant: &TenantId,
    (reward, code): (&RewardId, &str),
) -> anyhow::Result<Option<Claim>> {
    let row = db
        .row(CLAIM_BY_CODE, &[tenant.into(), reward.into(), code.into()])
        .await?;
    row.as_ref().map(claim_of_row).transpose()
}

/// The claim that is paid with this payment.
pub async fn claim_of_payment(tx: &Tx, payment: &PaymentId) -> anyhow::Result<Option<Claim>> {
    let row = tx
        .row(CLAIM_OF_PAYMENT, &[tx.tenant().into(), payment.into()])
        .await?;
    row.as_ref().map(claim_of_row).transpose()
}

/// A claim goes from one state to another; false when it stood in none of that name.
pub async fn set_state(
    tx: &Tx,
    claim: &str,
    (from, to): (&str, &str),
    redeemed_at: Option<Timestamp>,
) -> anyhow::Result<bool> {
    let row: [Value; 5] = [
        tx.tenant().into(),
        claim.into(),
        to.into(),
        from.into(),
        redeemed_at.into(),
    ];
    Ok(tx.row(SET_STATE, &row).await?.is_some())
}
