//! What others recorded: communities, and people who were one all along or asked to be forgotten.

use kernel::{ActorId, CommunityId, TenantId};
use store::{Read, Tx};

statements! {
    PUT_COMMUNITY = "insert into merchants_community (tenant, id, name) values ($1, $2, $3)
        on conflict (tenant, id) do update set name = excluded.name";

    COMMUNITY = "select 1 from merchants_community where tenant = $1 and id = $2";

    RENAME_APPLICANT = "update merchants_application set applicant = $3 where tenant = $1 and applicant = $2";

    DELETE_PAPERS_OF = "delete from merchants_qualification where tenant = $1 and application in
            (select a.id from merchants_application a
             where a.tenant = $1 and a.applicant = $2 and a.merchant is null)";

    DELETE_APPLICATIONS_OF = "delete from merchants_application
        where tenant = $1 and applicant = $2 and merchant is null";

    FORGET_APPLICANT = "update merchants_application set applicant = null where tenant = $1 and applicant = $2";
}

/// Stores a community.
pub(crate) async fn put_community(
    tx: &Tx,
    community: &CommunityId,
    name: &str,
) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), community.into(), name.into()];
    tx.execute(PUT_COMMUNITY, &parameters).await
}

/// Whether there is such a community.
pub(crate) async fn is_community(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
) -> anyhow::Result<bool> {
    let row = db
        .row(COMMUNITY, &[tenant.into(), community.into()])
        .await?;
    Ok(row.is_some())
}

/// The applicant goes by another id.
pub(crate) async fn rename_applicant(
    tx: &Tx,
    alias: &ActorId,
    person: &ActorId,
) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), alias.into(), person.into()];
    tx.execute(RENAME_APPLICANT, &parameters).await
}

/// Forgets a person's applications that made no merchant; of those that did the company stays, and not whose they were.
pub(crate) async fn erase_applicant(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    let whose = [tx.tenant().into(), person.into()];
    for statement in [DELETE_PAPERS_OF, DELETE_APPLICATIONS_OF, FORGET_APPLICANT] {
        tx.execute(statement, &whose).await?;
    }
    Ok(())
}
