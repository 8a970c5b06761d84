//! Attempts to sign in that did not succeed. What they are counted by is a user name, `phone/` with the digest of a
//! number, or `device/` with a device's id: no user name holds a slash.

use kernel::Timestamp;
use store::Tx;

use crate::domain::ATTEMPTS_WINDOW_MS;

/// The most old failures one failed attempt sweeps.
const SWEEP_ROWS_MAX: i64 = 20;

const FAILURES: &str =
    "select failed_at from identity_failure where tenant = $1 and username = $2 and failed_at > $3
    order by failed_at desc limit 100";

const INSERT_FAILURE: &str =
    "insert into identity_failure (tenant, username, id, failed_at) values ($1, $2, $3, $4)";

const DELETE_FAILURES: &str = "delete from identity_failure where tenant = $1 and username = $2";

const SWEEP_FAILURES: &str = "delete from identity_failure where (tenant, username, id) in
        (select f.tenant, f.username, f.id from identity_failure f
         where f.tenant = $1 and f.failed_at <= $2 order by f.failed_at limit $3)";

/// When signing in as that subject failed within the window.
pub(crate) async fn failures(
    tx: &Tx,
    subject: &str,
    now: Timestamp,
) -> anyhow::Result<Vec<Timestamp>> {
    let since = now.plus_millis(-ATTEMPTS_WINDOW_MS);
    let rows = tx
        .rows(
            FAILURES,
            &[tx.tenant().into(), subject.into(), since.into()],
        )
        .await?;
    rows.iter().map(|row| row.timestamp(0)).collect()
}

/// Counts an attempt as failed, and sweeps some that no longer count.
pub(crate) async fn insert_failure(
    tx: &Tx,
    subject: &str,
    id: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    let stale_until = now.plus_millis(-ATTEMPTS_WINDOW_MS);
    tx.execute(
        SWEEP_FAILURES,
        &[
            tx.tenant().into(),
            stale_until.into(),
            SWEEP_ROWS_MAX.into(),
        ],
    )
    .await?;
    tx.execute(
        INSERT_FAILURE,
        &[tx.tenant().into(), subject.into(), id.into(), now.into()],
    )
    .await
}

/// Forgets the failures of a name whose password was right.
pub(crate) async fn delete_failures(tx: &Tx, subject: &str) -> anyhow::Result<()> {
    tx.execute(DELETE_FAILURES, &[tx.tenant().into(), subject.into()])
        .await
}
