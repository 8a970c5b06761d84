//! Deliveries that come further, many with one statement.

use std::collections::BTreeMap;

use kernel::{ActorId, DeliveryId, Timestamp};
use messaging::delivery::Delivery;
use store::{Read as _, Tx, Value};

use super::deliveries::{columns, schedule, state_of};
use super::ranges::agreement;
use super::word;
use crate::domain::{Agreement, Channel};

/// The most people of one statement: what they said stays below the most rows of a result.
const PEOPLE_MAX: usize = 20;

statements! {
    // As text: PostgreSQL takes the values of a list for text until they are cast.
    MOVE = "with push_moved as (values ($1, $2, $3, $4, $5, $6, $7, $8))
        update push_delivery set state = v.column3, reason = nullif(v.column4, ''), tries = cast(v.column5 as bigint),
            due_at = cast(nullif(v.column6, '') as bigint),
            leased_at = case when v.column8 = 'leased' then cast(v.column7 as bigint) else leased_at end,
            sent_at = case when v.column3 in ('sent', 'delivered', 'displayed', 'clicked')
                then coalesce(sent_at, cast(v.column7 as bigint)) else sent_at end,
            delivered_at = case when v.column3 in ('delivered', 'displayed', 'clicked')
                then coalesce(delivered_at, cast(v.column7 as bigint)) else delivered_at end,
            displayed_at = case when v.column3 in ('displayed', 'clicked')
                then coalesce(displayed_at, cast(v.column7 as bigint)) else displayed_at end,
            clicked_at = case when v.column3 = 'clicked' then coalesce(clicked_at, cast(v.column7 as bigint))
                else clicked_at end
        from push_moved v where push_delivery.tenant = v.column1 and push_delivery.id = v.column2";

    STANDING = "with push_asked as (values ($1, $2))
        select d.state, d.reason, d.tries, d.due_at, d.expires_at, d.channel, d.id
        from push_asked v join push_delivery d on d.tenant = v.column1 and d.id = v.column2";

    AGREEMENTS = "with push_asked as (values ($1, $2))
        select a.person, a.purpose, a.channel, a.given, a.at
        from push_asked v join push_agreement a on a.tenant = v.column1 and a.person = v.column2";
}

/// A delivery, as it stands from now on.
pub(crate) struct Move {
    pub(crate) id: DeliveryId,
    pub(crate) delivery: Delivery,
    /// Whether it is leased now, whatever became of it since.
    pub(crate) is_leased: bool,
}

/// Deliveries stand like this from now on; each is named once.
pub(crate) async fn store(tx: &Tx, moves: &[Move], now: Timestamp) -> anyhow::Result<()> {
    let mut rows: Vec<Vec<Value>> = Vec::with_capacity(moves.len());
    for one in moves {
        let (state, reason, due_at) = columns(&one.delivery.state)?;
        let due_at = due_at.map(|at| at.millis().to_string());
        rows.push(vec![
            tx.tenant().into(),
            (&one.id).into(),
            state.into(),
            reason.unwrap_or_default().into(),
            one.delivery.tries.to_string().into(),
            due_at.unwrap_or_default().into(),
            now.millis().to_string().into(),
            if one.is_leased { "leased" } else { "" }.into(),
        ]);
    }
    tx.insert_many(MOVE, &rows).await
}

/// Deliveries as they stand.
pub(crate) async fn standing<'a>(
    tx: &Tx,
    ids: impl Iterator<Item = &'a DeliveryId>,
) -> anyhow::Result<BTreeMap<DeliveryId, Delivery>> {
    let about: Vec<Vec<Value>> = ids.map(|id| vec![tx.tenant().into(), id.into()]).collect();
    let rows = tx.rows_about(STANDING, &about).await?;
    rows.iter()
        .map(|row| {
            let channel = word(row.text(5)?, Channel::parse)?;
            Ok((row.id(6)?, state_of(row, 0, schedule(channel))?))
        })
        .collect()
}

/// The last words of people.
pub(crate) async fn agreements<'a>(
    tx: &Tx,
    people: impl Iterator<Item = &'a ActorId>,
) -> anyhow::Result<BTreeMap<ActorId, Vec<Agreement>>> {
    let mut about: Vec<Vec<Value>> = people
        .map(|person| vec![tx.tenant().into(), person.into()])
        .collect();
    let mut found: BTreeMap<ActorId, Vec<Agreement>> = BTreeMap::new();
    while !about.is_empty() {
        let rest = about.split_off(about.len().min(PEOPLE_MAX));
        for row in tx.rows_about(AGREEMENTS, &about).await? {
            let words = found.entry(row.id(0)?).or_default();
            words.push(agreement(&row, 1)?);
        }
        about = rest;
    }
    Ok(found)
}
