//! Deliveries: one message on its way to one device of one person.

use kernel::{ActorId, DeliveryId, PushMessageId, SubscriptionId, TenantId, Timestamp, Zone};
use messaging::delivery::{Delivery, Schedule, State};
use store::{Read, Row, Tx, Value};

use super::messages::content_of;
use super::people::Quiet;
use super::word;
use crate::domain::{Channel, Content, DeviceState, MessageState, Tongue};

statements! {
    INSERT_MANY = "insert into push_delivery (tenant, id, message, person, device, channel, state, reason, tries, due_at,
            expires_at, created_at, sent_at, delivered_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        on conflict (tenant, message, person, device) do nothing";

    NEXT_TENANT = "select tenant, due_at from push_delivery
        where due_at is not null and (cast($1 as text) is null or tenant > $1) order by tenant, due_at limit 1";

    DUE = "select d.id, d.message, d.person, d.device, d.channel, d.state, d.reason, d.tries, d.due_at, d.expires_at,
            m.purpose, m.sender, m.title_zh, m.title_en, m.body_zh, m.body_en, m.url, m.channels, m.urgency,
            m.collapse_key, m.personal, m.quiet_from, m.quiet_until, m.quiet_then, m.quiet_zone, m.state,
            s.state, s.address, s.origin, s.p256dh, s.auth, s.secret_number, s.previous_until, s.time_zone,
            p.language, p.time_zone, p.minor, p.quiet_from, p.quiet_until, p.quiet_then
        from push_delivery d
        join push_message m on m.tenant = d.tenant and m.id = d.message
        left join push_subscription s on s.tenant = d.tenant and s.id = d.device
        left join push_person p on p.tenant = d.tenant and p.id = d.person
        where d.tenant = $1 and d.due_at is not null and d.due_at <= $2
        order by d.due_at, d.id limit $3";

    OPEN = "select id from push_delivery where tenant = $1 and message = $2 and due_at is not null limit 1";

    CANCEL = "update push_delivery set state = 'suppressed', reason = 'cancelled', due_at = null
        where tenant = $1 and message = $2 and state = 'queued'";

    DROP_DEVICE = "update push_delivery set state = 'gone', due_at = null
        where tenant = $1 and device = $2 and due_at is not null and state = 'queued'";

    MARKETING = "select at from push_marketing where tenant = $1 and person = $2 and message <> $3 and at > $4
        order by at limit 1000";

    PUT_MARKETING = "insert into push_marketing (tenant, person, message, at) values ($1, $2, $3, $4)
        on conflict (tenant, person, message) do update set at = excluded.at";

    IS_TO = "select id from push_delivery where tenant = $1 and id = $2 and device = $3";

    REPLAY = "update push_delivery set state = 'queued', reason = null, tries = 0, due_at = $3, expires_at = $4
        where tenant = $1 and id = $2 and state in ('sent', 'delivered', 'displayed', 'clicked', 'dead', 'gone',
            'suppressed')
        returning id";

    CONVERT = "update push_delivery set converted_at = $4
        where tenant = $1 and message = $2 and person = $3 and converted_at is null
        returning id";
}

/// A delivery that is new.
pub(crate) struct NewDelivery {
    pub(crate) id: DeliveryId,
    pub(crate) person: ActorId,
    /// None for the inbox.
    pub(crate) device: Option<SubscriptionId>,
    pub(crate) channel: Channel,
    pub(crate) state: State,
    pub(crate) tries: u32,
}

/// A delivery, with all that is to be known to decide on it.
pub(crate) struct Due {
    pub(crate) id: DeliveryId,
    pub(crate) message: PushMessageId,
    pub(crate) person: ActorId,
    pub(crate) device: Option<SubscriptionId>,
    pub(crate) channel: Channel,
    pub(crate) delivery: Delivery,
    pub(crate) content: Content,
    pub(crate) personal: bool,
    /// Quiet hours of the message.
    pub(crate) quiet: Option<(Quiet, Zone)>,
    pub(crate) message_state: MessageState,
    /// Where to; none for the inbox.
    pub(crate) to: Option<To>,
    pub(crate) language: Tongue,
    pub(crate) zone: Option<Zone>,
    pub(crate) minor: bool,
    /// Quiet hours of the person.
    pub(crate) own_quiet: Option<Quiet>,
}

