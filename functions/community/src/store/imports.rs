//! Files on their way in.

use kernel::{ActorId, CommunityId, ImportId, TenantId, Timestamp};
use store::{Batch, Read, Row, Tx};

use super::statements;
use crate::domain::sheet::Kind;
use crate::file::Format;

statements! {
    IMPORT = "select id, community, kind, format, state, report, opened_by, opened_at from community_import
        where tenant = $1 and id = $2";

    INSERT_IMPORT = "insert into community_import (tenant, id, community, kind, format, state, report, opened_by,
            opened_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

    REPORT_IMPORT = "update community_import set state = $3, report = $4 where tenant = $1 and id = $2";

    PART_SIZES = "select part, bytes from community_import_part where tenant = $1 and import = $2
        order by part limit $3";

    PART = "select content from community_import_part where tenant = $1 and import = $2 and part = $3";

    PUT_PART = "insert into community_import_part (tenant, import, part, bytes, content) values ($1, $2, $3, $4, $5)
        on conflict (tenant, import, part) do update set bytes = excluded.bytes, content = excluded.content";

    DELETE_PARTS = "delete from community_import_part where (tenant, import) in
            (select i.tenant, i.id from community_import i where i.opened_at <= $1 order by i.opened_at limit $2)";

    DELETE_PARTS_OF = "delete from community_import_part where tenant = $1 and import = $2";

    DELETE_IMPORTS = "delete from community_import where (tenant, id) in
            (select i.tenant, i.id from community_import i where i.opened_at <= $1 order by i.opened_at limit $2)
        returning id";
}

/// A file on its way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub id: ImportId,
    pub community: CommunityId,
    pub kind: Kind,
    pub format: Format,
    pub is_done: bool,
    /// The last report as JSON.
    pub report: Option<String>,
    pub opened_by: ActorId,
    pub opened_at: Timestamp,
}

/// The import.
pub(crate) async fn import(
    db: &impl Read,
    tenant: &TenantId,
    id: &ImportId,
) -> anyhow::Result<Option<Import>> {
    let row = db.row(IMPORT, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_import(&row)).transpose()
}

fn read_import(row: &Row) -> anyhow::Result<Import> {
    let (kind, format) = (row.text(2)?, row.text(3)?);
    Ok(Import {
        id: row.id(0)?,
        community: row.id(1)?,
        kind: Kind::parse(kind).ok_or_else(|| anyhow::anyhow!("an import's kind is {kind:?}"))?,
        format: Format::parse(format).ok_or_else(|| anyhow::anyhow!("a format is {format:?}"))?,
        is_done: row.text(4)? == "done",
        report: row.optional_text(5)?.map(str::to_owned),
        opened_by: row.id(6)?,
        opened_at: row.timestamp(7)?,
    })
}

/// Adds an import.
pub(crate) async fn insert_import(tx: &Tx, import: &Import) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&import.id).into(),
        (&import.community).into(),
        import.kind.as_str().into(),
        import.format.as_str().into(),
        "open".into(),
        store::Value::Null,
        (&import.opened_by).into(),
        import.opened_at.into(),
    ];
    tx.execute(INSERT_IMPORT, &parameters).await
}

/// Keeps what became of an import.
pub(crate) async fn report_import(tx: &Tx, import: &Import) -> anyhow::Result<()> {
    let state = if import.is_done { "done" } else { "open" };
    let parameters = [
        tx.tenant().into(),
        (&import.id).into(),
        state.into(),
        import.report.as_deref().into(),
    ];
    tx.execute(REPORT_IMPORT, &parameters).await
}

/// The parts that are there, with their bytes, in order.
pub(crate) async fn part_sizes(
    db: &impl Read,
    tenant: &TenantId,
    import: &ImportId,
    limit: i64,
) -> anyhow::Result<Vec<(i64, i64)>> {
    let rows = db
        .rows(PART_SIZES, &[tenant.into(), import.into(), limit.into()])
        .await?;
    rows.iter()
        .map(|row| Ok((row.integer(0)?, row.integer(1)?)))
        .collect()
}

/// A part in base64.
pub(crate) async fn part(
    db: &impl Read,
    tenant: &TenantId,
    import: &ImportId,
    part: i64,
) -> anyhow::Result<Option<String>> {
    let row = db
        .row(PART, &[tenant.into(), import.into(), part.into()])
        .await?;
    row.map(|row| Ok(row.text(0)?.to_owned())).transpose()
}

/// Keeps a part, in the place of the one before.
pub(crate) async fn put_part(
    tx: &Tx,
    import: &ImportId,
    (part, bytes): (i64, i64),
    content: &str,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        import.into(),
        part.into(),
        bytes.into(),
        content.into(),
    ];
    tx.execute(PUT_PART, &parameters).await
}

/// Forgets the file of an import that is done.
pub(crate) async fn delete_parts(tx: &Tx, import: &ImportId) -> anyhow::Result<()> {
    tx.execute(DELETE_PARTS_OF, &[tx.tenant().into(), import.into()])
        .await
}

/// Forgets imports that were opened before that moment, at most `limit`; how many.
pub(crate) async fn sweep_imports(
    batch: &Batch,
    before: Timestamp,
    limit: i64,
) -> anyhow::Result<usize> {
    let parameters = [before.into(), limit.into()];
    batch.execute(DELETE_PARTS, &parameters).await?;
    Ok(batch.rows(DELETE_IMPORTS, &parameters).await?.len())
}
