//! `/api/roles` and `/api/people/{person}/roles`: what roles permit, and who has them.

use kernel::{Actor, ActorId, Message, Refusal};
use serde::{Deserialize, Serialize};
use store::{Tx, events, tx};
use web::{Query, Reply, Request};
use wire::event::{PersonRolesChanged, RoleChanged};

use super::{Text, answer, caller, name_of, path_id, replied, write};
use crate::context::Context;
use crate::domain::{
    Permission, Role, RoleName, assign_roles, define_role, known_person, operators_only,
    role_overseers_only, unknown_person, unknown_role,
};
use crate::store as sql;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRole {
    id: Text<RoleName>,
    permissions: Vec<Text<Permission>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedPermissions {
    permissions: Vec<Text<Permission>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedRoles {
    roles: Vec<Text<RoleName>>,
}

#[derive(Serialize)]
struct ShownRole {
    id: String,
    permissions: Vec<&'static str>,
    version: i64,
}

#[derive(Serialize)]
struct ShownRoles {
    person: ActorId,
    roles: Vec<ShownRole>,
    /// Everything they permit together.
    permissions: Vec<&'static str>,
}

pub(super) async fn define(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    operators_only(&actor)?;
    let asked: NewRole = web::body(request)?;
    let role = define_role(&actor, asked.id.0, None, plain(asked.permissions))?;
    let defined = write(
        context,
        request,
        (&actor.tenant, &name_of(&actor)),
        async |tx| {
            if sql::role(tx, &actor.tenant, &role.name).await?.is_some() {
                return Err(role_exists().into());
            }
            put(context, tx, &actor, &role).await?;
            answer(201, &ShownRole::from(role.clone()))
        },
    )
    .await?;
    Ok(replied(&defined)?.with_header(
        ::http::header::LOCATION,
        &format!("/api/roles/{}", role.name.as_str()),
    ))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    role_overseers_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(RoleName::parse)?;
    query.finish()?;
    let roles = sql::roles(&context.db, &actor.tenant, &page).await?;
    Ok(Reply::ok(&page.listing(
        roles,
        |role| role.name.as_str().to_owned(),
        ShownRole::from,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    role: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    role_overseers_only(&actor)?;
    let name: RoleName = path_id(role, unknown_role)?;
    let role = sql::role(&context.db, &actor.tenant, &name).await?;
    let role = role.ok_or_else(unknown_role)?;
    let version = role.version;
    if web::is_fresh(request, version) {
        return Ok(Reply::not_modified(version));
    }
    Ok(Reply::ok(&ShownRole::from(role)).with_etag(version))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    role: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    operators_only(&actor)?;
    let name: RoleName = path_id(role, unknown_role)?;
    let expected = web::required_if_match(request)?;
    let asked: AskedPermissions = web::body(request)?;
    let permissions = plain(asked.permissions);
    let changed = tx(&context.db, &actor.tenant, async |tx| {
        let present = sql::role(tx, &actor.tenant, &name).await?;
        let present = present.ok_or_else(unknown_role)?;
        expected.check(present.version)?;
        let changed = define_role(&actor, name.clone(), Some(&present), permissions.clone())?;
        put(context, tx, &actor, &changed).await?;
        Ok(changed)
    })
    .await?;
    let version = changed.version;
    Ok(Reply::ok(&ShownRole::from(changed)).with_etag(version))
}

pub(super) async fn delete(
    context: &Context,
    request: &Request,
    role: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    operators_only(&actor)?;
    let name: RoleName = path_id(role, unknown_role)?;
    tx(&context.db, &actor.tenant, async |tx| {
        let role = sql::role(tx, &actor.tenant, &name).await?;
        let role = role.ok_or_else(unknown_role)?;
        sql::delete_role(tx, &role.name).await?;
        let gone = Role {
            permissions: Vec::new(),
            ..role
        };
        changed(context, tx, &actor, &gone).await
    })
    .await?;
    Ok(Reply::no_content())
}

pub(super) async fn show_of(
    context: &Context,
    request: &Request,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let id: ActorId = path_id(person, unknown_person)?;
    let person = sql::person(&context.db, &actor.tenant, &id, context.now).await?;
    let person = known_person(&actor, person)?;
    let roles = sql::roles_of(&context.db, &actor.tenant, &person.id).await?;
    Ok(Reply::ok(&shown_roles(person.id, roles)))
}

pub(super) async fn assign(
    context: &Context,
    request: &Request,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    operators_only(&actor)?;
    let id: ActorId = path_id(person, unknown_person)?;
    let asked: AskedRoles = web::body(request)?;
    let mut names: Vec<RoleName> = asked.roles.into_iter().map(|name| name.0).collect();
    names.sort();
    names.dedup();
    let roles = tx(&context.db, &actor.tenant, async |tx| {
        let person = sql::person(tx, &actor.tenant, &id, context.now).await?;
        let person = known_person(&actor, person)?;
        let mut roles = Vec::new();
        for name in &names {
            let role = sql::role(tx, &actor.tenant, name).await?;
            roles.push(role.ok_or_else(unknown_role)?);
        }
        assign_roles(&actor, &roles)?;
        sql::put_roles_of(tx, &person.id, &roles).await?;
        let fact = PersonRolesChanged {
            person: person.id,
            roles: names.iter().map(|name| name.as_str().to_owned()).collect(),
            actor: actor.id.clone(),
        };
        events::append(tx, &context.new_id()?, context.now, &fact).await?;
        Ok(roles)
    })
    .await?;
    Ok(Reply::ok(&shown_roles(id, roles)))
}

async fn put(context: &Context, tx: &Tx, actor: &Actor, role: &Role) -> anyhow::Result<()> {
    sql::put_role(tx, role).await?;
    changed(context, tx, actor, role).await
}

async fn changed(context: &Context, tx: &Tx, actor: &Actor, role: &Role) -> anyhow::Result<()> {
    let fact = RoleChanged {
        role: role.name.as_str().to_owned(),
        permissions: role
            .permissions
            .iter()
            .map(|permission| permission.as_str().to_owned())
            .collect(),
        actor: actor.id.clone(),
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    Ok(())
}

fn shown_roles(person: ActorId, roles: Vec<Role>) -> ShownRoles {
    let mut permissions: Vec<Permission> = roles
        .iter()
        .flat_map(|role| role.permissions.iter().copied())
        .collect();
    permissions.sort();
    permissions.dedup();
    ShownRoles {
        person,
        roles: roles.into_iter().map(ShownRole::from).collect(),
        permissions: permissions.into_iter().map(Permission::as_str).collect(),
    }
}

fn plain(permissions: Vec<Text<Permission>>) -> Vec<Permission> {
    permissions
        .into_iter()
        .map(|permission| permission.0)
        .collect()
}

fn role_exists() -> Refusal {
    Refusal::conflict(
        "role_exists",
        Message::new(
            "There is a role of this name. Change that one, or choose another name.",
            "该角色已存在，请修改它或更换名称。",
        ),
    )
}

impl From<Role> for ShownRole {
    fn from(role: Role) -> Self {
        let permissions = role.permissions.iter().copied();
        Self {
            id: role.name.as_str().to_owned(),
            permissions: permissions.map(Permission::as_str).collect(),
            version: role.version,
        }
    }
}
