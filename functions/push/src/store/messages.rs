//! Messages, and how far they are.

use kernel::{ActorId, PushMessageId, TenantId, Timestamp, Zone};
use serde_json::Value as Json;
use store::{Read, Row, Tx};
use web::Page;

use super::people::Quiet;
use super::{list, word};
use crate::domain::{Bilingual, Channel, Content, MessageState, Source, purpose, urgency_named};

statements! {
    INSERT = "insert into push_message (tenant, id, purpose, source, reference, sender, title_zh, title_en, body_zh,
            body_en, url, channels, urgency, collapse_key, audience, people, personal, per_minute, hold_out_bps,
            quiet_from, quiet_until, quiet_then, quiet_zone, due_at, expires_at, state, meant, work_at, finished_at,
            created_by, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
            $23, $24, $25, $26, $27, $28, $29, $30, $31)
        on conflict (tenant, source, reference) do nothing
        returning id";

    MESSAGE = "select id, purpose, source, reference, sender, title_zh, title_en, body_zh, body_en, url, channels,
            urgency, collapse_key, audience, people, personal, per_minute, hold_out_bps, quiet_from, quiet_until,
            quiet_then, quiet_zone, due_at, expires_at, state, cursor, meant, created_by, created_at, finished_at
        from push_message where tenant = $1 and id = $2";

    MESSAGES = "select id, purpose, source, reference, sender, title_zh, title_en, body_zh, body_en, url, channels,
            urgency, collapse_key, audience, people, personal, per_minute, hold_out_bps, quiet_from, quiet_until,
            quiet_then, quiet_zone, due_at, expires_at, state, cursor, meant, created_by, created_at, finished_at
        from push_message
        where tenant = $1 and (cast($2 as text) is null or id < $2) and (cast($3 as text) is null or source = $3)
            and (cast($4 as text) is null or reference = $4)
        order by id desc limit $5";

    DUE = "select tenant, id from push_message where work_at is not null and work_at <= $1 order by work_at limit $2";

    DUE_TO_EXPAND = "select tenant, id from push_message
        where work_at is not null and work_at <= $1 and state in ('scheduled', 'expanding')
        order by work_at limit $2";

    ADVANCE = "update push_message set state = $3, cursor = cast($4 as text), meant = $5, work_at = cast($6 as bigint),
            finished_at = cast($7 as bigint)
        where tenant = $1 and id = $2";
}

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whom {
    /// An expression.
    Audience(Json),
    /// People by name.
    People(Vec<ActorId>),
}

/// A message.
#[derive(Debug, Clone)]
pub(crate) struct PushMessage {
    pub(crate) id: PushMessageId,
    pub(crate) content: Content,
    pub(crate) source: Source,
    pub(crate) reference: String,
    pub(crate) whom: Whom,
    /// Whether whom it is for was chosen by what they do.
    pub(crate) personal: bool,
    pub(crate) per_minute: Option<i64>,
    pub(crate) hold_out_bps: u32,
    /// When nobody is disturbed by it, whatever they want themselves, and whose clock counts.
    pub(crate) quiet: Option<(Quiet, Zone)>,
    pub(crate) due_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) state: MessageState,
    /// The last person that was looked at.
    pub(crate) cursor: Option<ActorId>,
    /// How many were meant so far.
    pub(crate) meant: i64,
    pub(crate) created_by: ActorId,
    pub(crate) created_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
}

/// The columns sender to collapse key, of a purpose.
pub(crate) fn content_of(row: &Row, purpose_at: usize, at: usize) -> anyhow::Result<Content> {
    let channels: Vec<String> = list(row.text(at + 6)?)?;
    Ok(Content {
        purpose: word(row.text(purpose_at)?, purpose)?,
        sender: row.text(at)?.to_owned(),
        title: Bilingual::new(row.text(at + 1)?, row.text(at + 2)?),
        body: Bilingual::new(row.text(at + 3)?, row.text(at + 4)?),
        url: row.optional_text(at + 5)?.map(str::to_owned),
        channels: channels
            .iter()
            .map(|channel| word(channel, Channel::parse))
            .collect::<anyhow::Result<_>>()?,
        urgency: word(row.text(at + 7)?, urgency_named)?,
        collapse_key: row.optional_text(at + 8)?.map(str::to_owned),
        ttl_seconds: 0,
    })
}

