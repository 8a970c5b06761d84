//! `/api/ads/articles`: the articles of columns. What is paid for says so.

use chrono::NaiveDate;
use kernel::{Actor, ArticleId, MerchantId};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Read;
use web::{Query, Reply, Request};

use super::columns::seen as seen_column;
use super::creatives::Review;
use super::decisions::LABEL;
use super::{answer, caller, held, path_id, replied, stored, write};
use crate::context::Context;
use crate::domain::column::{Article, ArticleState};
use crate::domain::creative::own_review;
use crate::domain::text::{Body, Name, Note, Reason};
use crate::domain::{check_reviewer, check_writer, may_read, unknown_article, unknown_merchant};
use crate::inbox;
use crate::store::{columns as sql, known};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewArticle {
    /// Who pays for it; none for what is the platform's own.
    merchant: Option<MerchantId>,
    title: Name,
    body: Body,
    image: Option<Note>,
    landing: Option<Note>,
    from: NaiveDate,
    until: NaiveDate,
}

pub(super) async fn add(
    context: &Context,
    request: &Request,
    column: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let column = seen_column(context, &context.db, &actor, column).await?;
    let new: NewArticle = web::body(request)?;
    let made = write(context, request, &actor, async |tx| {
        let sponsor = match &new.merchant {
            None => {
                check_writer(&actor)?;
                None
            }
            Some(merchant) => {
                held(tx, &actor, merchant, unknown_merchant)
                    .await?
                    .check_change()?;
                let name = known::name(tx, tx.tenant(), merchant).await?;
                let name = name.ok_or_else(unknown_merchant)?;
                Some((merchant.clone(), Name::parse(&name)?))
            }
        };
        let article = Article {
            id: context.new_id()?,
            column: column.id.clone(),
            sponsor,
            title: new.title.clone(),
            body: new.body.clone(),
            image: new.image.clone(),
            landing: new.landing.clone(),
            from: new.from,
            until: new.until,
            state: ArticleState::Pending,
            reason: None,
            written_by: actor.id.clone(),
            written_at: context.now,
            reviewed_by: None,
        };
        let article = article.checked()?;
        sql::insert_article(tx, &article).await?;
        answer(201, &shown(&article))
    })
    .await?;
    stored(&made, "/api/ads/articles")
}

/// What may be read today; all of it for those who keep it.
pub(super) async fn list(
    context: &Context,
    request: &Request,
    column: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let column = seen_column(context, &context.db, &actor, column).await?;
    let mut query = Query::of(request)?;
    let page = query.page(ArticleId::parse)?;
    query.finish()?;
    let today = (!may_read(&actor)).then(|| context.today());
    let found = sql::articles(&context.db, (&actor.tenant, &column.id), today, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |one| one.id.to_string(),
        |one| shown(&one),
    )))
}

/// The article of that id: readable, or the caller's to keep.
async fn seen(
    context: &Context,
    db: &impl Read,
    actor: &Actor,
    id: &str,
) -> anyhow::Result<Article> {
    let id: ArticleId = path_id(id, unknown_article)?;
    let article = sql::article(db, &actor.tenant, &id).await?;
    let article = article.ok_or_else(unknown_article)?;
    if may_read(actor) {
        return Ok(article);
    }
    if let Some((merchant, _)) = &article.sponsor
        && held(db, actor, merchant, unknown_article).await.is_ok()
    {
        return Ok(article);
    }
    seen_column(context, db, actor, article.column.as_str())
        .await
        .map_err(|_| unknown_article())?;
    let today = context.today();
    let is_readable =
        article.state == ArticleState::Approved && article.from <= today && today < article.until;
    if is_readable {
        return Ok(article);
    }
    Err(unknown_article().into())
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    article: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let article = seen(context, &context.db, &actor, article).await?;
    Ok(Reply::ok(&shown(&article)))
}

pub(super) async fn review(
    context: &Context,
    request: &Request,
    article: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    seen(context, &context.db, &actor, article).await?;
    check_reviewer(&actor)?;
    let review: Review = web::body(request)?;
    let denied = review.denied()?;
    let reviewed = write(context, request, &actor, async |tx| {
        let before = seen(context, tx, &actor, article).await?;
        if let Some((merchant, _)) = &before.sponsor
            && known::is_member(tx, tx.tenant(), (&actor.id, merchant)).await?
        {
            return Err(own_review().into());
        }
        let after = before.reviewed(actor.id.clone(), denied.clone())?;
        sql::update_article(tx, &after).await?;
        answer(200, &shown(&after))
    })
    .await?;
    replied(&reviewed)
}

fn shown(article: &Article) -> Value {
    let sponsor = article.sponsor.as_ref();
    json!({
        "id": article.id,
        "column": article.column,
        "merchant": sponsor.map(|(merchant, _)| merchant),
        "sponsor": sponsor.map(|(_, name)| name.as_str()),
        "label": sponsor.map(|_| LABEL),
        "title": article.title.as_str(),
        "body": article.body.as_str(),
        "image": article.image.as_ref().map(Note::as_str),
        "landing": article.landing.as_ref().map(Note::as_str),
        "from": article.from,
        "until": article.until,
        "state": article.state.as_str(),
        "reason": article.reason.as_ref().map(Reason::as_str),
        "written_at": article.written_at,
    })
}
