//! What other capabilities recorded: communities and their clocks, rooms and their names, who lives where, and money
//! for prepaid meters.

use anyhow::Context as _;
use kernel::TenantId;
use store::Tx;
use store::events::{Consumer, Drained, Recorded, concerns, drain, waiting};
use wire::event::{
    BindingEnded, BindingStarted, CommunityChanged, Event, PersonAliased, PersonErased,
    RechargeCommanded, RechargeFinished, RoomChanged,
};

use crate::context::Context;
use crate::recharging;
use crate::store::{people, places};

/// The consumer, and what it hears.
pub const CONSUMER: Consumer<'static> = Consumer {
    name: "meters",
    kinds: &[
        CommunityChanged::KIND,
        RoomChanged::KIND,
        BindingStarted::KIND,
        BindingEnded::KIND,
        PersonAliased::KIND,
        PersonErased::KIND,
        RechargeCommanded::KIND,
        RechargeFinished::KIND,
    ],
};

/// How often a request looks for more before it asks to be tried again.
const CATCH_UPS_MAX: usize = 4;

/// Handles what waits for all tenants; how many events.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn hear(context: &Context) -> anyhow::Result<usize> {
    let mut handled = 0;
    for tenant in waiting(&context.db, CONSUMER.name).await? {
        handled += take(context, &tenant).await?.handled;
    }
    Ok(handled)
}

/// Handles what waits for one tenant, so that a request finds what was recorded right before it.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn catch_up(context: &Context, tenant: &TenantId) -> anyhow::Result<()> {
    if waiting(&context.db, CONSUMER.name).await?.contains(tenant) {
        take(context, tenant).await?;
    }
    Ok(())
}

/// Handles all that waits for one tenant: who looks for a room among half of an imported register finds it missing.
///
/// # Errors
/// A failure of the database, or more waits than one request can handle: then trying again goes on from there.
pub(crate) async fn catch_up_whole(context: &Context, tenant: &TenantId) -> anyhow::Result<()> {
    for _ in 0..CATCH_UPS_MAX {
        if !concerns(&context.db, tenant, CONSUMER).await?
            || !take(context, tenant).await?.is_full()
        {
            return Ok(());
        }
    }
    Err(kernel::Transient).context("rooms that others recorded are still being taken in")
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
        let text = format!("an event of {tenant} failed: {cause}");
        web::log("warn", "-", &text);
    }
    Ok(drained)
}

async fn handle(context: &Context, tx: &mut Tx, event: &Recorded) -> anyhow::Result<()> {
    if let Some(changed) = event.read::<CommunityChanged>()? {
        return places::put_community(tx, &changed.community, &changed.time_zone).await;
    }
    if let Some(changed) = event.read::<RoomChanged>()? {
        return places::put_room(tx, (&changed.room, &changed.community), &changed.name).await;
    }
    if let Some(started) = event.read::<BindingStarted>()? {
        return match &started.room {
            // Staff are bound to no room and use nothing there.
            None => Ok(()),
            Some(room) => places::put_binding(tx, &started, room).await,
        };
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
    if let Some(commanded) = event.read::<RechargeCommanded>()? {
        return recharging::commanded(context, tx, &commanded).await;
    }
    if let Some(finished) = event.read::<RechargeFinished>()? {
        return recharging::finished(context, tx, &finished).await;
    }
    Ok(())
}
