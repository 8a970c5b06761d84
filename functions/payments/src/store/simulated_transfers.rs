//! The simulated channel's own side of transfers.

use kernel::{TenantId, Timestamp};
use store::{Read, Tx};

statements! {
    SIMULATED_TRANSFER = "select bill, payee, amount, remark, state, made_at, changed_at
        from payments_simulated_transfer where tenant = $1 and number = $2";

    INSERT_SIMULATED_TRANSFER = "insert into payments_simulated_transfer
            (tenant, number, bill, payee, amount, remark, state, made_at, changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        on conflict (tenant, number) do nothing";

    END_SIMULATED_TRANSFER = "update payments_simulated_transfer set state = $3, changed_at = $4
        where tenant = $1 and number = $2 and state in ('PROCESSING', 'WAIT_USER_CONFIRM')
        returning number";
}

/// A transfer as the channel has it.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) number: String,
    pub(crate) bill: String,
    pub(crate) payee: String,
    pub(crate) amount: i64,
    pub(crate) remark: String,
    pub(crate) state: String,
    pub(crate) made_at: Timestamp,
    pub(crate) changed_at: Timestamp,
}

/// The transfer of that number.
pub(crate) async fn sent(
    db: &impl Read,
    tenant: &TenantId,
    number: &str,
) -> anyhow::Result<Option<Sent>> {
    let parameters = [tenant.into(), number.into()];
    let Some(row) = db.row(SIMULATED_TRANSFER, &parameters).await? else {
        return Ok(None);
    };
    Ok(Some(Sent {
        number: number.to_owned(),
        bill: row.text(0)?.to_owned(),
        payee: row.text(1)?.to_owned(),
        amount: row.integer(2)?,
        remark: row.text(3)?.to_owned(),
        state: row.text(4)?.to_owned(),
        made_at: row.timestamp(5)?,
        changed_at: row.timestamp(6)?,
    }))
}

/// Takes up a transfer; under the same number again nothing happens.
pub(crate) async fn insert(tx: &Tx, sent: &Sent) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&sent.number).into(),
        (&sent.bill).into(),
        (&sent.payee).into(),
        sent.amount.into(),
        (&sent.remark).into(),
        (&sent.state).into(),
        sent.made_at.into(),
    ];
    tx.execute(INSERT_SIMULATED_TRANSFER, &parameters).await
}

/// Ends a transfer that is on its way; whether it was.
pub(crate) async fn end(
    tx: &Tx,
    number: &str,
    (state, now): (&str, Timestamp),
) -> anyhow::Result<bool> {
    let parameters = [tx.tenant().into(), number.into(), state.into(), now.into()];
    Ok(tx.row(END_SIMULATED_TRANSFER, &parameters).await?.is_some())
}
