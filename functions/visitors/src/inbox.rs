//! What other capabilities recorded: which rooms there are, who lives where, in which time zone, who was one person all along or asked to
//! be forgotten, and which passes gates have seen.

use kernel::TenantId;
use store::Tx;
use store::events::{Consumer, Drained, Recorded, concerns, drain, waiting};
use wire::event::{
    BindingEnded, BindingStarted, CommunityChanged, Event, PassUsed, PersonAliased, PersonErased,
    RoomChanged,
};

use crate::context::Context;
use crate::domain::{Room, observe, pass_used};
use crate::facts;
use crate::store::{people, places, visits};

/// The consumer, and what it hears.
pub const CONSUMER: Consumer<'static> = Consumer {
    name: "visitors",
    kinds: &[
        CommunityChanged::KIND,
        RoomChanged::KIND,
        BindingStarted::KIND,
        BindingEnded::KIND,
        PersonAliased::KIND,
        PersonErased::KIND,
        PassUsed::KIND,
    ],
};

/// Handles what waits for all tenants.
///
/// # Errors
/// A failure of the database.
pub async fn take_all(context: &Context) -> anyhow::Result<Drained> {
    let mut drained = Drained::default();
    for tenant in waiting(&context.db, CONSUMER.name).await? {
        drained += take(context, &tenant).await?;
    }
    Ok(drained)
}

/// Handles what waits for one tenant, so that a request finds what was recorded right before it. Nothing happens
/// for a tenant that nobody has heard of.
///
/// # Errors
/// A failure of the database.
pub async fn catch_up(context: &Context, tenant: &TenantId) -> anyhow::Result<()> {
    if concerns(&context.db, tenant, CONSUMER).await? {
        take(context, tenant).await?;
    }
    Ok(())
}

async fn take(context: &Context, tenant: &TenantId) -> anyhow::Result<Drained> {
    let drained = drain(
        &context.db,
        tenant,
        CONSUMER,
        context.now,
        async |tx, event| handle(context, tx, event).await,
    )
    .await?;
    if let Some(cause) = &drained.failed {
        web::log(
            "warn",
            "-",
            &format!("an event of {tenant} failed: {cause}"),
        );
    }
    Ok(drained)
}

async fn handle(context: &Context, tx: &mut Tx, event: &Recorded) -> anyhow::Result<()> {
    if let Some(changed) = event.read::<CommunityChanged>()? {
        return places::put_community(tx, &changed.community, &changed.time_zone).await;
    }
    if let Some(changed) = event.read::<RoomChanged>()? {
        return places::put_room(tx, &changed).await;
    }
    if let Some(started) = event.read::<BindingStarted>()? {
        return bind(tx, started).await;
    }
    if let Some(ended) = event.read::<BindingEnded>()? {
        return places::end_binding(tx, &ended.binding, ended.until).await;
    }
    if let Some(aliased) = event.read::<PersonAliased>()? {
        return people::rename(tx, &aliased.alias, aliased.person.as_str()).await;
    }
    if let Some(erased) = event.read::<PersonErased>()? {
        return people::erase(tx, &erased.person).await;
    }
    if let Some(used) = event.read::<PassUsed>()? {
        return count_use(context, tx, used).await;
    }
    Ok(())
}

/// Staff are bound to no room and answer for none.
async fn bind(tx: &Tx, started: BindingStarted) -> anyhow::Result<()> {
    let place = (
        started.building.clone(),
        started.unit.clone(),
        started.room.clone(),
    );
    let (Some(building), Some(unit), Some(room)) = place else {
        return Ok(());
    };
    let room = Room {
        building,
        unit,
        room,
    };
    places::put_binding(tx, &started, &room).await
}

/// A pass that is no visitor's is a resident's own: nothing of ours.
async fn count_use(context: &Context, tx: &Tx, used: PassUsed) -> anyhow::Result<()> {
    let Some(id) = visits::visit_of_pass(tx, &used.pass).await? else {
        return Ok(());
    };
    let stored = visits::visit(tx, tx.tenant(), &id).await?;
    let Some(stored) = stored else { return Ok(()) };
    // Reported late, the use still belongs to the time at which it happened.
    let before = observe(stored.clone(), used.used_at);
    let after = observe(pass_used(&before, used.used_at), context.now);
    visits::update_visit(tx, &after).await?;
    facts::visit_changed(context, tx, &stored, &after).await
}
