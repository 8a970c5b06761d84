//! `/api/codes`, `/api/registrations` and the developer's inbox: one-time codes and accounts made with them.

use ::http::StatusCode;
use ::http::header::{ACCEPT, CACHE_CONTROL};
use kernel::{Message, Phone, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, events, tx};
use web::{Problem, Reply, Request};
use wire::event::{PersonChanged, PersonRegistered};

use super::Text;
use super::tokens::{self, ShownTokens};
use crate::context::Context;
use crate::domain::{
    CODE_MS, Code, Name, Password, Person, Purpose, RESEND_MS_MIN, SentCode, TooSoon,
    already_registered, may_send, name_taken, register_oneself, unknown_person,
};
use crate::sender::{CodeSender, Sending, not_sent};
use crate::sign_in::{self, Denied};
use crate::{secrets, store as sql};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedCode {
    tenant: TenantId,
    phone: Phone,
    purpose: Text<Purpose>,
}

#[derive(Serialize)]
struct ShownCode {
    expires_at: Timestamp,
    resend_after_seconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedRegistration {
    tenant: TenantId,
    phone: Phone,
    code: Text<Code>,
    name: Text<Name>,
    password: Option<Text<Password>>,
}

#[derive(Serialize)]
struct Inbox {
    items: Vec<sql::InboxMessage>,
}

/// Where the askings for tenants that nobody has founded are counted, all in one place: no tenant is called so, and a
/// stranger's word makes none.
const NOWHERE: &str = "-";

/// The same answer whether or not there is such a tenant, or an account with the number, and whatever it is asked for;
/// asking again too soon is refused alike, too.
pub(super) async fn send(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let AskedCode {
        tenant,
        phone,
        purpose: Text(purpose),
    } = web::body(request)?;
    let expires_at = context.now.plus_millis(CODE_MS);
    let is_founded = sql::is_tenant(&context.db, &tenant).await?;
    let counted_at = match is_founded {
        true => tenant.clone(),
        false => TenantId::parse(NOWHERE)?,
    };
    let digest = web::phone_digest(&context.token_secret, &tenant, &phone)?;
    let id: String = context.new_id()?;
    let code = secrets::draw_code()?;
    let sent = SentCode {
        hash: context.key.code_hash(&id, &code)?,
        tries: 0,
        expires_at,
        id,
    };
    let allowed = tx(&context.db, &counted_at, async |tx| {
        let allowed = count_sending(context, tx, (&digest, &sent)).await?;
        if allowed.is_ok() && is_founded {
            sql::replace_code(tx, (&digest, purpose), &sent).await?;
            keep_for_inbox(context, tx, (&phone, purpose), (&sent, &code)).await?;
        }
        Ok(allowed)
    })
    .await?;
    allowed.map_err(too_soon)?;
    if is_founded {
        let sending = Sending {
            id: &sent.id,
            tenant: tenant.as_str(),
            phone: phone.as_str(),
            purpose: purpose.as_str(),
            code: code.expose(),
            username: None,
            expires_in_seconds: CODE_MS / 1_000,
        };
        hand_over(context, request, &sending).await?;
    }
    let shown = ShownCode {
        expires_at,
        resend_after_seconds: RESEND_MS_MIN / 1_000,
    };
    Ok(Reply::json(
        StatusCode::ACCEPTED,
        "application/json",
        &shown,
    ))
}

async fn count_sending(
    context: &Context,
    tx: &Tx,
    (digest, sent): (&str, &SentCode),
) -> anyhow::Result<Result<(), TooSoon>> {
    let sendings = sql::sendings(tx, digest, context.now).await?;
    if let Err(soon) = may_send(&sendings, context.now) {
        return Ok(Err(soon));
    }
    sql::insert_sending(tx, digest, sent, context.now).await?;
    Ok(Ok(()))
}

/// Keeps the code for the developer's inbox, where there is one.
async fn keep_for_inbox(
    context: &Context,
    tx: &Tx,
    (phone, purpose): (&Phone, Purpose),
    (sent, code): (&SentCode, &Code),
) -> anyhow::Result<()> {
    if !matches!(context.code_sender, CodeSender::Inbox) {
        return Ok(());
    }
    let message = (phone, purpose.as_str(), code.expose());
    sql::insert_message(tx, &sent.id, message, context.now).await
}

/// Posts the code to the webhook, where there is one.
async fn hand_over(
    context: &Context,
    request: &Request,
    sending: &Sending<'_>,
) -> anyhow::Result<()> {
    let CodeSender::Webhook(webhook) = &context.code_sender else {
        return Ok(());
    };
    if let Err(error) = webhook.post(sending).await {
        web::log(
            "error",
            web::request_id(request),
            &format!("the code {} was not sent: {error:#}", sending.id),
        );
        return Err(not_sent().into());
    }
    Ok(())
}

pub(super) async fn register(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let asked: AskedRegistration = web::body(request)?;
    let tenant = &asked.tenant;
    if !sql::is_tenant(&context.db, tenant).await? {
        return Err(Problem::from(Denied::WrongCode).into());
    }
    let digest = web::phone_digest(&context.token_secret, tenant, &asked.phone)?;
    let hash = match &asked.password {
        Some(Text(password)) => secrets::hash_password(password.expose())?,
        None => String::new(),
    };
    let registered = tx(&context.db, tenant, async |tx| {
        register_with_code(context, tx, &asked, (&digest, &hash)).await
    })
    .await?;
    let tokens = registered.map_err(Problem::from)?;
    Ok(tokens::reply(StatusCode::CREATED, &tokens))
}

/// Makes the account, or takes over the one that was made from the register of residents. A wrong code has to be counted,
/// so the denial comes out as a value.
async fn register_with_code(
    context: &Context,
    tx: &Tx,
    asked: &AskedRegistration,
    (digest, hash): (&str, &str),
) -> anyhow::Result<Result<ShownTokens, Denied>> {
    let proof = (digest, Purpose::Registration);
    if let Err(denied) = sign_in::use_code(context, tx, proof, &asked.code.0).await? {
        return Ok(Err(denied));
    }
    let id = match sql::person_by_phone(tx, digest, context.now).await? {
        Some(known) if known.phone.is_some() => {
            return Ok(Err(Denied::Refused(already_registered())));
        }
        Some(known) if known.disabled => return Ok(Err(Denied::Disabled)),
        Some(known) => {
            claim(context, tx, (&known, asked), hash).await?;
            known.id
        }
        None => add(context, tx, asked, (digest, hash)).await?,
    };
    let person = sql::person(tx, tx.tenant(), &id, context.now).await?;
    let person = person.ok_or_else(unknown_person)?;
    Ok(Ok(tokens::start(context, tx, person).await?))
}

async fn claim(
    context: &Context,
    tx: &Tx,
    (known, asked): (&Person, &AskedRegistration),
    hash: &str,
) -> anyhow::Result<()> {
    sql::claim_person(tx, &known.id, &asked.phone, &asked.name.0).await?;
    if !hash.is_empty() {
        sql::update_password(tx, &known.id, hash, false).await?;
    }
    let fact = PersonChanged {
        person: known.id.clone(),
        communities: known.communities.clone(),
        disabled: known.disabled,
        version: known.version + 1,
        actor: known.id.clone(),
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    Ok(())
}

async fn add(
    context: &Context,
    tx: &Tx,
    asked: &AskedRegistration,
    (digest, hash): (&str, &str),
) -> anyhow::Result<kernel::ActorId> {
    let person = register_oneself(
        context.new_id()?,
        asked.name.0.clone(),
        asked.phone.clone(),
        context.now,
    )?;
    if sql::is_person_name_taken(tx, &person).await? {
        return Err(name_taken().into());
    }
    let account = sql::NewAccount {
        password_hash: hash,
        password_temporary: false,
        phone_digest: Some(digest),
    };
    sql::insert_person(tx, &person, account).await?;
    let fact = PersonRegistered {
        person: person.id.clone(),
        kind: person.kind,
        communities: Vec::new(),
        phone: Some(digest.to_owned()),
        actor: person.id.clone(),
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    Ok(person.id)
}

/// What was sent lately, for whoever develops against this deployment; there is no inbox where codes really go out.
pub(super) async fn inbox(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    web::internal(request, &context.internal_token)?;
    if !matches!(context.code_sender, CodeSender::Inbox) {
        return web::unknown_route();
    }
    let items = sql::inbox(&context.db).await?;
    let accepts = request.headers().get(ACCEPT);
    let wants_html = accepts
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"));
    let reply = if wants_html {
        Reply::with_body(
            StatusCode::OK,
            "text/html; charset=utf-8",
            page(&items).into(),
        )
    } else {
        Reply::ok(&Inbox { items })
    };
    Ok(reply.with_header(CACHE_CONTROL, "no-store"))
}

/// Every value on the page is an id, a number or a moment: none can hold a character that HTML reads.
fn page(items: &[sql::InboxMessage]) -> String {
    let rows: String = items
        .iter()
        .map(|item| {
            format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td><b>{}</b></td></tr>\n",
                item.sent_at, item.tenant, item.phone, item.purpose, item.code
            )
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Codes · 验证码</title>\n\
         <h1>Codes · 验证码</h1>\n<table>\n<tr><th>time</th><th>tenant</th><th>phone</th><th>purpose</th><th>code</th></tr>\n\
         {rows}</table>\n</html>\n"
    )
}

fn too_soon(soon: TooSoon) -> Problem {
    let seconds = soon.retry_after_seconds;
    let message = Message::new(
        format!("A code was sent to this number already. Ask for another in {seconds} seconds."),
        format!("验证码已发送，请在 {seconds} 秒后重新获取。"),
    );
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "code_too_soon", message).retry_after(seconds)
}
