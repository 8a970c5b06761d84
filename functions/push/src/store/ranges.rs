//! What is known of all people between two ids: a page of an audience at a time.

use kernel::{ActorId, BuildingId, CommunityId, SubscriptionId, TenantId, Timestamp};
use store::{ROWS_MAX, Read, Row, Value};

use super::word;
use crate::domain::{Agreement, Channel, EVERY_CHANNEL, Use};

statements! {
    MEMBERSHIPS = "select person, binding, role, community, building from push_membership
        where tenant = $1 and person >= $2 and person <= $3 and from_at <= $4 and (until_at is null or until_at > $4)
            and (person > $5 or (person = $5 and binding > $6))
        order by person, binding limit $7";

    TAGS = "select person, tag || ' ' || source, tag from push_tag
        where tenant = $1 and person >= $2 and person <= $3 and cast($4 as bigint) > 0
            and (person > $5 or (person = $5 and tag || ' ' || source > $6))
        order by person, tag || ' ' || source limit $7";

    AGREEMENTS = "select person, purpose || ' ' || channel, purpose, channel, given, at from push_agreement
        where tenant = $1 and person >= $2 and person <= $3 and cast($4 as bigint) > 0
            and (person > $5 or (person = $5 and purpose || ' ' || channel > $6))
        order by person, purpose || ' ' || channel limit $7";

    DEVICES = "select person, id, channel from push_subscription
        where tenant = $1 and person >= $2 and person <= $3 and state = 'active' and cast($4 as bigint) > 0
            and (person > $5 or (person = $5 and id > $6))
        order by person, id limit $7";
}

/// People between two ids, both included, at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) first: &'a ActorId,
    pub(crate) last: &'a ActorId,
    pub(crate) now: Timestamp,
}

impl Range<'_> {
    /// All rows of a statement, in as many pages as it takes.
    async fn all(&self, db: &impl Read, statement: &str) -> anyhow::Result<Vec<Row>> {
        let (mut person, mut key) = (String::new(), String::new());
        let mut found = Vec::new();
        loop {
            let parameters: [Value; 7] = [
                self.tenant.into(),
                self.first.into(),
                self.last.into(),
                self.now.into(),
                (&person).into(),
                (&key).into(),
                i64::try_from(ROWS_MAX)?.into(),
            ];
            let rows = db.rows(statement, &parameters).await?;
            let is_last = rows.len() < ROWS_MAX;
            if let Some(row) = rows.last() {
                person = row.text(0)?.to_owned();
                key = row.text(1)?.to_owned();
            }
            found.extend(rows);
            if is_last {
                return Ok(found);
            }
        }
    }
}

/// Where somebody belongs, and as what.
pub(crate) struct Membership {
    pub(crate) person: ActorId,
    pub(crate) role: String,
    pub(crate) community: CommunityId,
    pub(crate) building: Option<BuildingId>,
}

/// What they are bound to now.
pub(crate) async fn memberships(
    db: &impl Read,
    range: &Range<'_>,
) -> anyhow::Result<Vec<Membership>> {
    let rows = range.all(db, MEMBERSHIPS).await?;
    rows.iter()
        .map(|row| {
            Ok(Membership {
                person: row.id(0)?,
                role: row.text(2)?.to_owned(),
                community: row.id(3)?,
                building: row.optional_id(4)?,
            })
        })
        .collect()
}

/// Their tags.
pub(crate) async fn tags(
    db: &impl Read,
    range: &Range<'_>,
) -> anyhow::Result<Vec<(ActorId, String)>> {
    let rows = range.all(db, TAGS).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.text(2)?.to_owned())))
        .collect()
}

/// What they agreed to and took back.
pub(crate) async fn agreements(
    db: &impl Read,
    range: &Range<'_>,
) -> anyhow::Result<Vec<(ActorId, Agreement)>> {
    let rows = range.all(db, AGREEMENTS).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, agreement(row, 2)?)))
        .collect()
}

/// The devices that are told.
pub(crate) async fn devices(
    db: &impl Read,
    range: &Range<'_>,
) -> anyhow::Result<Vec<(ActorId, SubscriptionId, Channel)>> {
    let rows = range.all(db, DEVICES).await?;
    rows.iter()
        .map(|row| {
            let channel = word(row.text(2)?, Channel::parse)?;
            Ok((row.id(0)?, row.id(1)?, channel))
        })
        .collect()
}

/// The columns purpose, channel, given and at.
pub(crate) fn agreement(row: &Row, at: usize) -> anyhow::Result<Agreement> {
    let channel = match row.text(at + 1)? {
        EVERY_CHANNEL => None,
        named => Some(word(named, Channel::parse)?),
    };
    Ok(Agreement {
        purpose: word(row.text(at)?, Use::parse)?,
        channel,
        given: row.boolean(at + 2)?,
        at: row.timestamp(at + 3)?,
    })
}
