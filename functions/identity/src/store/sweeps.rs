//! What is forgotten when its time is over. Nothing is decided on what is read here, so no tenant is locked.

use kernel::Timestamp;
use store::Batch;

/// The most rows of one kind that one sweep removes; the next tick goes on.
pub(crate) const SWEEP_ROWS_MAX: usize = 500;

const SWEEP_CODES: &str = "delete from identity_code where (tenant, phone_digest, purpose) in
        (select c.tenant, c.phone_digest, c.purpose from identity_code c
         where c.expires_at <= $1 order by c.expires_at limit $2) returning id";

const SWEEP_SENDINGS: &str = "delete from identity_sending where (tenant, phone_digest, id) in
        (select s.tenant, s.phone_digest, s.id from identity_sending s
         where s.sent_at <= $1 order by s.sent_at limit $2) returning id";

const SWEEP_INBOX: &str = "delete from identity_inbox where id in
        (select i.id from identity_inbox i where i.sent_at <= $1 order by i.sent_at limit $2)
        returning id";

const SWEEP_REFRESH: &str = "delete from identity_refresh where (tenant, session) in
        (select s.tenant, s.id from identity_session s
         where s.expires_at <= $1 order by s.expires_at, s.tenant, s.id limit $2) returning session";

const SWEEP_SESSIONS: &str = "delete from identity_session where (tenant, id) in
        (select s.tenant, s.id from identity_session s
         where s.expires_at <= $1 and not exists
            (select 1 from identity_refresh r where r.tenant = s.tenant and r.session = s.id)
         order by s.expires_at, s.tenant, s.id limit $2) returning id";

const SWEEP_KEYS: &str = "delete from identity_application_key where id in
        (select k.id from identity_application_key k where k.expires_at <= $1 order by k.expires_at limit $2)
        returning id";

/// Forgets codes that hold no longer, and sendings and messages from before `since`; how many of each.
pub(crate) async fn sweep_codes(
    batch: &Batch,
    now: Timestamp,
    since: Timestamp,
) -> anyhow::Result<[usize; 3]> {
    Ok([
        sweep(batch, SWEEP_CODES, now).await?,
        sweep(batch, SWEEP_SENDINGS, since).await?,
        sweep(batch, SWEEP_INBOX, since).await?,
    ])
}

/// Forgets sessions that were over before `since`, first their refresh tokens, and keys that ended before it; how many
/// of each.
pub(crate) async fn sweep_sessions(batch: &Batch, since: Timestamp) -> anyhow::Result<[usize; 3]> {
    Ok([
        sweep(batch, SWEEP_REFRESH, since).await?,
        sweep(batch, SWEEP_SESSIONS, since).await?,
        sweep(batch, SWEEP_KEYS, since).await?,
    ])
}

async fn sweep(batch: &Batch, statement: &str, until: Timestamp) -> anyhow::Result<usize> {
    let limit = i64::try_from(SWEEP_ROWS_MAX)?;
    let removed = batch.rows(statement, &[until.into(), limit.into()]).await?;
    Ok(removed.len())
}
