//! `/api/merchant-registrations`: somebody without an account asks to be let in, and comes back with a secret token.

use kernel::{MerchantApplicationId, Phone, TenantId};
use serde::Deserialize;
use serde_json::json;
use web::{Reply, Request};

use super::applications::{Party, Sent, begin_as, change_as, hand_in_as, shown_whole, submit_as};
use super::{answer, private, replied};
use crate::context::Context;
use crate::domain::{Content, unknown_application, unknown_community};
use crate::inbox;
use crate::store::{applications as sql, people};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRegistration {
    tenant: TenantId,
    phone: Phone,
    #[serde(flatten)]
    content: Content,
}

#[derive(Deserialize)]
struct Begun {
    id: MerchantApplicationId,
}

pub(super) async fn begin(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let new: NewRegistration = web::body(request)?;
    let tenant = new.tenant;
    let sent = Sent {
        phone: new.phone,
        content: new.content,
    };
    let community = &sent.content.community;
    // Before a transaction: nobody's word makes a tenant.
    if !people::is_community(&context.db, &tenant, community).await? {
        inbox::catch_up(context, &tenant).await?;
        if !people::is_community(&context.db, &tenant, community).await? {
            return Err(unknown_community().into());
        }
    }
    let id = context.new_id()?;
    let party = Party {
        tenant: &tenant,
        actor: None,
        application: &id,
    };
    let begun = begin_as(context, request, &party, sent).await?;
    // Without the token, which is made again from the id: no stored answer holds it.
    let Begun { id } = serde_json::from_str(&begun.body)?;
    let token = context.token_key.token(&tenant, &id)?;
    let location = format!("/api/merchant-registrations/{token}");
    let shown = answer(begun.status, &json!({"id": id, "token": token}))?;
    let reply = replied(&shown)?.with_header(::http::header::LOCATION, &location);
    Ok(private(reply))
}

/// The tenant and the application that a token is of.
fn opened(context: &Context, token: &str) -> anyhow::Result<(TenantId, MerchantApplicationId)> {
    Ok(context
        .token_key
        .read(token)
        .ok_or_else(unknown_application)?)
}

pub(super) async fn show(context: &Context, token: &str) -> anyhow::Result<Reply> {
    let (tenant, id) = opened(context, token)?;
    let found = sql::application(&context.db, &tenant, &id).await?;
    let found = found.ok_or_else(unknown_application)?;
    let shown = shown_whole(&context.db, &tenant, &found).await?;
    Ok(private(Reply::ok(&shown).with_etag(found.version)))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    token: &str,
) -> anyhow::Result<Reply> {
    let (tenant, id) = opened(context, token)?;
    change_as(context, request, &stranger(&tenant, &id)).await
}

pub(super) async fn hand_in(
    context: &Context,
    request: &Request,
    token: &str,
) -> anyhow::Result<Reply> {
    let (tenant, id) = opened(context, token)?;
    hand_in_as(context, request, &stranger(&tenant, &id)).await
}

pub(super) async fn submit(
    context: &Context,
    request: &Request,
    token: &str,
) -> anyhow::Result<Reply> {
    let (tenant, id) = opened(context, token)?;
    submit_as(context, request, &stranger(&tenant, &id)).await
}

fn stranger<'a>(tenant: &'a TenantId, id: &'a MerchantApplicationId) -> Party<'a> {
    Party {
        tenant,
        actor: None,
        application: id,
    }
}
