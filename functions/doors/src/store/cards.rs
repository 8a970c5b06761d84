//! Cards.

use anyhow::Context as _;
use kernel::{Actor, ActorId, CardId, CommunityId, TenantId};
use store::{Read, Row, Tx};
use web::Page;

use super::reach;
use crate::domain::{Card, CardState, Reason};

statements! {
    CARD = "select id, number, community, person, state, reason, version from doors_card where tenant = $1 and id = $2";

    CARD_OF_NUMBER = "select id, number, community, person, state, reason, version from doors_card
        where tenant = $1 and number = $2 and state <> 'ended'";

    CARDS = "select id, number, community, person, state, reason, version from doors_card
        where tenant = $1 and (cast($2 as text) is null or replace($2, ',' || community || ',', '') <> $2)
          and (cast($3 as text) is null or community = $3) and (cast($4 as text) is null or person = $4)
          and (cast($5 as text) is null or id > $5)
        order by id limit $6";

    PUT_CARD = "insert into doors_card (tenant, id, number, community, person, state, reason, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant, id) do update set state = excluded.state, reason = excluded.reason, version = excluded.version";
}

/// The card.
pub(crate) async fn card(
    db: &impl Read,
    tenant: &TenantId,
    id: &CardId,
) -> anyhow::Result<Option<Card>> {
    let row = db.row(CARD, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_card(&row)).transpose()
}

/// The card that has this number now.
pub(crate) async fn card_of_number(tx: &Tx, number: u64) -> anyhow::Result<Option<Card>> {
    let Ok(number) = i64::try_from(number) else {
        return Ok(None);
    };
    let row = tx
        .row(CARD_OF_NUMBER, &[tx.tenant().into(), number.into()])
        .await?;
    row.map(|row| read_card(&row)).transpose()
}

/// The cards that the caller reaches, of one person or of all, by id.
pub(crate) async fn cards(
    db: &impl Read,
    actor: &Actor,
    (community, person): (Option<&CommunityId>, Option<&ActorId>),
    page: &Page<CardId>,
) -> anyhow::Result<Vec<Card>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor).into(),
        community.into(),
        person.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(CARDS, &parameters).await?;
    rows.iter().map(read_card).collect()
}

/// Stores a card, new or changed.
pub(crate) async fn put_card(tx: &Tx, card: &Card) -> anyhow::Result<()> {
    let reason = match &card.state {
        CardState::Blocked(reason) => Some(reason.as_str()),
        _ => None,
    };
    let parameters = [
        tx.tenant().into(),
        (&card.id).into(),
        i64::try_from(card.number)?.into(),
        (&card.community).into(),
        (&card.person).into(),
        card.state.name().into(),
        reason.into(),
        card.version.into(),
    ];
    tx.execute(PUT_CARD, &parameters).await
}

fn read_card(row: &Row) -> anyhow::Result<Card> {
    let state = match row.text(4)? {
        "active" => CardState::Active,
        "blocked" => CardState::Blocked(Reason::of_device(
            row.optional_text(5)?
                .context("a blocked card has a reason")?,
        )),
        "ended" => CardState::Ended,
        other => anyhow::bail!("a card's state is {other:?}"),
    };
    Ok(Card {
        id: row.id(0)?,
        number: u64::try_from(row.integer(1)?)?,
        community: row.id(2)?,
        person: row.id(3)?,
        state,
        version: row.integer(6)?,
    })
}
