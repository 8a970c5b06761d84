//! Categories: the tree, and how many shops there are in it.

use kernel::{CategoryId, TenantId};
use store::{Read, Row, Tx};
use web::Page;
use wire::mall::SaleKind;

use super::word;
use crate::domain::{CATEGORIES_MAX, Category, Name};
use crate::rows::kinds_json;

statements! {
    CATEGORY = "select id, parent, path, depth, name, kind, operator, required, gone, version
        from merchants_category where tenant = $1 and id = $2";

    CATEGORIES = "select id, parent, path, depth, name, kind, operator, required, gone, version
        from merchants_category
        where tenant = $1 and gone = 0 and (cast($2 as text) is null or path > $2)
          and (cast($3 as text) is null or kind = $3)
        order by path limit $4";

    COUNT = "select count(*) from merchants_category where tenant = $1";

    INSERT_CATEGORY = "insert into merchants_category (tenant, id, parent, path, depth, name, kind, operator, required,
            gone, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 1)
        on conflict do nothing
        returning id";

    IS_NAMED = "select 1 from merchants_category
        where tenant = $1 and coalesce(parent, '') = $2 and name = $3 and gone = 0 and id <> $4";

    UPDATE_CATEGORY = "update merchants_category set name = $3, operator = $4, required = $5, gone = $6, version = $7
        where tenant = $1 and id = $2 and version + 1 = $7
        returning id";

    HAS_BELOW = "select 1 from merchants_category where tenant = $1 and parent = $2 and gone = 0 limit 1";

    SHOPS_BELOW = "select count(distinct a.merchant) from merchants_category c
        join merchants_assignment a on a.tenant = c.tenant and a.category = c.id
        join merchants_merchant m on m.tenant = a.tenant and m.id = a.merchant and m.state <> 'ended'
        where c.tenant = $1 and substr(c.path, 1, length(cast($2 as text))) = $2";
}

/// The category.
pub(crate) async fn category(
    db: &impl Read,
    tenant: &TenantId,
    id: &CategoryId,
) -> anyhow::Result<Option<Category>> {
    let row = db.row(CATEGORY, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read_category).transpose()
}

/// The categories that are there, each followed by those below it.
pub(crate) async fn categories(
    db: &impl Read,
    tenant: &TenantId,
    kind: Option<SaleKind>,
    page: &Page<String>,
) -> anyhow::Result<Vec<Category>> {
    let parameters = [
        tenant.into(),
        page.after.as_deref().into(),
        kind.map(SaleKind::as_str).into(),
        page.rows().into(),
    ];
    let rows = db.rows(CATEGORIES, &parameters).await?;
    rows.iter().map(read_category).collect()
}

fn read_category(row: &Row) -> anyhow::Result<Category> {
    Ok(Category {
        id: row.id(0)?,
        parent: row.optional_id(1)?,
        path: row.text(2)?.to_owned(),
        depth: row.integer(3)?,
        name: Name::parse(row.text(4)?)?,
        kind: word(row.text(5)?, SaleKind::parse)?,
        operator: row.optional_id(6)?,
        required: serde_json::from_str(row.text(7)?)?,
        gone: row.boolean(8)?,
        version: row.integer(9)?,
    })
}

/// Whether there is room for another category.
pub(crate) async fn has_room(tx: &Tx) -> anyhow::Result<bool> {
    let row = tx.row(COUNT, &[tx.tenant().into()]).await?;
    Ok(row.map_or(Ok(0), |row| row.integer(0))? < CATEGORIES_MAX)
}

/// Adds a category, unless its id or its name is taken.
pub(crate) async fn insert_category(tx: &Tx, new: &Category) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        (&new.id).into(),
        new.parent.as_ref().into(),
        (&new.path).into(),
        new.depth.into(),
        new.name.as_str().into(),
        new.kind.as_str().into(),
        new.operator.as_ref().into(),
        kinds_json(&new.required).to_string().into(),
    ];
    Ok(tx.row(INSERT_CATEGORY, &parameters).await?.is_some())
}

/// Whether another category beside it goes by its name.
pub(crate) async fn is_named(tx: &Tx, category: &Category) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        category
            .parent
            .as_ref()
            .map_or("", CategoryId::as_str)
            .into(),
        category.name.as_str().into(),
        (&category.id).into(),
    ];
    Ok(tx.row(IS_NAMED, &parameters).await?.is_some())
}

/// Stores a category's next version.
pub(crate) async fn update_category(tx: &Tx, changed: &Category) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&changed.id).into(),
        changed.name.as_str().into(),
        changed.operator.as_ref().into(),
        kinds_json(&changed.required).to_string().into(),
        changed.gone.into(),
        changed.version.into(),
    ];
    let stored = tx.row(UPDATE_CATEGORY, &parameters).await?;
    anyhow::ensure!(stored.is_some(), "a category's version has moved");
    Ok(())
}

/// Whether categories stand below it.
pub(crate) async fn has_below(tx: &Tx, category: &CategoryId) -> anyhow::Result<bool> {
    let whose = [tx.tenant().into(), category.into()];
    Ok(tx.row(HAS_BELOW, &whose).await?.is_some())
}

/// How many merchants may sell in it or below it, those that have ended left out.
pub(crate) async fn shops_below(
    db: &impl Read,
    tenant: &TenantId,
    category: &Category,
) -> anyhow::Result<i64> {
    let row = db
        .row(SHOPS_BELOW, &[tenant.into(), (&category.path).into()])
        .await?;
    row.map_or(Ok(0), |row| row.integer(0))
}
