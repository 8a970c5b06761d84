//! What people like: products and shops.

use kernel::{ActorId, TenantId, Timestamp};
use store::{Read, Tx};
use web::Page;

statements! {
    // Whether it can be had now: a product that is listed, or a shop, in a shop that trades.
    FAVOURITES = "select f.kind, f.id, f.added_at, coalesce(p.name, m.name),
            case when m.trades = 1 and (f.kind = 'shop' or p.state = 'listed') then 1 else 0 end
        from orders_favourite f
        left join orders_product p on f.kind = 'product' and p.tenant = f.tenant and p.id = f.id
        join orders_merchant m on m.tenant = f.tenant
            and m.id = case when f.kind = 'shop' then f.id else p.merchant end
        where f.tenant = $1 and f.person = $2 and f.kind = $3 and (cast($4 as text) is null or f.id < $4)
        order by f.id desc limit $5";

    COUNT_FAVOURITES = "select count(id) from orders_favourite where tenant = $1 and person = $2";

    PUT_FAVOURITE = "insert into orders_favourite (tenant, person, kind, id, added_at) values ($1, $2, $3, $4, $5)
        on conflict (tenant, person, kind, id) do nothing";

    DELETE_FAVOURITE = "delete from orders_favourite where tenant = $1 and person = $2 and kind = $3 and id = $4
        returning id";
}

/// Something that a person likes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Favourite {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) added_at: Timestamp,
    pub(crate) name: String,
    pub(crate) available: bool,
}

/// What a person likes of one kind, by id, the latest product first.
pub(crate) async fn favourites(
    db: &impl Read,
    (tenant, person): (&TenantId, &ActorId),
    kind: &str,
    page: &Page<String>,
) -> anyhow::Result<Vec<Favourite>> {
    let parameters = [
        tenant.into(),
        person.into(),
        kind.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(FAVOURITES, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Favourite {
                kind: row.text(0)?.to_owned(),
                id: row.text(1)?.to_owned(),
                added_at: row.timestamp(2)?,
                name: row.text(3)?.to_owned(),
                available: row.boolean(4)?,
            })
        })
        .collect()
}

/// How many things a person likes.
pub(crate) async fn count(tx: &Tx, person: &ActorId) -> anyhow::Result<i64> {
    let parameters = [tx.tenant().into(), person.into()];
    let row = tx.row(COUNT_FAVOURITES, &parameters).await?;
    row.map_or(Ok(0), |row| row.integer(0))
}

/// A person likes something; again changes nothing.
pub(crate) async fn put(
    tx: &Tx,
    person: &ActorId,
    (kind, id): (&str, &str),
    now: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        person.into(),
        kind.into(),
        id.into(),
        now.into(),
    ];
    tx.execute(PUT_FAVOURITE, &parameters).await
}

/// A person no longer likes something; answers whether they did.
pub(crate) async fn delete(
    tx: &Tx,
    person: &ActorId,
    (kind, id): (&str, &str),
) -> anyhow::Result<bool> {
    let parameters = [tx.tenant().into(), person.into(), kind.into(), id.into()];
    Ok(tx.row(DELETE_FAVOURITE, &parameters).await?.is_some())
}
