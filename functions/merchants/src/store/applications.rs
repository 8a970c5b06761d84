//! Applications.

use kernel::{ActorId, MerchantApplicationId, TenantId, Timestamp};
use store::{Batch, Read, Row, Tx, Value};
use web::Page;

use super::word;
use crate::domain::{Application, ApplicationState, Outcome, Reason};
use crate::rows::content_json;

statements! {
    APPLICATION = "select id, state, applicant, phone, phone_digest, content, round, version, created_at, submitted_at,
            decided_by, decided_at, reason, merchant
        from merchants_application where tenant = $1 and id = $2";

    APPLICATIONS = "select id, state, applicant, phone, phone_digest, content, round, version, created_at, submitted_at,
            decided_by, decided_at, reason, merchant
        from merchants_application
        where tenant = $1 and (cast($2 as text) is null or state = $2) and (cast($3 as text) is null or id < $3)
        order by id desc limit $4";

    APPLICATIONS_OF = "select id, state, applicant, phone, phone_digest, content, round, version, created_at, submitted_at,
            decided_by, decided_at, reason, merchant
        from merchants_application
        where tenant = $1 and applicant = $2 and (cast($3 as text) is null or id < $3)
        order by id desc limit $4";

    INSERT_APPLICATION = "insert into merchants_application (tenant, id, state, applicant, phone, phone_digest, content,
            round, version, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

    UPDATE_APPLICATION = "update merchants_application set state = $3, phone = $4, phone_digest = $5, content = $6,
            round = $7, version = $8, submitted_at = $9, decided_by = $10, decided_at = $11, reason = $12, merchant = $13
        where tenant = $1 and id = $2 and version + 1 = $8
        returning id";

    PHONE_SINCE = "select count(*) from (select 1 from merchants_application
        where tenant = $1 and phone_digest = $2 and created_at > $3 limit 100) recent";

    STRANGERS_SINCE = "select count(*) from (select 1 from merchants_application
        where tenant = $1 and created_at > $2 and applicant is null limit 1000) recent";

    DELETE_DRAFT_PAPERS = "delete from merchants_qualification where (tenant, application) in
            (select a.tenant, a.id from merchants_application a where a.state = 'draft' and a.created_at <= $1
             order by a.created_at limit $2)";

    DELETE_DRAFTS = "delete from merchants_application where (tenant, id) in
            (select a.tenant, a.id from merchants_application a where a.state = 'draft' and a.created_at <= $1
             order by a.created_at limit $2)
        returning id";
}

/// The application.
pub(crate) async fn application(
    db: &impl Read,
    tenant: &TenantId,
    id: &MerchantApplicationId,
) -> anyhow::Result<Option<Application>> {
    let row = db.row(APPLICATION, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read_application).transpose()
}

/// The tenant's applications, in one state or all, the latest first.
pub(crate) async fn applications(
    db: &impl Read,
    tenant: &TenantId,
    state: Option<ApplicationState>,
    page: &Page<MerchantApplicationId>,
) -> anyhow::Result<Vec<Application>> {
    let parameters = [
        tenant.into(),
        state.map(ApplicationState::as_str).into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(APPLICATIONS, &parameters).await?;
    rows.iter().map(read_application).collect()
}

/// A person's applications, the latest first.
pub(crate) async fn applications_of(
    db: &impl Read,
    (tenant, person): (&TenantId, &ActorId),
    page: &Page<MerchantApplicationId>,
) -> anyhow::Result<Vec<Application>> {
    let parameters = [
        tenant.into(),
        person.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(APPLICATIONS_OF, &parameters).await?;
    rows.iter().map(read_application).collect()
}

fn read_application(row: &Row) -> anyhow::Result<Application> {
    let outcome = row.optional_id(10)?.map(|by| -> anyhow::Result<Outcome> {
        Ok(Outcome {
            by,
            at: row.timestamp(11)?,
            reason: row.optional_text(12)?.map(Reason::parse).transpose()?,
        })
    });
    Ok(Application {
        id: row.id(0)?,
        state: word(row.text(1)?, ApplicationState::parse)?,
        applicant: row.optional_id(2)?,
        phone: row.id(3)?,
        phone_digest: row.text(4)?.to_owned(),
        content: serde_json::from_str(row.text(5)?)?,
        round: row.integer(6)?,
        version: row.integer(7)?,
        created_at: row.timestamp(8)?,
        submitted_at: row.optional_timestamp(9)?,
        outcome: outcome.transpose()?,
        merchant: row.optional_id(13)?,
    })
}

/// Adds an application.
pub(crate) async fn insert_application(tx: &Tx, new: &Application) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&new.id).into(),
        new.state.as_str().into(),
        new.applicant.as_ref().into(),
        new.phone.as_str().into(),
        (&new.phone_digest).into(),
        content_json(&new.content).to_string().into(),
        new.round.into(),
        new.version.into(),
        new.created_at.into(),
    ];
    tx.execute(INSERT_APPLICATION, &parameters).await
}

/// Stores an application's next version.
pub(crate) async fn update_application(tx: &Tx, changed: &Application) -> anyhow::Result<()> {
    let outcome = changed.outcome.as_ref();
    let reason = outcome.and_then(|outcome| outcome.reason.as_ref());
    let parameters: [Value; 13] = [
        tx.tenant().into(),
        (&changed.id).into(),
        changed.state.as_str().into(),
        changed.phone.as_str().into(),
        (&changed.phone_digest).into(),
        content_json(&changed.content).to_string().into(),
        changed.round.into(),
        changed.version.into(),
        changed.submitted_at.into(),
        outcome.map(|outcome| &outcome.by).into(),
        outcome.map(|outcome| outcome.at).into(),
        reason.map(Reason::as_str).into(),
        changed.merchant.as_ref().into(),
    ];
    let stored = tx.row(UPDATE_APPLICATION, &parameters).await?;
    anyhow::ensure!(stored.is_some(), "an application's version has moved");
    Ok(())
}

/// How many were begun: with this phone within a day, and without an account within an hour.
pub(crate) async fn recent(
    tx: &Tx,
    phone_digest: &str,
    now: Timestamp,
) -> anyhow::Result<(i64, i64)> {
    const HOUR_MS: i64 = 60 * 60 * 1_000;
    let (day, hour) = (now.plus_millis(-24 * HOUR_MS), now.plus_millis(-HOUR_MS));
    let phone = [tx.tenant().into(), phone_digest.into(), day.into()];
    let phone = tx.row(PHONE_SINCE, &phone).await?;
    let strangers = tx
        .row(STRANGERS_SINCE, &[tx.tenant().into(), hour.into()])
        .await?;
    let count = |row: Option<Row>| row.map_or(Ok(0), |row| row.integer(0));
    Ok((count(phone)?, count(strangers)?))
}

/// Forgets drafts that were begun by that moment, with their papers. How many.
pub(crate) async fn forget_drafts(
    batch: &Batch,
    before: Timestamp,
    limit: i64,
) -> anyhow::Result<usize> {
    let parameters = [before.into(), limit.into()];
    batch.execute(DELETE_DRAFT_PAPERS, &parameters).await?;
    Ok(batch.rows(DELETE_DRAFTS, &parameters).await?.len())
}
