//! `/api/merchant-change-requests`: what a hosted merchant asks an operator to change in its shop.

use kernel::{Actor, ActorId, CategoryId, ChangeRequestId, MerchantId, Message, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Read;
use web::{Query, Reply, Request};
use wire::event::{MerchantChangeAnswered, MerchantChangeRequested};
use wire::mall::MerchantMode;

use super::merchants::seen_inside;
use super::{answer, caller, path_id, private, replied, stored, write};
use crate::context::Context;
use crate::domain::{
    Answer, ChangeRequest, Name, Note, Relation, RequestState, answer_request, check_reader,
    check_writer, may_read, unknown_category, unknown_request,
};
use crate::facts;
use crate::store::requests::{self as sql, Filter};
use crate::store::{categories, members};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRequest {
    merchant: MerchantId,
    category: Option<CategoryId>,
    title: Name,
    detail: Answer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentAnswer {
    done: bool,
    answer: Option<Note>,
}

pub(super) async fn ask(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewRequest = web::body(request)?;
    let (found, relation) = seen_inside(&context.db, &actor, new.merchant.as_str()).await?;
    if !matches!(relation, Relation::Member(_)) {
        return Err(members_only().into());
    }
    if found.mode != MerchantMode::Hosted {
        return Err(not_hosted().into());
    }
    let id: ChangeRequestId = context.new_id()?;
    let made = write(context, request, &actor, async |tx| {
        // The task is the operator's of the category named, or else of the first that the merchant sells in.
        let category = new.category.as_ref().or(found.categories.first());
        let category = match category {
            Some(id) => categories::category(tx, tx.tenant(), id).await?,
            None => None,
        };
        if new.category.is_some() && category.is_none() {
            return Err(unknown_category().into());
        }
        let asked = ChangeRequest {
            id: id.clone(),
            merchant: found.id.clone(),
            category: new.category.clone(),
            title: new.title.clone(),
            detail: new.detail.clone(),
            operator: category.and_then(|category| category.operator),
            asked_by: actor.id.clone(),
            asked_at: context.now,
            state: RequestState::Open,
        };
        sql::insert_request(tx, &asked).await?;
        let fact = MerchantChangeRequested {
            request: asked.id.clone(),
            merchant: asked.merchant.clone(),
            category: asked.category.clone(),
            operator: asked.operator.clone(),
            actor: asked.asked_by.clone(),
        };
        facts::append(context, tx, &fact).await?;
        answer(201, &shown(&asked))
    })
    .await?;
    Ok(private(stored(&made, "/api/merchant-change-requests")?))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(ChangeRequestId::parse)?;
    let state = query.take("state", |text| match text {
        "open" | "done" | "rejected" => Ok(text.to_owned()),
        _ => Err("a request is open, done or rejected"),
    })?;
    let filter = Filter {
        state,
        merchant: query.take("merchant", MerchantId::parse)?,
        operator: query.take("operator", ActorId::parse)?,
    };
    query.finish()?;
    match &filter.merchant {
        Some(merchant) => drop(seen_inside(&context.db, &actor, merchant.as_str()).await?),
        None => check_reader(&actor)?,
    }
    let found = sql::requests(&context.db, &actor.tenant, &filter, &page).await?;
    let listing = page.listing(found, |one| one.id.to_string(), |one| shown(&one));
    Ok(private(Reply::ok(&listing)))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    change: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let found = readable(&context.db, &actor, change).await?;
    Ok(private(Reply::ok(&shown(&found))))
}

/// The request, for the merchant's people and those who read all.
async fn readable(db: &impl Read, actor: &Actor, change: &str) -> anyhow::Result<ChangeRequest> {
    let id: ChangeRequestId = path_id(change, unknown_request)?;
    let found = sql::request(db, &actor.tenant, &id).await?;
    let found = found.ok_or_else(unknown_request)?;
    let role = members::role(db, &actor.tenant, (&found.merchant, &actor.id)).await?;
    let is_member = matches!(
        crate::domain::relation(actor, role),
        Some(Relation::Member(_))
    );
    if is_member || may_read(actor) {
        return Ok(found);
    }
    Err(unknown_request().into())
}

pub(super) async fn answer_it(
    context: &Context,
    request: &Request,
    change: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    readable(&context.db, &actor, change).await?;
    check_writer(&actor)?;
    let sent: SentAnswer = web::body(request)?;
    let answered = write(context, request, &actor, async |tx| {
        let before = readable(tx, &actor, change).await?;
        let said = (&actor.id, sent.done);
        let after = answer_request(&before, said, sent.answer.clone(), context.now)?;
        sql::answer_request(tx, &after).await?;
        let fact = MerchantChangeAnswered {
            request: after.id.clone(),
            merchant: after.merchant.clone(),
            done: sent.done,
            answer: sent.answer.as_ref().map(|text| text.as_str().to_owned()),
            actor: actor.id.clone(),
        };
        facts::append(context, tx, &fact).await?;
        answer(200, &shown(&after))
    })
    .await?;
    Ok(private(replied(&answered)?))
}

fn shown(request: &ChangeRequest) -> Value {
    let said = request.state.answered();
    json!({
        "id": request.id,
        "merchant": request.merchant,
        "category": request.category,
        "title": request.title.as_str(),
        "detail": request.detail.as_str(),
        "operator": request.operator,
        "state": request.state.as_str(),
        "asked_by": request.asked_by,
        "asked_at": request.asked_at,
        "answer": said.and_then(|(_, _, answer)| answer.map(Note::as_str)),
        "answered_by": said.map(|(by, _, _)| by),
        "answered_at": said.map(|(_, at, _)| at),
    })
}

fn members_only() -> Refusal {
    Refusal::forbidden(
        "members_only",
        Message::new(
            "Only the merchant's own people ask for changes; operators edit the shop at once.",
            "仅商家成员可以提交变更申请，平台运营可直接修改店铺。",
        ),
    )
}

fn not_hosted() -> Refusal {
    Refusal::conflict(
        "merchant_self_run",
        Message::new(
            "This shop is kept by the merchant itself. Edit its profile.",
            "该店铺为自营模式，请直接修改店铺资料。",
        ),
    )
}
