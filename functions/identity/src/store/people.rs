//! Tenants, people and their passwords.

use kernel::{ActorId, ActorKind, CommunityId, TenantId, Timestamp};
use store::{Read, Tx};
use web::Page;

use crate::domain::{Name, Person, Reach, Username};
use crate::rows::read_person;

const TENANT: &str = "select id from identity_tenant where id = $1";

const INSERT_TENANT: &str =
    "insert into identity_tenant (id, name, created_at) values ($1, $2, $3)";

const PERSON: &str = "select p.id, p.username, p.name, p.kind,
        (select string_agg(c.community, ',') from
            (select m.community from identity_membership m where m.tenant = p.tenant and m.person = p.id
             union select b.community from identity_binding b where b.tenant = p.tenant and b.person = p.id
                and b.from_at <= $3 and (b.until_at is null or b.until_at > $3)) c),
        p.phone, p.disabled, p.created_at, p.version
    from identity_person p where p.tenant = $1 and p.id = $2";

const ACCOUNT: &str = "select p.id, p.username, p.name, p.kind,
        (select string_agg(c.community, ',') from
            (select m.community from identity_membership m where m.tenant = p.tenant and m.person = p.id
             union select b.community from identity_binding b where b.tenant = p.tenant and b.person = p.id
                and b.from_at <= $3 and (b.until_at is null or b.until_at > $3)) c),
        p.phone, p.disabled, p.created_at, p.version, p.password_hash, p.password_temporary
    from identity_person p where p.tenant = $1 and p.username = $2";

const ACCOUNT_BY_PHONE: &str = "select p.id, p.username, p.name, p.kind,
        (select string_agg(c.community, ',') from
            (select m.community from identity_membership m where m.tenant = p.tenant and m.person = p.id
             union select b.community from identity_binding b where b.tenant = p.tenant and b.person = p.id
                and b.from_at <= $3 and (b.until_at is null or b.until_at > $3)) c),
        p.phone, p.disabled, p.created_at, p.version
    from identity_person p where p.tenant = $1 and p.phone_digest = $2";

// The communities come as ',a,b,': a list that both engines can search exactly.
const PEOPLE: &str = "select p.id, p.username, p.name, p.kind,
        (select string_agg(c.community, ',') from
            (select m.community from identity_membership m where m.tenant = p.tenant and m.person = p.id
             union select b.community from identity_binding b where b.tenant = p.tenant and b.person = p.id
                and b.from_at <= $3 and (b.until_at is null or b.until_at > $3)) c),
        p.phone, p.disabled, p.created_at, p.version
    from identity_person p
    where p.tenant = $1 and p.erased_at is null
      and (cast($2 as text) is null or p.id > $2)
      and (cast($4 as text) is null
        or exists (select 1 from identity_membership m
            where m.tenant = p.tenant and m.person = p.id and replace($4, ',' || m.community || ',', '') <> $4)
        or exists (select 1 from identity_binding b
            where b.tenant = p.tenant and b.person = p.id and replace($4, ',' || b.community || ',', '') <> $4
                and b.from_at <= $3 and (b.until_at is null or b.until_at > $3)))
      and (cast($5 as text) is null
        or exists (select 1 from identity_membership m
            where m.tenant = p.tenant and m.person = p.id and m.community = $5)
        or exists (select 1 from identity_binding b
            where b.tenant = p.tenant and b.person = p.id and b.community = $5
                and b.from_at <= $3 and (b.until_at is null or b.until_at > $3)))
      and (cast($6 as text) is null or p.kind = $6)
      and (cast($7 as bigint) is null or p.created_at >= $7)
      and (cast($8 as bigint) is null or p.created_at < $8)
    order by p.id limit $9";

const PERSON_NAME_TAKEN: &str =
    "select 1 from identity_person where tenant = $1 and (id = $2 or username = $3)
    union all select 1 from identity_device where tenant = $1 and lower(id) = $3
    union all select 1 from identity_application where tenant = $1 and id = $2
    limit 1";

