//! `/api/reviews`: what buyers say of what they bought, the shop's answer, and what is not shown.

use kernel::{
    ActorId, MerchantId, Message, OrderId, OrderLineId, ProductId, Refusal, ReviewId, Timestamp,
};
use serde::{Deserialize, Serialize};
use store::Read;
use web::{Query, Reply, Request};

use super::{answer, path_id, replied, stored, write};
use crate::context::Context;
use crate::domain::{OrderState, Party, Words, illegal, masked, operator_only, party_of};
use crate::party::{self, Caller};
use crate::store::lines;
use crate::store::reviews::{self as sql, Of, Review};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewReview {
    line: OrderLineId,
    stars: i64,
    words: Words,
    #[serde(default)]
    is_anonymous: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answering {
    words: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Moderation {
    is_hidden: bool,
    #[serde(default)]
    reason: Option<Words>,
}

#[derive(Serialize)]
struct Shown {
    id: ReviewId,
    order: Option<OrderId>,
    product: ProductId,
    merchant: MerchantId,
    /// Absent when the buyer does not want to be named.
    buyer: Option<ActorId>,
    stars: i64,
    words: String,
    is_hidden: bool,
    hidden_reason: Option<String>,
    reply: Option<String>,
    replied_at: Option<Timestamp>,
    created_at: Timestamp,
    version: i64,
}

#[derive(Serialize)]
struct Listed {
    reviews: i64,
    stars: i64,
    items: Vec<Shown>,
    next: Option<String>,
}

pub(super) async fn add(context: &Context, request: &Request, id: &str) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let new: NewReview = web::body(request)?;
    if !(1..=5).contains(&new.stars) {
        return Err(stars_invalid().into());
    }
    let made = write(context, request, &caller.actor, async |tx| {
        let order = caller.bought(tx, id).await?;
        if order.state != OrderState::Completed {
            return Err(illegal("order_state", "review", order.state.as_str(), &[]).into());
        }
        let own = lines::lines(tx, tx.tenant(), &order.id).await?;
        let line = own.into_iter().find(|line| line.id == new.line);
        let line = line.ok_or_else(line_unknown)?;
        let review = Review {
            id: context.new_id()?,
            order: order.id,
            line: line.id,
            product: line.product,
            merchant: order.merchant,
            buyer: order.buyer,
            stars: new.stars,
            words: masked(new.words.as_str()),
            is_anonymous: new.is_anonymous,
            hidden: None,
            reply: None,
            created_at: context.now,
            version: 1,
        };
        if !sql::insert_review(tx, &review).await? {
            return Err(reviewed().into());
        }
        answer(201, &shown(review, Some(Party::Buyer)))
    })
    .await?;
    stored(&made, "/api/reviews")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let mut query = Query::of(request)?;
    let product = query.take("product", ProductId::parse)?;
    let merchant = query.take("merchant", MerchantId::parse)?;
    let page = query.page(ReviewId::parse)?;
    query.finish()?;
    let of = match (product, merchant) {
        (Some(product), None) => Of::Product(product),
        (None, Some(merchant)) => Of::Merchant(merchant),
        _ => return Err(of_what().into()),
    };
    let nobody = part(&caller, None);
    let moderates = matches!(nobody, Some(Party::Operator));
    let tenant = &caller.actor.tenant;
    let found = sql::reviews(&context.db, (tenant, &of), moderates, &page).await?;
    let (reviews, stars) = sql::rating(&context.db, tenant, &of).await?;
    let listing = page.listing(
        found,
        |review| review.id.to_string(),
        |review| {
            let party = part(&caller, Some(&review));
            shown(review, party)
        },
    );
    Ok(Reply::ok(&Listed {
        reviews,
        stars,
        items: listing.items,
        next: listing.next,
    }))
}

/// The caller's part in a review, or in none in particular.
fn part(caller: &Caller, review: Option<&Review>) -> Option<Party> {
    let of = match review {
        Some(review) => (&review.buyer, Some(&review.merchant)),
        None => (&caller.actor.id, None),
    };
    party_of(&caller.actor, &caller.shops, of)
}

async fn found(db: &impl Read, caller: &Caller, text: &str) -> anyhow::Result<(Review, Party)> {
    let id: ReviewId = path_id(text, unknown_review)?;
    let review = sql::review(db, &caller.actor.tenant, &id).await?;
    let review = review.ok_or_else(unknown_review)?;
    let party = part(caller, Some(&review)).ok_or_else(unknown_review)?;
    Ok((review, party))
}

pub(super) async fn reply(context: &Context, request: &Request, id: &str) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let new: Answering = web::body(request)?;
    let done = write(context, request, &caller.actor, async |tx| {
        let (mut review, party) = found(tx, &caller, id).await?;
        caller.sells(tx, party, &review.merchant).await?;
        review.reply = Some((masked(new.words.as_str()), context.now));
        sql::update_review(tx, &mut review).await?;
        answer(200, &shown(review, Some(party)))
    })
    .await?;
    replied(&done)
}

