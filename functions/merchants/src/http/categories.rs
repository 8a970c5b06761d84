//! `/api/categories`: what goods and services are of, whose they are, and how many shops there are.

use kernel::{Actor, ActorId, CategoryId, Message, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Read;
use web::{IfMatch, Query, Reply, Request};
use wire::mall::SaleKind;

use super::{answer, caller, path_id, replied, stored, write};
use crate::context::Context;
use crate::domain::{
    CATEGORIES_MAX, Category, Name, NewCategory, QualificationKind, SHOPS_WANTED, below,
    category_taken, check_writer, may_read, relation, unknown_category,
};
use crate::facts;
use crate::rows::kinds_json;
use crate::store::categories as sql;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentCategory {
    id: Option<CategoryId>,
    parent: Option<CategoryId>,
    kind: SaleKind,
    name: Name,
    operator: Option<ActorId>,
    #[serde(default)]
    required: Vec<QualificationKind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentChange {
    name: Name,
    operator: Option<ActorId>,
    #[serde(default)]
    required: Vec<QualificationKind>,
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_writer(&actor)?;
    let sent: SentCategory = web::body(request)?;
    let new = NewCategory {
        id: match sent.id {
            Some(id) => id,
            None => context.new_id()?,
        },
        name: sent.name,
        kind: sent.kind,
        operator: sent.operator,
        required: once_each(sent.required),
    };
    let made = write(context, request, &actor, async |tx| {
        if !sql::has_room(tx).await? {
            return Err(too_many().into());
        }
        let parent = match &sent.parent {
            Some(id) => {
                let found = sql::category(tx, tx.tenant(), id).await?;
                Some(found.ok_or_else(unknown_category)?)
            }
            None => None,
        };
        let category = below(parent.as_ref(), new.clone())?;
        if sql::is_named(tx, &category).await? || !sql::insert_category(tx, &category).await? {
            return Err(category_taken().into());
        }
        facts::category_changed(context, tx, &category).await?;
        answer(201, &shown(&category))
    })
    .await?;
    stored(&made, "/api/categories")
}

fn once_each(mut kinds: Vec<QualificationKind>) -> Vec<QualificationKind> {
    kinds.sort();
    kinds.dedup();
    kinds
}

/// Lets those pass who may know of categories: people, and whoever reads merchants.
fn check_known(actor: &Actor) -> Result<(), Refusal> {
    match relation(actor, None) {
        Some(_) => Ok(()),
        None => Err(Refusal::forbidden(
            "readers_only",
            Message::new(
                "Categories are for people, and for applications with the permission merchants:read.",
                "品类仅供用户及拥有 merchants:read 权限的应用查看。",
            ),
        )),
    }
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_known(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(|text| Ok::<_, std::convert::Infallible>(text.to_owned()))?;
    let kind = query.take("kind", |text| SaleKind::parse(text).ok_or("no such kind"))?;
    query.finish()?;
    let found = sql::categories(&context.db, &actor.tenant, kind, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |one| one.path.clone(),
        |one| shown(&one),
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    category: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let found = known(&context.db, &actor, category).await?;
    let mut body = shown(&found);
    if may_read(&actor) {
        // The launch list: enough shops to choose from, and not so many that none earns.
        let shops = sql::shops_below(&context.db, &actor.tenant, &found).await?;
        if let Some(fields) = body.as_object_mut() {
            let launch = json!({
                "shops": shops,
                "wanted_from": SHOPS_WANTED.start(),
                "wanted_to": SHOPS_WANTED.end(),
                "met": SHOPS_WANTED.contains(&shops),
            });
            fields.insert("launch".to_owned(), launch);
        }
    }
    Ok(Reply::ok(&body).with_etag(found.version))
}

async fn known(db: &impl Read, actor: &Actor, category: &str) -> anyhow::Result<Category> {
    let id: CategoryId = path_id(category, unknown_category)?;
    check_known(actor).map_err(|_| unknown_category())?;
    let found = sql::category(db, &actor.tenant, &id).await?;
    Ok(found.ok_or_else(unknown_category)?)
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    category: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    known(&context.db, &actor, category).await?;
    check_writer(&actor)?;
    let if_match: IfMatch = web::required_if_match(request)?;
    let sent: SentChange = web::body(request)?;
    let changed = write(context, request, &actor, async |tx| {
        let before = known(tx, &actor, category).await?;
        if_match.check(before.version)?;
        if before.gone {
            return Err(unknown_category().into());
        }
        let after = Category {
            name: sent.name.clone(),
            operator: sent.operator.clone(),
            required: once_each(sent.required.clone()),
            version: before.version + 1,
            ..before
        };
        if sql::is_named(tx, &after).await? {
            return Err(category_taken().into());
        }
        sql::update_category(tx, &after).await?;
        facts::category_changed(context, tx, &after).await?;
        answer(200, &shown(&after))
    })
    .await?;
    replied(&changed)
}

pub(super) async fn remove(
    context: &Context,
    request: &Request,
    category: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    known(&context.db, &actor, category).await?;
    check_writer(&actor)?;
    store::tx(&context.db, &actor.tenant, async |tx| {
        let before = known(tx, &actor, category).await?;
        if before.gone {
            return Ok(());
        }
        let shops = sql::shops_below(tx, tx.tenant(), &before).await?;
        if shops > 0 || sql::has_below(tx, &before.id).await? {
            return Err(in_use(shops).into());
        }
        let after = Category {
            gone: true,
            version: before.version + 1,
            ..before
        };
        sql::update_category(tx, &after).await?;
        facts::category_changed(context, tx, &after).await
    })
    .await?;
    Ok(Reply::no_content())
}

fn shown(category: &Category) -> Value {
    json!({
        "id": category.id,
        "parent": category.parent,
        "depth": category.depth,
        "name": category.name.as_str(),
        "kind": category.kind,
        "operator": category.operator,
        "required": kinds_json(&category.required),
        "gone": category.gone,
        "version": category.version,
    })
}

fn in_use(shops: i64) -> Refusal {
    Refusal::conflict(
        "category_in_use",
        Message::new(
            format!(
                "{shops} shops sell in this category, or categories stand below it. Move them first."
            ),
            format!("该品类下有 {shops} 家店铺或仍有下级品类，请先调整。"),
        ),
    )
}

fn too_many() -> Refusal {
    Refusal::conflict(
        "too_many_categories",
        Message::new(
            format!("There are at most {CATEGORIES_MAX} categories."),
            format!("品类最多 {CATEGORIES_MAX} 个。"),
        ),
    )
}
