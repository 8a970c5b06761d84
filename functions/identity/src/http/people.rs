//! `/api/people`: adding, reading and changing people, and their passwords.

use kernel::{ActorId, ActorKind, CommunityId};
use serde::{Deserialize, Serialize};
use store::{Tx, events, tx};
use web::{Problem, Query, Reply, Request};
use wire::event::{PersonChanged, PersonPasswordChanged, PersonRegistered};

use super::{Text, answer, caller, caller_name, path_id, stored, write};
use crate::context::Context;
use crate::domain::{
    Change, Name, NewPerson, Password, Person, Proof, Username, change_person, known_person,
    name_taken, password_proof, people_keepers_only, people_reach, register_person, unknown_person,
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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedChange {
    disabled: Option<bool>,
    communities: Option<Vec<CommunityId>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedPassword {
    password: Text<Password>,
    current_password: Option<String>,
}

/// A person as it stands on the wire.
#[derive(Serialize)]
pub(super) struct ShownPerson {
    id: ActorId,
    username: String,
    name: String,
    kind: ActorKind,
    communities: Vec<CommunityId>,
    disabled: bool,
    version: i64,
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
    };
    let person = register_person(&actor, new)?;
    // Hashing takes as long as many transactions: it is done before this one.
    let hash = secrets::hash_password(asked.password.0.expose())?;
    let registered = write(
        context,
        request,
        (&actor.tenant, &caller_name(&actor)),
        async |tx| {
            if sql::is_person_name_taken(tx, &person).await? {
                return Err(name_taken().into());
            }
            sql::insert_person(tx, &person, &hash, context.now).await?;
            let fact = PersonRegistered {
                person: person.id.clone(),
                kind: person.kind,
                communities: person.communities.clone(),
                phone: None,
                actor: actor.id.clone(),
            };
            events::append(tx, &context.new_id()?, context.now, &fact).await?;
            answer(201, &ShownPerson::from(person.clone()))
        },
    )
    .await?;
    Ok(stored(registered)?.with_header(
        ::http::header::LOCATION,
        &format!("/api/people/{}", person.id),
    ))
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let mut query = Query::of(request)?;
    let page = query.page(ActorId::parse)?;
    query.finish()?;
    let people = sql::people(&context.db, &actor.tenant, &people_reach(&actor)?, &page).await?;
    Ok(Reply::ok(&page.listing(
        people,
        |person| person.id.to_string(),
        ShownPerson::from,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let id = path_id(person, unknown_person)?;
    let person = known_person(&actor, sql::person(&context.db, &actor.tenant, &id).await?)?;
    let version = person.version;
    if web::is_fresh(request, version) {
        return Ok(Reply::not_modified(version));
    }
    Ok(Reply::ok(&ShownPerson::from(person)).with_etag(version))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    people_keepers_only(&actor)?;
    let id = path_id(person, unknown_person)?;
    let expected = web::required_if_match(request)?;
    let AskedChange {
        disabled,
        communities,
    } = web::body(request)?;
    let change = Change {
        disabled,
        communities,
    };
    let changed = tx(&context.db, &actor.tenant, async |tx| {
        let person = known_person(&actor, sql::person(tx, &actor.tenant, &id).await?)?;
        let changed = change_person(&actor, &person, change.clone())?;
        expected.check(person.version)?;
        sql::update_person(tx, &changed).await?;
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
    Ok(Reply::ok(&ShownPerson::from(changed)).with_etag(version))
}

pub(super) async fn set_password(
    context: &Context,
    request: &Request,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request).await?;
    let id = path_id(person, unknown_person)?;
    let asked: AskedPassword = web::body(request)?;
    let person = known_person(&actor, sql::person(&context.db, &actor.tenant, &id).await?)?;
    if password_proof(&actor, &person)? == Proof::CurrentPassword {
        let current = asked
            .current_password
            .as_deref()
            .ok_or_else(current_password_missing)?;
        let checked = sign_in::check(context, &actor.tenant, &person.username, current).await?;
        checked.map_err(|denied| match denied {
            sign_in::Denied::Wrong => current_password_wrong(),
            other => Problem::from(other),
        })?;
    }
    let hash = secrets::hash_password(asked.password.0.expose())?;
    tx(&context.db, &actor.tenant, async |tx| {
        store_password(context, tx, (&actor.id, &person), &hash).await
    })
    .await?;
    Ok(Reply::no_content())
}

async fn store_password(
    context: &Context,
    tx: &Tx,
    (actor, person): (&ActorId, &Person),
    hash: &str,
) -> anyhow::Result<()> {
    sql::update_password(tx, &person.id, hash).await?;
    sql::delete_failures(tx, &person.username).await?;
    let fact = PersonPasswordChanged {
        person: person.id.clone(),
        actor: actor.clone(),
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    Ok(())
}

fn current_password_missing() -> Problem {
    let message = kernel::Message::new(
        "Send your present password as current_password.",
        "请在 current_password 中提供当前密码。",
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
            disabled,
            version,
        } = person;
        Self {
            id,
            username: username.as_str().to_owned(),
            name: name.as_str().to_owned(),
            kind,
            communities,
            disabled,
            version,
        }
    }
}
