//! On which ways people are reached: browsers, apps, topics, services.

use kernel::{ActorId, SubscriptionId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

use super::word;
use crate::domain::{Channel, DeviceState};

statements! {
    INSERT = "insert into push_subscription (tenant, id, person, channel, address, origin, p256dh, auth, alias, time_zone,
            state, secret_number, previous_until, created_at, changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'active', $11, null, $12, $12)";

    DEVICE = "select id, person, channel, address, origin, p256dh, auth, alias, time_zone, state, secret_number,
            previous_until, created_at
        from push_subscription where tenant = $1 and id = $2";

    BY_ADDRESS = "select id, person, channel, address, origin, p256dh, auth, alias, time_zone, state, secret_number,
            previous_until, created_at
        from push_subscription where tenant = $1 and channel = $2 and address = $3 and state = 'active'";

    OF_PERSON = "select id, person, channel, address, origin, p256dh, auth, alias, time_zone, state, secret_number,
            previous_until, created_at
        from push_subscription
        where tenant = $1 and person = $2 and (cast($3 as text) is null or id > $3)
            and (channel = 'webhook') = (cast($5 as bigint) = 1)
        order by id limit $4";

    COUNT = "select count(*) from push_subscription
        where tenant = $1 and person = $2 and state = 'active' and channel <> 'webhook'";

    RENEW = "update push_subscription set p256dh = cast($3 as text), auth = cast($4 as text), alias = cast($5 as text),
            time_zone = cast($6 as text), changed_at = $7
        where tenant = $1 and id = $2";

    END = "update push_subscription set state = $3, changed_at = $4 where tenant = $1 and id = $2 and state = 'active'
        returning person";

    START = "update push_subscription set state = 'active', changed_at = $3 where tenant = $1 and id = $2";

    ROTATE = "update push_subscription set secret_number = secret_number + 1, previous_until = $3, changed_at = $4
        where tenant = $1 and id = $2";

    MOVE = "update push_subscription set address = $3, origin = $4, changed_at = $5 where tenant = $1 and id = $2";
}

/// A way.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) id: SubscriptionId,
    pub(crate) person: ActorId,
    pub(crate) channel: Channel,
    /// The address, the topic, or the registration at the service.
    pub(crate) address: String,
    /// Whose breaker it shares; empty where nothing is called.
    pub(crate) origin: String,
    pub(crate) p256dh: Option<String>,
    pub(crate) auth: Option<String>,
    pub(crate) alias: Option<String>,
    pub(crate) time_zone: Option<String>,
    pub(crate) state: DeviceState,
    /// Of a webhook: which secret signs.
    pub(crate) secret_number: i64,
    /// And until when the one before does, too.
    pub(crate) previous_until: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
}

fn device_of(row: &Row) -> anyhow::Result<Device> {
    let text = |at: usize| anyhow::Ok(row.optional_text(at)?.map(str::to_owned));
    Ok(Device {
        id: row.id(0)?,
        person: row.id(1)?,
        channel: word(row.text(2)?, Channel::parse)?,
        address: row.text(3)?.to_owned(),
        origin: row.text(4)?.to_owned(),
        p256dh: text(5)?,
        auth: text(6)?,
        alias: text(7)?,
        time_zone: text(8)?,
        state: word(row.text(9)?, DeviceState::parse)?,
        secret_number: row.integer(10)?,
        previous_until: row.optional_timestamp(11)?,
        created_at: row.timestamp(12)?,
    })
}

/// Adds a way.
pub(crate) async fn insert(tx: &Tx, device: &Device) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&device.id).into(),
        (&device.person).into(),
        device.channel.as_str().into(),
        (&device.address).into(),
        (&device.origin).into(),
        device.p256dh.as_ref().into(),
        device.auth.as_ref().into(),
        device.alias.as_ref().into(),
        device.time_zone.as_ref().into(),
        device.secret_number.into(),
        device.created_at.into(),
    ];
    tx.execute(INSERT, &parameters).await
}

/// The way of that id.
pub(crate) async fn device(
    db: &impl Read,
    tenant: &TenantId,
    id: &SubscriptionId,
) -> anyhow::Result<Option<Device>> {
    let row = db.row(DEVICE, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(device_of).transpose()
}

/// The active way of that address.
pub(crate) async fn by_address(
    tx: &Tx,
    channel: Channel,
    address: &str,
) -> anyhow::Result<Option<Device>> {
    let parameters = [tx.tenant().into(), channel.as_str().into(), address.into()];
    let row = tx.row(BY_ADDRESS, &parameters).await?;
    row.as_ref().map(device_of).transpose()
}

/// Somebody's ways: webhooks, or all others.
pub(crate) async fn of_person(
    db: &impl Read,
    (tenant, person): (&TenantId, &ActorId),
    webhooks: bool,
    page: &Page<SubscriptionId>,
) -> anyhow::Result<Vec<Device>> {
    let parameters = [
        tenant.into(),
        person.into(),
        page.after.as_ref().into(),
        page.rows().into(),
        webhooks.into(),
    ];
    let rows = db.rows(OF_PERSON, &parameters).await?;
    rows.iter().map(device_of).collect()
}

/// On how many ways somebody is reached, without webhooks.
pub(crate) async fn count(tx: &Tx, person: &ActorId) -> anyhow::Result<i64> {
    let row = tx.row(COUNT, &[tx.tenant().into(), person.into()]).await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// A way that is registered again has these keys and names.
pub(crate) async fn renew(tx: &Tx, device: &Device, now: Timestamp) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&device.id).into(),
        device.p256dh.as_ref().into(),
        device.auth.as_ref().into(),
        device.alias.as_ref().into(),
        device.time_zone.as_ref().into(),
        now.into(),
    ];
    tx.execute(RENEW, &parameters).await
}

/// A way is no more; whose it was, if it was.
pub(crate) async fn end(
    tx: &Tx,
    id: &SubscriptionId,
    (state, now): (DeviceState, Timestamp),
) -> anyhow::Result<Option<ActorId>> {
    let parameters = [
        tx.tenant().into(),
        id.into(),
        state.as_str().into(),
        now.into(),
    ];
    let row = tx.row(END, &parameters).await?;
    row.map(|row| row.id(0)).transpose()
}

/// A webhook that was disabled is told again.
pub(crate) async fn start(tx: &Tx, id: &SubscriptionId, now: Timestamp) -> anyhow::Result<()> {
    tx.execute(START, &[tx.tenant().into(), id.into(), now.into()])
        .await
}

/// A webhook has another secret; the one before signs until then.
pub(crate) async fn rotate(
    tx: &Tx,
    id: &SubscriptionId,
    (previous_until, now): (Timestamp, Timestamp),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        id.into(),
        previous_until.into(),
        now.into(),
    ];
    tx.execute(ROTATE, &parameters).await
}

/// A webhook is at another address.
pub(crate) async fn relocate(
    tx: &Tx,
    id: &SubscriptionId,
    (address, origin): (&str, &str),
    now: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        id.into(),
        address.into(),
        origin.into(),
        now.into(),
    ];
    tx.execute(MOVE, &parameters).await
}
