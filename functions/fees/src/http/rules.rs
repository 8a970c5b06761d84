//! `/api/fee-rules` and `/api/fee-terms`: what a community charges for, when it is due, and what being late costs.

use chrono::NaiveDate;
use kernel::{Actor, ActorId, CommunityId, FeeRuleId, Message, Refusal, TariffId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Read, Tx};
use tariff::Rounding;
use web::{Query, Reply, Request};
use wire::event::{FeeRuleChanged, FeeTermsChanged};

use super::{answer, caller, community_of, path_id, replied, stored, write};
use crate::context::Context;
use crate::domain::{
    Billing, Charge, LateTerms, Name, Rule, Scope, check_manager, check_reader, community_unknown,
    unknown_rule, unknown_tariff,
};
use crate::store::known::{self, Known, PointTerms};
use crate::store::rules::{self as sql, Written};
use crate::{facts, inbox};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRule {
    community: CommunityId,
    #[serde(flatten)]
    content: Content,
}

#[derive(Deserialize)]
struct Content {
    name: Name,
    charge: Charge,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    billing: Billing,
    #[serde(default)]
    rounding: Rounding,
    first_day: NaiveDate,
    until_day: Option<NaiveDate>,
}

/// Charge and scope as they were written: what is kept and shown again.
#[derive(Deserialize)]
struct AsWritten {
    charge: Value,
    #[serde(default = "nothing")]
    scope: Value,
}

fn nothing() -> Value {
    json!({})
}

#[derive(Serialize)]
struct ShownRule {
    id: FeeRuleId,
    community: CommunityId,
    name: String,
    charge: Value,
    scope: Value,
    billing: ShownBilling,
    rounding: Rounding,
    first_day: NaiveDate,
    until_day: Option<NaiveDate>,
    version: i64,
    changed_by: ActorId,
    changed_at: Timestamp,
}

