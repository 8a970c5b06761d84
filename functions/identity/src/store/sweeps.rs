//! What is forgotten when its time is over. Nothing is decided on what is read here, so no tenant is locked.

use kernel::Timestamp;
use store::Batch;

/// The most rows of one kind that one sweep removes; the next tick goes on.
const SWEEP_ROWS_MAX: i64 = 500;

const SWEEP_CODES: &str = "delete from identity_code where (tenant, phone_digest, purpose) in
        (select c.tenant, c.phone_digest, c.purpose from identity_code c
         where c.expires_at <= $1 order by c.expires_at limit $2)";

const SWEEP_SENDINGS: &str = "delete from identity_sending where (tenant, phone_digest, id) in
        (select s.tenant, s.phone_digest, s.id from identity_sending s
         where s.sent_at <= $1 order by s.sent_at limit $2)";

const SWEEP_INBOX: &str = "delete from identity_inbox where id in
        (select i.id from identity_inbox i where i.sent_at <= $1 order by i.sent_at limit $2)";

const SWEEP_REFRESH: &str = "delete from identity_refresh where (tenant, session) in
        (select s.tenant, s.id from identity_session s
         where s.expires_at <= $1 order by s.expires_at, s.tenant, s.id limit $2)";

const SWEEP_SESSIONS: &str = "delete from identity_session where (tenant, id) in
        (select s.tenant, s.id from identity_session s
         where s.expires_at <= $1 and not exists
            (select 1 from identity_refresh r where r.tenant = s.tenant and r.session = s.id)
         order by s.expires_at, s.tenant, s.id limit $2)";

const SWEEP_KEYS: &str = "delete from identity_application_key where id in
        (select k.id from identity_application_key k where k.expires_at <= $1 order by k.expires_at limit $2)";

/// Forgets codes that hold no longer, and messages and sendings from before `since`.
pub(crate) async fn sweep_codes(
    batch: &Batch,
    now: Timestamp,
    since: Timestamp,
) -> anyhow::Result<()> {
    let codes = [now.into(), SWEEP_ROWS_MAX.into()];
    batch.execute(SWEEP_CODES, &codes).await?;
    let old = [since.into(), SWEEP_ROWS_MAX.into()];
    batch.execute(SWEEP_SENDINGS, &old).await?;
    batch.execute(SWEEP_INBOX, &old).await
}

/// Forgets sessions that were over before `since`, and keys that ended before it.
pub(crate) async fn sweep_sessions(batch: &Batch, since: Timestamp) -> anyhow::Result<()> {
    let old = [since.into(), SWEEP_ROWS_MAX.into()];
    batch.execute(SWEEP_REFRESH, &old).await?;
    batch.execute(SWEEP_SESSIONS, &old).await?;
    batch.execute(SWEEP_KEYS, &old).await
}
