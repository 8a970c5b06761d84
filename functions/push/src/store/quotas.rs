//! How much a caller has used of what it may in a minute and in a day.

use kernel::Timestamp;
use store::Tx;

statements! {
    USE_ONE = "insert into push_quota (tenant, caller, kind, starts_at, used) values ($1, $2, $3, $4, 1)
        on conflict (tenant, caller, kind) do update set
            used = case when push_quota.starts_at = excluded.starts_at then push_quota.used + 1 else 1 end,
            starts_at = excluded.starts_at
        returning used";
}

/// Uses one more; how many were used by then.
pub(crate) async fn use_one(
    tx: &Tx,
    (caller, kind): (&str, &str),
    starts_at: Timestamp,
) -> anyhow::Result<i64> {
    let parameters = [
        tx.tenant().into(),
        caller.into(),
        kind.into(),
        starts_at.into(),
    ];
    let row = tx.row(USE_ONE, &parameters).await?;
    row.ok_or_else(|| anyhow::anyhow!("the quota answered nothing"))?
        .integer(0)
}
