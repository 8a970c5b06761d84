//! Troubles that people were told of lately: the same one is told again only after a while.

use kernel::{ActorId, Timestamp};
use store::{Batch, Tx};

/// For how long the same trouble is not told again, in milliseconds.
const SAME_MS: i64 = 10 * 60 * 1_000;
/// For how long it is known that it was told, in milliseconds: what is heard late is measured against it, too.
const KNOWN_MS: i64 = 24 * 60 * 60 * 1_000;

statements! {
    TELL = "insert into push_trouble (tenant, person, subject, told_at) values ($1, $2, $3, $4)
        on conflict (tenant, person, subject) do update set told_at = excluded.told_at
            where push_trouble.told_at <= $5
        returning told_at";

    FORGET = "delete from push_trouble where (tenant, person, subject) in
            (select t.tenant, t.person, t.subject from push_trouble t where t.told_at <= $1 order by t.told_at limit $2)
        returning person";
}

/// Notes that a person is told of a trouble now; false when that was done less than [`SAME_MS`] ago.
pub(crate) async fn tell(
    tx: &Tx,
    person: &ActorId,
    subject: &str,
    at: Timestamp,
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        person.into(),
        subject.into(),
        at.into(),
        at.plus_millis(-SAME_MS).into(),
    ];
    Ok(tx.row(TELL, &parameters).await?.is_some())
}

/// Forgets troubles that were told a day ago; how many.
pub(crate) async fn forget(batch: &mut Batch, now: Timestamp, limit: i64) -> anyhow::Result<usize> {
    let parameters = [now.plus_millis(-KNOWN_MS).into(), limit.into()];
    Ok(batch.rows(FORGET, &parameters).await?.len())
}