#[derive(Serialize)]
struct ShownBilling {
    every: &'static str,
    from_month: u32,
    in_advance: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTerms {
    late_rate_per_100k: i64,
    grace_days: u32,
    late_cap_percent: i64,
    due_days: u32,
    #[serde(default)]
    point_minor: i64,
    #[serde(default)]
    earn_minor: i64,
}

#[derive(Serialize)]
struct ShownTerms {
    community: CommunityId,
    late_rate_per_100k: i64,
    grace_days: u32,
    late_cap_percent: i64,
    due_days: u32,
    point_minor: i64,
    earn_minor: i64,
    version: i64,
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewRule = web::body(request)?;
    let written: AsWritten = web::body(request)?;
    check_manager(&actor, &new.community)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let id: FeeRuleId = context.new_id()?;
    let rule = rule_of((id, new.community, 1), new.content)?;
    let written = by(context, &actor, (rule, written));
    let made = write(context, request, &actor, async |tx| {
        let community = known::community(tx, tx.tenant(), &written.rule.community).await?;
        community.ok_or_else(community_unknown)?;
        check_tariff(tx, &written.rule).await?;
        sql::insert_rule(tx, &written).await?;
        facts::append(context, tx, &fact(&actor, &written.rule)).await?;
        answer(201, &shown(written.clone()))
    })
    .await?;
    stored(&made, "/api/fee-rules")
}

fn rule_of(
    (id, community, version): (FeeRuleId, CommunityId, i64),
    content: Content,
) -> Result<Rule, Refusal> {
    Rule {
        id,
        community,
        name: content.name.as_str().to_owned(),
        charge: content.charge,
        scope: content.scope,
        billing: content.billing,
        rounding: content.rounding,
        first_day: content.first_day,
        until_day: content.until_day,
        version,
    }
    .checked()
}

fn by(context: &Context, actor: &Actor, (rule, written): (Rule, AsWritten)) -> Written {
    Written {
        rule,
        charge: written.charge,
        scope: written.scope,
        changed_by: actor.id.clone(),
        changed_at: context.now,
    }
}

/// A rule names a tariff of its own community.
async fn check_tariff(tx: &Tx, rule: &Rule) -> anyhow::Result<()> {
    let (Charge::Tiered { tariff, .. } | Charge::TimeOfUse { tariff, .. }) = &rule.charge else {
        return Ok(());
    };
    let tariff: &TariffId = tariff;
    let found = sql::tariff(tx, tx.tenant(), tariff).await?;
    let found = found.filter(|found| found.community == rule.community);
    found.map(|_| ()).ok_or_else(|| unknown_tariff().into())
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(FeeRuleId::parse)?;
    let community = community_of(&actor, &mut query)?;
    query.finish()?;
    let found = sql::rules(&context.db, (&actor.tenant, &community), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |written| written.rule.id.to_string(),
        shown,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    rule: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let written = readable(&context.db, &actor, rule).await?;
    let version = written.rule.version;
    Ok(Reply::ok(&shown(written)).with_etag(version))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    rule: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let seen = readable(&context.db, &actor, rule).await?;
    check_manager(&actor, &seen.rule.community)?;
    let if_match = web::required_if_match(request)?;
    let content: Content = web::body(request)?;
    let written: AsWritten = web::body(request)?;
    let Rule {
        id,
        community,
        version,
        billing,
        ..
    } = seen.rule;
    if_match.check(version)?;
    let rule = rule_of((id, community, version + 1), content)?;
    if rule.billing != billing {
        return Err(other_billing().into());
    }
    let after = by(context, &actor, (rule, written));
    let changed = write(context, request, &actor, async |tx| {
        let stored = sql::rule(tx, tx.tenant(), &after.rule.id).await?;
        let stored = stored.ok_or_else(unknown_rule)?;
        // The version may have moved since it was read above.
        web::IfMatch::Versions(vec![version]).check(stored.rule.version)?;
        check_tariff(tx, &after.rule).await?;
        sql::update_rule(tx, &after).await?;
        facts::append(context, tx, &fact(&actor, &after.rule)).await?;
        answer(200, &shown(after.clone()))
    })
    .await?;
    replied(&changed)
}

pub(super) async fn show_terms(
    context: &Context,
    request: &Request,
    community: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let (id, known) = terms_of(&context.db, &actor, community).await?;
    Ok(Reply::ok(&shown_terms(id, &known)).with_etag(known.terms_version))
}

pub(super) async fn change_terms(
    context: &Context,
    request: &Request,
    community: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let (id, _) = terms_of(&context.db, &actor, community).await?;
    check_manager(&actor, &id)?;
    let if_match = web::required_if_match(request)?;
    let new: NewTerms = web::body(request)?;
    let (terms, points) = known_terms(&new)?;
    let changed = write(context, request, &actor, async |tx| {
        let (id, before) = terms_of(tx, &actor, community).await?;
        if_match.check(before.terms_version)?;
        known::put_terms(tx, &id, (terms, points)).await?;
        let after = Known {
            terms,
            points,
            terms_version: before.terms_version + 1,
            ..before
        };
        let fact = FeeTermsChanged {
            community: id.clone(),
            version: after.terms_version,
            actor: actor.id.clone(),
        };
        facts::append(context, tx, &fact).await?;
        answer(200, &shown_terms(id, &after))
    })
    .await?;
    replied(&changed)
}

fn known_terms(new: &NewTerms) -> Result<(LateTerms, PointTerms), Refusal> {
    let fits = (0..=100_000).contains(&new.late_rate_per_100k)
        && new.grace_days <= 3_650
        && (0..=100).contains(&new.late_cap_percent)
        && new.due_days <= 365
        && (0..=10_000).contains(&new.point_minor)
        && (0..=100_000_000).contains(&new.earn_minor);
    if !fits {
        return Err(Refusal::invalid(
            "fee_terms_invalid",
            Message::new(
                "The daily rate is 0 to 100000 of 100,000, the grace 0 to 3650 days, the cap 0 to 100 percent, due within 365 days; a point is worth 0 to 10000 fen, and 0 to 100000000 fen earn one.",
                "日利率为 0 到 100000（十万分之一），宽限 0 到 3650 天，上限 0 到 100%，到期 365 天以内；每积分 0 到 10000 分，每 0 到 100000000 分可得一积分。",
            ),
        ));
    }
    let late = LateTerms {
        rate_per_100k: new.late_rate_per_100k,
        grace_days: new.grace_days,
        cap_percent: new.late_cap_percent,
        due_days: new.due_days,
    };
    let points = PointTerms {
        point_minor: new.point_minor,
        earn_minor: new.earn_minor,
    };
    Ok((late, points))
}

async fn terms_of(
    db: &impl Read,
    actor: &Actor,
    community: &str,
) -> anyhow::Result<(CommunityId, Known)> {
    let id: CommunityId = path_id(community, community_unknown)?;
    check_reader(actor, &id).map_err(|_| community_unknown())?;
    let known = known::community(db, &actor.tenant, &id).await?;
    Ok((id, known.ok_or_else(community_unknown)?))
}

async fn readable(db: &impl Read, actor: &Actor, text: &str) -> anyhow::Result<Written> {
    let id: FeeRuleId = path_id(text, unknown_rule)?;
    let found = sql::rule(db, &actor.tenant, &id).await?;
    let found = found.filter(|written| check_reader(actor, &written.rule.community).is_ok());
    Ok(found.ok_or_else(unknown_rule)?)
}

/// A month that was billed by itself must not be billed again with others.
fn other_billing() -> Refusal {
    Refusal::conflict(
        "fee_rule_billing",
        Message::new(
            "A rule keeps every how many months it bills. End this one and add another.",
            "收费规则的计费周期不可更改，请结束本规则并新增一条。",
        ),
    )
}

fn fact(actor: &Actor, rule: &Rule) -> FeeRuleChanged {
    FeeRuleChanged {
        rule: rule.id.clone(),
        community: rule.community.clone(),
        version: rule.version,
        actor: actor.id.clone(),
    }
}

fn shown(written: Written) -> ShownRule {
    ShownRule {
        id: written.rule.id,
        community: written.rule.community,
        name: written.rule.name,
        charge: written.charge,
        scope: written.scope,
        billing: ShownBilling {
            every: written.rule.billing.every.as_str(),
            from_month: written.rule.billing.from_month,
            in_advance: written.rule.billing.in_advance,
        },
        rounding: written.rule.rounding,
        first_day: written.rule.first_day,
        until_day: written.rule.until_day,
        version: written.rule.version,
        changed_by: written.changed_by,
        changed_at: written.changed_at,
    }
}

fn shown_terms(community: CommunityId, known: &Known) -> ShownTerms {
    ShownTerms {
        community,
        late_rate_per_100k: known.terms.rate_per_100k,
        grace_days: known.terms.grace_days,
        late_cap_percent: known.terms.cap_percent,
        due_days: known.terms.due_days,
        point_minor: known.points.point_minor,
        earn_minor: known.points.earn_minor,
        version: known.terms_version,
    }
}
