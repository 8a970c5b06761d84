//! `/api/addresses`: where a person wants things brought. Nobody else reads them here; a merchant sees on a paid order
//! what is needed to bring it.

use kernel::{ActorId, AddressId, CommunityId, Message, Phone, Refusal, RoomId};
use serde::{Deserialize, Serialize};
use store::{Tx, tx};
use web::{Reply, Request};
use wire::event::AddressChanged;

use super::form::Text;
use super::{answer, caller, path_id, private, replied, stored, write};
use crate::context::Context;
use crate::domain::buyers_only;
use crate::domain::text::{Name, Summary};
use crate::facts;
use crate::store::addresses::{self as sql, Address};

/// The most addresses of a person.
pub const ADDRESSES_MAX: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAddress {
    community: CommunityId,
    room: Option<RoomId>,
    detail: Text<Summary>,
    name: Text<Name>,
    phone: Phone,
    #[serde(default)]
    is_default: bool,
}

#[derive(Serialize)]
struct ShownAddress {
    id: AddressId,
    community: CommunityId,
    room: Option<RoomId>,
    detail: String,
    name: String,
    phone: Phone,
    is_default: bool,
    version: i64,
}

impl From<Address> for ShownAddress {
    fn from(address: Address) -> Self {
        Self {
            id: address.id,
            community: address.community,
            room: address.room,
            detail: address.detail.as_str().to_owned(),
            name: address.name.as_str().to_owned(),
            phone: address.phone,
            is_default: address.is_default,
            version: address.version,
        }
    }
}

async fn tell(
    context: &Context,
    tx: &Tx,
    person: &ActorId,
    (address, gone): (&AddressId, bool),
) -> anyhow::Result<()> {
    let fact = AddressChanged {
        address: address.clone(),
        person: person.clone(),
        gone,
    };
    facts::append(context, tx, &fact).await
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    let new: NewAddress = web::body(request)?;
    let address = Address {
        id: context.new_id()?,
        community: new.community,
        room: new.room,
        detail: new.detail.0,
        name: new.name.0,
        phone: new.phone,
        is_default: new.is_default,
        version: 1,
    };
    let added = write(context, request, &actor, async |tx| {
        let held = sql::addresses(&*tx, &actor.tenant, &actor.id).await?;
        if held.len() >= ADDRESSES_MAX {
            return Err(too_many().into());
        }
        // The first one is proposed first.
        let address = Address {
            is_default: address.is_default || held.is_empty(),
            ..address.clone()
        };
        sql::put(tx, &actor.id, &address).await?;
        tell(context, tx, &actor.id, (&address.id, false)).await?;
        answer(201, &ShownAddress::from(address))
    })
    .await?;
    Ok(private(stored(&added, "/api/addresses")?).with_etag(1))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    let found = sql::addresses(&context.db, &actor.tenant, &actor.id).await?;
    let items: Vec<ShownAddress> = found.into_iter().map(ShownAddress::from).collect();
    Ok(private(Reply::ok(
        &serde_json::json!({ "items": items, "next": null }),
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    address: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    let id: AddressId = path_id(address, unknown_address)?;
    let found = sql::address(&context.db, &actor.tenant, &actor.id, &id).await?;
    let found = found.ok_or_else(unknown_address)?;
    let version = found.version;
    Ok(private(
        Reply::ok(&ShownAddress::from(found)).with_etag(version),
    ))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    address: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    let id: AddressId = path_id(address, unknown_address)?;
    let held = sql::address(&context.db, &actor.tenant, &actor.id, &id).await?;
    held.ok_or_else(unknown_address)?;
    let condition = web::required_if_match(request)?;
    let new: NewAddress = web::body(request)?;
    let changed = write(context, request, &actor, async |tx| {
        let held = sql::address(&*tx, &actor.tenant, &actor.id, &id).await?;
        let held = held.ok_or_else(unknown_address)?;
        condition.check(held.version)?;
        let address = Address {
            id: id.clone(),
            community: new.community.clone(),
            room: new.room.clone(),
            detail: new.detail.0.clone(),
            name: new.name.0.clone(),
            phone: new.phone.clone(),
            // Another one has to be made the default first.
            is_default: new.is_default || held.is_default,
            version: held.version + 1,
        };
        sql::put(tx, &actor.id, &address).await?;
        tell(context, tx, &actor.id, (&id, false)).await?;
        answer(200, &ShownAddress::from(address))
    })
    .await?;
    Ok(private(replied(&changed)?))
}

pub(super) async fn delete(
    context: &Context,
    request: &Request,
    address: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    let id: AddressId = path_id(address, unknown_address)?;
    tx(&context.db, &actor.tenant, async |tx| {
        if !sql::delete(tx, &actor.id, &id).await? {
            return Err(unknown_address().into());
        }
        tell(context, tx, &actor.id, (&id, true)).await
    })
    .await?;
    Ok(Reply::no_content())
}

fn unknown_address() -> Refusal {
    Refusal::not_found(
        "address_unknown",
        Message::new(
            "There is no such address of yours.",
            "未找到您的该收货地址。",
        ),
    )
}

fn too_many() -> Refusal {
    Refusal::conflict(
        "addresses_full",
        Message::new(
            format!("You have {ADDRESSES_MAX} addresses already. Delete one first."),
            format!("收货地址已达 {ADDRESSES_MAX} 个，请先删除部分地址。"),
        ),
    )
}
