//! Promotions and where they are shown.

use kernel::{MerchantId, PromotionId, TenantId, Timestamp};
use store::{Read, Tx};
use web::Page;

use crate::domain::promotion::{Place, Promotion};
use crate::rows::promotion::{WrittenTerms, read_promotion};

statements! {
    PROMOTION = "select id, merchant, name, terms, subsidy_bps, starts_at, ends_at, state, version, applied_by,
            applied_at, decided_by, decided_at, reason, issued
        from orders_promotion where tenant = $1 and id = $2";

    INSERT_PROMOTION = "insert into orders_promotion
            (tenant, id, merchant, kind, name, terms, subsidy_bps, starts_at, ends_at, state, version, applied_by,
             applied_at, issued, issue_max)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14)";

    // The state that it was decided in is a condition: who comes second changes nothing.
    UPDATE_PROMOTION = "update orders_promotion set state = $4, version = $5, decided_by = $6, decided_at = $7, reason = $8
        where tenant = $1 and id = $2 and version = $3 returning id";

    RUNNING = "select p.id, p.merchant, p.name, p.terms, p.subsidy_bps, p.starts_at, p.ends_at, p.state, p.version,
            p.applied_by, p.applied_at, p.decided_by, p.decided_at, p.reason, p.issued
        from (values ($1, $2, $3)) as n
        join orders_promotion p on p.tenant = n.column1 and p.merchant = n.column2
        where p.state = 'approved' and p.starts_at <= cast(n.column3 as bigint) and p.ends_at > cast(n.column3 as bigint)
        order by p.id limit 1000";

    // What buyers see: approved, not over, in a shop that trades.
    SHOWN_PROMOTIONS = "select p.id, p.merchant, p.name, p.terms, p.subsidy_bps, p.starts_at, p.ends_at, p.state,
            p.version, p.applied_by, p.applied_at, p.decided_by, p.decided_at, p.reason, p.issued
        from orders_promotion p
        join orders_merchant m on m.tenant = p.tenant and m.id = p.merchant and m.trades = 1
        where p.tenant = $1 and p.state = 'approved' and p.ends_at > $2 and (cast($3 as text) is null or p.id < $3)
          and (cast($4 as text) is null or p.merchant = $4)
          and (cast($5 as text) is null or exists (select 1 from orders_placement l
            where l.tenant = p.tenant and l.promotion = p.id and l.place = $5))
        order by p.id desc limit $6";

    KEPT_PROMOTIONS = "select id, merchant, name, terms, subsidy_bps, starts_at, ends_at, state, version, applied_by,
            applied_at, decided_by, decided_at, reason, issued
        from orders_promotion
        where tenant = $1 and (cast($2 as text) is null or merchant = $2) and (cast($3 as text) is null or id < $3)
          and (cast($4 as text) is null or state = $4)
        order by id desc limit $5";

    PUT_PLACE = "insert into orders_placement (tenant, promotion, place) values ($1, $2, $3)
        on conflict (tenant, promotion, place) do nothing";

    PLACES = "select place from orders_placement where tenant = $1 and promotion = $2 order by place";

    DELETE_PLACES = "delete from orders_placement where tenant = $1 and promotion = $2";
}

/// The promotion.
pub(crate) async fn promotion(
    db: &impl Read,
    tenant: &TenantId,
    id: &PromotionId,
) -> anyhow::Result<Option<Promotion>> {
    let row = db.row(PROMOTION, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_promotion(&row)).transpose()
}

/// Adds a promotion.
pub(crate) async fn insert(tx: &Tx, promotion: &Promotion) -> anyhow::Result<()> {
    let terms = serde_json::to_string(&WrittenTerms::from(&promotion.terms))?;
    let parameters = [
        tx.tenant().into(),
        (&promotion.id).into(),
        (&promotion.merchant).into(),
        promotion.terms.kind().into(),
        promotion.name.as_str().into(),
        terms.into(),
        promotion.subsidy_bps.into(),
        promotion.from.into(),
        promotion.until.into(),
        promotion.state.as_str().into(),
        promotion.version.into(),
        (&promotion.applied_by).into(),
        promotion.applied_at.into(),
        promotion.terms.issue_max().into(),
    ];
    tx.execute(INSERT_PROMOTION, &parameters).await
}

