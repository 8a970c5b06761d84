//! What advertisers order at once.

use kernel::{ActorId, AdOrderId, MerchantId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

use crate::domain::text::Name;

statements! {
    INSERT_ORDER = "insert into ads_order (tenant, id, merchant, name, created_by, created_at)
        values ($1, $2, $3, $4, $5, $6)";

    ORDER = "select id, merchant, name, created_by, created_at from ads_order where tenant = $1 and id = $2";

    ORDERS = "select id, merchant, name, created_by, created_at
        from ads_order where tenant = $1 and merchant = $2 and id > $3 order by id limit $4";

    ALL_ORDERS = "select id, merchant, name, created_by, created_at
        from ads_order where tenant = $1 and id > $2 order by id limit $3";
}

/// What somebody orders at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: AdOrderId,
    /// Whose.
    pub merchant: MerchantId,
    /// What it is called.
    pub name: Name,
    /// Who made it.
    pub created_by: ActorId,
    /// When.
    pub created_at: Timestamp,
}

/// Stores an order.
pub async fn insert_order(tx: &Tx, order: &Order) -> anyhow::Result<()> {
    let row = [
        tx.tenant().into(),
        (&order.id).into(),
        (&order.merchant).into(),
        order.name.as_str().into(),
        (&order.created_by).into(),
        order.created_at.into(),
    ];
    tx.execute(INSERT_ORDER, &row).await
}

fn order_of(row: &Row) -> anyhow::Result<Order> {
    Ok(Order {
        id: row.id(0)?,
        merchant: row.id(1)?,
        name: super::text(row, 2)?,
        created_by: row.id(3)?,
        created_at: row.timestamp(4)?,
    })
}

/// The order of that id.
pub async fn order(
    db: &impl Read,
    tenant: &TenantId,
    id: &AdOrderId,
) -> anyhow::Result<Option<Order>> {
    let row = db.row(ORDER, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(order_of).transpose()
}

/// A page of orders, of one merchant or of all.
pub async fn orders(
    db: &impl Read,
    tenant: &TenantId,
    merchant: Option<&MerchantId>,
    page: &Page<AdOrderId>,
) -> anyhow::Result<Vec<Order>> {
    let after = page.after.as_ref().map_or("", AdOrderId::as_str).into();
    let rows = match merchant {
        Some(merchant) => {
            db.rows(
                ORDERS,
                &[tenant.into(), merchant.into(), after, page.rows().into()],
            )
            .await?
        }
        None => {
            db.rows(ALL_ORDERS, &[tenant.into(), after, page.rows().into()])
                .await?
        }
    };
    rows.iter().map(order_of).collect()
}
