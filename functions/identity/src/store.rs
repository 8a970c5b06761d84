//! Every SQL statement of the capability: a function a statement, named after the question it answers.
//!
//! The tenant is the first parameter everywhere but where the question is whose something is. Rows are read by
//! position, in the order of the columns named.

use kernel::{ActorId, CommunityId, DeviceId, TenantId, Timestamp};
use store::{Read, Tx, Value};
use web::Page;

use crate::domain::{ATTEMPTS_WINDOW_MS, Child, Credential, Device, Name, Person, Reach, Username};
use crate::rows::{read_credential, read_device, read_person};

/// The most old failures one failed attempt sweeps.
const SWEEP_ROWS_MAX: i64 = 20;

macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(const $name: &str = $sql;)*

        /// Every statement with its name, so that a test can prepare all of them on both engines.
        pub const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}

statements! {
    TENANT = "select id from identity_tenant where id = $1";

    INSERT_TENANT = "insert into identity_tenant (id, name, created_at) values ($1, $2, $3)";

    PERSON = "select p.id, p.username, p.name, p.kind,
            (select string_agg(m.community, ',') from identity_membership m where m.tenant = p.tenant and m.person = p.id),
            p.disabled, p.version
        from identity_person p where p.tenant = $1 and p.id = $2";

    ACCOUNT = "select p.id, p.username, p.name, p.kind,
            (select string_agg(m.community, ',') from identity_membership m where m.tenant = p.tenant and m.person = p.id),
            p.disabled, p.version, p.password_hash
        from identity_person p where p.tenant = $1 and p.username = $2";

    // The communities come as ',a,b,': a list that both engines can search exactly.
    PEOPLE = "select p.id, p.username, p.name, p.kind,
            (select string_agg(m.community, ',') from identity_membership m where m.tenant = p.tenant and m.person = p.id),
            p.disabled, p.version
        from identity_person p
        where p.tenant = $1 and (cast($2 as text) is null or exists (select 1 from identity_membership m
                where m.tenant = p.tenant and m.person = p.id and replace($2, ',' || m.community || ',', '') <> $2))
          and (cast($3 as text) is null or p.id > $3)
        order by p.id limit $4";

    PERSON_NAME_TAKEN = "select 1 from identity_person where tenant = $1 and (id = $2 or username = $3)
        union all select 1 from identity_device where tenant = $1 and lower(id) = $3
        limit 1";

    INSERT_PERSON = "insert into identity_person
            (tenant, id, username, name, kind, password_hash, disabled, version, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

    UPDATE_PERSON = "update identity_person set disabled = $3, version = $4 where tenant = $1 and id = $2";

    UPDATE_PASSWORD = "update identity_person set password_hash = $3 where tenant = $1 and id = $2";

    DELETE_MEMBERSHIPS = "delete from identity_membership where tenant = $1 and person = $2";

    INSERT_MEMBERSHIP = "insert into identity_membership (tenant, person, community) values ($1, $2, $3)";

    FAILURES = "select failed_at from identity_failure where tenant = $1 and username = $2 and failed_at > $3
        order by failed_at desc limit 100";

    INSERT_FAILURE = "insert into identity_failure (tenant, username, id, failed_at) values ($1, $2, $3, $4)";

    DELETE_FAILURES = "delete from identity_failure where tenant = $1 and username = $2";

    SWEEP_FAILURES = "delete from identity_failure where (tenant, username, id) in
            (select f.tenant, f.username, f.id from identity_failure f
             where f.tenant = $1 and f.failed_at <= $2 order by f.failed_at limit $3)";

    DEVICE = "select d.id, d.kind, d.name,
            (select string_agg(c.kind || '/' || c.child, ',') from identity_child c
             where c.tenant = d.tenant and c.gateway = d.id),
            d.version
        from identity_device d where d.tenant = $1 and d.id = $2";

    DEVICES = "select d.id, d.kind, d.name,
            (select string_agg(c.kind || '/' || c.child, ',') from identity_child c
             where c.tenant = d.tenant and c.gateway = d.id),
            d.version
        from identity_device d
        where d.tenant = $1 and (cast($2 as text) is null or d.id > $2)
        order by d.id limit $3";

    DEVICE_NAME_TAKEN = "select 1 from identity_device where (tenant = $1 and lower(id) = $2) or client_id = $3
        union all select 1 from identity_person where tenant = $1 and username = $2
        limit 1";

    CLIENT_ID_OWNER = "select tenant, id from identity_device where client_id = $1";

    INSERT_DEVICE = "insert into identity_device (tenant, id, kind, name, client_id, version, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)";

    COUNT_DEVICE_CHANGE = "update identity_device set version = version + 1 where tenant = $1 and id = $2";

    GATEWAY_OF = "select gateway from identity_child where tenant = $1 and kind = $2 and child = $3";

    ASSIGN_CHILD = "insert into identity_child (tenant, kind, child, gateway) values ($1, $2, $3, $4)
        on conflict (tenant, kind, child) do update set gateway = excluded.gateway";

    CREDENTIALS = "select id, hash, created_at, expires_at from identity_credential
        where tenant = $1 and device = $2 and (expires_at is null or expires_at > $3)
        order by created_at, id limit 100";

    INSERT_CREDENTIAL = "insert into identity_credential (tenant, device, id, hash, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6)";

    END_CREDENTIAL = "update identity_credential set expires_at = $4 where tenant = $1 and device = $2 and id = $3";

    FORGET_CREDENTIALS = "delete from identity_credential where tenant = $1 and device = $2 and expires_at <= $3";
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

/// When signing in under that name failed within the window.
pub(crate) async fn failures(
    tx: &Tx,
    username: &Username,
    now: Timestamp,
) -> anyhow::Result<Vec<Timestamp>> {
    let since = now.plus_millis(-ATTEMPTS_WINDOW_MS);
    let rows = tx
        .rows(
            FAILURES,
            &[tx.tenant().into(), username.as_str().into(), since.into()],
        )
        .await?;
    rows.iter().map(|row| row.timestamp(0)).collect()
}

/// Counts an attempt as failed, and sweeps some that no longer count.
pub(crate) async fn insert_failure(
    tx: &Tx,
    username: &Username,
    id: &str,
    now: Timestamp,
) -> anyhow::Result<()> {
    let stale_until = now.plus_millis(-ATTEMPTS_WINDOW_MS);
    tx.execute(
        SWEEP_FAILURES,
        &[
            tx.tenant().into(),
            stale_until.into(),
            SWEEP_ROWS_MAX.into(),
        ],
    )
    .await?;
    tx.execute(
        INSERT_FAILURE,
        &[
            tx.tenant().into(),
            username.as_str().into(),
            id.into(),
            now.into(),
        ],
    )
    .await
}

/// Forgets the failures of a name whose password was right.
pub(crate) async fn delete_failures(tx: &Tx, username: &Username) -> anyhow::Result<()> {
    tx.execute(
        DELETE_FAILURES,
        &[tx.tenant().into(), username.as_str().into()],
    )
    .await
}

/// The device with its children.
pub(crate) async fn device(
    db: &impl Read,
    tenant: &TenantId,
    id: &DeviceId,
) -> anyhow::Result<Option<Device>> {
    let row = db.row(DEVICE, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_device(&row)).transpose()
}

/// The devices, by id.
pub(crate) async fn devices(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<DeviceId>,
) -> anyhow::Result<Vec<Device>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    db.rows(DEVICES, &parameters)
        .await?
        .iter()
        .map(read_device)
        .collect()
}

/// Whether the id is a device's or a person's name, or reads like another tenant's device to the broker.
pub(crate) async fn is_device_name_taken(tx: &Tx, device: &Device) -> anyhow::Result<bool> {
    let name = device.id.as_str().to_ascii_lowercase();
    let parameters = [
        tx.tenant().into(),
        name.into(),
        device.client_id(tx.tenant()).into(),
    ];
    Ok(tx.row(DEVICE_NAME_TAKEN, &parameters).await?.is_some())
}

/// Whose device this MQTT client id belongs to.
pub(crate) async fn client_id_owner(
    db: &impl Read,
    client_id: &str,
) -> anyhow::Result<Option<(TenantId, DeviceId)>> {
    let row = db.row(CLIENT_ID_OWNER, &[client_id.into()]).await?;
    row.map(|row| Ok((row.id(0)?, row.id(1)?))).transpose()
}

/// Adds a device with its children.
pub(crate) async fn insert_device(tx: &Tx, device: &Device, now: Timestamp) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&device.id).into(),
        device.kind.as_str().into(),
        device.name.as_str().into(),
        device.client_id(tx.tenant()).into(),
        device.version.into(),
        now.into(),
    ];
    tx.execute(INSERT_DEVICE, &parameters).await?;
    for child in &device.children {
        assign_child(tx, &device.id, child).await?;
    }
    Ok(())
}

