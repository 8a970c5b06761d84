//! `/internal/tenants`: a new tenant with its first operator, by whoever runs the deployment.

use kernel::{ActorKind, Message, Refusal, TenantId};
use serde::{Deserialize, Serialize};
use store::events;
use web::{Reply, Request};
use wire::event::{PersonRegistered, TenantFounded};

use super::people::ShownPerson;
use super::{Text, answer, replied, write};
use crate::context::Context;
use crate::domain::{Name, NewPerson, Password, Username, found_tenant};
use crate::{secrets, store as sql};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTenant {
    tenant: TenantId,
    name: Text<Name>,
    operator: FirstOperator,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstOperator {
    username: Text<Username>,
    name: Option<Text<Name>>,
    password: Text<Password>,
}

#[derive(Serialize)]
struct ShownTenant {
    tenant: TenantId,
    name: String,
    operator: ShownPerson,
}

pub(super) async fn found(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    web::internal(request, &context.internal_token)?;
    let new: NewTenant = web::body(request)?;
    let operator = found_tenant(NewPerson {
        id: None,
        username: new.operator.username.0,
        name: new.operator.name.map(|name| name.0),
        kind: ActorKind::Operator,
        communities: Vec::new(),
        phone: None,
        at: context.now,
    })?;
    let hash = secrets::hash_password(new.operator.password.0.expose())?;
    let (tenant, name) = (&new.tenant, &new.name.0);
    let founded = write(context, request, (tenant, "internal"), async |tx| {
        if sql::is_tenant(tx, tenant).await? {
            return Err(tenant_exists().into());
        }
        sql::insert_tenant(tx, name, context.now).await?;
        let account = sql::NewAccount {
            password_hash: &hash,
            password_temporary: false,
            phone_digest: None,
        };
        sql::insert_person(tx, &operator, account).await?;
        let fact = TenantFounded {
            name: name.as_str().to_owned(),
            operator: operator.id.clone(),
        };
        events::append(tx, &context.new_id()?, context.now, &fact).await?;
        let fact = PersonRegistered {
            person: operator.id.clone(),
            kind: operator.kind,
            communities: Vec::new(),
            phone: None,
            actor: operator.id.clone(),
        };
        events::append(tx, &context.new_id()?, context.now, &fact).await?;
        let shown = ShownTenant {
            tenant: tenant.clone(),
            name: name.as_str().to_owned(),
            operator: operator.clone().into(),
        };
        answer(201, &shown)
    })
    .await?;
    replied(&founded)
}

fn tenant_exists() -> Refusal {
    Refusal::conflict(
        "tenant_exists",
        Message::new(
            "There is already a tenant of this id. Choose another id.",
            "该租户编号已存在，请更换。",
        ),
    )
}
