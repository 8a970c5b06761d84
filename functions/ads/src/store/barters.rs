//! Exchanges, and the goods that came of them.

use chrono::NaiveDate;
use kernel::{BarterId, MerchantId, TenantId, Timestamp};
use serde_json::to_string;
use store::{Read, Row, Tx, Value};
use web::Page;

use super::{on, word};
use crate::domain::barter::{Barter, BarterState, Legs, Side};
use crate::rows::{WrittenTerms, terms_of};

statements! {
    INSERT_BARTER = "insert into ads_barter (tenant, id, merchant, state, terms, advertising_minor, goods_minor, boot_minor,
            limit_minor, said_by, platform_signed_by, merchant_signed_by, delivered_minor, received_minor, settled_minor,
            version, created_by, created_at, looked_on)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, null)";

    UPDATE_BARTER = "update ads_barter set state = $3, terms = $4, advertising_minor = $5, goods_minor = $6, boot_minor = $7,
            limit_minor = $8, said_by = $9, platform_signed_by = $10, merchant_signed_by = $11, delivered_minor = $12,
            received_minor = $13, settled_minor = $14, version = $15
        where tenant = $1 and id = $2";

    BARTER = "select id, merchant, state, terms, said_by, platform_signed_by, merchant_signed_by, delivered_minor,
            received_minor, settled_minor, created_by, version
        from ads_barter where tenant = $1 and id = $2";

    BARTERS = "select id, merchant, state, terms, said_by, platform_signed_by, merchant_signed_by, delivered_minor,
            received_minor, settled_minor, created_by, version
        from ads_barter where tenant = $1 and merchant = $2 and id > $3 order by id limit $4";

    ALL_BARTERS = "select id, merchant, state, terms, said_by, platform_signed_by, merchant_signed_by, delivered_minor,
            received_minor, settled_minor, created_by, version
        from ads_barter where tenant = $1 and id > $2 order by id limit $3";

    RUNNING = "select tenant, id from ads_barter
        where state in ('active', 'suspended') and looked_on is not null and looked_on < $1
        order by looked_on, tenant, id limit $2";

    LOOKED = "update ads_barter set looked_on = $3 where tenant = $1 and id = $2";

    INSERT_GOODS = "insert into ads_goods (tenant, barter, item, name, units, unit_minor, received, available)
        values ($1, $2, $3, $4, $5, $6, 0, 0)";

    GOODS = "select item, name, units, unit_minor, received, available
        from ads_goods where tenant = $1 and barter = $2 order by item";

    RECEIVE = "update ads_goods set received = received + $4, available = available + $4
        where tenant = $1 and barter = $2 and item = $3 and received + $4 <= units
        returning unit_minor";

    GIVE = "update ads_goods set available = available - $4
        where tenant = $1 and barter = $2 and item = $3 and available >= $4
        returning unit_minor";
}

fn leading(barter: &Barter) -> anyhow::Result<[Value; 12]> {
    let terms = &barter.terms;
    Ok([
        barter.state.as_str().into(),
        to_string(&WrittenTerms::from(terms))?.into(),
        terms.advertising_minor().into(),
        terms.goods_minor().into(),
        terms.boot_minor.into(),
        terms.limit_minor.into(),
        barter.said_by.as_str().into(),
        barter.platform_signed_by.as_ref().into(),
        barter.merchant_signed_by.as_ref().into(),
        barter.legs.delivered_minor.into(),
        barter.legs.received_minor.into(),
        barter.legs.settled_minor.into(),
    ])
}

/// Stores an exchange that is new.
pub async fn insert_barter(tx: &Tx, barter: &Barter, at: Timestamp) -> anyhow::Result<()> {
    let mut row: Vec<Value> = vec![
        tx.tenant().into(),
        (&barter.id).into(),
        (&barter.merchant).into(),
    ];
    row.extend(leading(barter)?);
    row.extend([
        barter.version.into(),
        (&barter.created_by).into(),
        at.into(),
    ]);
    tx.execute(INSERT_BARTER, &row).await
}

/// Stores an exchange's next version.
pub async fn update_barter(tx: &Tx, barter: &Barter) -> anyhow::Result<()> {
    let mut row: Vec<Value> = vec![tx.tenant().into(), (&barter.id).into()];
    row.extend(leading(barter)?);
    row.push(barter.version.into());
    tx.execute(UPDATE_BARTER, &row).await
}

