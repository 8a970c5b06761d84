//! The funnel: what became of a message, on each channel, and what people took back because of it.

use kernel::{ActorId, DeliveryId, PushMessageId, TenantId, Timestamp};
use store::{Read, Tx};
use web::Page;

statements! {
    FUNNEL = "select channel, state, coalesce(reason, ''), count(*),
            coalesce(sum(case when sent_at is not null then 1 else 0 end), 0),
            coalesce(sum(case when delivered_at is not null then 1 else 0 end), 0),
            coalesce(sum(case when displayed_at is not null then 1 else 0 end), 0),
            coalesce(sum(case when clicked_at is not null then 1 else 0 end), 0),
            coalesce(sum(case when converted_at is not null then 1 else 0 end), 0)
        from push_delivery where tenant = $1 and message = $2
        group by channel, state, coalesce(reason, '')
        order by channel, state, coalesce(reason, '')";

    DELIVERIES = "select id, person, device, channel, state, reason, tries, due_at, expires_at, leased_at, sent_at,
            delivered_at, displayed_at, clicked_at, converted_at, read_at
        from push_delivery
        where tenant = $1 and message = $2 and (cast($3 as text) is null or id > $3)
            and (cast($4 as text) is null or state = $4)
        order by id limit $5";

    DELIVERIES_OF_DEVICE = "select id, person, device, channel, state, reason, tries, due_at, expires_at, leased_at,
            sent_at, delivered_at, displayed_at, clicked_at, converted_at, read_at
        from push_delivery
        where tenant = $1 and person = $2 and device = $3 and (cast($4 as text) is null or id < $4)
        order by id desc limit $5";

    STOPPED = "select count(*) from push_consent
        where tenant = $1 and purpose = 'marketing' and given = 0 and via = 'stop_link' and at >= $2 and at < $3";

    SUMS = "select m.purpose, count(distinct d.message), count(*),
            coalesce(sum(case when d.sent_at is not null then 1 else 0 end), 0),
            coalesce(sum(case when d.delivered_at is not null then 1 else 0 end), 0),
            coalesce(sum(case when d.displayed_at is not null then 1 else 0 end), 0),
            coalesce(sum(case when d.clicked_at is not null then 1 else 0 end), 0),
            coalesce(sum(case when d.converted_at is not null then 1 else 0 end), 0),
            count(distinct case when d.displayed_at is not null then d.person end),
            count(distinct d.person)
        from push_message m join push_delivery d on d.tenant = m.tenant and d.message = m.id
        where m.tenant = $1 and m.due_at >= $2 and m.due_at < $3
        group by m.purpose order by m.purpose";
}

/// Deliveries of one channel, state and reason.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub(crate) struct Part {
    pub(crate) channel: String,
    pub(crate) state: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
    pub(crate) deliveries: i64,
    pub(crate) sent: i64,
    pub(crate) delivered: i64,
    pub(crate) displayed: i64,
    pub(crate) clicked: i64,
    pub(crate) converted: i64,
}

/// What became of a message.
pub(crate) async fn funnel(
    db: &impl Read,
    tenant: &TenantId,
    message: &PushMessageId,
) -> anyhow::Result<Vec<Part>> {
    let rows = db.rows(FUNNEL, &[tenant.into(), message.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Part {
                channel: row.text(0)?.to_owned(),
                state: row.text(1)?.to_owned(),
                reason: row.text(2)?.to_owned(),
                deliveries: row.integer(3)?,
                sent: row.integer(4)?,
                delivered: row.integer(5)?,
                displayed: row.integer(6)?,
                clicked: row.integer(7)?,
                converted: row.integer(8)?,
            })
        })
        .collect()
}

/// As [`funnel`], in a transaction.
pub(crate) async fn funnel_of(tx: &Tx, message: &PushMessageId) -> anyhow::Result<Vec<Part>> {
    funnel(tx, tx.tenant(), message).await
}