/// Counts a change of the device.
pub(crate) async fn count_device_change(tx: &Tx, device: &DeviceId) -> anyhow::Result<()> {
    tx.execute(COUNT_DEVICE_CHANGE, &[tx.tenant().into(), device.into()])
        .await
}

/// Puts the child under this gateway; the gateway that had it before, if it was another, has changed too.
pub(crate) async fn assign_child(tx: &Tx, gateway: &DeviceId, child: &Child) -> anyhow::Result<()> {
    let (kind, id): (Value, Value) = (child.kind.as_str().into(), (&child.id).into());
    if let Some(row) = tx
        .row(GATEWAY_OF, &[tx.tenant().into(), kind.clone(), id.clone()])
        .await?
    {
        let before: DeviceId = row.id(0)?;
        if before != *gateway {
            count_device_change(tx, &before).await?;
        }
    }
    tx.execute(
        ASSIGN_CHILD,
        &[tx.tenant().into(), kind, id, gateway.into()],
    )
    .await
}

/// The credentials of the device that hold now, the oldest first.
pub(crate) async fn credentials(
    db: &impl Read,
    tenant: &TenantId,
    device: &DeviceId,
    now: Timestamp,
) -> anyhow::Result<Vec<Credential>> {
    let rows = db
        .rows(CREDENTIALS, &[tenant.into(), device.into(), now.into()])
        .await?;
    rows.iter().map(read_credential).collect()
}

