//! `/api/people`: adding, reading and changing people, and their passwords.

use kernel::{Actor, ActorId, ActorKind, CommunityId, Phone, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Tx, events, tx};
use web::{Problem, Query, Reply, Request};
use wire::event::{PersonChanged, PersonPasswordChanged, PersonRegistered};

use super::{Text, answer, caller, caller_in_session, name_of, path_id, replied, write};
use crate::context::Context;
use crate::domain::{
    Change, Code, Name, NewPerson, Password, Person, Proof, Purpose, Username, change_person,
    changeable_person, known_person, name_taken, password_proof, people_reach, phone_missing,
    phone_taken, register_person, unknown_person,
};
use crate::{secrets, sign_in, store as sql};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedPerson {
    id: Option<ActorId>,
    username: Text<Username>,
    name: Option<Text<Name>>,
    password: Text<Password>,
    kind: ActorKind,
    #[serde(default)]
    communities: Vec<CommunityId>,
    /// The number the person is reached at: who holds it may sign in with a code.
    phone: Option<Phone>,
    /// Whether the password has to be replaced at the first sign-in.
    #[serde(default)]
    password_temporary: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedChange {
    name: Option<Text<Name>>,
    disabled: Option<bool>,
    communities: Option<Vec<CommunityId>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedPassword {
    password: Text<Password>,
    /// For one's own: the present password, or a code that was sent to one's phone for the purpose `password`.
    current_password: Option<String>,
    code: Option<Text<Code>>,
    /// For somebody else's: whether it has to be replaced at the next sign-in.
    #[serde(default)]
    temporary: bool,
}

/// A person as it stands on the wire.
#[derive(Serialize)]
pub(super) struct ShownPerson {
    id: ActorId,
    username: String,
    name: String,
    kind: ActorKind,
    communities: Vec<CommunityId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    disabled: bool,
    registered_at: Timestamp,
    version: i64,
}

impl ShownPerson {
    /// The person as staff and auditors see them: enough of the number to tell two people apart.
    fn masked(person: Person) -> Self {
        let phone = person.phone.as_ref().map(Phone::masked);
        Self {
            phone,
            ..Self::from(person)
        }
    }

    /// The person as that caller sees them.
    pub(super) fn to(actor: &Actor, person: Person) -> Self {
        if actor.kind == ActorKind::Operator || actor.id == person.id {
            return Self::from(person);
        }
        Self::masked(person)
    }
}

pub(super) async fn register(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let asked: AskedPerson = web::body(request)?;
    let new = NewPerson {
        id: asked.id,
        username: asked.username.0,
        name: asked.name.map(|name| name.0),
        kind: asked.kind,
        communities: asked.communities,
        phone: asked.phone,
        at: context.now,
    };
    let person = register_person(&actor, new)?;
    let digest = match &person.phone {
        Some(phone) => Some(web::phone_digest(
            &context.token_secret,
            &actor.tenant,
            phone,
        )?),
        None => None,
    };
    // Hashing takes as long as many transactions: it is done before this one.
    let hash = secrets::hash_password(asked.password.0.expose())?;
    let registered = write(
        context,
        request,
        (&actor.tenant, &name_of(&actor)),
        async |tx| {
            if sql::is_person_name_taken(tx, &person).await? {
                return Err(name_taken().into());
            }
            if let Some(digest) = &digest
                && sql::person_by_phone(tx, digest, context.now)
                    .await?
                    .is_some()
            {
                return Err(phone_taken().into());
            }
            let account = sql::NewAccount {
                password_hash: &hash,
                password_temporary: asked.password_temporary,
                phone_digest: digest.as_deref(),
            };
            sql::insert_person(tx, &person, account).await?;
            let fact = PersonRegistered {
                person: person.id.clone(),
                kind: person.kind,
                communities: person.communities.clone(),
                phone: digest.clone(),
                actor: actor.id.clone(),
            };
            events::append(tx, &context.new_id()?, context.now, &fact).await?;
            answer(201, &ShownPerson::from(person.clone()))
        },
    )
    .await?;
    Ok(replied(&registered)?.with_header(
        ::http::header::LOCATION,
        &format!("/api/people/{}", person.id),
    ))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let mut query = Query::of(request)?;
    let filter = sql::PeopleFilter {
        kind: query.take("kind", |text| ActorKind::parse(text).ok_or("no such kind"))?,
        community: query.take("community", CommunityId::parse)?,
        from: query.take("registered_from", Timestamp::parse)?,
        to: query.take("registered_to", Timestamp::parse)?,
    };
    let page = query.page(ActorId::parse)?;
    query.finish()?;
    let asked = (&people_reach(&actor)?, &filter);
    let people = sql::people(&context.db, &actor.tenant, asked, &page, context.now).await?;
    Ok(Reply::ok(&page.listing(
        people,
        |person| person.id.to_string(),
        |person| ShownPerson::to(&actor, person),
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let id = path_id(person, unknown_person)?;
    let person = sql::person(&context.db, &actor.tenant, &id, context.now).await?;
    let person = known_person(&actor, person)?;
    let version = person.version;
    if web::is_fresh(request, version) {
        return Ok(Reply::not_modified(version));
    }
    Ok(Reply::ok(&ShownPerson::to(&actor, person)).with_etag(version))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let id = path_id(person, unknown_person)?;
    let expected = web::required_if_match(request)?;
    let asked: AskedChange = web::body(request)?;
    let change = Change {
        name: asked.name.map(|name| name.0),
        disabled: asked.disabled,
        communities: asked.communities,
    };
    let changed = tx(&context.db, &actor.tenant, async |tx| {
        let person = sql::person(tx, &actor.tenant, &id, context.now).await?;
        let person = changeable_person(&actor, person)?;
        let changed = change_person(&actor, &person, change.clone())?;
        expected.check(person.version)?;
        sql::update_person(tx, &changed, change.communities.is_some(), context.now).await?;
        if changed.disabled {
            sql::end_sessions(tx, &changed.id, ("person_disabled", ""), context.now).await?;
        }
        // What a binding gives is still there, whatever the list says.
        let changed = sql::person(tx, &actor.tenant, &id, context.now).await?;
        let changed = changed.ok_or_else(unknown_person)?;
        let fact = PersonChanged {
            person: changed.id.clone(),
            communities: changed.communities.clone(),
            disabled: changed.disabled,
            version: changed.version,
            actor: actor.id.clone(),
        };
        events::append(tx, &context.new_id()?, context.now, &fact).await?;
        Ok(changed)
    })
    .await?;
    let version = changed.version;
    Ok(Reply::ok(&ShownPerson::to(&actor, changed)).with_etag(version))
}

pub(super) async fn set_password(
    context: &Context,
    request: &Request,
    person: &str,
) -> anyhow::Result<Reply> {
    let (actor, session) = caller_in_session(context, request).await?;
    let id = path_id(person, unknown_person)?;
    let asked: AskedPassword = web::body(request)?;
    let person = sql::person(&context.db, &actor.tenant, &id, context.now).await?;
    let person = known_person(&actor, person)?;
    let is_own = password_proof(&actor, &person)? == Proof::CurrentPassword;
    if is_own {
        prove_oneself(context, &actor, &person, &asked).await?;
    }
    let hash = secrets::hash_password(asked.password.0.expose())?;
    let new = NewPassword {
        hash: &hash,
        is_temporary: asked.temporary && !is_own,
        kept_session: session.as_deref().filter(|_| is_own).unwrap_or(""),
    };
    tx(&context.db, &actor.tenant, async |tx| {
        store_password(context, tx, (&actor.id, &person), &new).await
    })
    .await?;
    Ok(Reply::no_content())
}

/// The present password, or a code to one's own phone: a token that was left lying about is not enough.
async fn prove_oneself(
    context: &Context,
    actor: &Actor,
    person: &Person,
    asked: &AskedPassword,
) -> anyhow::Result<()> {
    if let Some(Text(code)) = &asked.code {
        let phone = person.phone.as_ref().ok_or_else(phone_missing)?;
        let digest = web::phone_digest(&context.token_secret, &actor.tenant, phone)?;
        let used = tx(&context.db, &actor.tenant, async |tx| {
            sign_in::use_code(context, tx, (&digest, Purpose::Password), code).await
        })
        .await?;
        return Ok(used.map_err(Problem::from)?);
    }
    let current = asked
        .current_password
        .as_deref()
        .ok_or_else(current_password_missing)?;
    let checked = sign_in::check(context, &actor.tenant, &person.username, current).await?;
    checked.map(drop).map_err(|denied| match denied {
        sign_in::Denied::Wrong => current_password_wrong(),
        other => Problem::from(other),
    })?;
    Ok(())
}

/// A password that is about to be stored.
struct NewPassword<'a> {
    hash: &'a str,
    is_temporary: bool,
    /// The session that goes on; every other one ends.
    kept_session: &'a str,
}

async fn store_password(
    context: &Context,
    tx: &Tx,
    (actor, person): (&ActorId, &Person),
    new: &NewPassword<'_>,
) -> anyhow::Result<()> {
    sql::update_password(tx, &person.id, new.hash, new.is_temporary).await?;
    sql::delete_failures(tx, person.username.as_str()).await?;
    let ending = ("password_changed", new.kept_session);
    sql::end_sessions(tx, &person.id, ending, context.now).await?;
    let fact = PersonPasswordChanged {
        person: person.id.clone(),
        actor: actor.clone(),
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    Ok(())
}

fn current_password_missing() -> Problem {
    let message = kernel::Message::new(
        "Send your present password as current_password, or a code that was sent to your phone as code.",
        "请在 current_password 中提供当前密码，或在 code 中提供手机验证码。",
    );
    Problem::new(
        ::http::StatusCode::UNPROCESSABLE_ENTITY,
        "current_password_missing",
        message,
    )
    .at_field("current_password")
}

fn current_password_wrong() -> Problem {
    let message = kernel::Message::new("The present password is not right.", "当前密码不正确。");
    Problem::new(
        ::http::StatusCode::FORBIDDEN,
        "current_password_wrong",
        message,
    )
    .at_field("current_password")
}

impl From<Person> for ShownPerson {
    fn from(person: Person) -> Self {
        let Person {
            id,
            username,
            name,
            kind,
            communities,
            phone,
            disabled,
            registered_at,
            version,
        } = person;
        Self {
            id,
            username: username.as_str().to_owned(),
            name: name.as_str().to_owned(),
            kind,
            communities,
            phone: phone.map(String::from),
            disabled,
            registered_at,
            version,
        }
    }
}