const INSERT_PERSON: &str = "insert into identity_person
        (tenant, id, username, name, kind, password_hash, disabled, version, created_at, phone, phone_digest, password_temporary)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

const UPDATE_PERSON: &str = "update identity_person set name = $3, disabled = $4, version = $5 where tenant = $1 and id = $2";

const UPDATE_PASSWORD: &str = "update identity_person set password_hash = $3, password_temporary = $4 where tenant = $1 and id = $2";

const HAS_PASSWORD: &str =
    "select 1 from identity_person where tenant = $1 and id = $2 and password_hash <> ''";

const UPDATE_PHONE: &str =
    "update identity_person set phone = $3, phone_digest = $4, version = version + 1
    where tenant = $1 and id = $2";

const CLAIM_PERSON: &str = "update identity_person set phone = $3, name = $4, version = version + 1
    where tenant = $1 and id = $2";

const DELETE_MEMBERSHIPS: &str =
    "delete from identity_membership where tenant = $1 and person = $2";

// What a binding gives is not pinned by a list that only repeats it.
const KEEP_MEMBERSHIPS: &str = "delete from identity_membership where tenant = $1 and person = $2
    and replace($3, ',' || community || ',', '') = $3";

const INSERT_MEMBERSHIP: &str = "insert into identity_membership (tenant, person, community)
    select $1, $2, $3 where not exists (select 1 from identity_binding b
        where b.tenant = $1 and b.person = $2 and b.community = $3
            and b.from_at <= $4 and (b.until_at is null or b.until_at > $4))
    on conflict (tenant, person, community) do nothing";

/// How an account is proved, beside who it is.
pub(crate) struct NewAccount<'a> {
    /// The hash of the password; empty where there is none.
    pub password_hash: &'a str,
    /// Whether it has to be replaced at the first sign-in.
    pub password_temporary: bool,
    /// The digest of the phone number.
    pub phone_digest: Option<&'a str>,
}

/// An account with the proof of its password.
pub(crate) struct Account {
    /// Whose.
    pub person: Person,
    /// The hash of the password; empty where there is none.
    pub password_hash: String,
    /// Whether it has to be replaced at the next sign-in.
    pub password_temporary: bool,
}

/// Which people are asked for.
#[derive(Default)]
pub(crate) struct PeopleFilter {
    /// Of this kind.
    pub kind: Option<ActorKind>,
    /// Of this community.
    pub community: Option<CommunityId>,
    /// Registered at or after this moment.
    pub from: Option<Timestamp>,
    /// Registered before this moment.
    pub to: Option<Timestamp>,
}

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

/// The person, with the communities of the moment.
pub(crate) async fn person(
    db: &impl Read,
    tenant: &TenantId,
    id: &ActorId,
    now: Timestamp,
) -> anyhow::Result<Option<Person>> {
    let row = db
        .row(PERSON, &[tenant.into(), id.into(), now.into()])
        .await?;
    row.map(|row| read_person(&row)).transpose()
}

/// The account of that user name.
pub(crate) async fn account(
    db: &impl Read,
    tenant: &TenantId,
    username: &Username,
    now: Timestamp,
) -> anyhow::Result<Option<Account>> {
    let row = db
        .row(
            ACCOUNT,
            &[tenant.into(), username.as_str().into(), now.into()],
        )
        .await?;
    row.map(|row| {
        Ok(Account {
            person: read_person(&row)?,
            password_hash: row.text(9)?.to_owned(),
            password_temporary: row.boolean(10)?,
        })
    })
    .transpose()
}

/// The person who is reached at the number of that digest.
pub(crate) async fn person_by_phone(
    tx: &Tx,
    phone_digest: &str,
    now: Timestamp,
) -> anyhow::Result<Option<Person>> {
    let row = tx
        .row(
            ACCOUNT_BY_PHONE,
            &[tx.tenant().into(), phone_digest.into(), now.into()],
        )
        .await?;
    row.map(|row| read_person(&row)).transpose()
}

