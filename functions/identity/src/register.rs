//! What the register of communities tells, and what becomes of it here: accounts for residents who were recorded
//! before they had one, and the communities of people.

use kernel::{ActorId, ActorKind};
use store::{Tx, events};
use wire::event::{
    AccountRequested, BindingEnded, BindingStarted, PersonAliased, PersonRegistered,
    ResidentRecorded,
};

use crate::context::Context;
use crate::domain::{Name, Person, Username};
use crate::{handover, store as sql};

/// Handles an event of the log; one that means nothing here is done at once.
pub(crate) async fn handle(
    context: &Context,
    tx: &mut Tx,
    event: &events::Recorded,
) -> anyhow::Result<()> {
    if let Some(asked) = event.read::<AccountRequested>()? {
        return handover::account_requested(context, tx, asked).await;
    }
    if let Some(recorded) = event.read::<ResidentRecorded>()? {
        return resident_recorded(context, tx, recorded).await;
    }
    if let Some(started) = event.read::<BindingStarted>()? {
        let binding = sql::Binding {
            binding: started.binding.to_string(),
            community: started.community,
            from: started.from,
            until: started.until,
        };
        if sql::is_erased(tx, tx.tenant(), &started.person).await? {
            return Ok(());
        }
        return sql::put_binding(tx, &started.person, &binding).await;
    }
    if let Some(ended) = event.read::<BindingEnded>()? {
        return sql::end_binding(tx, ended.binding.as_str(), ended.until).await;
    }
    Ok(())
}

/// A resident with a known phone gets an account that its owner signs in to with a code. Where the number has an account
/// already, that one is the person.
async fn resident_recorded(
    context: &Context,
    tx: &Tx,
    recorded: ResidentRecorded,
) -> anyhow::Result<()> {
    let Some(digest) = &recorded.phone else {
        return Ok(());
    };
    if let Some(known) = sql::person_by_phone(tx, digest, context.now).await? {
        if known.id != recorded.person {
            let fact = PersonAliased {
                alias: recorded.person,
                person: known.id,
            };
            events::append(tx, &context.new_id()?, context.now, &fact).await?;
        }
        return Ok(());
    }
    if sql::phone_of(tx, tx.tenant(), &recorded.person)
        .await?
        .is_some()
    {
        if sql::is_erased(tx, tx.tenant(), &recorded.person).await? {
            return Ok(());
        }
        return sql::set_digest(tx, &recorded.person, digest).await;
    }
    let person = account_of(context, &recorded.person)?;
    let person = match sql::is_person_name_taken(tx, &person).await? {
        false => person,
        true => Person {
            username: Username::parse(&context.new_id::<String>()?)?,
            ..person
        },
    };
    let account = sql::NewAccount {
        password_hash: "",
        password_temporary: false,
        phone_digest: Some(digest),
    };
    sql::insert_person(tx, &person, account).await?;
    let fact = PersonRegistered {
        person: person.id,
        kind: person.kind,
        communities: Vec::new(),
        phone: Some(digest.clone()),
        actor: recorded.actor,
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    Ok(())
}

/// An account for a recorded resident; the name is the id until its owner says another.
fn account_of(context: &Context, id: &ActorId) -> anyhow::Result<Person> {
    Ok(Person {
        id: id.clone(),
        username: Username::parse(id.as_str())?,
        name: Name::parse(id.as_str())?,
        kind: ActorKind::Resident,
        communities: Vec::new(),
        phone: None,
        disabled: false,
        registered_at: context.now,
        version: 1,
    })
}