/// Where a delivery goes.
#[derive(Clone)]
pub(crate) struct To {
    pub(crate) state: DeviceState,
    pub(crate) address: String,
    pub(crate) origin: String,
    pub(crate) p256dh: Option<String>,
    pub(crate) auth: Option<String>,
    pub(crate) secret_number: i64,
    pub(crate) previous_until: Option<Timestamp>,
}

/// How tries of a channel follow each other.
pub(crate) fn schedule(channel: Channel) -> Schedule {
    match channel {
        Channel::Webhook => Schedule::Webhook,
        _ => Schedule::Push,
    }
}

/// The columns of a state: its name, its reason, its moment.
pub(super) fn columns(
    state: &State,
) -> anyhow::Result<(&'static str, Option<String>, Option<Timestamp>)> {
    let named = |word: serde_json::Value| word.as_str().map(str::to_owned);
    let (reason, due_at) = match state {
        State::Queued { due_at } => (None, Some(*due_at)),
        State::Leased { until } => (None, Some(*until)),
        State::Suppressed { reason } => (named(serde_json::to_value(reason)?), None),
        State::Dead { why } => (named(serde_json::to_value(why)?), None),
        _ => (None, None),
    };
    Ok((state.as_str(), reason, due_at))
}

/// The state of three columns from that position on: name, reason, tries, moment, end.
pub(super) fn state_of(row: &Row, at: usize, schedule: Schedule) -> anyhow::Result<Delivery> {
    let due_at = || row.timestamp(at + 3);
    let reason = || {
        row.text(at + 1)
            .map(|text| serde_json::Value::from(text.to_owned()))
    };
    let state = match row.text(at)? {
        "queued" => State::Queued { due_at: due_at()? },
        "leased" => State::Leased { until: due_at()? },
        "sent" => State::Sent,
        "delivered" => State::Delivered,
        "displayed" => State::Displayed,
        "clicked" => State::Clicked,
        "gone" => State::Gone,
        "dead" => State::Dead {
            why: serde_json::from_value(reason()?)?,
        },
        "suppressed" => State::Suppressed {
            reason: serde_json::from_value(reason()?)?,
        },
        other => anyhow::bail!("a delivery is {other:?}"),
    };
    Ok(Delivery {
        state,
        tries: u32::try_from(row.integer(at + 2)?)?,
        expires_at: row.timestamp(at + 4)?,
        schedule,
    })
}

/// Adds deliveries; those that are there already stay.
pub(crate) async fn insert_many(
    tx: &Tx,
    message: &PushMessageId,
    new: &[NewDelivery],
    (expires_at, now): (Timestamp, Timestamp),
) -> anyhow::Result<()> {
    let mut rows = Vec::with_capacity(new.len());
    for delivery in new {
        let (state, reason, due_at) = columns(&delivery.state)?;
        let is_there = matches!(delivery.state, State::Delivered);
        let device = delivery.device.as_ref();
        rows.push(vec![
            tx.tenant().into(),
            (&delivery.id).into(),
            message.into(),
            (&delivery.person).into(),
            device.map_or("", SubscriptionId::as_str).into(),
            delivery.channel.as_str().into(),
            state.into(),
            reason.into(),
            delivery.tries.into(),
            due_at.into(),
            expires_at.into(),
            now.into(),
            is_there.then_some(now).into(),
            is_there.then_some(now).into(),
        ]);
    }
    tx.insert_many(INSERT_MANY, &rows).await
}

/// The next tenant with something on its way, and when the first of it is due.
pub(crate) async fn next_tenant(
    db: &impl Read,
    after: Option<&TenantId>,
) -> anyhow::Result<Option<(TenantId, Timestamp)>> {
    let row = db.row(NEXT_TENANT, &[after.into()]).await?;
    row.map(|row| Ok((row.id(0)?, row.timestamp(1)?)))
        .transpose()
}

/// What is due at a tenant's.
pub(crate) async fn due(tx: &Tx, (now, limit): (Timestamp, i64)) -> anyhow::Result<Vec<Due>> {
    let rows = tx
        .rows(DUE, &[tx.tenant().into(), now.into(), limit.into()])
        .await?;
    rows.iter().map(due_of).collect()
}

