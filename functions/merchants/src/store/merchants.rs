//! Merchants, in which categories they may sell, and who edited them.

use kernel::{CategoryId, MerchantId, TenantId, Timestamp};
use store::{Read, Row, Tx, Value};
use web::Page;
use wire::mall::{MerchantMode, Standing};

use super::word;
use crate::domain::{Merchant, MerchantState, Name, Reason};
use crate::rows::profile_json;

statements! {
    MERCHANT = "select m.id, m.application, m.company, m.credit_code, m.contact, m.phone, m.phone_digest, m.profile,
            m.mode, m.state, m.state_reason, m.wants_open, m.expires_at, m.standing, m.version, m.created_at,
            (select string_agg(a.category, ',') from merchants_assignment a where a.tenant = m.tenant and a.merchant = m.id)
        from merchants_merchant m where m.tenant = $1 and m.id = $2";

    MERCHANTS = "select m.id, m.application, m.company, m.credit_code, m.contact, m.phone, m.phone_digest, m.profile,
            m.mode, m.state, m.state_reason, m.wants_open, m.expires_at, m.standing, m.version, m.created_at,
            (select string_agg(a.category, ',') from merchants_assignment a where a.tenant = m.tenant and a.merchant = m.id)
        from merchants_merchant m
        where m.tenant = $1 and (cast($2 as text) is null or m.state = $2) and (cast($3 as text) is null or m.id > $3)
          and (cast($4 as text) is null or exists (select 1 from merchants_assignment c
                where c.tenant = m.tenant and c.category = $4 and c.merchant = m.id))
          and (cast($5 as bigint) is null or (m.wants_open = 1 and (m.expires_at is null or m.expires_at > $5)))
        order by m.id limit $6";

    MERCHANTS_OF = "select m.id, m.application, m.company, m.credit_code, m.contact, m.phone, m.phone_digest, m.profile,
            m.mode, m.state, m.state_reason, m.wants_open, m.expires_at, m.standing, m.version, m.created_at,
            (select string_agg(a.category, ',') from merchants_assignment a where a.tenant = m.tenant and a.merchant = m.id)
        from merchants_member p join merchants_merchant m on m.tenant = p.tenant and m.id = p.merchant
        where p.tenant = $1 and p.person = $2 and (cast($3 as text) is null or m.id > $3)
        order by m.id limit $4";

    INSERT_MERCHANT = "insert into merchants_merchant (tenant, id, application, company, credit_code, contact, phone,
            phone_digest, profile, mode, state, wants_open, expires_at, due_at, standing_version, version, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, $15, $16)";

    UPDATE_MERCHANT = "update merchants_merchant set profile = $3, mode = $4, state = $5, state_reason = $6,
            wants_open = $7, expires_at = $8, version = $10,
            due_at = case when coalesce(expires_at, -1) = coalesce(cast($8 as bigint), -1) then due_at else cast($9 as bigint) end
        where tenant = $1 and id = $2 and version + 1 = $10
        returning id";

    SET_STANDING = "update merchants_merchant set standing = $3, standing_version = $4
        where tenant = $1 and id = $2 and standing_version < $4";

    SET_DUE = "update merchants_merchant set due_at = $3 where tenant = $1 and id = $2";

    DELETE_ASSIGNMENTS = "delete from merchants_assignment where tenant = $1 and merchant = $2";

    INSERT_ASSIGNMENT = "insert into merchants_assignment (tenant, category, merchant) values ($1, $2, $3)
        on conflict (tenant, category, merchant) do nothing";

    INSERT_EDIT = "insert into merchants_edit (tenant, merchant, version, fields, on_behalf, reason, actor, edited_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";

    EDITS = "select version, fields, on_behalf, reason, actor, edited_at from merchants_edit
        where tenant = $1 and merchant = $2 and (cast($3 as bigint) is null or version < $3)
        order by version desc limit $4";

    DUE = "select tenant, id from merchants_merchant where due_at <= $1 and due_at is not null order by due_at limit $2";
}

