//! Accounts that were asked for elsewhere, for merchants' people: made when they are asked for, and handed over to the
//! number that was given.
//!
//! Where the number has no account yet, its owner signs in with a code. Where it has one, which stays what it is, the
//! other account gets a password that has to be replaced, and it is sent to the number like codes are.

use anyhow::ensure;
use kernel::{ActorKind, Phone, TenantId};
use store::{Tx, events, tx};
use wire::event::{AccountRequested, PersonPasswordChanged, PersonRegistered};

use crate::context::Context;
use crate::domain::{Name, Person, Username};
use crate::secrets;
use crate::sender::{CodeSender, Sending};
use crate::store::{self as sql, Account, Handover};

/// The most passwords that one tick sends; hashing each takes as long as many transactions.
pub const TICK_HANDOVERS_MAX: i64 = 20;
/// When a sending that failed is tried again, in milliseconds: 10 minutes.
pub const RETRY_MS: i64 = 10 * 60 * 1_000;
/// The characters of a password that is sent: 72 random bits.
const PASSWORD_CHARACTERS: usize = 12;
/// For what the message is, beside the purposes of codes.
const PURPOSE: &str = "account";

/// Makes the account, once.
pub(crate) async fn account_requested(
    context: &Context,
    tx: &Tx,
    asked: AccountRequested,
) -> anyhow::Result<()> {
    // Nobody becomes an operator by a fact of another capability.
    ensure!(
        asked.kind == ActorKind::Merchant,
        "accounts of the kind {} are not made by being asked for",
        asked.kind.as_str()
    );
    let person = account_of(context, &asked)?;
    if sql::is_person_name_taken(tx, &person).await? {
        return Ok(());
    }
    let known = sql::person_by_phone(tx, &asked.phone, context.now).await?;
    let digest = match known {
        None => Some(asked.phone.clone()),
        Some(_) => None,
    };
    let account = sql::NewAccount {
        password_hash: "",
        password_temporary: false,
        phone_digest: digest.as_deref(),
    };
    sql::insert_person(tx, &person, account).await?;
    if let Some(known) = known {
        let handover = Handover {
            person: person.id.clone(),
            through: known.id,
            asked_by: asked.actor.clone(),
        };
        sql::insert_handover(tx, &handover, context.now).await?;
    }
    let fact = PersonRegistered {
        person: person.id,
        kind: person.kind,
        communities: Vec::new(),
        phone: digest,
        actor: asked.actor,
    };
    events::append(tx, &context.new_id()?, context.now, &fact).await?;
    Ok(())
}

/// An account that is called by its id until its owner says another name.
fn account_of(context: &Context, asked: &AccountRequested) -> anyhow::Result<Person> {
    Ok(Person {
        id: asked.person.clone(),
        username: Username::parse(asked.person.as_str())?,
        name: Name::parse(asked.person.as_str())?,
        kind: asked.kind,
        communities: Vec::new(),
        phone: None,
        disabled: false,
        registered_at: context.now,
        version: 1,
    })
}

/// Sends the passwords that are due. How many were tried.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn send_due(context: &Context) -> anyhow::Result<usize> {
    let due = sql::due_handovers(&context.db, context.now, TICK_HANDOVERS_MAX).await?;
    for (tenant, handover) in &due {
        send(context, tenant, handover).await?;
    }
    Ok(due.len())
}

/// Takes up one handover: only who has put off the next try may try now.
async fn send(context: &Context, tenant: &TenantId, handover: &Handover) -> anyhow::Result<()> {
    let retry_at = context.now.plus_millis(RETRY_MS);
    let is_ours = tx(&context.db, tenant, async |tx| {
        sql::postpone_handover(tx, &handover.person, (context.now, retry_at)).await
    })
    .await?;
    let through = sql::person(&context.db, tenant, &handover.through, context.now).await?;
    // The number itself is not known before its owner has signed in.
    let Some(phone) = through
        .and_then(|through| through.phone)
        .filter(|_| is_ours)
    else {
        return Ok(());
    };
    let username = Username::parse(handover.person.as_str())?;
    let account = sql::account(&context.db, tenant, &username, context.now).await?;
    let waits = |account: &Account| {
        !account.person.disabled && (account.password_hash.is_empty() || account.password_temporary)
    };
    if !account.as_ref().is_some_and(waits) {
        // Its owner has a password, or is no more.
        return done(context, tenant, handover).await;
    }
    let password = draw_password()?;
    let id: String = context.new_id()?;
    store_password(context, tenant, handover, (&id, &phone, &password)).await?;
    let CodeSender::Webhook(webhook) = &context.code_sender else {
        return Ok(());
    };
    let sending = Sending {
        id: &id,
        tenant: tenant.as_str(),
        phone: phone.as_str(),
        purpose: PURPOSE,
        code: &password,
        username: Some(username.as_str()),
        expires_in_seconds: 0,
    };
    if let Err(error) = webhook.post(&sending).await {
        let said = format!("the password of an account was not sent: {error:#}");
        web::log("error", "-", &said);
        return Ok(());
    }
    done(context, tenant, handover).await
}

fn draw_password() -> anyhow::Result<String> {
    let drawn = secrets::draw_secret()?;
    Ok(drawn.chars().take(PASSWORD_CHARACTERS).collect())
}

/// Stores the password as one that has to be replaced; where there is a developer's inbox, it is there with that.
async fn store_password(
    context: &Context,
    tenant: &TenantId,
    handover: &Handover,
    (id, phone, password): (&str, &Phone, &str),
) -> anyhow::Result<()> {
    // Hashing takes as long as many transactions: it is done before this one.
    let hash = secrets::hash_password(password)?;
    tx(&context.db, tenant, async |tx| {
        sql::update_password(tx, &handover.person, &hash, true).await?;
        let fact = PersonPasswordChanged {
            person: handover.person.clone(),
            actor: handover.asked_by.clone(),
        };
        events::append(tx, &context.new_id()?, context.now, &fact).await?;
        if !matches!(context.code_sender, CodeSender::Inbox) {
            return Ok(());
        }
        sql::insert_message(tx, id, (phone, PURPOSE, password), context.now).await?;
        sql::delete_handover(tx, &handover.person).await
    })
    .await
}

async fn done(context: &Context, tenant: &TenantId, handover: &Handover) -> anyhow::Result<()> {
    tx(&context.db, tenant, async |tx| {
        sql::delete_handover(tx, &handover.person).await
    })
    .await
}
