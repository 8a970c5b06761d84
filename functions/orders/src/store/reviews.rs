//! What buyers say of what they bought, and the sums of it.

use kernel::{ActorId, MerchantId, OrderId, OrderLineId, ProductId, ReviewId, TenantId, Timestamp};
use store::{Read, Row, Tx, Value};
use web::Page;

use crate::domain::changed_meanwhile;

statements! {
    REVIEW = "select id, order_id, line, product, merchant, buyer, stars, words, is_anonymous, is_hidden, hidden_reason,
            moderated_by, reply, replied_at, created_at, version
        from orders_review where tenant = $1 and id = $2";

    OF_PRODUCT = "select id, order_id, line, product, merchant, buyer, stars, words, is_anonymous, is_hidden,
            hidden_reason, moderated_by, reply, replied_at, created_at, version
        from orders_review
        where tenant = $1 and product = $2 and (is_hidden = 0 or cast($3 as bigint) = 1) and (cast($4 as text) is null or id < $4)
        order by id desc limit $5";

    OF_MERCHANT = "select id, order_id, line, product, merchant, buyer, stars, words, is_anonymous, is_hidden,
            hidden_reason, moderated_by, reply, replied_at, created_at, version
        from orders_review
        where tenant = $1 and merchant = $2 and (is_hidden = 0 or cast($3 as bigint) = 1) and (cast($4 as text) is null or id < $4)
        order by id desc limit $5";

    INSERT_REVIEW = "insert into orders_review (tenant, id, order_id, line, product, merchant, buyer, stars, words,
            is_anonymous, is_hidden, created_at, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, 1)
        on conflict (tenant, line) do nothing returning id";

    UPDATE_REVIEW = "update orders_review set is_hidden = $4, hidden_reason = $5, moderated_by = $6, reply = $7,
            replied_at = $8, version = version + 1
        where tenant = $1 and id = $2 and version = $3
        returning version";

    ADD_RATING = "insert into orders_rating (tenant, subject, reviews, stars) values ($1, $2, $3, $4)
        on conflict (tenant, subject) do update set reviews = orders_rating.reviews + excluded.reviews,
            stars = orders_rating.stars + excluded.stars";

    RATING = "select reviews, stars from orders_rating where tenant = $1 and subject = $2";
}

/// What a buyer says of a line.
#[derive(Debug, Clone)]
pub(crate) struct Review {
    pub(crate) id: ReviewId,
    pub(crate) order: OrderId,
    pub(crate) line: OrderLineId,
    pub(crate) product: ProductId,
    pub(crate) merchant: MerchantId,
    pub(crate) buyer: ActorId,
    pub(crate) stars: i64,
    pub(crate) words: String,
    pub(crate) is_anonymous: bool,
    /// Why it is not shown, and who decided so.
    pub(crate) hidden: Option<(String, ActorId)>,
    pub(crate) reply: Option<(String, Timestamp)>,
    pub(crate) created_at: Timestamp,
    pub(crate) version: i64,
}

fn read(row: &Row) -> anyhow::Result<Review> {
    let reason = row.optional_text(10)?.map(str::to_owned);
    let hidden = reason.zip(row.optional_id(11)?);
    let reply = row.optional_text(12)?.map(str::to_owned);
    Ok(Review {
        id: row.id(0)?,
        order: row.id(1)?,
        line: row.id(2)?,
        product: row.id(3)?,
        merchant: row.id(4)?,
        buyer: row.id(5)?,
        stars: row.integer(6)?,
        words: row.text(7)?.to_owned(),
        is_anonymous: row.boolean(8)?,
        hidden: if row.boolean(9)? { hidden } else { None },
        reply: reply.zip(row.optional_timestamp(13)?),
        created_at: row.timestamp(14)?,
        version: row.integer(15)?,
    })
}

/// The review.
pub(crate) async fn review(
    db: &impl Read,
    tenant: &TenantId,
    id: &ReviewId,
) -> anyhow::Result<Option<Review>> {
    let row = db.row(REVIEW, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// Of what reviews are listed.
#[derive(Debug, Clone)]
pub(crate) enum Of {
    Product(ProductId),
    Merchant(MerchantId),
}

impl Of {
    fn as_str(&self) -> &str {
        match self {
            Self::Product(id) => id.as_str(),
            Self::Merchant(id) => id.as_str(),
        }
    }
}

/// A page of reviews, the latest first; hidden ones only for those who moderate.
pub(crate) async fn reviews(
    db: &impl Read,
    (tenant, of): (&TenantId, &Of),
    with_hidden: bool,
    page: &Page<ReviewId>,
) -> anyhow::Result<Vec<Review>> {
    let sql = match of {
        Of::Product(_) => OF_PRODUCT,
        Of::Merchant(_) => OF_MERCHANT,
    };
    let parameters = [
        tenant.into(),
        of.as_str().into(),
        with_hidden.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(sql, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Adds a review; whether the line had none.
pub(crate) async fn insert_review(tx: &Tx, review: &Review) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        (&review.id).into(),
        (&review.order).into(),
        (&review.line).into(),
        (&review.product).into(),
        (&review.merchant).into(),
        (&review.buyer).into(),
        review.stars.into(),
        (&review.words).into(),
        review.is_anonymous.into(),
        review.created_at.into(),
    ];
    if tx.row(INSERT_REVIEW, &parameters).await?.is_none() {
        return Ok(false);
    }
    rate(tx, review, 1).await?;
    Ok(true)
}

/// Counts a review into the sums of its product and its shop, or with -1 out of them.
pub(crate) async fn rate(tx: &Tx, review: &Review, sign: i64) -> anyhow::Result<()> {
    let rows: Vec<Vec<Value>> = [review.product.as_str(), review.merchant.as_str()]
        .into_iter()
        .map(|subject| {
            vec![
                tx.tenant().into(),
                subject.into(),
                sign.into(),
                (sign * review.stars).into(),
            ]
        })
        .collect();
    tx.insert_many(ADD_RATING, &rows).await
}

/// Stores a review that is still as it was read; its version counts up.
///
/// # Errors
/// 409 when somebody else changed it; a failure of the database.
pub(crate) async fn update_review(tx: &Tx, review: &mut Review) -> anyhow::Result<()> {
    let (reason, by) = review.hidden.clone().unzip();
    let (reply, replied_at) = review.reply.clone().unzip();
    let parameters = [
        tx.tenant().into(),
        (&review.id).into(),
        review.version.into(),
        review.hidden.is_some().into(),
        reason.into(),
        by.as_ref().into(),
        reply.into(),
        replied_at.into(),
    ];
    let row = tx.row(UPDATE_REVIEW, &parameters).await?;
    review.version = row.ok_or_else(changed_meanwhile)?.integer(0)?;
    Ok(())
}

/// How many reviews of it are shown, and their stars in all.
pub(crate) async fn rating(
    db: &impl Read,
    tenant: &TenantId,
    of: &Of,
) -> anyhow::Result<(i64, i64)> {
    let row = db.row(RATING, &[tenant.into(), of.as_str().into()]).await?;
    row.map_or(Ok((0, 0)), |row| Ok((row.integer(0)?, row.integer(1)?)))
}