/// An edit as it was kept.
pub(crate) struct Edit {
    /// The merchant's version after it.
    pub version: i64,
    /// What was changed.
    pub fields: Vec<String>,
    /// Whether an operator did it for the merchant.
    pub on_behalf: bool,
    /// Why, if it was said.
    pub reason: Option<String>,
    /// Who did it.
    pub actor: kernel::ActorId,
    /// When.
    pub at: Timestamp,
}

/// Which merchants are asked for.
#[derive(Default)]
pub(crate) struct Filter {
    /// In this state.
    pub state: Option<MerchantState>,
    /// That may sell in this category itself.
    pub category: Option<CategoryId>,
    /// That are open at this moment.
    pub open_at: Option<Timestamp>,
}

/// The merchant.
pub(crate) async fn merchant(
    db: &impl Read,
    tenant: &TenantId,
    id: &MerchantId,
) -> anyhow::Result<Option<Merchant>> {
    let row = db.row(MERCHANT, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read_merchant).transpose()
}

/// The tenant's merchants, in the order of their ids.
pub(crate) async fn merchants(
    db: &impl Read,
    tenant: &TenantId,
    filter: &Filter,
    page: &Page<MerchantId>,
) -> anyhow::Result<Vec<Merchant>> {
    let parameters = [
        tenant.into(),
        filter.state.map(MerchantState::as_str).into(),
        page.after.as_ref().into(),
        filter.category.as_ref().into(),
        filter.open_at.into(),
        page.rows().into(),
    ];
    let rows = db.rows(MERCHANTS, &parameters).await?;
    rows.iter().map(read_merchant).collect()
}

/// The merchants that a person acts for, in the order of their ids.
pub(crate) async fn merchants_of(
    db: &impl Read,
    (tenant, person): (&TenantId, &kernel::ActorId),
    page: &Page<MerchantId>,
) -> anyhow::Result<Vec<Merchant>> {
    let parameters = [
        tenant.into(),
        person.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(MERCHANTS_OF, &parameters).await?;
    rows.iter().map(read_merchant).collect()
}

fn read_merchant(row: &Row) -> anyhow::Result<Merchant> {
    let categories = row.optional_text(16)?.unwrap_or("");
    let categories = categories.split(',').filter(|id| !id.is_empty());
    let mut categories: Vec<CategoryId> = categories
        .map(CategoryId::parse)
        .collect::<Result<_, _>>()?;
    categories.sort();
    Ok(Merchant {
        id: row.id(0)?,
        application: row.id(1)?,
        company: Name::parse(row.text(2)?)?,
        credit_code: row.text(3)?.to_owned(),
        contact: Name::parse(row.text(4)?)?,
        phone: row.id(5)?,
        phone_digest: row.text(6)?.to_owned(),
        profile: serde_json::from_str(row.text(7)?)?,
        mode: word(row.text(8)?, MerchantMode::parse)?,
        state: word(row.text(9)?, MerchantState::parse)?,
        state_reason: row.optional_text(10)?.map(Reason::parse).transpose()?,
        wants_open: row.boolean(11)?,
        expires_at: row.optional_timestamp(12)?,
        standing: row
            .optional_text(13)?
            .map(|text| word(text, Standing::parse))
            .transpose()?,
        categories,
        version: row.integer(14)?,
        created_at: row.timestamp(15)?,
    })
}

/// Adds a merchant; `due_at` is when something of its papers is to be told.
pub(crate) async fn insert_merchant(
    tx: &Tx,
    new: &Merchant,
    due_at: Option<Timestamp>,
) -> anyhow::Result<()> {
    let parameters: [Value; 16] = [
        tx.tenant().into(),
        (&new.id).into(),
        (&new.application).into(),
        new.company.as_str().into(),
        (&new.credit_code).into(),
        new.contact.as_str().into(),
        new.phone.as_str().into(),
        (&new.phone_digest).into(),
        profile_json(&new.profile).to_string().into(),
        new.mode.as_str().into(),
        new.state.as_str().into(),
        new.wants_open.into(),
        new.expires_at.into(),
        due_at.into(),
        new.version.into(),
        new.created_at.into(),
    ];
    tx.execute(INSERT_MERCHANT, &parameters).await?;
    insert_assignments(tx, new).await
}

/// Stores a merchant's next version, its categories left out; `due_at` counts when its papers end at another moment than
/// before.
pub(crate) async fn update_merchant(
    tx: &Tx,
    changed: &Merchant,
    due_at: Option<Timestamp>,
) -> anyhow::Result<()> {
    let parameters: [Value; 10] = [
        tx.tenant().into(),
        (&changed.id).into(),
        profile_json(&changed.profile).to_string().into(),
        changed.mode.as_str().into(),
        changed.state.as_str().into(),
        changed.state_reason.as_ref().map(Reason::as_str).into(),
        changed.wants_open.into(),
        changed.expires_at.into(),
        due_at.into(),
        changed.version.into(),
    ];
    let stored = tx.row(UPDATE_MERCHANT, &parameters).await?;
    anyhow::ensure!(stored.is_some(), "a merchant's version has moved");
    Ok(())
}

/// Stores in which categories a merchant may sell.
pub(crate) async fn replace_assignments(tx: &Tx, changed: &Merchant) -> anyhow::Result<()> {
    let whose = [tx.tenant().into(), (&changed.id).into()];
    tx.execute(DELETE_ASSIGNMENTS, &whose).await?;
    insert_assignments(tx, changed).await
}

async fn insert_assignments(tx: &Tx, merchant: &Merchant) -> anyhow::Result<()> {
    for category in &merchant.categories {
        let assigned = [tx.tenant().into(), category.into(), (&merchant.id).into()];
        tx.execute(INSERT_ASSIGNMENT, &assigned).await?;
    }
    Ok(())
}

/// Stores what settlement said, unless something later was heard before.
pub(crate) async fn set_standing(
    tx: &Tx,
    merchant: &MerchantId,
    (standing, version): (Standing, i64),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        merchant.into(),
        standing.as_str().into(),
        version.into(),
    ];
    tx.execute(SET_STANDING, &parameters).await
}

