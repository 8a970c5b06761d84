//! Coupons of the property office.

use anyhow::Context as _;
use kernel::{Actor, ActorId, BillPaymentId, CommunityId, CouponId, TenantId};
use store::{Read, Row, Tx};
use web::Page;

use super::reach;
use crate::context::Context;
use crate::domain::{Coupon, CouponState, Holder};
use crate::rows::{date, worth};

statements! {
    COUPON = "select id, community, title, person, room, value, minimum_minor, first_day, until_day, state, payment,
            reason, issued_by, issued_at
        from fees_coupon where tenant = $1 and id = $2";

    COUPONS = "select c.id, c.community, c.title, c.person, c.room, c.value, c.minimum_minor, c.first_day, c.until_day,
            c.state, c.payment, c.reason, c.issued_by, c.issued_at
        from fees_coupon c
        where c.tenant = $1
          and (cast($2 as text) is null or replace($2, ',' || c.community || ',', '') <> $2 or c.person = $3
            or exists (select 1 from fees_household h
                where h.tenant = c.tenant and h.room = c.room and h.person = $3
                  and h.valid_from <= $4 and (h.valid_until is null or h.valid_until > $4)))
          and (cast($5 as text) is null or c.community = $5) and (cast($6 as text) is null or c.state = $6)
          and (cast($7 as text) is null or c.id < $7)
        order by c.id desc limit $8";

    INSERT_COUPON = "insert into fees_coupon (tenant, id, community, title, person, room, value, minimum_minor, first_day,
            until_day, state, payment, reason, issued_by, issued_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

    TURN_COUPON = "update fees_coupon set state = $3, payment = $4 where tenant = $1 and id = $2 and state = $5
        returning id";
}

/// The coupon.
pub(crate) async fn coupon(
    db: &impl Read,
    tenant: &TenantId,
    id: &CouponId,
) -> anyhow::Result<Option<Coupon>> {
    let row = db.row(COUPON, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The coupons that the caller may see, the latest first.
pub(crate) async fn coupons(
    context: &Context,
    actor: &Actor,
    (community, state): (Option<&CommunityId>, Option<&str>),
    page: &Page<CouponId>,
) -> anyhow::Result<Vec<Coupon>> {
    let parameters = [
        (&actor.tenant).into(),
        reach(actor)?.into(),
        (&actor.id).into(),
        context.now.into(),
        community.into(),
        state.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = context.db.rows(COUPONS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Adds a coupon.
pub(crate) async fn insert_coupon(tx: &Tx, coupon: &Coupon) -> anyhow::Result<()> {
    let (person, room): (Option<&ActorId>, _) = match &coupon.holder {
        Holder::Person(person) => (Some(person), None),
        Holder::Room(room) => (None, Some(room)),
    };
    let parameters = [
        tx.tenant().into(),
        (&coupon.id).into(),
        (&coupon.community).into(),
        (&coupon.title).into(),
        person.into(),
        room.into(),
        worth(coupon.value).to_string().into(),
        coupon.minimum_fen.into(),
        coupon.first_day.to_string().into(),
        coupon.until_day.to_string().into(),
        coupon.state.as_str().into(),
        coupon.payment.as_ref().into(),
        (&coupon.reason).into(),
        (&coupon.issued_by).into(),
        coupon.issued_at.into(),
    ];
    tx.execute(INSERT_COUPON, &parameters).await
}

/// Stores that a coupon stands otherwise; whether it stood as it was thought to.
pub(crate) async fn turn_coupon(
    tx: &Tx,
    id: &CouponId,
    (from, to): (CouponState, CouponState),
    payment: Option<&BillPaymentId>,
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        id.into(),
        to.as_str().into(),
        payment.into(),
        from.as_str().into(),
    ];
    Ok(tx.row(TURN_COUPON, &parameters).await?.is_some())
}

fn read(row: &Row) -> anyhow::Result<Coupon> {
    let state = row.text(9)?;
    let holder = match (row.optional_id(3)?, row.optional_id(4)?) {
        (Some(person), None) => Holder::Person(person),
        (None, Some(room)) => Holder::Room(room),
        _ => anyhow::bail!("a coupon is nobody's"),
    };
    Ok(Coupon {
        id: row.id(0)?,
        community: row.id(1)?,
        title: row.text(2)?.to_owned(),
        holder,
        value: serde_json::from_str(row.text(5)?).context("reading what a coupon is worth")?,
        minimum_fen: row.integer(6)?,
        first_day: date(row, 7)?,
        until_day: date(row, 8)?,
        state: CouponState::parse(state).with_context(|| format!("a coupon is {state:?}"))?,
        payment: row.optional_id(10)?,
        reason: row.text(11)?.to_owned(),
        issued_by: row.id(12)?,
        issued_at: row.timestamp(13)?,
    })
}
