//! The other side of the simulated channel of transfers. It knows numbers and accounts, nothing of merchants.

use store::{Read, Row, Tx};

statements! {
    INSERT = "insert into settlement_simulated_transfer (number, tenant, amount_minor, account, state, reference, at)
        values ($2, $1, $3, $4, $5, $6, $7) on conflict (number) do nothing";

    TRANSFER = "select amount_minor, account, state, reference from settlement_simulated_transfer where number = $1";

    UPDATE = "update settlement_simulated_transfer set state = $2 where number = $1";
}

/// A transfer as the channel has it.
#[derive(Debug, Clone)]
pub(crate) struct Transfer {
    pub(crate) amount_minor: i64,
    pub(crate) account: String,
    pub(crate) state: String,
    pub(crate) reference: String,
}

/// Takes up a transfer; under the same number again nothing happens.
pub(crate) async fn insert(
    tx: &Tx,
    number: &str,
    (transfer, now): (&Transfer, kernel::Timestamp),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        number.into(),
        transfer.amount_minor.into(),
        (&transfer.account).into(),
        (&transfer.state).into(),
        (&transfer.reference).into(),
        now.into(),
    ];
    tx.execute(INSERT, &parameters).await
}

/// The transfer of that number.
pub(crate) async fn transfer(db: &impl Read, number: &str) -> anyhow::Result<Option<Transfer>> {
    let row = db.row(TRANSFER, &[number.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The transfer stands like this from now on.
pub(crate) async fn update(tx: &Tx, number: &str, state: &str) -> anyhow::Result<()> {
    tx.execute(UPDATE, &[number.into(), state.into()]).await
}

fn read(row: &Row) -> anyhow::Result<Transfer> {
    Ok(Transfer {
        amount_minor: row.integer(0)?,
        account: row.text(1)?.to_owned(),
        state: row.text(2)?.to_owned(),
        reference: row.text(3)?.to_owned(),
    })
}
