//! Templates: texts in both languages, by name.

use kernel::{ActorId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

use super::word;
use crate::domain::{Bilingual, purpose};

statements! {
    PUT = "insert into push_template (tenant, id, purpose, title_zh, title_en, body_zh, body_en, version, changed_by,
            changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (tenant, id) do update set purpose = excluded.purpose, title_zh = excluded.title_zh,
            title_en = excluded.title_en, body_zh = excluded.body_zh, body_en = excluded.body_en,
            version = excluded.version, changed_by = excluded.changed_by, changed_at = excluded.changed_at";

    TEMPLATE = "select id, purpose, title_zh, title_en, body_zh, body_en, version
        from push_template where tenant = $1 and id = $2";

    TEMPLATES = "select id, purpose, title_zh, title_en, body_zh, body_en, version
        from push_template where tenant = $1 and (cast($2 as text) is null or id > $2) order by id limit $3";
}

/// A template.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) id: String,
    pub(crate) purpose: messaging::timing::Purpose,
    pub(crate) title: Bilingual,
    pub(crate) body: Bilingual,
    pub(crate) version: i64,
}

fn template_of(row: &Row) -> anyhow::Result<Template> {
    Ok(Template {
        id: row.text(0)?.to_owned(),
        purpose: word(row.text(1)?, purpose)?,
        title: Bilingual::new(row.text(2)?, row.text(3)?),
        body: Bilingual::new(row.text(4)?, row.text(5)?),
        version: row.integer(6)?,
    })
}

/// Puts a template in the place of the one before.
pub(crate) async fn put(
    tx: &Tx,
    template: &Template,
    (actor, now): (&ActorId, Timestamp),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&template.id).into(),
        crate::domain::purpose_name(template.purpose).into(),
        (&template.title.zh).into(),
        (&template.title.en).into(),
        (&template.body.zh).into(),
        (&template.body.en).into(),
        template.version.into(),
        actor.into(),
        now.into(),
    ];
    tx.execute(PUT, &parameters).await
}

/// The template of that name.
pub(crate) async fn template(
    db: &impl Read,
    tenant: &TenantId,
    id: &str,
) -> anyhow::Result<Option<Template>> {
    let row = db.row(TEMPLATE, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(template_of).transpose()
}

/// The templates.
pub(crate) async fn templates(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<String>,
) -> anyhow::Result<Vec<Template>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(TEMPLATES, &parameters).await?;
    rows.iter().map(template_of).collect()
}