/// Adds a credential.
pub(crate) async fn insert_credential(
    tx: &Tx,
    device: &DeviceId,
    credential: &Credential,
) -> anyhow::Result<()> {
    let Credential {
        id,
        hash,
        created_at,
        expires_at,
    } = credential;
    let parameters = [
        tx.tenant().into(),
        device.into(),
        id.into(),
        hash.into(),
        (*created_at).into(),
        (*expires_at).into(),
    ];
    tx.execute(INSERT_CREDENTIAL, &parameters).await
}

/// Stores when the credential ends.
pub(crate) async fn end_credential(
    tx: &Tx,
    device: &DeviceId,
    credential: &Credential,
) -> anyhow::Result<()> {
    let Credential { id, expires_at, .. } = credential;
    tx.execute(
        END_CREDENTIAL,
        &[
            tx.tenant().into(),
            device.into(),
            id.into(),
            (*expires_at).into(),
        ],
    )
    .await
}

/// Forgets the device's credentials that no longer hold.
pub(crate) async fn forget_credentials(
    tx: &Tx,
    device: &DeviceId,
    now: Timestamp,
) -> anyhow::Result<()> {
    tx.execute(
        FORGET_CREDENTIALS,
        &[tx.tenant().into(), device.into(), now.into()],
    )
    .await
}
