//! `/api/tariffs`: dated prices, and what usage would cost by them.

use chrono::NaiveDate;
use http::StatusCode;
use kernel::{Actor, ActorId, CommunityId, Message, TariffId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Read;
use tariff::{Band, Line, Outcome, Part, day_of};
use web::{Problem, Query, Reply, Request};
use wire::event::TariffChanged;

use super::{answer, caller, community_of, path_id, replied, stored, write};
use crate::context::Context;
use crate::domain::{
    Name, TariffTerms, check_manager, check_reader, community_unknown, schedule, unknown_tariff,
};
use crate::store::known;
use crate::store::rules::{self as sql, Tariff};
use crate::{facts, inbox, rating};

/// The codes with which a plugged tariff refuses a schedule.
const CODES: [&str; 11] = [
    "prices_missing",
    "uplift_negative",
    "kind_not_rated",
    "cycle_invalid",
    "bands_invalid",
    "price_invalid",
    "tier_gap",
    "tier_overlap",
    "kinds_mixed",
    "price_period_overlap",
    "too_many_lines",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTariff {
    community: CommunityId,
    name: Name,
    terms: TariffTerms,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangedTariff {
    name: Name,
    terms: TariffTerms,
}

/// The terms as they were written: what is kept and shown again.
#[derive(Deserialize)]
struct AsWritten {
    terms: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    lines: Vec<AskedLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedLine {
    first_day: NaiveDate,
    until_day: NaiveDate,
    quantity_milli: i64,
    #[serde(default)]
    bands: Vec<Band>,
    #[serde(default)]
    used_before_milli: i64,
    #[serde(default)]
    persons: u32,
    moved_in: Option<NaiveDate>,
}

#[derive(Serialize)]
struct ShownTariff {
    id: TariffId,
    community: CommunityId,
    name: String,
    terms: Value,
    version: i64,
    changed_by: ActorId,
    changed_at: Timestamp,
}

#[derive(Serialize)]
struct ShownLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_minor: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exact: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ShownProblem>,
}

#[derive(Serialize)]
struct ShownProblem {
    code: String,
    detail: String,
}

#[derive(Serialize)]
struct Preview {
    lines: Vec<ShownLine>,
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewTariff = web::body(request)?;
    let written: AsWritten = web::body(request)?;
    check_manager(&actor, &new.community)?;
    inbox::catch_up(context, &actor.tenant).await?;
    check_terms(&new.terms)?;
    let tariff = Tariff {
        id: context.new_id()?,
        community: new.community,
        name: new.name.as_str().to_owned(),
        terms: written.terms,
        version: 1,
        changed_by: actor.id.clone(),
        changed_at: context.now,
    };
    let made = write(context, request, &actor, async |tx| {
        let community = known::community(tx, tx.tenant(), &tariff.community).await?;
        community.ok_or_else(community_unknown)?;
        sql::insert_tariff(tx, &tariff).await?;
        facts::append(context, tx, &fact(&actor, &tariff)).await?;
        answer(201, &shown(tariff.clone()))
    })
    .await?;
    stored(&made, "/api/tariffs")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(TariffId::parse)?;
    let community = community_of(&actor, &mut query)?;
    query.finish()?;
    let found = sql::tariffs(&context.db, (&actor.tenant, &community), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |tariff| tariff.id.to_string(),
        shown,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    tariff: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let tariff = readable(&context.db, &actor, tariff).await?;
    let version = tariff.version;
    Ok(Reply::ok(&shown(tariff)).with_etag(version))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    tariff: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let seen = readable(&context.db, &actor, tariff).await?;
    check_manager(&actor, &seen.community)?;
    let if_match = web::required_if_match(request)?;
    let new: ChangedTariff = web::body(request)?;
    let written: AsWritten = web::body(request)?;
    check_terms(&new.terms)?;
    let changed = write(context, request, &actor, async |tx| {
        let before = readable(tx, &actor, tariff).await?;
        if_match.check(before.version)?;
        let after = Tariff {
            name: new.name.as_str().to_owned(),
            terms: written.terms.clone(),
            version: before.version + 1,
            changed_by: actor.id.clone(),
            changed_at: context.now,
            ..before
        };
        sql::update_tariff(tx, &after).await?;
        facts::append(context, tx, &fact(&actor, &after)).await?;
        answer(200, &shown(after))
    })
    .await?;
    replied(&changed)
}

/// Rates usage without storing anything.
pub(super) async fn preview(
    context: &Context,
    request: &Request,
    tariff: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let tariff = readable(&context.db, &actor, tariff).await?;
    let asked: Asked = web::body(request)?;
    let lines: Vec<Line> = asked.lines.into_iter().map(line).collect();
    let schedule = schedule(&tariff.terms()?);
    let rated = rating::rate(&schedule, &lines).map_err(problem)?;
    let chinese = web::language(request) == web::Language::Chinese;
    let lines = rated
        .into_iter()
        .map(|outcome| shown_line(outcome, chinese))
        .collect();
    Ok(Reply::ok(&Preview { lines }))
}

fn line(asked: AskedLine) -> Line {
    Line {
        first: day_of(asked.first_day),
        until: day_of(asked.until_day),
        quantity_milli: asked.quantity_milli,
        bands: asked.bands,
        used_milli: asked.used_before_milli,
        persons: asked.persons,
        moved_in: asked.moved_in.map(day_of),
    }
}

fn shown_line(outcome: Outcome, chinese: bool) -> ShownLine {
    match outcome {
        Ok(charge) => ShownLine {
            amount_minor: Some(charge.amount_fen),
            exact: Some(charge.exact),
            parts: charge.parts,
            problem: None,
        },
        Err(problem) => ShownLine {
            amount_minor: None,
            exact: None,
            parts: vec![],
            problem: Some(ShownProblem {
                code: problem.code,
                detail: if chinese {
                    problem.chinese
                } else {
                    problem.english
                },
            }),
        },
    }
}

fn check_terms(terms: &TariffTerms) -> Result<(), Problem> {
    rating::check(&schedule(terms)).map_err(problem)
}

/// What the plugged tariff says is wrong, as an answer.
fn problem(problem: tariff::Problem) -> Problem {
    let code = CODES.into_iter().find(|code| *code == problem.code);
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        code.unwrap_or("tariff_invalid"),
        Message::new(problem.english, problem.chinese),
    )
}

/// The tariff, when the caller may read its community's.
async fn readable(db: &impl Read, actor: &Actor, text: &str) -> anyhow::Result<Tariff> {
    let id: TariffId = path_id(text, unknown_tariff)?;
    let found = sql::tariff(db, &actor.tenant, &id).await?;
    let found = found.filter(|tariff| check_reader(actor, &tariff.community).is_ok());
    Ok(found.ok_or_else(unknown_tariff)?)
}

fn fact(actor: &Actor, tariff: &Tariff) -> TariffChanged {
    TariffChanged {
        tariff: tariff.id.clone(),
        community: tariff.community.clone(),
        version: tariff.version,
        actor: actor.id.clone(),
    }
}

fn shown(tariff: Tariff) -> ShownTariff {
    ShownTariff {
        id: tariff.id,
        community: tariff.community,
        name: tariff.name,
        terms: tariff.terms,
        version: tariff.version,
        changed_by: tariff.changed_by,
        changed_at: tariff.changed_at,
    }
}
