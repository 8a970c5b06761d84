//! People in the register: entering them, and what identity tells about them.

use kernel::{Actor, ActorId, CommunityId, Message, Phone, Refusal};
use store::Tx;
use store::events::Recorded;
use wire::event::{
    PersonAliased, PersonErased, PersonPhoneChanged, PersonRegistered, ResidentChanged,
};

use crate::context::Context;
use crate::domain::{Binding, Name, Note, Resident, Term};
use crate::facts;
use crate::store::{self as sql, BindingFilter};

/// What is entered about a person.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub community: CommunityId,
    pub name: Name,
    pub phones: Vec<Phone>,
    pub company: Option<Name>,
    pub notes: Option<Note>,
}

/// Enters a person, whom the number tells: an account with it is that person, and so is an entry with it and the same
/// name, which stays as it is. Whether the entry is new.
///
/// # Errors
/// 409 when the number is that of another name.
pub(crate) async fn record(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    entry: Entry,
) -> anyhow::Result<(Resident, bool)> {
    let mut known = None;
    for phone in &entry.phones {
        if let Some(person) = sql::person_of_phone(tx, tx.tenant(), phone).await? {
            known = Some(person);
            break;
        }
    }
    let account = match (&known, entry.phones.first()) {
        (None, Some(phone)) => {
            let digest = facts::digest(context, tx.tenant(), phone)?;
            sql::account_of_digest(tx, tx.tenant(), &digest).await?
        }
        _ => None,
    };
    let id = match known.or(account) {
        Some(id) => id,
        None => context.new_id()?,
    };
    if let Some(existing) = sql::resident(tx, tx.tenant(), &id).await? {
        if existing.name.as_ref() != Some(&entry.name) {
            return Err(phone_taken().into());
        }
        return Ok((existing, false));
    }
    let resident = Resident {
        id,
        community: entry.community,
        name: Some(entry.name),
        phones: entry.phones,
        company: entry.company,
        notes: entry.notes,
        erased_at: None,
        version: 1,
    };
    for phone in &resident.phones {
        free_phone(tx, &resident.id, phone).await?;
    }
    sql::insert_residents(tx, std::slice::from_ref(&resident)).await?;
    facts::resident_recorded(context, tx, &actor.id, (&resident, resident.phones.first())).await?;
    Ok((resident, true))
}

/// Refuses a number that is another person's.
pub(crate) async fn free_phone(tx: &Tx, person: &ActorId, phone: &Phone) -> anyhow::Result<()> {
    match sql::person_of_phone(tx, tx.tenant(), phone).await? {
        Some(other) if other != *person => Err(phone_taken().into()),
        _ => Ok(()),
    }
}

/// The number belongs to somebody else.
pub(crate) fn phone_taken() -> Refusal {
    Refusal::conflict(
        "phone_taken",
        Message::new(
            "This number is recorded under another name. Check the number and the name.",
            "该手机号已登记在其他姓名下，请核对手机号和姓名。",
        ),
    )
}

/// Handles a fact of the log; those that are not about people change nothing. Safe to repeat.
///
/// # Errors
/// A fact that cannot be read, or a failure of the database.
pub(crate) async fn handle(context: &Context, tx: &Tx, event: &Recorded) -> anyhow::Result<()> {
    if let Some(fact) = event.read::<PersonRegistered>()? {
        if let Some(digest) = &fact.phone {
            sql::insert_account(tx, &fact.person, digest).await?;
        }
    } else if let Some(fact) = event.read::<PersonPhoneChanged>()? {
        sql::insert_account(tx, &fact.person, &fact.phone).await?;
    } else if let Some(fact) = event.read::<PersonAliased>()? {
        alias(context, tx, &fact.alias, &fact.person).await?;
    } else if let Some(fact) = event.read::<PersonErased>()? {
        erase(context, tx, &fact.person, &fact.actor).await?;
    }
    Ok(())
}