pub(super) async fn moderate(
    context: &Context,
    request: &Request,
    id: &str,
) -> anyhow::Result<Reply> {
    let caller = party::caller(context, request).await?;
    let new: Moderation = web::body(request)?;
    let done = write(context, request, &caller.actor, async |tx| {
        let (mut review, party) = found(tx, &caller, id).await?;
        operator_only(party)?;
        let was_hidden = review.hidden.is_some();
        review.hidden = match (new.is_hidden, &new.reason) {
            (false, _) => None,
            (true, Some(reason)) => Some((reason.as_str().to_owned(), caller.actor.id.clone())),
            (true, None) => return Err(reason_missing().into()),
        };
        sql::update_review(tx, &mut review).await?;
        if was_hidden != new.is_hidden {
            sql::rate(tx, &review, if new.is_hidden { -1 } else { 1 }).await?;
        }
        answer(200, &shown(review, Some(party)))
    })
    .await?;
    replied(&done)
}

/// A review as this party sees it: the shop knows the order, everybody the words.
fn shown(review: Review, party: Option<Party>) -> Shown {
    let (hidden_reason, _) = review.hidden.clone().unzip();
    let (reply, replied_at) = review.reply.unzip();
    let is_known = matches!(party, Some(Party::Buyer | Party::Operator));
    Shown {
        id: review.id,
        order: party.is_some().then_some(review.order),
        product: review.product,
        merchant: review.merchant,
        buyer: (is_known || !review.is_anonymous).then_some(review.buyer),
        stars: review.stars,
        words: review.words,
        is_hidden: review.hidden.is_some(),
        hidden_reason,
        reply,
        replied_at,
        created_at: review.created_at,
        version: review.version,
    }
}

fn unknown_review() -> Refusal {
    Refusal::not_found(
        "review_unknown",
        Message::new(
            "There is no such review that you can change.",
            "未找到您可操作的该评价。",
        ),
    )
}

fn line_unknown() -> Refusal {
    Refusal::not_found(
        "order_line_unknown",
        Message::new("The order has no such line.", "该订单没有这条明细。"),
    )
}

fn reviewed() -> Refusal {
    Refusal::conflict(
        "line_reviewed",
        Message::new("You reviewed this line already.", "该明细您已评价过。"),
    )
}

fn stars_invalid() -> Refusal {
    Refusal::invalid(
        "stars_invalid",
        Message::new("Give 1 to 5 stars.", "评分应为 1 到 5 星。"),
    )
}

fn reason_missing() -> Refusal {
    Refusal::invalid(
        "reason_missing",
        Message::new(
            "Say why the review is not shown.",
            "请填写隐藏该评价的原因。",
        ),
    )
}

fn of_what() -> Refusal {
    Refusal::invalid(
        "review_subject",
        Message::new(
            "Ask for the reviews of one product or of one merchant.",
            "请指定商品或商家之一。",
        ),
    )
}
