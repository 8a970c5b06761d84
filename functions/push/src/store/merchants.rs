//! Merchants, and whose accounts act for them.

use kernel::{ActorId, MerchantId, TenantId};
use store::{Read, Tx};
use wire::event::MerchantChanged;

statements! {
    PUT_MERCHANT = "insert into push_merchant (tenant, id, name, open, version) values ($1, $2, $3, $4, $5)
        on conflict (tenant, id) do update set name = excluded.name, open = excluded.open, version = excluded.version
        where push_merchant.version < excluded.version
        returning id";

    CLEAR_MEMBERS = "delete from push_member where tenant = $1 and merchant = $2";

    PUT_MEMBER = "insert into push_member (tenant, merchant, person) values ($1, $2, $3)
        on conflict (tenant, merchant, person) do nothing";

    MEMBERS = "select person from push_member where tenant = $1 and merchant = $2 order by person limit 500";

    IS_MEMBER = "select person from push_member where tenant = $1 and merchant = $2 and person = $3";

    MERCHANT = "select name, open from push_merchant where tenant = $1 and id = $2";
}

/// What a merchant says of itself from now on.
pub(crate) async fn put(tx: &Tx, event: &MerchantChanged) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&event.merchant).into(),
        (&event.name).into(),
        event.open.into(),
        event.version.into(),
    ];
    if tx.row(PUT_MERCHANT, &parameters).await?.is_none() {
        return Ok(());
    }
    let merchant = [tx.tenant().into(), (&event.merchant).into()];
    tx.execute(CLEAR_MEMBERS, &merchant).await?;
    for member in &event.members {
        let parameters = [tx.tenant().into(), (&event.merchant).into(), member.into()];
        tx.execute(PUT_MEMBER, &parameters).await?;
    }
    Ok(())
}

/// Whose accounts act for a merchant.
pub(crate) async fn members(tx: &Tx, merchant: &MerchantId) -> anyhow::Result<Vec<ActorId>> {
    let rows = tx
        .rows(MEMBERS, &[tx.tenant().into(), merchant.into()])
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Whether a person acts for a merchant.
pub(crate) async fn is_member(
    db: &impl Read,
    tenant: &TenantId,
    (merchant, person): (&MerchantId, &ActorId),
) -> anyhow::Result<bool> {
    let row = db
        .row(IS_MEMBER, &[tenant.into(), merchant.into(), person.into()])
        .await?;
    Ok(row.is_some())
}

/// What buyers call a merchant, and whether it is open.
pub(crate) async fn merchant(
    db: &impl Read,
    tenant: &TenantId,
    id: &MerchantId,
) -> anyhow::Result<Option<(String, bool)>> {
    let row = db.row(MERCHANT, &[tenant.into(), id.into()]).await?;
    row.map(|row| Ok((row.text(0)?.to_owned(), row.boolean(1)?)))
        .transpose()
}