/// The people within reach, by id.
pub(crate) async fn people(
    db: &impl Read,
    tenant: &TenantId,
    (reach, filter): (&Reach, &PeopleFilter),
    page: &Page<ActorId>,
    now: Timestamp,
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
        page.after.as_ref().into(),
        now.into(),
        communities.into(),
        filter.community.as_ref().into(),
        filter.kind.map(ActorKind::as_str).into(),
        filter.from.into(),
        filter.to.into(),
        page.rows().into(),
    ];
    db.rows(PEOPLE, &parameters)
        .await?
        .iter()
        .map(read_person)
        .collect()
}

/// Whether the id or user name is somebody's, a device's or an application's.
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
    account: NewAccount<'_>,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&person.id).into(),
        person.username.as_str().into(),
        person.name.as_str().into(),
        person.kind.as_str().into(),
        account.password_hash.into(),
        person.disabled.into(),
        person.version.into(),
        person.registered_at.into(),
        person.phone.as_ref().map(kernel::Phone::as_str).into(),
        account.phone_digest.into(),
        account.password_temporary.into(),
    ];
    tx.execute(INSERT_PERSON, &parameters).await?;
    insert_memberships(tx, person, person.registered_at).await
}

/// Stores the changes of a person, with the communities where they were changed.
pub(crate) async fn update_person(
    tx: &Tx,
    person: &Person,
    are_communities_changed: bool,
    now: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&person.id).into(),
        person.name.as_str().into(),
        person.disabled.into(),
        person.version.into(),
    ];
    tx.execute(UPDATE_PERSON, &parameters).await?;
    if !are_communities_changed {
        return Ok(());
    }
    let ids: Vec<&str> = person.communities.iter().map(CommunityId::as_str).collect();
    let kept = format!(",{},", ids.join(","));
    tx.execute(
        KEEP_MEMBERSHIPS,
        &[tx.tenant().into(), (&person.id).into(), kept.into()],
    )
    .await?;
    insert_memberships(tx, person, now).await
}

/// Forgets where an operator said that the person lives or works.
pub(crate) async fn delete_memberships(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    tx.execute(DELETE_MEMBERSHIPS, &[tx.tenant().into(), person.into()])
        .await
}

async fn insert_memberships(tx: &Tx, person: &Person, now: Timestamp) -> anyhow::Result<()> {
    for community in &person.communities {
        tx.execute(
            INSERT_MEMBERSHIP,
            &[
                tx.tenant().into(),
                (&person.id).into(),
                community.into(),
                now.into(),
            ],
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
    is_temporary: bool,
) -> anyhow::Result<()> {
    tx.execute(
        UPDATE_PASSWORD,
        &[
            tx.tenant().into(),
            person.into(),
            password_hash.into(),
            is_temporary.into(),
        ],
    )
    .await
}

/// Whether the person can sign in with a password.
pub(crate) async fn has_password(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<bool> {
    let row = db
        .row(HAS_PASSWORD, &[tenant.into(), person.into()])
        .await?;
    Ok(row.is_some())
}

/// Stores another number.
pub(crate) async fn update_phone(
    tx: &Tx,
    person: &ActorId,
    phone: &kernel::Phone,
    phone_digest: &str,
) -> anyhow::Result<()> {
    tx.execute(
        UPDATE_PHONE,
        &[
            tx.tenant().into(),
            person.into(),
            phone.as_str().into(),
            phone_digest.into(),
        ],
    )
    .await
}

/// Makes an account of the register of residents the account of whoever holds its phone.
pub(crate) async fn claim_person(
    tx: &Tx,
    person: &ActorId,
    phone: &kernel::Phone,
    name: &Name,
) -> anyhow::Result<()> {
    tx.execute(
        CLAIM_PERSON,
        &[
            tx.tenant().into(),
            person.into(),
            phone.as_str().into(),
            name.as_str().into(),
        ],
    )
    .await
}
