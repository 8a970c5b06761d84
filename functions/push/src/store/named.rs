//! What is known of people whom a message names: all that decides on whether and how they are told.

use std::collections::BTreeMap;

use kernel::{ActorId, SubscriptionId};
use store::{Read as _, Tx, Value};

use super::ranges::agreement;
use super::word;
use crate::domain::{Agreement, Channel};

/// The most people of one statement: what they said and their devices stay below the most rows of a result.
const PEOPLE_MAX: usize = 8;

statements! {
    NAMED = "with push_named as (values ($1, $2))
        select p.id, 'person', '', '', p.minor, 0
            from push_named n join push_person p on p.tenant = n.column1 and p.id = n.column2
        union all
        select a.person, 'word', a.purpose, a.channel, a.given, a.at
            from push_named n join push_agreement a on a.tenant = n.column1 and a.person = n.column2
        union all
        select s.person, 'device', s.id, s.channel, 0, 0
            from push_named n join push_subscription s on s.tenant = n.column1 and s.person = n.column2
                and s.state = 'active'
        order by 1, 2, 3";
}

/// What is known of one person.
#[derive(Default)]
pub(crate) struct Named {
    /// None for somebody whom push has not met.
    pub(crate) minor: Option<bool>,
    /// What they agreed to and took back.
    pub(crate) words: Vec<Agreement>,
    /// The devices that are told.
    pub(crate) devices: Vec<(SubscriptionId, Channel)>,
}

/// What is known of those people; those of whom nothing is are left out.
pub(crate) async fn named(
    tx: &Tx,
    people: &[&ActorId],
) -> anyhow::Result<BTreeMap<ActorId, Named>> {
    let mut found: BTreeMap<ActorId, Named> = BTreeMap::new();
    for some in people.chunks(PEOPLE_MAX) {
        let about: Vec<Vec<Value>> = some
            .iter()
            .map(|id| vec![tx.tenant().into(), (*id).into()])
            .collect();
        for row in tx.rows_about(NAMED, &about).await? {
            let known = found.entry(row.id(0)?).or_default();
            match row.text(1)? {
                "person" => known.minor = Some(row.boolean(4)?),
                "word" => known.words.push(agreement(&row, 2)?),
                _ => {
                    let channel = word(row.text(3)?, Channel::parse)?;
                    known.devices.push((row.id(2)?, channel));
                }
            }
        }
    }
    Ok(found)
}
