//! How services do: their breakers, and when they last did not believe us.

use kernel::Timestamp;
use messaging::delivery::Breaker;
use store::Tx;

statements! {
    BREAKER = "select breaker from push_origin where tenant = $1 and origin = $2";

    PUT = "insert into push_origin (tenant, origin, breaker, alarmed_at) values ($1, $2, $3, null)
        on conflict (tenant, origin) do update set breaker = excluded.breaker";

    ALARM = "update push_origin set alarmed_at = $3
        where tenant = $1 and origin = $2 and (alarmed_at is null or alarmed_at <= $4)
        returning origin";
}

/// The breaker of an origin.
pub(crate) async fn breaker(tx: &Tx, origin: &str) -> anyhow::Result<Breaker> {
    let row = tx
        .row(BREAKER, &[tx.tenant().into(), origin.into()])
        .await?;
    match row {
        Some(row) => Ok(serde_json::from_str(row.text(0)?)?),
        None => Ok(Breaker::default()),
    }
}

/// The breaker of an origin from now on.
pub(crate) async fn put(tx: &Tx, origin: &str, breaker: Breaker) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        origin.into(),
        serde_json::to_string(&breaker)?.into(),
    ];
    tx.execute(PUT, &parameters).await
}

/// A service did not believe us; whether nobody was told since a moment.
pub(crate) async fn alarm(
    tx: &Tx,
    origin: &str,
    (now, since): (Timestamp, Timestamp),
) -> anyhow::Result<bool> {
    let parameters = [tx.tenant().into(), origin.into(), now.into(), since.into()];
    Ok(tx.row(ALARM, &parameters).await?.is_some())
}