fn due_of(row: &Row) -> anyhow::Result<Due> {
    let channel = word(row.text(4)?, Channel::parse)?;
    let device = Some(row.text(3)?).filter(|text| !text.is_empty());
    let text = |at: usize| anyhow::Ok(row.optional_text(at)?.map(str::to_owned));
    let quiet = Quiet::read(row, 21)?
        .map(|quiet| anyhow::Ok((quiet, Zone::parse(row.text(24)?)?)))
        .transpose()?;
    let to = match row.optional_text(26)? {
        None => None,
        Some(state) => Some(To {
            state: word(state, DeviceState::parse)?,
            address: row.text(27)?.to_owned(),
            origin: row.text(28)?.to_owned(),
            p256dh: text(29)?,
            auth: text(30)?,
            secret_number: row.integer(31)?,
            previous_until: row.optional_timestamp(32)?,
        }),
    };
    let zone = row.optional_text(33)?.or(row.optional_text(35)?);
    let language = row.optional_text(34)?.unwrap_or(Tongue::Chinese.as_str());
    Ok(Due {
        id: row.id(0)?,
        message: row.id(1)?,
        person: row.id(2)?,
        device: device.map(SubscriptionId::parse).transpose()?,
        channel,
        delivery: state_of(row, 5, schedule(channel))?,
        content: content_of(row, 10, 11)?,
        personal: row.boolean(20)?,
        quiet,
        message_state: word(row.text(25)?, MessageState::parse)?,
        to,
        language: word(language, Tongue::parse)?,
        zone: zone.map(Zone::parse).transpose()?,
        minor: row.optional_integer(36)?.unwrap_or_default() == 1,
        own_quiet: Quiet::read(row, 37)?,
    })
}

/// Whether anything of a message is on its way.
pub(crate) async fn is_open(tx: &Tx, message: &PushMessageId) -> anyhow::Result<bool> {
    let row = tx.row(OPEN, &[tx.tenant().into(), message.into()]).await?;
    Ok(row.is_some())
}

/// What of a message waits is not sent any more.
pub(crate) async fn cancel(tx: &Tx, message: &PushMessageId) -> anyhow::Result<()> {
    tx.execute(CANCEL, &[tx.tenant().into(), message.into()])
        .await
}

/// What waits for a device that is no more goes nowhere.
pub(crate) async fn drop_device(tx: &Tx, device: &SubscriptionId) -> anyhow::Result<()> {
    tx.execute(DROP_DEVICE, &[tx.tenant().into(), device.into()])
        .await
}

/// When marketing of other messages was leased for somebody, since a moment.
pub(crate) async fn marketing(
    tx: &Tx,
    (person, message): (&ActorId, &PushMessageId),
    since: Timestamp,
) -> anyhow::Result<Vec<Timestamp>> {
    let parameters = [
        tx.tenant().into(),
        person.into(),
        message.into(),
        since.into(),
    ];
    let rows = tx.rows(MARKETING, &parameters).await?;
    rows.iter().map(|row| row.timestamp(0)).collect()
}

/// Marketing is leased for somebody.
pub(crate) async fn put_marketing(
    tx: &Tx,
    (person, message): (&ActorId, &PushMessageId),
    now: Timestamp,
) -> anyhow::Result<()> {
    let parameters: [Value; 4] = [
        tx.tenant().into(),
        person.into(),
        message.into(),
        now.into(),
    ];
    tx.execute(PUT_MARKETING, &parameters).await
}

/// Whether a delivery is to a device.
pub(crate) async fn is_to(tx: &Tx, id: &DeliveryId, device: &str) -> anyhow::Result<bool> {
    let row = tx
        .row(IS_TO, &[tx.tenant().into(), id.into(), device.into()])
        .await?;
    Ok(row.is_some())
}

/// A delivery is sent once more; whether it was over.
pub(crate) async fn replay(
    tx: &Tx,
    id: &DeliveryId,
    (now, expires_at): (Timestamp, Timestamp),
) -> anyhow::Result<bool> {
    let parameters = [tx.tenant().into(), id.into(), now.into(), expires_at.into()];
    Ok(tx.row(REPLAY, &parameters).await?.is_some())
}

/// Somebody did what a message was for; whether that is news.
pub(crate) async fn convert(
    tx: &Tx,
    (message, person): (&PushMessageId, &ActorId),
    now: Timestamp,
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        message.into(),
        person.into(),
        now.into(),
    ];
    let rows = tx.rows(CONVERT, &parameters).await?;
    Ok(!rows.is_empty())
}
