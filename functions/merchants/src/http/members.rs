//! `/api/merchants/{merchant}/members`: whose accounts act for a merchant.

use kernel::{Actor, ActorId, Message, Phone, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Tx;
use web::{Reply, Request};
use wire::event::MerchantMemberChanged;

use super::merchants::seen_inside;
use super::{answer, caller, path_id, private, stored, write};
use crate::context::Context;
use crate::domain::{MEMBERS_MAX, Member, Merchant, Name, Relation, Role, unknown_member};
use crate::facts;
use crate::keeping::{self, Changed};
use crate::store::members as sql;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMember {
    name: Name,
    /// The number that the account is handed over to.
    phone: Phone,
    #[serde(default = "clerk")]
    role: String,
}

fn clerk() -> String {
    Role::Clerk.as_str().to_owned()
}

pub(super) async fn list(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let (found, _) = seen_inside(&context.db, &actor, merchant).await?;
    let members = sql::members(&context.db, &actor.tenant, &found.id).await?;
    let items: Vec<Value> = members.iter().map(shown).collect();
    Ok(private(Reply::ok(&json!({"items": items, "next": null}))))
}

fn shown(member: &Member) -> Value {
    json!({
        "id": member.person,
        "role": member.role.as_str(),
        "name": member.name.as_str(),
        "phone": member.phone,
        "added_by": member.added_by,
        "added_at": member.added_at,
    })
}

pub(super) async fn add(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let (_, relation) = seen_inside(&context.db, &actor, merchant).await?;
    relation.check_owner()?;
    let new: NewMember = web::body(request)?;
    let role = Role::parse(&new.role).ok_or_else(role_unknown)?;
    let digest = web::phone_digest(&context.token_secret, &actor.tenant, &new.phone)?;
    let member = Member {
        person: context.new_id()?,
        role,
        name: new.name,
        phone: new.phone.masked(),
        added_by: actor.id.clone(),
        added_at: context.now,
    };
    let made = write(context, request, &actor, async |tx| {
        let (before, relation) = seen_inside(tx, &actor, merchant).await?;
        relation.check_owner()?;
        let count = sql::members(tx, tx.tenant(), &before.id).await?.len();
        if count >= MEMBERS_MAX {
            return Err(too_many().into());
        }
        sql::insert_member(tx, &before.id, &member).await?;
        facts::account_requested(context, tx, (&member.person, &digest), &actor.id).await?;
        told(
            context,
            tx,
            (&actor, relation),
            (before, &member.person, role, false),
        )
        .await?;
        answer(201, &shown(&member))
    })
    .await?;
    Ok(private(stored(
        &made,
        &format!("/api/merchants/{merchant}/members"),
    )?))
}

pub(super) async fn remove(
    context: &Context,
    request: &Request,
    (merchant, member): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let (_, relation) = seen_inside(&context.db, &actor, merchant).await?;
    relation.check_owner()?;
    let person: ActorId = path_id(member, unknown_member)?;
    store::tx(&context.db, &actor.tenant, async |tx| {
        let (before, relation) = seen_inside(tx, &actor, merchant).await?;
        relation.check_owner()?;
        let role = sql::delete_member(tx, &before.id, &person).await?;
        let role = role.ok_or_else(unknown_member)?;
        let left = sql::members(tx, tx.tenant(), &before.id).await?;
        if !left.iter().any(|member| member.role == Role::Owner) {
            return Err(last_owner().into());
        }
        told(
            context,
            tx,
            (&actor, relation),
            (before, &person, role, true),
        )
        .await
    })
    .await?;
    Ok(Reply::no_content())
}

/// Others hear who acts for the merchant from now on.
async fn told(
    context: &Context,
    tx: &Tx,
    (actor, relation): (&Actor, Relation),
    (before, person, role, gone): (Merchant, &ActorId, Role, bool),
) -> anyhow::Result<()> {
    let fact = MerchantMemberChanged {
        merchant: before.id.clone(),
        person: person.clone(),
        role: role.as_str().to_owned(),
        gone,
        actor: actor.id.clone(),
    };
    facts::append(context, tx, &fact).await?;
    let after = Merchant {
        version: before.version + 1,
        ..before
    };
    let changed = Changed {
        actor,
        fields: &["members"],
        on_behalf: relation == Relation::Platform,
        reason: None,
    };
    keeping::save(context, tx, &after, &changed).await
}

fn role_unknown() -> Refusal {
    Refusal::invalid(
        "role_unknown",
        Message::new("A member is owner or clerk.", "成员角色为 owner 或 clerk。"),
    )
}

fn too_many() -> Refusal {
    Refusal::conflict(
        "too_many_members",
        Message::new(
            format!("At most {MEMBERS_MAX} people act for a merchant. Take one away first."),
            format!("商家最多 {MEMBERS_MAX} 名成员，请先移除其他成员。"),
        ),
    )
}

fn last_owner() -> Refusal {
    Refusal::conflict(
        "last_owner",
        Message::new(
            "A merchant has at least one owner. Name another first.",
            "商家至少保留一名负责人，请先添加其他负责人。",
        ),
    )
}