/// Stores when something of a merchant's papers is to be told next.
pub(crate) async fn set_due(
    tx: &Tx,
    merchant: &MerchantId,
    due_at: Option<Timestamp>,
) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), merchant.into(), due_at.into()];
    tx.execute(SET_DUE, &parameters).await
}

/// Keeps who edited what.
pub(crate) async fn insert_edit(tx: &Tx, merchant: &MerchantId, edit: &Edit) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        merchant.into(),
        edit.version.into(),
        edit.fields.join(",").into(),
        edit.on_behalf.into(),
        edit.reason.as_deref().into(),
        (&edit.actor).into(),
        edit.at.into(),
    ];
    tx.execute(INSERT_EDIT, &parameters).await
}

/// Who edited a merchant, the latest first.
pub(crate) async fn edits(
    db: &impl Read,
    (tenant, merchant): (&TenantId, &MerchantId),
    page: &Page<i64>,
) -> anyhow::Result<Vec<Edit>> {
    let parameters = [
        tenant.into(),
        merchant.into(),
        page.after.into(),
        page.rows().into(),
    ];
    let rows = db.rows(EDITS, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Edit {
                version: row.integer(0)?,
                fields: row.text(1)?.split(',').map(str::to_owned).collect(),
                on_behalf: row.boolean(2)?,
                reason: row.optional_text(3)?.map(str::to_owned),
                actor: row.id(4)?,
                at: row.timestamp(5)?,
            })
        })
        .collect()
}

/// The merchants of whose papers something is to be told by now.
pub(crate) async fn due(
    db: &impl Read,
    now: Timestamp,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, MerchantId)>> {
    let rows = db.rows(DUE, &[now.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}