fn message_of(row: &Row) -> anyhow::Result<PushMessage> {
    let (due_at, expires_at) = (row.timestamp(22)?, row.timestamp(23)?);
    let mut content = content_of(row, 1, 4)?;
    content.ttl_seconds = u32::try_from(expires_at.millis_since(due_at) / 1_000)?;
    let whom = match (row.optional_text(13)?, row.optional_text(14)?) {
        (Some(audience), _) => Whom::Audience(serde_json::from_str(audience)?),
        (None, Some(people)) => Whom::People(list(people)?),
        (None, None) => anyhow::bail!("a message is for nobody"),
    };
    let quiet = Quiet::read(row, 18)?
        .map(|quiet| anyhow::Ok((quiet, Zone::parse(row.text(21)?)?)))
        .transpose()?;
    Ok(PushMessage {
        id: row.id(0)?,
        content,
        source: word(row.text(2)?, Source::parse)?,
        reference: row.text(3)?.to_owned(),
        whom,
        personal: row.boolean(15)?,
        per_minute: row.optional_integer(16)?,
        hold_out_bps: u32::try_from(row.integer(17)?)?,
        quiet,
        due_at,
        expires_at,
        state: word(row.text(24)?, MessageState::parse)?,
        cursor: row.optional_id(25)?,
        meant: row.integer(26)?,
        created_by: row.id(27)?,
        created_at: row.timestamp(28)?,
        finished_at: row.optional_timestamp(29)?,
    })
}

/// Adds a message; whether there was none of its source and reference.
pub(crate) async fn insert(tx: &Tx, message: &PushMessage) -> anyhow::Result<bool> {
    let PushMessage { content, .. } = message;
    let channels: Vec<&str> = content
        .channels
        .iter()
        .map(|channel| channel.as_str())
        .collect();
    let (audience, people) = match &message.whom {
        Whom::Audience(audience) => (Some(audience.to_string()), None),
        Whom::People(people) => (None, Some(serde_json::to_string(people)?)),
    };
    let quiet = message.quiet.as_ref();
    let work_at = match message.finished_at {
        None => Some(message.due_at),
        Some(_) => None,
    };
    let parameters = [
        tx.tenant().into(),
        (&message.id).into(),
        crate::domain::purpose_name(content.purpose).into(),
        message.source.as_str().into(),
        (&message.reference).into(),
        (&content.sender).into(),
        (&content.title.zh).into(),
        (&content.title.en).into(),
        (&content.body.zh).into(),
        (&content.body.en).into(),
        content.url.as_ref().into(),
        serde_json::to_string(&channels)?.into(),
        content.urgency.as_str().into(),
        content.collapse_key.as_ref().into(),
        audience.into(),
        people.into(),
        message.personal.into(),
        message.per_minute.into(),
        message.hold_out_bps.into(),
        quiet.map(|(quiet, _)| quiet.from.as_str()).into(),
        quiet.map(|(quiet, _)| quiet.until.as_str()).into(),
        quiet.map(|(quiet, _)| quiet.then.as_str()).into(),
        quiet.map(|(_, zone)| zone.as_str()).into(),
        message.due_at.into(),
        message.expires_at.into(),
        message.state.as_str().into(),
        message.meant.into(),
        work_at.into(),
        message.finished_at.into(),
        (&message.created_by).into(),
        message.created_at.into(),
    ];
    Ok(tx.row(INSERT, &parameters).await?.is_some())
}

/// The message.
pub(crate) async fn message(
    db: &impl Read,
    tenant: &TenantId,
    id: &PushMessageId,
) -> anyhow::Result<Option<PushMessage>> {
    let row = db.row(MESSAGE, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(message_of).transpose()
}

/// Messages, the latest first: all, or those of one source and reference.
pub(crate) async fn messages(
    db: &impl Read,
    tenant: &TenantId,
    (source, reference): (Option<Source>, Option<&str>),
    page: &Page<PushMessageId>,
) -> anyhow::Result<Vec<PushMessage>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().into(),
        source.map(Source::as_str).into(),
        reference.into(),
        page.rows().into(),
    ];
    let rows = db.rows(MESSAGES, &parameters).await?;
    rows.iter().map(message_of).collect()
}

/// Messages for which there is something to do.
pub(crate) async fn due(
    db: &impl Read,
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<Vec<(TenantId, PushMessageId)>> {
    let rows = db.rows(DUE, &[now.into(), limit.into()]).await?;
    rows.iter().map(name_of).collect()
}

/// Messages of which it is to be found out whom they are for.
pub(crate) async fn due_to_expand(
    db: &impl Read,
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<Vec<(TenantId, PushMessageId)>> {
    let rows = db.rows(DUE_TO_EXPAND, &[now.into(), limit.into()]).await?;
    rows.iter().map(name_of).collect()
}

fn name_of(row: &Row) -> anyhow::Result<(TenantId, PushMessageId)> {
    Ok((row.id(0)?, row.id(1)?))
}

/// A message came further; when there is something to do for it again.
pub(crate) async fn advance(
    tx: &Tx,
    message: &PushMessage,
    work_at: Option<Timestamp>,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&message.id).into(),
        message.state.as_str().into(),
        message.cursor.as_ref().into(),
        message.meant.into(),
        work_at.into(),
        message.finished_at.into(),
    ];
    tx.execute(ADVANCE, &parameters).await
}
