//! People as audiences know them, and the communities, buildings and rooms that they are bound to.

use kernel::{ActorId, RoomId, TenantId, Timestamp, Zone};
use messaging::timing::QuietHours;
use store::{Read, Row, Tx};
use wire::event::{BindingEnded, BindingStarted};

use super::{list, word};
use crate::domain::{Tongue, quiet_hours, when_quiet};

statements! {
    MEET = "insert into push_person (tenant, id, language, time_zone, minor, segments, rfm, last_active_at)
        values ($1, $2, 'zh', null, 0, '[]', null, null)
        on conflict (tenant, id) do nothing";

    SEEN = "update push_person set last_active_at = $3
        where tenant = $1 and id = $2 and coalesce(last_active_at, 0) < cast($3 as bigint) - 60000";

    // Who did something is known from now on. A minute is exact enough: what they do within one is not written again.
    ACTIVE = "insert into push_person (tenant, id, language, time_zone, minor, segments, rfm, last_active_at)
        values ($1, $2, 'zh', null, 0, '[]', null, $3)
        on conflict (tenant, id) do update set last_active_at = excluded.last_active_at
        where coalesce(push_person.last_active_at, 0) < excluded.last_active_at - 60000";

    PERSON = "select id, language, time_zone, minor, segments, rfm, last_active_at, quiet_from, quiet_until, quiet_then
        from push_person where tenant = $1 and id = $2";

    PEOPLE = "select id, language, time_zone, minor, segments, rfm, last_active_at, quiet_from, quiet_until, quiet_then
        from push_person where tenant = $1 and (cast($2 as text) is null or id > $2) order by id limit $3";

    DESCRIBE = "update push_person set minor = $3, segments = $4, rfm = cast($5 as text) where tenant = $1 and id = $2";

    PREFER = "update push_person set language = $3, time_zone = cast($4 as text), quiet_from = cast($5 as text),
            quiet_until = cast($6 as text), quiet_then = cast($7 as text)
        where tenant = $1 and id = $2";

    BIND = "insert into push_membership (tenant, binding, person, role, community, building, room, from_at, until_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (tenant, binding) do update set person = excluded.person, role = excluded.role,
            community = excluded.community, building = excluded.building, room = excluded.room,
            from_at = excluded.from_at, until_at = excluded.until_at";

    UNBIND = "update push_membership set until_at = cast($3 as bigint) where tenant = $1 and binding = $2";

    LEAVE_ACCOUNT = "delete from push_membership where tenant = $1 and person = $2 and binding like 'account/%'";

    ACCOUNT_ROLE = "select role from push_membership where tenant = $1 and person = $2 and binding like 'account/%'
        order by binding limit 1";

    HOUSEHOLD = "select distinct person from push_membership
        where tenant = $1 and room = $2 and role in ('owner', 'tenant', 'family')
            and from_at <= $3 and (until_at is null or until_at > $3)
        order by person limit 200";

    PUT_TAG = "insert into push_tag (tenant, person, tag, source) values ($1, $2, $3, $4)
        on conflict (tenant, person, tag, source) do nothing";

    CLEAR_TAGS = "delete from push_tag where tenant = $1 and person = $2 and source = $3";

    TAGS_OF = "select distinct tag from push_tag where tenant = $1 and person = $2 order by tag limit 1000";
}

/// A person.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: ActorId,
    pub(crate) language: Tongue,
    /// Their clock, where it is known.
    pub(crate) zone: Option<Zone>,
    pub(crate) minor: bool,
    pub(crate) segments: Vec<String>,
    pub(crate) rfm: Option<String>,
    pub(crate) last_active_at: Option<Timestamp>,
    pub(crate) quiet: Option<Quiet>,
}

/// Quiet hours as they are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quiet {
    pub(crate) from: String,
    pub(crate) until: String,
    pub(crate) then: String,
}

impl Quiet {
    /// Of three columns, from that position on.
    pub(crate) fn read(row: &Row, at: usize) -> anyhow::Result<Option<Self>> {
        let (from, until) = (row.optional_text(at)?, row.optional_text(at + 1)?);
        let then = row.optional_text(at + 2)?;
        let (Some(from), Some(until), Some(then)) = (from, until, then) else {
            return Ok(None);
        };
        Ok(Some(Self {
            from: from.to_owned(),
            until: until.to_owned(),
            then: then.to_owned(),
        }))
    }

    /// The hours, by the clocks of a zone.
    pub(crate) fn hours(&self, zone: Zone) -> anyhow::Result<QuietHours> {
        let then = word(&self.then, when_quiet)?;
        Ok(quiet_hours((&self.from, &self.until), then, zone.as_str())?)
    }
}

fn person_of(row: &Row) -> anyhow::Result<Person> {
    let zone = row.optional_text(2)?;
    Ok(Person {
        id: row.id(0)?,
        language: word(row.text(1)?, Tongue::parse)?,
        zone: zone.map(Zone::parse).transpose()?,
        minor: row.boolean(3)?,
        segments: list(row.text(4)?)?,
        rfm: row.optional_text(5)?.map(str::to_owned),
        last_active_at: row.optional_timestamp(6)?,
        quiet: Quiet::read(row, 7)?,
    })
}