/// A delivery as it is shown.
#[derive(serde::Serialize)]
pub(crate) struct Record {
    pub(crate) id: DeliveryId,
    person: ActorId,
    device: Option<String>,
    channel: String,
    state: String,
    reason: Option<String>,
    tries: i64,
    due_at: Option<Timestamp>,
    expires_at: Timestamp,
    leased_at: Option<Timestamp>,
    sent_at: Option<Timestamp>,
    delivered_at: Option<Timestamp>,
    displayed_at: Option<Timestamp>,
    clicked_at: Option<Timestamp>,
    converted_at: Option<Timestamp>,
    read_at: Option<Timestamp>,
}

fn record(row: &store::Row) -> anyhow::Result<Record> {
    let text = |at: usize| anyhow::Ok(row.optional_text(at)?.map(str::to_owned));
    Ok(Record {
        id: row.id(0)?,
        person: row.id(1)?,
        device: text(2)?.filter(|text| !text.is_empty()),
        channel: row.text(3)?.to_owned(),
        state: row.text(4)?.to_owned(),
        reason: text(5)?,
        tries: row.integer(6)?,
        due_at: row.optional_timestamp(7)?,
        expires_at: row.timestamp(8)?,
        leased_at: row.optional_timestamp(9)?,
        sent_at: row.optional_timestamp(10)?,
        delivered_at: row.optional_timestamp(11)?,
        displayed_at: row.optional_timestamp(12)?,
        clicked_at: row.optional_timestamp(13)?,
        converted_at: row.optional_timestamp(14)?,
        read_at: row.optional_timestamp(15)?,
    })
}

/// The deliveries of a message, all or those of one state.
pub(crate) async fn deliveries(
    db: &impl Read,
    (tenant, message): (&TenantId, &PushMessageId),
    state: Option<&str>,
    page: &Page<DeliveryId>,
) -> anyhow::Result<Vec<Record>> {
    let parameters = [
        tenant.into(),
        message.into(),
        page.after.as_ref().into(),
        state.into(),
        page.rows().into(),
    ];
    let rows = db.rows(DELIVERIES, &parameters).await?;
    rows.iter().map(record).collect()
}

/// The deliveries to a device, the latest first.
pub(crate) async fn of_device(
    db: &impl Read,
    (tenant, person): (&TenantId, &ActorId),
    device: &str,
    page: &Page<DeliveryId>,
) -> anyhow::Result<Vec<Record>> {
    let parameters = [
        tenant.into(),
        person.into(),
        device.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(DELIVERIES_OF_DEVICE, &parameters).await?;
    rows.iter().map(record).collect()
}

/// How many stopped advertising by a link in a time.
pub(crate) async fn stopped(
    db: &impl Read,
    tenant: &TenantId,
    (from, until): (Timestamp, Timestamp),
) -> anyhow::Result<i64> {
    let row = db
        .row(STOPPED, &[tenant.into(), from.into(), until.into()])
        .await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// What was told for one purpose in a time.
#[derive(serde::Serialize)]
pub(crate) struct Sums {
    purpose: String,
    messages: i64,
    deliveries: i64,
    sent: i64,
    delivered: i64,
    displayed: i64,
    clicked: i64,
    converted: i64,
    /// People who saw one at least, and people who were meant.
    people_reached: i64,
    people: i64,
    /// The first of the second, in 1/100.
    reach_percent: i64,
}

/// What was told in a time, by purpose.
pub(crate) async fn sums(
    db: &impl Read,
    tenant: &TenantId,
    (from, until): (Timestamp, Timestamp),
) -> anyhow::Result<Vec<Sums>> {
    let rows = db
        .rows(SUMS, &[tenant.into(), from.into(), until.into()])
        .await?;
    rows.iter()
        .map(|row| {
            let (reached, people) = (row.integer(8)?, row.integer(9)?);
            Ok(Sums {
                purpose: row.text(0)?.to_owned(),
                messages: row.integer(1)?,
                deliveries: row.integer(2)?,
                sent: row.integer(3)?,
                delivered: row.integer(4)?,
                displayed: row.integer(5)?,
                clicked: row.integer(6)?,
                converted: row.integer(7)?,
                people_reached: reached,
                people,
                reach_percent: (reached * 100).checked_div(people).unwrap_or_default(),
            })
        })
        .collect()
}
