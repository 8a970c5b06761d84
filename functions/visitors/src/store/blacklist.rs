//! Who is not let in.

use kernel::{CommunityId, TenantId};
use store::{Read, Tx};
use web::Page;

use crate::domain::{Entry, Mark, Plate, Visitor};
use crate::rows::{entry_values, read_entry};

statements! {
    ENTRY = "select id, community, kind, mark, shown, reason, created_by, created_at, ended_by, ended_at
        from visitors_blacklist where tenant = $1 and id = $2";

    ENTRIES = "select id, community, kind, mark, shown, reason, created_by, created_at, ended_by, ended_at
        from visitors_blacklist
        where tenant = $1 and community = $2 and (cast($3 as text) is null or id < $3)
        order by id desc limit $4";

    ENTRY_OF_MARK = "select id, community, kind, mark, shown, reason, created_by, created_at, ended_by, ended_at
        from visitors_blacklist
        where tenant = $1 and community = $2 and kind = $3 and mark = $4 and ended_at is null";

    IS_BLACKLISTED = "select 1 from visitors_blacklist
        where tenant = $1 and community = $2 and ended_at is null
          and ((kind = 'phone' and mark = cast($3 as text)) or (kind = 'plate' and mark = cast($4 as text)))
        limit 1";

    INSERT_ENTRY = "insert into visitors_blacklist
            (tenant, id, community, kind, mark, shown, reason, created_by, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

    END_ENTRY = "update visitors_blacklist set ended_by = $3, ended_at = $4 where tenant = $1 and id = $2";
}

/// The entry.
pub(crate) async fn entry(
    db: &impl Read,
    tenant: &TenantId,
    id: &str,
) -> anyhow::Result<Option<Entry>> {
    let row = db.row(ENTRY, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_entry(&row)).transpose()
}

/// The entries of a community, the latest first.
pub(crate) async fn entries(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
    page: &Page<String>,
) -> anyhow::Result<Vec<Entry>> {
    let parameters = [
        tenant.into(),
        community.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    db.rows(ENTRIES, &parameters)
        .await?
        .iter()
        .map(read_entry)
        .collect()
}

/// The entry that keeps this mark out now.
pub(crate) async fn entry_of_mark(
    tx: &Tx,
    community: &CommunityId,
    mark: &Mark,
) -> anyhow::Result<Option<Entry>> {
    let parameters = [
        tx.tenant().into(),
        community.into(),
        mark.kind().into(),
        mark.key().into(),
    ];
    let row = tx.row(ENTRY_OF_MARK, &parameters).await?;
    row.map(|row| read_entry(&row)).transpose()
}

/// Whether the visitor is kept out, by number or by plate.
pub(crate) async fn is_blacklisted(
    tx: &Tx,
    community: &CommunityId,
    visitor: Option<&Visitor>,
) -> anyhow::Result<bool> {
    let phone = visitor.and_then(|who| who.phone.as_ref());
    let plate = visitor.and_then(|who| who.plate.as_ref());
    let parameters = [
        tx.tenant().into(),
        community.into(),
        phone.map(|known| known.digest.as_str()).into(),
        plate.map(Plate::as_str).into(),
    ];
    Ok(tx.row(IS_BLACKLISTED, &parameters).await?.is_some())
}

/// Adds an entry.
pub(crate) async fn insert_entry(tx: &Tx, entry: &Entry) -> anyhow::Result<()> {
    tx.execute(INSERT_ENTRY, &entry_values(tx.tenant(), entry))
        .await
}

/// Stores that an entry was taken off; one that holds is left alone.
pub(crate) async fn end_entry(tx: &Tx, entry: &Entry) -> anyhow::Result<()> {
    let Some(ended) = &entry.ended else {
        return Ok(());
    };
    let parameters = [
        tx.tenant().into(),
        (&entry.id).into(),
        (&ended.by).into(),
        ended.at.into(),
    ];
    tx.execute(END_ENTRY, &parameters).await
}
