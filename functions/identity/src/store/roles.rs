//! Roles, and who has them.

use kernel::{ActorId, TenantId};
use store::{Read, Tx};
use web::Page;

use crate::domain::{Permission, Role, RoleName};
use crate::rows::{read_permissions, read_role};

const ROLE: &str =
    "select name, permissions, version from identity_role where tenant = $1 and name = $2";

const ROLES: &str = "select name, permissions, version from identity_role
    where tenant = $1 and (cast($2 as text) is null or name > $2)
    order by name limit $3";

const PUT_ROLE: &str =
    "insert into identity_role (tenant, name, permissions, version) values ($1, $2, $3, $4)
    on conflict (tenant, name) do update set permissions = excluded.permissions, version = excluded.version";

const DELETE_HOLDERS: &str = "delete from identity_role_holder where tenant = $1 and role = $2";

const DELETE_ROLE: &str = "delete from identity_role where tenant = $1 and name = $2";

const ROLES_OF: &str = "select r.name, r.permissions, r.version from identity_role r
    join identity_role_holder h on h.tenant = r.tenant and h.role = r.name
    where h.tenant = $1 and h.person = $2 order by r.name limit 100";

const DELETE_ROLES_OF: &str = "delete from identity_role_holder where tenant = $1 and person = $2";

const INSERT_HOLDER: &str =
    "insert into identity_role_holder (tenant, person, role) values ($1, $2, $3)";

/// The role.
pub(crate) async fn role(
    db: &impl Read,
    tenant: &TenantId,
    name: &RoleName,
) -> anyhow::Result<Option<Role>> {
    let row = db.row(ROLE, &[tenant.into(), name.as_str().into()]).await?;
    row.map(|row| read_role(&row)).transpose()
}

/// The roles, by name.
pub(crate) async fn roles(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<RoleName>,
) -> anyhow::Result<Vec<Role>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().map(RoleName::as_str).into(),
        page.rows().into(),
    ];
    db.rows(ROLES, &parameters)
        .await?
        .iter()
        .map(read_role)
        .collect()
}

/// Stores a role.
pub(crate) async fn put_role(tx: &Tx, role: &Role) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        role.name.as_str().into(),
        joined(&role.permissions).into(),
        role.version.into(),
    ];
    tx.execute(PUT_ROLE, &parameters).await
}

/// Forgets a role, and takes it from whoever has it.
pub(crate) async fn delete_role(tx: &Tx, name: &RoleName) -> anyhow::Result<()> {
    let key = [tx.tenant().into(), name.as_str().into()];
    tx.execute(DELETE_HOLDERS, &key).await?;
    tx.execute(DELETE_ROLE, &key).await
}

/// The roles of a person.
pub(crate) async fn roles_of(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<Vec<Role>> {
    let rows = db.rows(ROLES_OF, &[tenant.into(), person.into()]).await?;
    rows.iter().map(read_role).collect()
}

/// What the person's roles permit, sorted.
pub(crate) async fn permissions_of(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<Vec<Permission>> {
    let mut permissions = Vec::new();
    for row in db.rows(ROLES_OF, &[tenant.into(), person.into()]).await? {
        permissions.extend(read_permissions(row.text(1)?));
    }
    permissions.sort();
    permissions.dedup();
    Ok(permissions)
}

/// Gives the person these roles and no others.
pub(crate) async fn put_roles_of(tx: &Tx, person: &ActorId, roles: &[Role]) -> anyhow::Result<()> {
    tx.execute(DELETE_ROLES_OF, &[tx.tenant().into(), person.into()])
        .await?;
    for role in roles {
        tx.execute(
            INSERT_HOLDER,
            &[tx.tenant().into(), person.into(), role.name.as_str().into()],
        )
        .await?;
    }
    Ok(())
}

/// The names of permissions as they are stored.
pub(super) fn joined(permissions: &[Permission]) -> String {
    let names: Vec<&str> = permissions
        .iter()
        .map(|permission| permission.as_str())
        .collect();
    names.join(",")
}
