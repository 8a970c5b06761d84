//! Topics under `/n/`, and what was published to them.

use kernel::{ActorId, TenantId, Timestamp};
use store::{Batch, Db, Read, Row, Tx, bulk};
use web::Page;

statements! {
    INSERT_TOPIC = "insert into push_topic (tenant, id, owner, key_number, key_digest, created_at)
        values ($1, $2, $3, 1, $4, $5)
        on conflict (tenant, id) do nothing
        returning id";

    TOPIC = "select tenant, id, owner, key_number, created_at from push_topic where tenant = $1 and id = $2";

    BY_KEY = "select tenant, id, owner, key_number, created_at from push_topic where key_digest = $1";

    TOPICS_OF = "select tenant, id, owner, key_number, created_at from push_topic
        where tenant = $1 and owner = $2 and (cast($3 as text) is null or id > $3) order by id limit $4";

    COUNT_TOPICS = "select count(*) from push_topic where tenant = $1 and owner = $2";

    CHANGE_KEY = "update push_topic set key_number = $3, key_digest = $4 where tenant = $1 and id = $2";

    DELETE_TOPIC = "delete from push_topic where tenant = $1 and id = $2";

    DELETE_NOTES = "delete from push_note where tenant = $1 and topic = $2";

    PUBLISH = "insert into push_note (tenant, topic, id, at, expires_at, line) values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant, topic, id) do nothing";

    SINCE = "select at, id, line from push_note
        where tenant = $1 and topic = $2 and at >= $3 and at <= $4 and expires_at > $5
            and (cast($6 as bigint) = 0 or at > $3 or id > $7)
        order by at, id limit $8";

    LATEST = "select at, id, line from push_note
        where tenant = $1 and topic = $2 and at <= $3 and expires_at > $3 order by at desc, id desc limit 1";

    AT = "select at from push_note where tenant = $1 and topic = $2 and id = $3";

    FORGET = "delete from push_note where (tenant, topic, id) in
            (select n.tenant, n.topic, n.id from push_note n where n.expires_at <= $1 order by n.expires_at limit $2)
        returning id";

    FORGET_MARKETING = "delete from push_marketing where (tenant, person, message) in
            (select m.tenant, m.person, m.message from push_marketing m where m.at <= $1 order by m.at limit $2)
        returning message";
}

/// A topic.
pub(crate) struct Topic {
    pub(crate) tenant: TenantId,
    pub(crate) id: String,
    pub(crate) owner: ActorId,
    pub(crate) key_number: i64,
    pub(crate) created_at: Timestamp,
}

fn topic_of(row: &Row) -> anyhow::Result<Topic> {
    Ok(Topic {
        tenant: row.id(0)?,
        id: row.text(1)?.to_owned(),
        owner: row.id(2)?,
        key_number: row.integer(3)?,
        created_at: row.timestamp(4)?,
    })
}

/// Adds a topic; whether there was none.
pub(crate) async fn insert_topic(
    tx: &Tx,
    (id, owner): (&str, &ActorId),
    key_digest: &str,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        id.into(),
        owner.into(),
        key_digest.into(),
        now.into(),
    ];
    Ok(tx.row(INSERT_TOPIC, &parameters).await?.is_some())
}

/// The topic.
pub(crate) async fn topic(
    db: &impl Read,
    tenant: &TenantId,
    id: &str,
) -> anyhow::Result<Option<Topic>> {
    let row = db.row(TOPIC, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(topic_of).transpose()
}

/// The topic that a key opens, by the key's digest.
pub(crate) async fn by_key(db: &impl Read, key_digest: &str) -> anyhow::Result<Option<Topic>> {
    let row = db.row(BY_KEY, &[key_digest.into()]).await?;
    row.as_ref().map(topic_of).transpose()
}

/// Somebody's topics.
pub(crate) async fn topics_of(
    db: &impl Read,
    (tenant, owner): (&TenantId, &ActorId),
    page: &Page<String>,
) -> anyhow::Result<Vec<Topic>> {
    let parameters = [
        tenant.into(),
        owner.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(TOPICS_OF, &parameters).await?;
    rows.iter().map(topic_of).collect()
}

/// How many topics somebody has.
pub(crate) async fn count_topics(tx: &Tx, owner: &ActorId) -> anyhow::Result<i64> {
    let row = tx
        .row(COUNT_TOPICS, &[tx.tenant().into(), owner.into()])
        .await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// Another key opens a topic.
pub(crate) async fn change_key(
    tx: &Tx,
    id: &str,
    (number, digest): (i64, &str),
) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), id.into(), number.into(), digest.into()];
    tx.execute(CHANGE_KEY, &parameters).await
}