/// Stores a decision about a promotion; answers whether nobody was faster.
pub(crate) async fn update(tx: &Tx, promotion: &Promotion) -> anyhow::Result<bool> {
    let (by, at) = match &promotion.decided {
        Some((by, at)) => (Some(by), Some(*at)),
        None => (None, None),
    };
    let parameters = [
        tx.tenant().into(),
        (&promotion.id).into(),
        (promotion.version - 1).into(),
        promotion.state.as_str().into(),
        promotion.version.into(),
        by.into(),
        at.into(),
        promotion
            .reason
            .as_ref()
            .map(|reason| reason.as_str())
            .into(),
    ];
    Ok(tx.row(UPDATE_PROMOTION, &parameters).await?.is_some())
}

/// What runs in these shops at a moment.
pub(crate) async fn running(
    db: &impl Read,
    tenant: &TenantId,
    merchants: &[&MerchantId],
    now: Timestamp,
) -> anyhow::Result<Vec<Promotion>> {
    // As text: PostgreSQL takes the values of a list for text until they are cast.
    let now = now.millis().to_string();
    let about: Vec<_> = merchants
        .iter()
        .map(|merchant| vec![tenant.into(), (*merchant).into(), now.as_str().into()])
        .collect();
    let rows = db.rows_about(RUNNING, &about).await?;
    rows.iter().map(read_promotion).collect()
}

/// What buyers see, the latest first.
pub(crate) async fn shown(
    db: &impl Read,
    tenant: &TenantId,
    (merchant, place, now): (Option<&MerchantId>, Option<Place>, Timestamp),
    page: &Page<PromotionId>,
) -> anyhow::Result<Vec<Promotion>> {
    let parameters = [
        tenant.into(),
        now.into(),
        page.after.as_ref().into(),
        merchant.into(),
        place.map(Place::as_str).into(),
        page.rows().into(),
    ];
    let rows = db.rows(SHOWN_PROMOTIONS, &parameters).await?;
    rows.iter().map(read_promotion).collect()
}

/// What a merchant asked for, or all merchants, the latest first.
pub(crate) async fn kept(
    db: &impl Read,
    tenant: &TenantId,
    (merchant, state): (Option<&MerchantId>, Option<&str>),
    page: &Page<PromotionId>,
) -> anyhow::Result<Vec<Promotion>> {
    let parameters = [
        tenant.into(),
        merchant.into(),
        page.after.as_ref().into(),
        state.into(),
        page.rows().into(),
    ];
    let rows = db.rows(KEPT_PROMOTIONS, &parameters).await?;
    rows.iter().map(read_promotion).collect()
}

/// Where a promotion is shown.
pub(crate) async fn places(
    db: &impl Read,
    tenant: &TenantId,
    id: &PromotionId,
) -> anyhow::Result<Vec<Place>> {
    let rows = db.rows(PLACES, &[tenant.into(), id.into()]).await?;
    let mut places = Vec::new();
    for row in rows {
        places.extend(Place::parse(row.text(0)?));
    }
    Ok(places)
}

/// Says where a promotion is shown from now on.
pub(crate) async fn put_places(tx: &Tx, id: &PromotionId, places: &[Place]) -> anyhow::Result<()> {
    tx.execute(DELETE_PLACES, &[tx.tenant().into(), id.into()])
        .await?;
    let rows: Vec<_> = places
        .iter()
        .map(|place| vec![tx.tenant().into(), id.into(), place.as_str().into()])
        .collect();
    tx.insert_many(PUT_PLACE, &rows).await
}
