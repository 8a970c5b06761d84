//! `/api/cards`: who carries which card.

use kernel::{Actor, ActorId, CardId, CommunityId, Message, Refusal};
use serde::{Deserialize, Serialize};
use store::{Tx, tx};
use web::{Query, Reply, Request};
use wire::event::CardChanged;

use super::doors::Text;
use super::{answer, caller, path_id, stored, write};
use crate::context::Context;
use crate::domain::{
    self, Card, CardState, NUMBER_MAX, Reason, end_card, known_card, run_it, unknown_card,
};
use crate::{facts, store as sql};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCard {
    number: u64,
    community: CommunityId,
    person: ActorId,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBlock {
    reason: Text<Reason>,
}

#[derive(Serialize)]
struct Shown {
    id: CardId,
    number: u64,
    community: CommunityId,
    person: ActorId,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    version: i64,
}

pub(super) async fn register(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewCard = web::body(request)?;
    let card = Card {
        id: context.new_id()?,
        number: new.number,
        community: new.community,
        person: new.person,
        state: CardState::Active,
        version: 1,
    };
    let registered = write(context, request, &actor, async |tx| {
        run_it(&actor, &card.community)?;
        if card.number == 0 || card.number > NUMBER_MAX {
            return Err(wrong_number().into());
        }
        if sql::cards::card_of_number(tx, card.number).await?.is_some() {
            return Err(taken().into());
        }
        keep(context, tx, &actor, &card).await?;
        answer(201, &Shown::from(card.clone()))
    })
    .await?;
    stored(&registered, "/api/cards")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(CardId::parse)?;
    let community = query.take("community", CommunityId::parse)?;
    let asked = query.take("person", ActorId::parse)?;
    query.finish()?;
    let person = domain::own_unless_overseer(&actor, asked)?;
    let filter = (community.as_ref(), person.as_ref());
    let found = sql::cards::cards(&context.db, &actor, filter, &page).await?;
    let cursor = |card: &Card| card.id.to_string();
    Ok(Reply::ok(&page.listing(found, cursor, Shown::from)))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    card: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(card, unknown_card)?;
    let found = sql::cards::card(&context.db, &actor.tenant, &id).await?;
    let card = known_card(&actor, found)?;
    if web::is_fresh(request, card.version) {
        return Ok(Reply::not_modified(card.version));
    }
    Ok(shown(card))
}

pub(super) async fn block(
    context: &Context,
    request: &Request,
    card: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let NewBlock { reason } = web::body(request)?;
    let blocked = change(context, request, &actor, card, |card| {
        domain::block(&actor, card, reason.0.clone())
    });
    blocked.await.map(shown)
}

pub(super) async fn unblock(
    context: &Context,
    request: &Request,
    card: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let unblocked = change(context, request, &actor, card, |card| {
        domain::unblock(&actor, card)
    });
    unblocked.await.map(shown)
}

pub(super) async fn end(context: &Context, request: &Request, card: &str) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let ended = change(context, request, &actor, card, |card| {
        end_card(&actor, card)
    });
    ended.await?;
    Ok(Reply::no_content())
}

/// Loads the card, decides, stores what changed; the card as it is afterwards.
async fn change(
    context: &Context,
    request: &Request,
    actor: &Actor,
    card: &str,
    decide: impl Fn(&Card) -> Result<Option<Card>, Refusal>,
) -> anyhow::Result<Card> {
    let id = path_id(card, unknown_card)?;
    let expected = web::if_match(request);
    tx(&context.db, &actor.tenant, async |tx| {
        let found = sql::cards::card(tx, &actor.tenant, &id).await?;
        let before = known_card(actor, found)?;
        let Some(after) = decide(&before)? else {
            return Ok(before);
        };
        if let Some(expected) = &expected {
            expected.check(before.version)?;
        }
        keep(context, tx, actor, &after).await?;
        Ok(after)
    })
    .await
}

async fn keep(context: &Context, tx: &Tx, actor: &Actor, card: &Card) -> anyhow::Result<()> {
    sql::cards::put_card(tx, card).await?;
    sql::gateways::mark_community(tx, &card.community).await?;
    let fact = CardChanged {
        card: card.id.to_string(),
        person: card.person.clone(),
        state: card.state.name().to_owned(),
        actor: actor.id.clone(),
    };
    facts::append(context, tx, &fact).await
}

fn shown(card: Card) -> Reply {
    let version = card.version;
    Reply::ok(&Shown::from(card)).with_etag(version)
}

fn wrong_number() -> Refusal {
    Refusal::invalid(
        "card_number_invalid",
        Message::new(
            format!("The number of a card is a whole number from 1 to {NUMBER_MAX}."),
            format!("卡号为 1 到 {NUMBER_MAX} 之间的整数。"),
        ),
    )
}

fn taken() -> Refusal {
    Refusal::conflict(
        "card_number_taken",
        Message::new(
            "Another card has this number. End that one first.",
            "该卡号已被登记，请先注销原卡。",
        ),
    )
}

impl From<Card> for Shown {
    fn from(card: Card) -> Self {
        let state = card.state.name();
        let reason = match card.state {
            CardState::Blocked(reason) => Some(reason.as_str().to_owned()),
            _ => None,
        };
        Self {
            id: card.id,
            number: card.number,
            community: card.community,
            person: card.person,
            state,
            reason,
            version: card.version,
        }
    }
}
