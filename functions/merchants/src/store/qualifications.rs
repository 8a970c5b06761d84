//! Licences and certificates, and their files.

use kernel::{ActorId, MerchantApplicationId, MerchantId, QualificationId, TenantId};
use store::{Read, Row, Tx, Value};

use super::word;
use crate::domain::{
    Media, Name, QUALIFICATIONS_MAX, Qualification, QualificationKind, QualificationState, Reason,
    Validity,
};

statements! {
    OF_APPLICATION = "select id, kind, name, media, bytes, digest, valid_from, valid_until, state, reason, uploaded_by,
            uploaded_at
        from merchants_qualification where tenant = $1 and application = $2 order by id limit $3";

    OF_MERCHANT = "select id, kind, name, media, bytes, digest, valid_from, valid_until, state, reason, uploaded_by,
            uploaded_at
        from merchants_qualification where tenant = $1 and merchant = $2 order by id limit $3";

    CONTENT_OF_APPLICATION = "select media, content from merchants_qualification
        where tenant = $1 and id = $2 and application = $3";

    CONTENT_OF_MERCHANT = "select media, content from merchants_qualification
        where tenant = $1 and id = $2 and merchant = $3";

    INSERT_QUALIFICATION = "insert into merchants_qualification (tenant, id, application, merchant, kind, name, media,
            bytes, digest, valid_from, valid_until, state, uploaded_by, uploaded_at, content)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

    DELETE_PENDING = "delete from merchants_qualification
        where tenant = $1 and application = $2 and kind = $3 and merchant is null";

    DECIDE = "update merchants_qualification set state = $3, reason = $4, decided_by = $5
        where tenant = $1 and id = $2 and state = 'pending'
        returning id";

    HAND_OVER = "update merchants_qualification set merchant = $3, state = 'accepted', decided_by = $4
        where tenant = $1 and application = $2 and state = 'pending'";
}

/// Where a paper was handed in.
#[derive(Clone, Copy)]
pub(crate) enum Owner<'a> {
    /// With an application.
    Application(&'a MerchantApplicationId),
    /// By a merchant.
    Merchant(&'a MerchantId),
}

/// The papers of an application or a merchant, the oldest first.
pub(crate) async fn papers(
    db: &impl Read,
    tenant: &TenantId,
    owner: Owner<'_>,
) -> anyhow::Result<Vec<Qualification>> {
    // Refused ones are kept beside those that count.
    let limit: Value = i64::try_from(QUALIFICATIONS_MAX * 8)?.into();
    let rows = match owner {
        Owner::Application(id) => {
            db.rows(OF_APPLICATION, &[tenant.into(), id.into(), limit])
                .await?
        }
        Owner::Merchant(id) => {
            db.rows(OF_MERCHANT, &[tenant.into(), id.into(), limit])
                .await?
        }
    };
    rows.iter().map(read_qualification).collect()
}

/// A file in base64, and what it is.
pub(crate) async fn content(
    db: &impl Read,
    tenant: &TenantId,
    id: &QualificationId,
    owner: Owner<'_>,
) -> anyhow::Result<Option<(Media, String)>> {
    let (sql, whose): (&str, Value) = match owner {
        Owner::Application(owner) => (CONTENT_OF_APPLICATION, owner.into()),
        Owner::Merchant(owner) => (CONTENT_OF_MERCHANT, owner.into()),
    };
    let row = db.row(sql, &[tenant.into(), id.into(), whose]).await?;
    row.map(|row| Ok((word(row.text(0)?, Media::parse)?, row.text(1)?.to_owned())))
        .transpose()
}

fn read_qualification(row: &Row) -> anyhow::Result<Qualification> {
    let last = row.optional_text(7)?.map(str::parse).transpose()?;
    Ok(Qualification {
        id: row.id(0)?,
        kind: word(row.text(1)?, QualificationKind::parse)?,
        name: Name::parse(row.text(2)?)?,
        media: word(row.text(3)?, Media::parse)?,
        bytes: row.integer(4)?,
        digest: row.text(5)?.to_owned(),
        validity: Validity::stored(row.text(6)?.parse()?, last),
        state: word(row.text(8)?, QualificationState::parse)?,
        reason: row.optional_text(9)?.map(Reason::parse).transpose()?,
        uploaded_by: row.optional_id(10)?,
        uploaded_at: row.timestamp(11)?,
    })
}

/// Keeps a paper; of an application it takes the place of the one of its kind.
pub(crate) async fn put_paper(
    tx: &Tx,
    owner: Owner<'_>,
    paper: &Qualification,
    content: &str,
) -> anyhow::Result<()> {
    let (application, merchant): (Value, Value) = match owner {
        Owner::Application(id) => {
            let before = [tx.tenant().into(), id.into(), paper.kind.as_str().into()];
            tx.execute(DELETE_PENDING, &before).await?;
            (id.into(), Value::Null)
        }
        Owner::Merchant(id) => (Value::Null, id.into()),
    };
    let parameters: [Value; 15] = [
        tx.tenant().into(),
        (&paper.id).into(),
        application,
        merchant,
        paper.kind.as_str().into(),
        paper.name.as_str().into(),
        paper.media.as_str().into(),
        paper.bytes.into(),
        (&paper.digest).into(),
        paper.validity.first().to_string().into(),
        paper.validity.last().map(|day| day.to_string()).into(),
        paper.state.as_str().into(),
        paper.uploaded_by.as_ref().into(),
        paper.uploaded_at.into(),
        content.into(),
    ];
    tx.execute(INSERT_QUALIFICATION, &parameters).await
}

/// Stores a decision on a paper that waits for one.
pub(crate) async fn decide_paper(
    tx: &Tx,
    paper: &Qualification,
    actor: &ActorId,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&paper.id).into(),
        paper.state.as_str().into(),
        paper.reason.as_ref().map(Reason::as_str).into(),
        actor.into(),
    ];
    let decided = tx.row(DECIDE, &parameters).await?;
    anyhow::ensure!(decided.is_some(), "a paper was decided on before");
    Ok(())
}

/// The papers of an approved application are its merchant's from now on, and count.
pub(crate) async fn hand_over(
    tx: &Tx,
    application: &MerchantApplicationId,
    merchant: &MerchantId,
    actor: &ActorId,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        application.into(),
        merchant.into(),
        actor.into(),
    ];
    tx.execute(HAND_OVER, &parameters).await
}
