//! `/api/people/{person}`: reading everything that is held about a person, another phone number, and being forgotten.

use kernel::{Actor, ActorId, Message, Phone, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, events, tx};
use web::{Page, Problem, Reply, Request};
use wire::event::{PersonErased, PersonPhoneChanged};

use super::consents::ShownConsent;
use super::feedback::ShownFeedback;
use super::people::ShownPerson;
use super::{Text, caller, path_id};
use crate::context::Context;
use crate::domain::{
    Code, FeedbackReach, Name, Person, Purpose, Username, erase_person, is_person, known_person,
    may_export, phone_taken, unknown_person,
};
use crate::{sign_in, store as sql};

/// The most sessions and feedback that an export holds of each.
const EXPORT_ITEMS_MAX: i64 = 500;

/// What stands where a name stood.
const ERASED_NAME: &str = "已注销";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedPhone {
    phone: Phone,
    /// For one's own: a code that was sent to the new number for the purpose `phone_change`.
    code: Option<Text<Code>>,
}

/// Everything that is held here about a person.
#[derive(Serialize)]
struct Export {
    exported_at: Timestamp,
    person: ShownPerson,
    has_password: bool,
    roles: Vec<String>,
    bindings: Vec<sql::Binding>,
    sessions: Vec<ExportedSession>,
    consents: Vec<ShownConsent>,
    feedback: Vec<ShownFeedback>,
}

#[derive(Serialize)]
struct ExportedSession {
    started_at: Timestamp,
    used_at: Timestamp,
    expires_at: Timestamp,
}

pub(super) async fn export(
    context: &Context,
    request: &Request,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let person = known(context, &actor, person).await?;
    may_export(&actor, &person)?;
    let (db, tenant, id) = (&context.db, &actor.tenant, &person.id);
    let page = Page {
        limit: EXPORT_ITEMS_MAX,
        after: None,
    };
    let sessions = sql::sessions(db, tenant, id, &page, context.now).await?;
    let own = FeedbackReach::Own(id.clone());
    let feedback = sql::feedbacks(db, tenant, &own, &page).await?;
    let roles = sql::roles_of(db, tenant, id).await?;
    let consents = sql::consents(db, tenant, id).await?;
    let export = Export {
        exported_at: context.now,
        has_password: sql::has_password(db, tenant, id).await?,
        roles: roles
            .into_iter()
            .map(|role| role.name.as_str().to_owned())
            .collect(),
        bindings: sql::bindings_of(db, tenant, id).await?,
        sessions: sessions
            .into_iter()
            .map(|session| ExportedSession {
                started_at: session.started_at,
                used_at: session.used_at,
                expires_at: session.expires_at,
            })
            .collect(),
        consents: consents.into_iter().map(ShownConsent::from).collect(),
        feedback: feedback.into_iter().map(ShownFeedback::from).collect(),
        person: person.into(),
    };
    Ok(Reply::ok(&export).with_header(::http::header::CACHE_CONTROL, "no-store"))
}

pub(super) async fn set_phone(
    context: &Context,
    request: &Request,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let person = known(context, &actor, person).await?;
    may_export(&actor, &person)?;
    let asked: AskedPhone = web::body(request)?;
    if is_person(&actor, &person.id) && asked.code.is_none() {
        return Err(code_missing().into());
    }
    let changed = tx(&context.db, &actor.tenant, async |tx| {
        change_phone(context, tx, (&actor, &person), &asked).await
    })
    .await?;
    let changed = changed.map_err(Problem::from)?;
    let version = changed.version;
    Ok(Reply::ok(&ShownPerson::to(&actor, changed)).with_etag(version))
}

/// A wrong code has to be counted, so the denial comes out as a value.
async fn change_phone(
    context: &Context,
    tx: &Tx,
    (actor, person): (&Actor, &Person),
    asked: &AskedPhone,
) -> anyhow::Result<Result<Person, sign_in::Denied>> {
    let digest = web::phone_digest(&context.token_secret, tx.tenant(), &asked.phone)?;
    if let Some(Text(code)) = &asked.code {
        let proof = (digest.as_str(), Purpose::PhoneChange);
        if let Err(denied) = sign_in::use_code(context, tx, proof, code).await? {
            return Ok(Err(denied));
        }
    }
    let holder = sql::person_by_phone(tx, &digest, context.now).await?;
    if holder.is_some_and(|holder| holder.id != person.id) {
        return Ok(Err(sign_in::Denied::Refused(phone_taken())));
    }
    sql::update_phone(tx, &person.id, &asked.phone, &digest).await?;
    let fact = PersonPhoneChanged {
        person: person.id.clone(),
        phone: digest,
        actor: actor.id.clone(),
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    let changed = sql::person(tx, tx.tenant(), &person.id, context.now).await?;
    Ok(Ok(changed.ok_or_else(unknown_person)?))
}

pub(super) async fn erase(
    context: &Context,
    request: &Request,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let person = known(context, &actor, person).await?;
    let rest = (
        Username::parse(&format!("erased-{}", context.new_id::<String>()?))?,
        Name::parse(ERASED_NAME)?,
    );
    let rest = erase_person(&actor, &person, rest)?;
    tx(&context.db, &actor.tenant, async |tx| {
        if sql::is_erased(tx, &actor.tenant, &person.id).await? {
            return Ok(());
        }
        forget(context, tx, (&person, &rest)).await?;
        let fact = PersonErased {
            person: person.id.clone(),
            actor: actor.id.clone(),
        };
        events::append(tx, &context.new_id()?, context.now, &fact).await?;
        Ok(())
    })
    .await?;
    Ok(Reply::no_content())
}

/// Removes everything that tells who it was.
async fn forget(
    context: &Context,
    tx: &Tx,
    (person, rest): (&Person, &Person),
) -> anyhow::Result<()> {
    let id = &person.id;
    let known = sql::phone_of(tx, tx.tenant(), id).await?;
    if let Some(digest) = known.as_ref().and_then(|known| known.digest.as_deref()) {
        let number = known.as_ref().and_then(|known| known.phone.as_deref());
        sql::delete_codes(tx, number.unwrap_or(""), digest).await?;
        sql::delete_failures(tx, &format!("phone/{digest}")).await?;
    }
    sql::delete_failures(tx, person.username.as_str()).await?;
    sql::end_sessions(tx, id, ("person_erased", ""), context.now).await?;
    sql::delete_memberships(tx, id).await?;
    sql::delete_bindings_of(tx, id).await?;
    sql::delete_consents(tx, id).await?;
    sql::delete_feedback_of(tx, id).await?;
    sql::put_roles_of(tx, id, &[]).await?;
    sql::erase_person(tx, rest, context.now).await
}

async fn known(context: &Context, actor: &Actor, person: &str) -> anyhow::Result<Person> {
    let id: ActorId = path_id(person, unknown_person)?;
    let person = sql::person(&context.db, &actor.tenant, &id, context.now).await?;
    Ok(known_person(actor, person)?)
}

fn code_missing() -> Problem {
    let message = Message::new(
        "Ask for a code to the new number (purpose phone_change) and send it as code.",
        "请先获取新手机号的验证码（用途 phone_change），并以 code 提交。",
    );
    Problem::new(
        ::http::StatusCode::UNPROCESSABLE_ENTITY,
        "code_missing",
        message,
    )
    .at_field("code")
}
