//! What other capabilities recorded: communities and their clocks, rooms and their names, who lives where.

use kernel::TenantId;
use store::Tx;
use store::events::{Consumer, Drained, Recorded, drain, waiting};
use wire::event::{
    BindingEnded, BindingStarted, CommunityChanged, Event, PersonAliased, PersonErased, RoomChanged,
};

use crate::context::Context;
use crate::store::places;

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
    ],
};

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

async fn take(context: &Context, tenant: &TenantId) -> anyhow::Result<Drained> {
    let drained = drain(
        &context.db,
        tenant,
        CONSUMER,
        context.now,
        async |tx, event| handle(tx, event).await,
    )
    .await?;
    if let Some(cause) = &drained.failed {
        let text = format!("an event of {tenant} failed: {cause}");
        web::log("warn", "-", &text);
    }
    Ok(drained)
}

async fn handle(tx: &mut Tx, event: &Recorded) -> anyhow::Result<()> {
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
        return places::rename(tx, &aliased.alias, aliased.person.as_str()).await;
    }
    if let Some(erased) = event.read::<PersonErased>()? {
        return places::forget(tx, &erased.person).await;
    }
    Ok(())
}
