//! `/api/platform-accounts`: what property companies and owners pay ahead for the platform.

use kernel::{Actor, ActorId, CommunityId, Currency, Message, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Read, Tx};
use web::{Query, Reply, Request};

use super::{answer, caller, path_id, payments, replied, stored, write, write_once};
use crate::context::Context;
use crate::domain::{
    Month, Name, Party, PlatformAccount, Sight, Use, charge_after, sees_accounts, sees_all,
    settlers_only, unknown_account,
};
use crate::paying::{self, Wanted};
use crate::store::merchants;
use crate::store::payments::Purpose;
use crate::store::platform::{self as sql, Charge};
use crate::{charging, inbox};

/// The most people who act for one account.
const HOLDERS_MAX: usize = 50;
/// The highest monthly fee, in fen.
const FEE_MAX: i64 = 100_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    /// The company's or the person's id.
    id: ActorId,
    kind: Party,
    name: Name,
    community: CommunityId,
    holders: Vec<ActorId>,
    fee_minor: i64,
    charge_day: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangedAccount {
    name: Name,
    holders: Vec<ActorId>,
    fee_minor: i64,
    charge_day: u8,
    #[serde(default)]
    closed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amount {
    amount_minor: i64,
}

#[derive(Serialize)]
struct ShownAccount {
    id: ActorId,
    kind: &'static str,
    name: String,
    community: CommunityId,
    holders: Vec<ActorId>,
    fee_minor: i64,
    charge_day: u8,
    state: &'static str,
    /// What is judged by: whether the platform may be used.
    suspended: bool,
    owed_period: Option<String>,
    owed_minor: i64,
    balance_minor: i64,
    currency: Currency,
    charge_at: Timestamp,
    version: i64,
}

#[derive(Serialize)]
struct ShownCharge {
    period: String,
    amount_minor: i64,
    currency: Currency,
    charged_at: Timestamp,
}

pub(super) async fn open(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    settlers_only(&actor)?;
    let new: NewAccount = web::body(request)?;
    checked(&new.holders, (new.fee_minor, new.charge_day))?;
    let made = write(context, request, &actor, async |tx| {
        if sql::account(tx, tx.tenant(), &new.id).await?.is_some() {
            return Err(taken().into());
        }
        let (terms, _) = merchants::terms(tx, tx.tenant()).await?;
        let account = PlatformAccount {
            id: new.id.clone(),
            party: new.kind,
            name: new.name.as_str().to_owned(),
            community: new.community.clone(),
            fee_minor: new.fee_minor,
            charge_day: new.charge_day,
            state: Use::Active,
            charge_at: charge_after(terms.zone, new.charge_day, context.now),
            version: 1,
        };
        kept(context, tx, &account, &new.holders).await?;
        answer(201, &shown(tx, &actor, account).await?)
    })
    .await?;
    Ok(stored(&made, "/api/platform-accounts")?.with_etag(1))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let person = match sees_accounts(&actor)? {
        Sight::All => None,
        Sight::Own => Some(&actor.id),
    };
    let mut query = Query::of(request)?;
    let page = query.page(ActorId::parse)?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let found = sql::accounts(&context.db, (&actor.tenant, person), &page).await?;
    let listing = page.listing(found, |account| account.id.to_string(), |account| account);
    let mut items = Vec::new();
    for account in listing.items {
        items.push(shown(&context.db, &actor, account).await?);
    }
    Ok(Reply::ok(&web::Listing {
        items,
        next: listing.next,
    }))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    account: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let account = seen(&context.db, &actor, account).await?;
    let version = account.version;
    let shown = shown(&context.db, &actor, account).await?;
    Ok(Reply::ok(&shown).with_etag(version))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    account: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    seen(&context.db, &actor, account).await?;
    settlers_only(&actor)?;
    let if_match = web::required_if_match(request)?;
    let new: ChangedAccount = web::body(request)?;
    checked(&new.holders, (new.fee_minor, new.charge_day))?;
    let changed = write(context, request, &actor, async |tx| {
        let before = seen(tx, &actor, account).await?;
        if_match.check(before.version)?;
        let (terms, _) = merchants::terms(tx, tx.tenant()).await?;
        let after = PlatformAccount {
            name: new.name.as_str().to_owned(),
            fee_minor: new.fee_minor,
            charge_day: new.charge_day,
            charge_at: charge_after(terms.zone, new.charge_day, context.now),
            state: state_after(before.state.clone(), new.closed),
            version: before.version + 1,
            ..before
        };
        kept(context, tx, &after, &new.holders).await?;
        answer(200, &shown(tx, &actor, after).await?)
    })
    .await?;
    replied(&changed)
}

/// A closed account that is opened again is active; one that is suspended stays so until it pays.
fn state_after(before: Use, closed: bool) -> Use {
    match before {
        _ if closed => Use::Closed,
        Use::Closed => Use::Active,
        other => other,
    }
}

pub(super) async fn recharge(
    context: &Context,
    request: &Request,
    account: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: Amount = web::body(request)?;
    let made = write_once(context, request, &actor, async |tx| {
        let account = seen(tx, &actor, account).await?;
        if actor.kind == kernel::ActorKind::Auditor || actor.kind == kernel::ActorKind::Application
        {
            settlers_only(&actor)?;
        }
        let wanted = Wanted {
            purpose: Purpose::PlatformFee,
            party: account.id.as_str(),
            amount_minor: new.amount_minor,
            community: account.community.clone(),
            subject: "平台使用费充值 / platform fee".to_owned(),
        };
        let payment = paying::ask(context, tx, &actor, wanted).await?;
        answer(201, &payments::shown(payment))
    })
    .await?;
    stored(&made, "/api/settlements/payments")
}

pub(super) async fn charges(
    context: &Context,
    request: &Request,
    account: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(Month::parse)?;
    query.finish()?;
    let account = seen(&context.db, &actor, account).await?;
    let found = sql::charges(&context.db, (&actor.tenant, &account.id), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |charge| charge.period.to_string(),
        shown_charge,
    )))
}