/// A person is known from now on.
pub(crate) async fn meet(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    tx.execute(MEET, &[tx.tenant().into(), person.into()]).await
}

/// The person did something.
pub(crate) async fn seen(tx: &Tx, person: &ActorId, at: Timestamp) -> anyhow::Result<()> {
    tx.execute(SEEN, &[tx.tenant().into(), person.into(), at.into()])
        .await
}

/// The person, known before or not, did something.
pub(crate) async fn active(tx: &Tx, person: &ActorId, at: Timestamp) -> anyhow::Result<()> {
    tx.execute(ACTIVE, &[tx.tenant().into(), person.into(), at.into()])
        .await
}

/// The person.
pub(crate) async fn person(
    db: &impl Read,
    tenant: &TenantId,
    id: &ActorId,
) -> anyhow::Result<Option<Person>> {
    let row = db.row(PERSON, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(person_of).transpose()
}

/// People in the order of their ids.
pub(crate) async fn people(
    db: &impl Read,
    tenant: &TenantId,
    (after, limit): (Option<&ActorId>, i64),
) -> anyhow::Result<Vec<Person>> {
    let rows = db
        .rows(PEOPLE, &[tenant.into(), after.into(), limit.into()])
        .await?;
    rows.iter().map(person_of).collect()
}

/// What is known of a person by hand.
pub(crate) async fn describe(
    tx: &Tx,
    person: &ActorId,
    minor: bool,
    (segments, rfm): (&[String], Option<&str>),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        person.into(),
        minor.into(),
        serde_json::to_string(segments)?.into(),
        rfm.into(),
    ];
    tx.execute(DESCRIBE, &parameters).await
}

/// How a person wants to be told.
pub(crate) async fn prefer(
    tx: &Tx,
    person: &ActorId,
    (language, zone): (Tongue, Option<&str>),
    quiet: Option<&Quiet>,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        person.into(),
        language.as_str().into(),
        zone.into(),
        quiet.map(|quiet| quiet.from.as_str()).into(),
        quiet.map(|quiet| quiet.until.as_str()).into(),
        quiet.map(|quiet| quiet.then.as_str()).into(),
    ];
    tx.execute(PREFER, &parameters).await
}

/// A person is bound.
pub(crate) async fn bind(tx: &Tx, event: &BindingStarted) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&event.binding).into(),
        (&event.person).into(),
        event.role.as_str().into(),
        (&event.community).into(),
        event.building.as_ref().into(),
        event.room.as_ref().into(),
        event.from.into(),
        event.until.into(),
    ];
    tx.execute(BIND, &parameters).await
}

/// A binding ends then, or not.
pub(crate) async fn unbind(tx: &Tx, event: &BindingEnded) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&event.binding).into(),
        event.until.into(),
    ];
    tx.execute(UNBIND, &parameters).await
}

/// An account belongs to these communities.
pub(crate) async fn set_communities(
    tx: &Tx,
    (person, role): (&ActorId, &str),
    communities: &[kernel::CommunityId],
    now: Timestamp,
) -> anyhow::Result<()> {
    tx.execute(LEAVE_ACCOUNT, &[tx.tenant().into(), person.into()])
        .await?;
    for community in communities {
        let parameters = [
            tx.tenant().into(),
            format!("account/{person}/{community}").into(),
            person.into(),
            role.into(),
            community.into(),
            store::Value::Null,
            store::Value::Null,
            now.into(),
            store::Value::Null,
        ];
        tx.execute(BIND, &parameters).await?;
    }
    Ok(())
}

/// As what an account was added; a resident's when nobody said.
pub(crate) async fn account_role(tx: &Tx, person: &ActorId) -> anyhow::Result<String> {
    let row = tx
        .row(ACCOUNT_ROLE, &[tx.tenant().into(), person.into()])
        .await?;
    match row {
        Some(row) => Ok(row.text(0)?.to_owned()),
        None => Ok("resident".to_owned()),
    }
}

/// Who lives in a room.
pub(crate) async fn household(
    tx: &Tx,
    room: &RoomId,
    now: Timestamp,
) -> anyhow::Result<Vec<ActorId>> {
    let rows = tx
        .rows(HOUSEHOLD, &[tx.tenant().into(), room.into(), now.into()])
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// A person has these tags, by hand or of one device.
pub(crate) async fn set_tags(
    tx: &Tx,
    (person, source): (&ActorId, &str),
    tags: &[String],
) -> anyhow::Result<()> {
    tx.execute(
        CLEAR_TAGS,
        &[tx.tenant().into(), person.into(), source.into()],
    )
    .await?;
    for tag in tags {
        let parameters = [tx.tenant().into(), person.into(), tag.into(), source.into()];
        tx.execute(PUT_TAG, &parameters).await?;
    }
    Ok(())
}

/// The tags of a person.
pub(crate) async fn tags(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<Vec<String>> {
    let rows = db.rows(TAGS_OF, &[tenant.into(), person.into()]).await?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}
