//! What is done to everything that is held of one person: whom they act for. Viewers are held by digests of a day only.

use kernel::ActorId;
use store::Tx;

statements! {
    JOIN_MEMBERS = "insert into bidding_member (tenant, merchant, person)
        select tenant, merchant, cast($3 as text) from bidding_member where tenant = $1 and person = $2
        on conflict (tenant, merchant, person) do nothing";

    LEAVE_MEMBERS = "delete from bidding_member where tenant = $1 and person = $2";
}

/// One person was known by two ids.
pub(crate) async fn alias(tx: &Tx, alias: &ActorId, person: &ActorId) -> anyhow::Result<()> {
    let three = [tx.tenant().into(), alias.into(), person.into()];
    tx.execute(JOIN_MEMBERS, &three).await?;
    erase(tx, alias).await
}

/// Forgets a person.
pub(crate) async fn erase(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    tx.execute(LEAVE_MEMBERS, &[tx.tenant().into(), person.into()])
        .await
}
