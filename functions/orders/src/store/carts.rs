//! What people have put aside to buy, and what they like.

use kernel::{ActorId, SlotId, TenantId, Timestamp, VariantId};
use store::{Read, Tx};

statements! {
    LINES = "select variant, slot, quantity, seen_minor, added_at from orders_cart
        where tenant = $1 and person = $2 order by added_at, variant, slot limit 100";

    COUNT = "select count(variant) from orders_cart where tenant = $1 and person = $2";

    PUT_LINE = "insert into orders_cart (tenant, person, variant, slot, quantity, seen_minor, added_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (tenant, person, variant, slot) do update set quantity = excluded.quantity,
            seen_minor = excluded.seen_minor";

    DELETE_LINE = "delete from orders_cart where tenant = $1 and person = $2 and variant = $3
          and (cast($4 as text) is null or slot = $4)
        returning variant";

    DELETE_BOUGHT = "delete from orders_cart where (tenant, person, variant, slot) in (values ($1, $2, $3, $4))";
}

/// A line of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CartLine {
    pub(crate) variant: VariantId,
    pub(crate) slot: Option<SlotId>,
    pub(crate) quantity: u32,
    /// What one cost when it was put in.
    pub(crate) seen_minor: i64,
    pub(crate) added_at: Timestamp,
}

/// The lines of a person's cart, the oldest first.
pub(crate) async fn lines(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<Vec<CartLine>> {
    let rows = db.rows(LINES, &[tenant.into(), person.into()]).await?;
    rows.iter()
        .map(|row| {
            let slot = row.text(1)?;
            Ok(CartLine {
                variant: row.id(0)?,
                slot: if slot.is_empty() {
                    None
                } else {
                    Some(SlotId::parse(slot)?)
                },
                quantity: u32::try_from(row.integer(2)?)?,
                seen_minor: row.integer(3)?,
                added_at: row.timestamp(4)?,
            })
        })
        .collect()
}

/// How many lines a person's cart has.
pub(crate) async fn count(tx: &Tx, person: &ActorId) -> anyhow::Result<i64> {
    let row = tx.row(COUNT, &[tx.tenant().into(), person.into()]).await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// Puts so many into a person's cart, instead of what is there of it.
pub(crate) async fn put(tx: &Tx, person: &ActorId, line: &CartLine) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        person.into(),
        (&line.variant).into(),
        line.slot.as_ref().map_or("", |slot| slot.as_str()).into(),
        line.quantity.into(),
        line.seen_minor.into(),
        line.added_at.into(),
    ];
    tx.execute(PUT_LINE, &parameters).await
}

/// Takes a variant out of a person's cart, in that slot or in all; answers whether there was any.
pub async fn remove(
    tx: &Tx,
    person: &ActorId,
    (variant, slot): (&VariantId, Option<&SlotId>),
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        person.into(),
        variant.into(),
        slot.into(),
    ];
    Ok(!tx.rows(DELETE_LINE, &parameters).await?.is_empty())
}

/// Takes what was bought out of a person's cart, each variant in its slot.
pub(crate) async fn remove_bought<'a>(
    tx: &Tx,
    person: &ActorId,
    bought: impl Iterator<Item = (&'a VariantId, Option<&'a SlotId>)>,
) -> anyhow::Result<()> {
    let rows: Vec<_> = bought
        .map(|(variant, slot)| {
            let slot = slot.map_or("", SlotId::as_str);
            vec![
                tx.tenant().into(),
                person.into(),
                variant.into(),
                slot.into(),
            ]
        })
        .collect();
    tx.insert_many(DELETE_BOUGHT, &rows).await
}
