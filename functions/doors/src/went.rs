//! What happened at a door: the log, the count of a pass's uses, and what others hear of it; and the audit of gates,
//! from which most of it comes.

use kernel::{Message, PassId, Refusal, Timestamp};
use store::Tx;
use wire::audit::{Credential, Entry, Line};
use wire::event::{DoorAccessDecided, PassRefused, PassUsed};

use crate::context::Context;
use crate::domain::{DEVICE_AHEAD_MS_MAX, DEVICE_BEHIND_MS_MAX, Door, Reason};
use crate::facts;
use crate::store::audit::{self, Stored};
use crate::store::log::{self, Access};

/// Stores an entry of a gate's audit with all that follows from it; an entry that came before changes nothing.
///
/// # Errors
/// 409 when another entry has its sequence; a failure of the database.
pub(crate) async fn store_entry(
    context: &Context,
    tx: &Tx,
    door: &Door,
    entry: &Entry,
) -> anyhow::Result<()> {
    let line = Line {
        gateway: door.gateway.clone(),
        door: door.id.clone(),
        entry: entry.clone(),
    };
    match audit::store(tx, &line, context.now).await? {
        Stored::Again => return Ok(()),
        Stored::Other => return Err(other_entry(entry.sequence).into()),
        Stored::New => {}
    }
    let access = Access {
        id: context.new_id()?,
        community: door.community.clone(),
        door: door.id.clone(),
        person: entry.person.clone(),
        pass: entry.pass.clone(),
        credential: entry.credential.as_str().to_owned(),
        allowed: entry.allowed,
        reason: Reason::of_device(&entry.reason).as_str().to_owned(),
        passback: entry.passback,
        direction: door.direction,
        offline: entry.offline,
        opening: None,
        decided_at: believed(entry.decided_at, context.now),
    };
    let pass = entry.pass.clone();
    let pass = pass.map(|pass| (pass, entry.step.unwrap_or_default()));
    keep(context, tx, &access, pass.as_ref()).await
}

/// Logs a decision at a door, counts the use of its pass, and says so.
pub(crate) async fn keep(
    context: &Context,
    tx: &Tx,
    access: &Access,
    pass: Option<&(PassId, u64)>,
) -> anyhow::Result<()> {
    log::insert(tx, access).await?;
    if let Some((pass, step)) = pass.filter(|_| access.allowed) {
        log::count_use(tx, (pass, *step), &access.door, context.now).await?;
        let fact = PassUsed {
            pass: pass.clone(),
            door: access.door.clone(),
            community: access.community.clone(),
            used_at: access.decided_at,
        };
        facts::append(context, tx, &fact).await?;
    }
    let was_pass = [Credential::Pass, Credential::ShortCode].map(Credential::as_str);
    if !access.allowed && was_pass.contains(&access.credential.as_str()) {
        let fact = PassRefused {
            pass: access.pass.clone(),
            door: access.door.clone(),
            community: access.community.clone(),
            reason: access.reason.clone(),
            shown_at: access.decided_at,
        };
        facts::append(context, tx, &fact).await?;
    }
    let fact = DoorAccessDecided {
        door: access.door.clone(),
        community: access.community.clone(),
        person: access.person.clone(),
        credential: access.credential.clone(),
        allowed: access.allowed,
        reason: access.reason.clone(),
        decided_at: access.decided_at,
        offline: access.offline,
    };
    facts::append(context, tx, &fact).await
}

/// The device's moment as far as its clock is believed, else ours.
fn believed(device_at: Timestamp, now: Timestamp) -> Timestamp {
    let earliest = now.plus_millis(-DEVICE_BEHIND_MS_MAX);
    let latest = now.plus_millis(DEVICE_AHEAD_MS_MAX);
    if (earliest..=latest).contains(&device_at) {
        device_at
    } else {
        now
    }
}

fn other_entry(sequence: u64) -> Refusal {
    Refusal::conflict(
        "audit_sequence_taken",
        Message::new(
            format!("The gateway's audit has another entry {sequence}."),
            format!("该网关的审计记录中已有另一条序号为 {sequence} 的记录。"),
        ),
    )
}
