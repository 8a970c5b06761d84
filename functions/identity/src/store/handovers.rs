//! Accounts whose first password is still to be sent.

use kernel::{ActorId, TenantId, Timestamp};
use store::{Read, Tx};

const INSERT_HANDOVER: &str =
    "insert into identity_handover (tenant, person, through, asked_by, due_at)
    values ($1, $2, $3, $4, $5)
    on conflict (tenant, person) do nothing";

const DUE_HANDOVERS: &str = "select tenant, person, through, asked_by from identity_handover
    where due_at <= $1 order by due_at limit $2";

const POSTPONE_HANDOVER: &str =
    "update identity_handover set due_at = $4 where tenant = $1 and person = $2 and due_at <= $3
    returning person";

const DELETE_HANDOVER: &str = "delete from identity_handover where tenant = $1 and person = $2";

/// An account whose first password is to be sent.
pub(crate) struct Handover {
    /// Whose account.
    pub person: ActorId,
    /// The account that is reached at the number.
    pub through: ActorId,
    /// Who asked for the account.
    pub asked_by: ActorId,
}

/// Adds a handover, due at that moment.
pub(crate) async fn insert_handover(
    tx: &Tx,
    handover: &Handover,
    due_at: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&handover.person).into(),
        (&handover.through).into(),
        (&handover.asked_by).into(),
        due_at.into(),
    ];
    tx.execute(INSERT_HANDOVER, &parameters).await
}

/// The handovers of all tenants that are due.
pub(crate) async fn due_handovers(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, Handover)>> {
    let rows = db.rows(DUE_HANDOVERS, &[now.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| {
            let handover = Handover {
                person: row.id(1)?,
                through: row.id(2)?,
                asked_by: row.id(3)?,
            };
            Ok((row.id(0)?, handover))
        })
        .collect()
}

/// Puts a handover that is due off to a later moment; whether it was still due.
pub(crate) async fn postpone_handover(
    tx: &Tx,
    person: &ActorId,
    (now, retry_at): (Timestamp, Timestamp),
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        person.into(),
        now.into(),
        retry_at.into(),
    ];
    Ok(tx.row(POSTPONE_HANDOVER, &parameters).await?.is_some())
}

/// The password was sent, or is to be sent no more.
pub(crate) async fn delete_handover(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    tx.execute(DELETE_HANDOVER, &[tx.tenant().into(), person.into()])
        .await
}
