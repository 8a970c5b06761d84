//! `/api/merchants`: who sells, as each caller may see it, and what the platform decides about it.

use ::http::StatusCode;
use kernel::{Actor, ActorKind, CategoryId, MerchantId};
use serde::Deserialize;
use serde_json::json;
use store::{Read, Tx};
use web::{Query, Reply, Request};
use wire::mall::MerchantMode;

use super::{answer, caller, path_id, private, replied, shown, write};
use crate::context::Context;
use crate::domain::{
    Merchant, MerchantState, Reason, Relation, check_reader, check_writer, close, may_read,
    mode_changed, relation, unknown_category, unknown_merchant,
};
use crate::inbox;
use crate::keeping::{self, Changed};
use crate::store::members;
use crate::store::merchants::{self as sql, Filter};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentState {
    state: Word<MerchantState>,
    reason: Option<Reason>,
}

/// A word of the domain.
#[derive(Deserialize)]
#[serde(
    try_from = "String",
    bound = "Self: TryFrom<String, Error = &'static str>"
)]
struct Word<T>(T);

impl TryFrom<String> for Word<MerchantState> {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let state = MerchantState::parse(&text);
        state
            .map(Self)
            .ok_or("a merchant is active, closed or ended")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentMode {
    mode: MerchantMode,
    reason: Option<Reason>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentCategories {
    categories: Vec<CategoryId>,
    reason: Option<Reason>,
}

/// The merchant, and what the caller is to it.
///
/// # Errors
/// 404 for devices and applications without the permission, and of one that is not there; what has ended is not public.
pub(super) async fn seen(
    db: &impl Read,
    actor: &Actor,
    merchant: &str,
) -> anyhow::Result<(Merchant, Relation)> {
    let id: MerchantId = path_id(merchant, unknown_merchant)?;
    let found = sql::merchant(db, &actor.tenant, &id).await?;
    let found = found.ok_or_else(unknown_merchant)?;
    let role = members::role(db, &actor.tenant, (&id, &actor.id)).await?;
    let relation = relation(actor, role).ok_or_else(unknown_merchant)?;
    if relation == Relation::Public && found.state == MerchantState::Ended {
        return Err(unknown_merchant().into());
    }
    Ok((found, relation))
}

/// The merchant, for its own people and the platform.
///
/// # Errors
/// As [`seen`], and 404 for the public.
pub(super) async fn seen_inside(
    db: &impl Read,
    actor: &Actor,
    merchant: &str,
) -> anyhow::Result<(Merchant, Relation)> {
    let (found, relation) = seen(db, actor, merchant).await?;
    if relation.sees_all() {
        return Ok((found, relation));
    }
    Err(unknown_merchant().into())
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(MerchantId::parse)?;
    let state = query.take("state", |text| {
        MerchantState::parse(text).ok_or("no such state")
    })?;
    let category = query.take("category", CategoryId::parse)?;
    let mine = query.take("mine", |text| match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("it is true or false"),
    })?;
    query.finish()?;
    if relation(&actor, None).is_none() {
        check_reader(&actor)?;
    }
    let db = &context.db;
    if mine == Some(true) && actor.kind == ActorKind::Merchant {
        let found = sql::merchants_of(db, (&actor.tenant, &actor.id), &page).await?;
        let show = |one: Merchant| shown::merchant(context, &one);
        return Ok(Reply::ok(&page.listing(
            found,
            |one| one.id.to_string(),
            show,
        )));
    }
    if may_read(&actor) {
        let filter = Filter {
            state,
            category,
            open_at: None,
        };
        let found = sql::merchants(db, &actor.tenant, &filter, &page).await?;
        let show = |one: Merchant| shown::merchant(context, &one);
        return Ok(Reply::ok(&page.listing(
            found,
            |one| one.id.to_string(),
            show,
        )));
    }
    let filter = Filter {
        state: Some(MerchantState::Active),
        category,
        open_at: Some(context.now),
    };
    let found = sql::merchants(db, &actor.tenant, &filter, &page).await?;
    let show = |one: Merchant| shown::shop(context, &one);
    Ok(Reply::ok(&page.listing(
        found,
        |one| one.id.to_string(),
        show,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let (found, relation) = seen(&context.db, &actor, merchant).await?;
    let version = found.version;
    let shown = match relation.sees_all() {
        true => private(Reply::json(
            StatusCode::OK,
            "application/json",
            &shown::merchant(context, &found),
        )),
        false => Reply::ok(&shown::shop(context, &found)),
    };
    Ok(shown.with_etag(version))
}

/// What the platform decides about a merchant.
async fn decide(
    context: &Context,
    request: &Request,
    merchant: &str,
    (fields, reason): (&[&'static str], Option<&Reason>),
    change: impl AsyncFn(&Tx, Merchant) -> anyhow::Result<Merchant>,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let if_match = web::if_match(request);
    let changed = write(context, request, &actor, async |tx| {
        let (before, _) = seen(tx, &actor, merchant).await?;
        if let Some(if_match) = &if_match {
            if_match.check(before.version)?;
        }
        let after = change(tx, before).await?;
        let changed = Changed {
            actor: &actor,
            fields,
            on_behalf: false,
            reason,
        };
        keeping::save(context, tx, &after, &changed).await?;
        answer(200, &shown::merchant(context, &after))
    })
    .await?;
    Ok(private(replied(&changed)?))
}

/// Lets the platform pass, to whom the merchant is known.
async fn check_platform(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<()> {
    let actor = caller(context, request)?;
    seen(&context.db, &actor, merchant).await?;
    Ok(check_writer(&actor)?)
}

pub(super) async fn set_state(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    check_platform(context, request, merchant).await?;
    let sent: SentState = web::body(request)?;
    let reason = sent.reason.as_ref();
    decide(
        context,
        request,
        merchant,
        (&["state"], reason),
        async |_, before| Ok(close(&before, sent.state.0, sent.reason.clone())?),
    )
    .await
}

pub(super) async fn set_mode(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    check_platform(context, request, merchant).await?;
    let sent: SentMode = web::body(request)?;
    let reason = sent.reason.as_ref();
    decide(
        context,
        request,
        merchant,
        (&["mode"], reason),
        async |_, before| Ok(mode_changed(&before, sent.mode)?),
    )
    .await
}

pub(super) async fn set_categories(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    check_platform(context, request, merchant).await?;
    let sent: SentCategories = web::body(request)?;
    let reason = sent.reason.as_ref();
    decide(
        context,
        request,
        merchant,
        (&["categories"], reason),
        async |tx, before| {
            let mut categories = sent.categories.clone();
            categories.sort();
            categories.dedup();
            let added: Vec<CategoryId> = categories
                .iter()
                .filter(|id| !before.categories.contains(id))
                .cloned()
                .collect();
            let known = keeping::known_categories(tx, &added).await?;
            if known.iter().any(|category| category.gone) {
                return Err(unknown_category().into());
            }
            let after = Merchant {
                categories,
                version: before.version + 1,
                ..before
            };
            sql::replace_assignments(tx, &after).await?;
            keeping::with_expiry(tx, after).await
        },
    )
    .await
}

pub(super) async fn edits(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let (found, _) = seen_inside(&context.db, &actor, merchant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(str::parse::<i64>)?;
    query.finish()?;
    let edits = sql::edits(&context.db, (&actor.tenant, &found.id), &page).await?;
    let listing = page.listing(
        edits,
        |edit| edit.version.to_string(),
        |edit| {
            json!({
                "version": edit.version,
                "fields": edit.fields,
                "on_behalf": edit.on_behalf,
                "reason": edit.reason,
                "actor": edit.actor,
                "at": edit.at,
            })
        },
    );
    Ok(private(Reply::ok(&listing)))
}
