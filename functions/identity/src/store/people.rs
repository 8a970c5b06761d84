//! Tenants, people and their passwords.

use kernel::{ActorId, CommunityId, TenantId, Timestamp};
use store::{Read, Tx, Value};
use web::Page;

use crate::domain::{Name, Person, Reach, Username};
use crate::rows::read_person;

const TENANT: &str = "select id from identity_tenant where id = $1";

const INSERT_TENANT: &str =
    "insert into identity_tenant (id, name, created_at) values ($1, $2, $3)";

const PERSON: &str = "select p.id, p.username, p.name, p.kind,
        (select string_agg(m.community, ',') from identity_membership m where m.tenant = p.tenant and m.person = p.id),
        p.disabled, p.version
    from identity_person p where p.tenant = $1 and p.id = $2";

const ACCOUNT: &str = "select p.id, p.username, p.name, p.kind,
        (select string_agg(m.community, ',') from identity_membership m where m.tenant = p.tenant and m.person = p.id),
        p.disabled, p.version, p.password_hash
    from identity_person p where p.tenant = $1 and p.username = $2";

// The communities come as ',a,b,': a list that both engines can search exactly.
const PEOPLE: &str = "select p.id, p.username, p.name, p.kind,
        (select string_agg(m.community, ',') from identity_membership m where m.tenant = p.tenant and m.person = p.id),
        p.disabled, p.version
    from identity_person p
    where p.tenant = $1 and (cast($2 as text) is null or exists (select 1 from identity_membership m
            where m.tenant = p.tenant and m.person = p.id and replace($2, ',' || m.community || ',', '') <> $2))
      and (cast($3 as text) is null or p.id > $3)
    order by p.id limit $4";

const PERSON_NAME_TAKEN: &str =
    "select 1 from identity_person where tenant = $1 and (id = $2 or username = $3)
    union all select 1 from identity_device where tenant = $1 and lower(id) = $3
    limit 1";

const INSERT_PERSON: &str = "insert into identity_person
        (tenant, id, username, name, kind, password_hash, disabled, version, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const UPDATE_PERSON: &str =
    "update identity_person set disabled = $3, version = $4 where tenant = $1 and id = $2";

const UPDATE_PASSWORD: &str =
    "update identity_person set password_hash = $3 where tenant = $1 and id = $2";

const DELETE_MEMBERSHIPS: &str =
    "delete from identity_membership where tenant = $1 and person = $2";

const INSERT_MEMBERSHIP: &str =
    "insert into identity_membership (tenant, person, community) values ($1, $2, $3)";

/// Whether there is such a tenant.
pub(crate) async fn is_tenant(db: &impl Read, tenant: &TenantId) -> anyhow::Result<bool> {
    Ok(db.row(TENANT, &[tenant.into()]).await?.is_some())
}

/// Adds the tenant of the transaction.
pub(crate) async fn insert_tenant(tx: &Tx, name: &Name, now: Timestamp) -> anyhow::Result<()> {
    tx.execute(
        INSERT_TENANT,
        &[tx.tenant().into(), name.as_str().into(), now.into()],
    )
    .await
}

/// The person.
pub(crate) async fn person(
    db: &impl Read,
    tenant: &TenantId,
    id: &ActorId,
) -> anyhow::Result<Option<Person>> {
    let row = db.row(PERSON, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_person(&row)).transpose()
}

/// The person of that user name, with the hash of the password.
pub(crate) async fn account(
    db: &impl Read,
    tenant: &TenantId,
    username: &Username,
) -> anyhow::Result<Option<(Person, String)>> {
    let row = db
        .row(ACCOUNT, &[tenant.into(), username.as_str().into()])
        .await?;
    row.map(|row| Ok((read_person(&row)?, row.text(7)?.to_owned())))
        .transpose()
}

/// The people within reach, by id.
pub(crate) async fn people(
    db: &impl Read,
    tenant: &TenantId,
    reach: &Reach,
    page: &Page<ActorId>,
) -> anyhow::Result<Vec<Person>> {
    let communities = match reach {
        Reach::All => None,
        Reach::Communities(own) => {
            let ids: Vec<&str> = own.iter().map(CommunityId::as_str).collect();
            Some(format!(",{},", ids.join(",")))
        }
    };
    let parameters = [
        tenant.into(),
        communities.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    db.rows(PEOPLE, &parameters)
        .await?
        .iter()
        .map(read_person)
        .collect()
}

/// Whether the id or user name is somebody's, or a device's.
pub(crate) async fn is_person_name_taken(tx: &Tx, person: &Person) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        (&person.id).into(),
        person.username.as_str().into(),
    ];
    Ok(tx.row(PERSON_NAME_TAKEN, &parameters).await?.is_some())
}

/// Adds a person.
pub(crate) async fn insert_person(
    tx: &Tx,
    person: &Person,
    password_hash: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&person.id).into(),
        person.username.as_str().into(),
        person.name.as_str().into(),
        person.kind.as_str().into(),
        password_hash.into(),
        person.disabled.into(),
        person.version.into(),
        now.into(),
    ];
    tx.execute(INSERT_PERSON, &parameters).await?;
    insert_memberships(tx, person).await
}

/// Stores the changes of a person.
pub(crate) async fn update_person(tx: &Tx, person: &Person) -> anyhow::Result<()> {
    let key: [Value; 2] = [tx.tenant().into(), (&person.id).into()];
    let [tenant, id] = key.clone();
    tx.execute(
        UPDATE_PERSON,
        &[tenant, id, person.disabled.into(), person.version.into()],
    )
    .await?;
    tx.execute(DELETE_MEMBERSHIPS, &key).await?;
    insert_memberships(tx, person).await
}

async fn insert_memberships(tx: &Tx, person: &Person) -> anyhow::Result<()> {
    for community in &person.communities {
        tx.execute(
            INSERT_MEMBERSHIP,
            &[tx.tenant().into(), (&person.id).into(), community.into()],
        )
        .await?;
    }
    Ok(())
}

/// Stores another password.
pub(crate) async fn update_password(
    tx: &Tx,
    person: &ActorId,
    password_hash: &str,
) -> anyhow::Result<()> {
    tx.execute(
        UPDATE_PASSWORD,
        &[tx.tenant().into(), person.into(), password_hash.into()],
    )
    .await
}