/// A topic is no more, with all that was published to it.
pub(crate) async fn delete_topic(tx: &Tx, id: &str) -> anyhow::Result<()> {
    let topic = [tx.tenant().into(), id.into()];
    tx.execute(DELETE_NOTES, &topic).await?;
    tx.execute(DELETE_TOPIC, &topic).await
}

/// What is published.
pub(crate) struct Note<'a> {
    pub(crate) topic: &'a str,
    pub(crate) id: &'a str,
    /// When it is delivered.
    pub(crate) at: Timestamp,
    /// Until when it is kept.
    pub(crate) expires_at: Timestamp,
    /// As clients get it.
    pub(crate) line: &'a str,
}

/// Keeps what was published, once.
pub(crate) async fn publish(tx: &Tx, note: &Note<'_>) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        note.topic.into(),
        note.id.into(),
        note.at.into(),
        note.expires_at.into(),
        note.line.into(),
    ];
    tx.execute(PUBLISH, &parameters).await
}

/// From where on notes are wanted, and up to where.
pub(crate) struct From<'a> {
    pub(crate) at: Timestamp,
    /// Only what is delivered until then.
    pub(crate) until: Timestamp,
    /// Only what comes after this one of that moment.
    pub(crate) after: Option<&'a str>,
}

/// A moment, an id, a line.
pub(crate) type Line = (Timestamp, String, String);

fn line_of(row: &Row) -> anyhow::Result<Line> {
    Ok((
        row.timestamp(0)?,
        row.text(1)?.to_owned(),
        row.text(2)?.to_owned(),
    ))
}

/// What was published to a topic from some place on, and is kept by now.
pub(crate) async fn since(
    db: &impl Read,
    (tenant, topic): (&TenantId, &str),
    from: &From<'_>,
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<Vec<Line>> {
    let parameters = [
        tenant.into(),
        topic.into(),
        from.at.into(),
        from.until.into(),
        now.into(),
        from.after.is_some().into(),
        from.after.unwrap_or_default().into(),
        limit.into(),
    ];
    let rows = db.rows(SINCE, &parameters).await?;
    rows.iter().map(line_of).collect()
}

/// The last that was published to a topic.
pub(crate) async fn latest(
    db: &impl Read,
    (tenant, topic): (&TenantId, &str),
    now: Timestamp,
) -> anyhow::Result<Option<Line>> {
    let row = db
        .row(LATEST, &[tenant.into(), topic.into(), now.into()])
        .await?;
    row.as_ref().map(line_of).transpose()
}

/// When a note was delivered, if it is kept.
pub(crate) async fn at(
    db: &impl Read,
    (tenant, topic): (&TenantId, &str),
    id: &str,
) -> anyhow::Result<Option<Timestamp>> {
    let row = db
        .row(AT, &[tenant.into(), topic.into(), id.into()])
        .await?;
    row.map(|row| row.timestamp(0)).transpose()
}

/// Forgets notes that are kept no longer, and marketing that counts no more; how many.
pub(crate) async fn forget(
    db: &Db,
    (notes_until, marketing_until): (Timestamp, Timestamp),
    limit: i64,
) -> anyhow::Result<usize> {
    bulk(db, async |batch: &mut Batch| {
        let notes = batch
            .rows(FORGET, &[notes_until.into(), limit.into()])
            .await?;
        let marketing = batch
            .rows(FORGET_MARKETING, &[marketing_until.into(), limit.into()])
            .await?;
        Ok(notes.len() + marketing.len())
    })
    .await
}