fn barter_of(row: &Row) -> anyhow::Result<Barter> {
    Ok(Barter {
        id: row.id(0)?,
        merchant: row.id(1)?,
        state: word(row.text(2)?, BarterState::parse)?,
        terms: terms_of(row.text(3)?)?,
        said_by: word(row.text(4)?, Side::parse)?,
        platform_signed_by: row.optional_id(5)?,
        merchant_signed_by: row.optional_id(6)?,
        legs: Legs {
            delivered_minor: row.integer(7)?,
            received_minor: row.integer(8)?,
            settled_minor: row.integer(9)?,
        },
        created_by: row.id(10)?,
        version: row.integer(11)?,
    })
}

/// The exchange of that id.
pub async fn barter(
    db: &impl Read,
    tenant: &TenantId,
    id: &BarterId,
) -> anyhow::Result<Option<Barter>> {
    let row = db.row(BARTER, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(barter_of).transpose()
}

/// A page of exchanges, of one merchant or of all.
pub async fn barters(
    db: &impl Read,
    tenant: &TenantId,
    merchant: Option<&MerchantId>,
    page: &Page<BarterId>,
) -> anyhow::Result<Vec<Barter>> {
    let after = page.after.as_ref().map_or("", BarterId::as_str).into();
    let rows = match merchant {
        Some(merchant) => {
            db.rows(
                BARTERS,
                &[tenant.into(), merchant.into(), after, page.rows().into()],
            )
            .await?
        }
        None => {
            db.rows(ALL_BARTERS, &[tenant.into(), after, page.rows().into()])
                .await?
        }
    };
    rows.iter().map(barter_of).collect()
}

/// Exchanges that run and that nobody has looked at on that day, at most so many.
pub async fn running(
    db: &impl Read,
    today: NaiveDate,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, BarterId)>> {
    let rows = db.rows(RUNNING, &[on(today), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// An exchange was looked at on that day; it is looked at again on the next.
pub async fn looked(tx: &Tx, barter: &BarterId, today: NaiveDate) -> anyhow::Result<()> {
    tx.execute(LOOKED, &[tx.tenant().into(), barter.into(), on(today)])
        .await
}

/// Goods of an exchange, and what came of them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Item {
    item: i64,
    name: String,
    units: i64,
    unit_minor: i64,
    received: i64,
    available: i64,
}

impl Item {
    /// Whether it is the one of that number.
    #[must_use]
    pub fn is(&self, item: i64) -> bool {
        self.item == item
    }
}

/// Opens the shelf for the goods of an exchange.
pub async fn insert_goods(tx: &Tx, barter: &Barter) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for (item, goods) in (1_i64..).zip(&barter.terms.goods) {
        rows.push(vec![
            tx.tenant().into(),
            (&barter.id).into(),
            item.into(),
            goods.name.as_str().into(),
            goods.units.into(),
            goods.unit_minor.into(),
        ]);
    }
    for row in &rows {
        tx.execute(INSERT_GOODS, row).await?;
    }
    Ok(())
}

/// The goods of an exchange; none before it began.
pub async fn goods(
    db: &impl Read,
    tenant: &TenantId,
    barter: &BarterId,
) -> anyhow::Result<Vec<Item>> {
    let rows = db.rows(GOODS, &[tenant.into(), barter.into()]).await?;
    let item = |row: &Row| {
        Ok(Item {
            item: row.integer(0)?,
            name: row.text(1)?.to_owned(),
            units: row.integer(2)?,
            unit_minor: row.integer(3)?,
            received: row.integer(4)?,
            available: row.integer(5)?,
        })
    };
    rows.iter().map(item).collect()
}

/// Takes in units of goods; what one is worth, or none when more came than was agreed.
pub async fn receive(
    tx: &Tx,
    (barter, item): (&BarterId, i64),
    units: i64,
) -> anyhow::Result<Option<i64>> {
    let row = tx
        .row(
            RECEIVE,
            &[tx.tenant().into(), barter.into(), item.into(), units.into()],
        )
        .await?;
    row.map(|row| row.integer(0)).transpose()
}

/// Gives units of goods to a reward; what one is worth, or none when there are less.
pub async fn give(
    tx: &Tx,
    (barter, item): (&BarterId, i64),
    units: i64,
) -> anyhow::Result<Option<i64>> {
    let row = tx
        .row(
            GIVE,
            &[tx.tenant().into(), barter.into(), item.into(), units.into()],
        )
        .await?;
    row.map(|row| row.integer(0)).transpose()
}
