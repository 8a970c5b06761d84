//! Coupons in people's hands.

use kernel::{ActorId, CheckoutId, CouponId, MerchantId, PromotionId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

statements! {
    // As many as there are, and not one more.
    ISSUE = "update orders_promotion set issued = issued + 1
        where tenant = $1 and id = $2 and kind = 'coupon' and state = 'approved' and issued < issue_max
        returning issued";

    // One each, whatever comes twice.
    INSERT_COUPON = "insert into orders_coupon (tenant, id, promotion, merchant, person, state, claimed_at)
        values ($1, $2, $3, $4, $5, 'held', $6)
        on conflict (tenant, promotion, person) do nothing returning id";

    COUPON_OF = "select id, promotion, merchant, person, state, claimed_at, checkout from orders_coupon
        where tenant = $1 and promotion = $2 and person = $3";

    COUPON = "select id, promotion, merchant, person, state, claimed_at, checkout from orders_coupon
        where tenant = $1 and id = $2";

    COUPONS = "select id, promotion, merchant, person, state, claimed_at, checkout from orders_coupon
        where tenant = $1 and person = $2 and (cast($3 as text) is null or id < $3)
          and (cast($4 as text) is null or state = $4)
        order by id desc limit $5";

    USE = "update orders_coupon set state = 'used', checkout = $4, used_at = $5
        where tenant = $1 and id = $2 and person = $3 and state = 'held' returning id";

    GIVE_BACK = "update orders_coupon set state = 'held', checkout = null, used_at = null
        where tenant = $1 and checkout = $2 and (cast($3 as text) is null or merchant = $3)
        returning id";
}

/// A coupon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    /// Its id.
    pub id: CouponId,
    /// The promotion that it is of.
    pub promotion: PromotionId,
    /// Whose.
    pub merchant: MerchantId,
    /// Who holds it.
    pub person: ActorId,
    /// Whether it can still be used.
    pub held: bool,
    /// Since when.
    pub claimed_at: Timestamp,
    /// The checkout that it was used for.
    pub checkout: Option<CheckoutId>,
}

fn read(row: &Row) -> anyhow::Result<Coupon> {
    Ok(Coupon {
        id: row.id(0)?,
        promotion: row.id(1)?,
        merchant: row.id(2)?,
        person: row.id(3)?,
        held: row.text(4)? == "held",
        claimed_at: row.timestamp(5)?,
        checkout: row.optional_id(6)?,
    })
}

/// Gives out a coupon; nothing when none is left or the person has one.
pub(crate) async fn claim(tx: &Tx, coupon: &Coupon) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        (&coupon.id).into(),
        (&coupon.promotion).into(),
        (&coupon.merchant).into(),
        (&coupon.person).into(),
        coupon.claimed_at.into(),
    ];
    if tx.row(INSERT_COUPON, &parameters).await?.is_none() {
        return Ok(false);
    }
    let issued = tx
        .row(ISSUE, &[tx.tenant().into(), (&coupon.promotion).into()])
        .await?;
    Ok(issued.is_some())
}

/// The coupon of a promotion that a person has.
pub(crate) async fn coupon_of(
    db: &impl Read,
    tenant: &TenantId,
    promotion: &PromotionId,
    person: &ActorId,
) -> anyhow::Result<Option<Coupon>> {
    let parameters = [tenant.into(), promotion.into(), person.into()];
    let row = db.row(COUPON_OF, &parameters).await?;
    row.map(|row| read(&row)).transpose()
}

/// The coupon.
pub(crate) async fn coupon(
    db: &impl Read,
    tenant: &TenantId,
    id: &CouponId,
) -> anyhow::Result<Option<Coupon>> {
    let row = db.row(COUPON, &[tenant.into(), id.into()]).await?;
    row.map(|row| read(&row)).transpose()
}

/// The coupons of a person, the latest first.
pub(crate) async fn coupons(
    db: &impl Read,
    (tenant, person): (&TenantId, &ActorId),
    state: Option<&str>,
    page: &Page<CouponId>,
) -> anyhow::Result<Vec<Coupon>> {
    let parameters = [
        tenant.into(),
        person.into(),
        page.after.as_ref().into(),
        state.into(),
        page.rows().into(),
    ];
    let rows = db.rows(COUPONS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// A person uses a coupon for a checkout; answers whether they held it.
pub async fn use_for(
    tx: &Tx,
    now: Timestamp,
    (coupon, person): (&CouponId, &ActorId),
    checkout: &CheckoutId,
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        coupon.into(),
        person.into(),
        checkout.into(),
        now.into(),
    ];
    Ok(tx.row(USE, &parameters).await?.is_some())
}

/// What a checkout used is held again: all of it, or what was used for the order of one merchant. Twice changes
/// nothing.
pub async fn give_back(
    tx: &Tx,
    checkout: &CheckoutId,
    merchant: Option<&MerchantId>,
) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), checkout.into(), merchant.into()];
    tx.rows(GIVE_BACK, &parameters).await?;
    Ok(())
}