/// Two ids are one person: the entry and what holds go over to the account; what has been stays with the old id.
async fn alias(
    context: &Context,
    tx: &Tx,
    alias: &ActorId,
    person: &ActorId,
) -> anyhow::Result<()> {
    let Some(entry) = sql::resident(tx, tx.tenant(), alias).await? else {
        return Ok(());
    };
    if alias == person {
        return Ok(());
    }
    if sql::resident(tx, tx.tenant(), person).await?.is_none() {
        let moved = Resident {
            id: person.clone(),
            phones: vec![],
            version: 1,
            ..entry
        };
        sql::insert_residents(tx, &[moved]).await?;
    }
    sql::alias_resident(tx, alias, person).await?;
    sql::move_requests(tx, alias, person).await?;
    for binding in open_bindings(context, tx, alias).await? {
        let from = binding.term.from.max(context.now);
        let held = sql::held(tx, tx.tenant(), (&binding.community, binding.room()), from).await?;
        let is_held = held
            .iter()
            .any(|other| other.person == *person && other.room() == binding.room());
        stop(context, tx, &binding, person).await?;
        if !is_held {
            let continued = Binding {
                id: context.new_id()?,
                person: person.clone(),
                term: Term {
                    from,
                    until: binding.term.until,
                },
                version: 1,
                ..binding
            };
            sql::insert_bindings(tx, std::slice::from_ref(&continued)).await?;
            facts::binding_started(context, tx, &continued).await?;
        }
    }
    Ok(())
}

/// A person is forgotten: bindings end, and what has been stays without name and number.
async fn erase(
    context: &Context,
    tx: &Tx,
    person: &ActorId,
    actor: &ActorId,
) -> anyhow::Result<()> {
    sql::delete_account(tx, person).await?;
    sql::erase_requests(tx, person).await?;
    let Some(entry) = sql::resident(tx, tx.tenant(), person).await? else {
        return Ok(());
    };
    if entry.erased_at.is_some() {
        return Ok(());
    }
    let erased = Resident {
        name: None,
        phones: vec![],
        company: None,
        notes: None,
        erased_at: Some(context.now),
        version: entry.version + 1,
        ..entry
    };
    sql::update_resident(tx, &erased).await?;
    for binding in open_bindings(context, tx, person).await? {
        stop(context, tx, &binding, actor).await?;
    }
    let (person, version, actor) = (erased.id, erased.version, actor.clone());
    facts::append(
        context,
        tx,
        &ResidentChanged {
            person,
            version,
            actor,
        },
    )
    .await
}

/// The bindings of a person that hold, or will.
async fn open_bindings(
    context: &Context,
    tx: &Tx,
    person: &ActorId,
) -> anyhow::Result<Vec<Binding>> {
    let everything = Actor {
        tenant: tx.tenant().clone(),
        kind: kernel::ActorKind::Operator,
        id: person.clone(),
        communities: vec![],
        scopes: vec![],
    };
    let filter = BindingFilter {
        person: Some(person.clone()),
        ..BindingFilter::default()
    };
    let page = web::Page {
        limit: sql::HELD_MAX,
        after: None,
    };
    let mut bindings = sql::bindings(tx, &everything, &filter, &page).await?;
    bindings.retain(|binding| binding.term.until.is_none_or(|until| until > context.now));
    Ok(bindings)
}

/// Ends a binding now; one that has not begun, where it would have begun.
async fn stop(context: &Context, tx: &Tx, binding: &Binding, by: &ActorId) -> anyhow::Result<()> {
    let ended = Binding {
        term: Term {
            until: Some(context.now.max(binding.term.from)),
            ..binding.term
        },
        ended_by: Some(by.clone()),
        version: binding.version + 1,
        ..binding.clone()
    };
    sql::end_binding(tx, &ended).await?;
    facts::binding_ended(context, tx, by, &ended).await
}
