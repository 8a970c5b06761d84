//! What holds for all pushes of a tenant, and its communities.

use kernel::{ActorId, CommunityId, TenantId, Timestamp, Zone};
use store::{Read, Tx};

use crate::domain::Terms;

statements! {
    TERMS = "select time_zone, window_from, window_until, per_day, per_week, price_minor, calls_per_minute,
            messages_per_day, version
        from push_terms where tenant = $1";

    PUT_TERMS = "insert into push_terms (tenant, time_zone, window_from, window_until, per_day, per_week, price_minor,
            calls_per_minute, messages_per_day, version, changed_by, changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        on conflict (tenant) do update set time_zone = excluded.time_zone, window_from = excluded.window_from,
            window_until = excluded.window_until, per_day = excluded.per_day, per_week = excluded.per_week,
            price_minor = excluded.price_minor, calls_per_minute = excluded.calls_per_minute,
            messages_per_day = excluded.messages_per_day, version = excluded.version,
            changed_by = excluded.changed_by, changed_at = excluded.changed_at";

    PUT_COMMUNITY = "insert into push_community (tenant, id, name, time_zone) values ($1, $2, $3, $4)
        on conflict (tenant, id) do update set name = excluded.name, time_zone = excluded.time_zone";

    COMMUNITY_NAME = "select name from push_community where tenant = $1 and id = $2";

    ANY_COMMUNITY = "select id from push_community where tenant = $1 order by id limit 1";
}

/// The terms and their version; 0 when nobody has set any.
pub(crate) async fn terms(db: &impl Read, tenant: &TenantId) -> anyhow::Result<(Terms, i64)> {
    let Some(row) = db.row(TERMS, &[tenant.into()]).await? else {
        return Ok((Terms::default(), 0));
    };
    let terms = Terms {
        zone: Zone::try_from(row.text(0)?.to_owned())?,
        window_from: row.text(1)?.to_owned(),
        window_until: row.text(2)?.to_owned(),
        per_day: u32::try_from(row.integer(3)?)?,
        per_week: u32::try_from(row.integer(4)?)?,
        price_minor: row.integer(5)?,
        calls_per_minute: row.integer(6)?,
        messages_per_day: row.integer(7)?,
    };
    Ok((terms, row.integer(8)?))
}

/// Puts terms in the place of those before.
pub(crate) async fn put_terms(
    tx: &Tx,
    (terms, version): (&Terms, i64),
    (actor, now): (&ActorId, Timestamp),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        terms.zone.as_str().into(),
        (&terms.window_from).into(),
        (&terms.window_until).into(),
        terms.per_day.into(),
        terms.per_week.into(),
        terms.price_minor.into(),
        terms.calls_per_minute.into(),
        terms.messages_per_day.into(),
        version.into(),
        actor.into(),
        now.into(),
    ];
    tx.execute(PUT_TERMS, &parameters).await
}

/// A community has this name and zone.
pub(crate) async fn put_community(
    tx: &Tx,
    community: &CommunityId,
    (name, zone): (&str, &str),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        community.into(),
        name.into(),
        zone.into(),
    ];
    tx.execute(PUT_COMMUNITY, &parameters).await
}

/// What people call a community.
pub(crate) async fn community_name(
    tx: &Tx,
    community: &CommunityId,
) -> anyhow::Result<Option<String>> {
    let row = tx
        .row(COMMUNITY_NAME, &[tx.tenant().into(), community.into()])
        .await?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

/// A community in which something can be paid.
pub(crate) async fn any_community(tx: &Tx) -> anyhow::Result<Option<CommunityId>> {
    let row = tx.row(ANY_COMMUNITY, &[tx.tenant().into()]).await?;
    row.map(|row| row.id(0)).transpose()
}
