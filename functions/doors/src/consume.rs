//! What other capabilities recorded, as far as doors have to know: bindings, zones, visits, people, gateways.
//!
//! Every event may be handled twice: each handler sets what is, and counts nothing.

use kernel::{CommunityId, TenantId, Zone};
use store::Tx;
use store::events::{self, Consumer, Drained, Recorded};
use wire::event::{
    BindingEnded, BindingStarted, CommunityChanged, Event, GatewayAvailabilityChanged,
    PersonAliased, PersonErased, VisitApproved, VisitEnded,
};

use crate::context::Context;
use crate::store::{consume as sql, gateways};

/// The consumer, and what it hears.
const CONSUMER: Consumer<'static> = Consumer {
    name: "doors",
    kinds: &[
        BindingStarted::KIND,
        BindingEnded::KIND,
        CommunityChanged::KIND,
        VisitApproved::KIND,
        VisitEnded::KIND,
        GatewayAvailabilityChanged::KIND,
        PersonAliased::KIND,
        PersonErased::KIND,
    ],
};

/// Handles what waits for all tenants.
///
/// # Errors
/// A failure of the database. An event that cannot be handled is parked by the log.
pub(crate) async fn hear(context: &Context) -> anyhow::Result<Drained> {
    let mut heard = Drained::default();
    for tenant in events::waiting(&context.db, CONSUMER.name).await? {
        heard += take(context, &tenant).await?;
    }
    Ok(heard)
}

/// Handles what waits for one tenant; nothing happens for a tenant that nobody has heard of.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn catch_up(context: &Context, tenant: &TenantId) -> anyhow::Result<()> {
    if events::concerns(&context.db, tenant, CONSUMER).await? {
        take(context, tenant).await?;
    }
    Ok(())
}

async fn take(context: &Context, tenant: &TenantId) -> anyhow::Result<Drained> {
    let drained = events::drain(
        &context.db,
        tenant,
        CONSUMER,
        context.now,
        async |tx, event| handle(context, tx, event).await,
    )
    .await?;
    if let Some(cause) = &drained.failed {
        web::log(
            "error",
            "-",
            &format!("an event of {tenant} was not handled: {cause}"),
        );
    }
    Ok(drained)
}

async fn handle(context: &Context, tx: &Tx, event: &Recorded) -> anyhow::Result<()> {
    match event.kind.as_str() {
        BindingStarted::KIND => {
            let Some(binding) = event.read::<BindingStarted>()? else {
                return Ok(());
            };
            sql::start_member(tx, &binding).await?;
            gateways::mark_community(tx, &binding.community).await
        }
        BindingEnded::KIND => {
            let Some(binding) = event.read::<BindingEnded>()? else {
                return Ok(());
            };
            sql::end_member(tx, &binding).await?;
            gateways::mark_community(tx, &binding.community).await
        }
        CommunityChanged::KIND => {
            let Some(changed) = event.read::<CommunityChanged>()? else {
                return Ok(());
            };
            Zone::parse(&changed.time_zone)?;
            sql::set_zone(tx, &changed.community, &changed.time_zone).await?;
            gateways::mark_community(tx, &changed.community).await
        }
        VisitApproved::KIND => {
            let Some(visit) = event.read::<VisitApproved>()? else {
                return Ok(());
            };
            sql::put_pass(tx, &visit).await?;
            gateways::mark_community(tx, &visit.community).await
        }
        VisitEnded::KIND => {
            let Some(visit) = event.read::<VisitEnded>()? else {
                return Ok(());
            };
            sql::end_pass(tx, &visit.visit).await?;
            gateways::mark_community(tx, &visit.community).await
        }
        GatewayAvailabilityChanged::KIND => {
            let Some(changed) = event.read::<GatewayAvailabilityChanged>()? else {
                return Ok(());
            };
            gateways::set_online(tx, &changed.gateway, changed.online).await
        }
        PersonAliased::KIND => {
            let Some(aliased) = event.read::<PersonAliased>()? else {
                return Ok(());
            };
            let communities = sql::touched_by(tx, &aliased.alias).await?;
            sql::alias(tx, &aliased.alias, &aliased.person).await?;
            mark(tx, &communities).await
        }
        PersonErased::KIND => {
            let Some(erased) = event.read::<PersonErased>()? else {
                return Ok(());
            };
            let communities = sql::touched_by(tx, &erased.person).await?;
            sql::forget(tx, &erased.person, &erased.actor, context.now).await?;
            mark(tx, &communities).await
        }
        _ => Ok(()),
    }
}

async fn mark(tx: &Tx, communities: &[CommunityId]) -> anyhow::Result<()> {
    for community in communities {
        gateways::mark_community(tx, community).await?;
    }
    Ok(())
}