async fn kept(
    context: &Context,
    tx: &Tx,
    account: &PlatformAccount,
    holders: &[ActorId],
) -> anyhow::Result<()> {
    sql::put(tx, account, context.now).await?;
    sql::put_holders(tx, &account.id, holders).await?;
    charging::tell(context, tx, (account, holders.to_vec())).await
}

async fn seen(db: &impl Read, actor: &Actor, text: &str) -> anyhow::Result<PlatformAccount> {
    let id: ActorId = path_id(text, unknown_account)?;
    let found = sql::account(db, &actor.tenant, &id).await?;
    let found = found.ok_or_else(unknown_account)?;
    if sees_all(actor) {
        return Ok(found);
    }
    let holders = sql::holders(db, &actor.tenant, &id).await?;
    if sees_accounts(actor).is_ok() && holders.contains(&actor.id) {
        return Ok(found);
    }
    Err(unknown_account().into())
}

fn checked(holders: &[ActorId], (fee_minor, charge_day): (i64, u8)) -> Result<(), Refusal> {
    let fits = (1..=HOLDERS_MAX).contains(&holders.len())
        && (0..=FEE_MAX).contains(&fee_minor)
        && (1..=28).contains(&charge_day);
    if fits {
        return Ok(());
    }
    Err(Refusal::invalid(
        "platform_account_invalid",
        Message::new(
            format!(
                "Name 1 to {HOLDERS_MAX} people, a fee of 0 to {FEE_MAX} fen, and a charge day of 1 to 28."
            ),
            format!(
                "请指定 1 到 {HOLDERS_MAX} 位使用人，费用 0 到 {FEE_MAX} 分，扣费日 1 到 28 日。"
            ),
        ),
    ))
}

fn taken() -> Refusal {
    Refusal::conflict(
        "platform_account_taken",
        Message::new(
            "There is a platform account of this company or person. Change that one.",
            "该公司或个人已有平台账户，请直接修改。",
        ),
    )
}

async fn shown(
    db: &impl Read,
    actor: &Actor,
    account: PlatformAccount,
) -> anyhow::Result<ShownAccount> {
    let (owed_period, owed_minor) = match &account.state {
        Use::Suspended { period, owed_minor } => (Some(period.to_string()), *owed_minor),
        Use::Active | Use::Closed => (None, 0),
    };
    Ok(ShownAccount {
        holders: sql::holders(db, &actor.tenant, &account.id).await?,
        balance_minor: charging::prepaid(db, &actor.tenant, &account.id).await?,
        kind: account.party.as_str(),
        name: account.name,
        community: account.community,
        fee_minor: account.fee_minor,
        charge_day: account.charge_day,
        state: account.state.as_str(),
        suspended: owed_period.is_some(),
        owed_period,
        owed_minor,
        currency: Currency::Cny,
        charge_at: account.charge_at,
        version: account.version,
        id: account.id,
    })
}

fn shown_charge(charge: Charge) -> ShownCharge {
    ShownCharge {
        period: charge.period.to_string(),
        amount_minor: charge.amount_minor,
        currency: Currency::Cny,
        charged_at: charge.charged_at,
    }
}
