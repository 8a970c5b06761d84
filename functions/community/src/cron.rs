//! The heartbeat: takes in what identity tells about people, and forgets files that were left lying.
//!
//! A tick run twice, or on two replicas, changes nothing more: each fact is handled with its cursor.

use kernel::TenantId;
use store::bulk;
use store::events::{self, Consumer, Drained};
use wire::event::{Event, PersonAliased, PersonErased, PersonPhoneChanged, PersonRegistered};

use crate::context::Context;
use crate::{people, store as sql};

/// The consumer, and what it hears.
pub const CONSUMER: Consumer<'static> = Consumer {
    name: "community",
    kinds: &[
        PersonRegistered::KIND,
        PersonPhoneChanged::KIND,
        PersonAliased::KIND,
        PersonErased::KIND,
    ],
};

/// How long an import is kept after it was opened, in milliseconds: a day.
pub const IMPORT_KEPT_MS: i64 = 24 * 60 * 60 * 1_000;
/// The most imports one tick forgets; the next tick goes on.
pub const SWEEP_IMPORTS_MAX: i64 = 20;

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// Facts handled.
    pub handled: usize,
    /// Facts set aside because they could not be handled.
    pub parked: usize,
    /// Imports forgotten.
    pub imports_forgotten: usize,
}

/// The cron trigger.
///
/// # Errors
/// When the variables or the database fail; the next tick makes up for it.
#[cfg(target_family = "wasm")]
pub async fn on_tick(_at_seconds: i64) -> anyhow::Result<()> {
    let context = Context::open().await?;
    let done = tick(&context).await;
    outgoing::ring(&context.db, &context.outbox).await;
    done.map(|_| ())
}

/// Does what is owed at the context's moment.
///
/// # Errors
/// A failure of the database.
pub async fn tick(context: &Context) -> anyhow::Result<Done> {
    let (mut handled, mut parked) = (0, 0);
    for tenant in events::waiting(&context.db, CONSUMER.name).await? {
        let drained = take(context, &tenant).await?;
        handled += drained.handled;
        parked += drained.parked;
    }
    let before = context.now.plus_millis(-IMPORT_KEPT_MS);
    let imports_forgotten = bulk(&context.db, async |batch| {
        sql::sweep_imports(batch, before, SWEEP_IMPORTS_MAX).await
    })
    .await?;
    Ok(Done {
        handled,
        parked,
        imports_forgotten,
    })
}

/// Handles what waits for one tenant; nothing happens for a tenant that nobody has heard of.
///
/// # Errors
/// A failure of the database.
pub async fn catch_up(context: &Context, tenant: &TenantId) -> anyhow::Result<()> {
    if events::is_waiting(&context.db, tenant, CONSUMER.name).await? {
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
        async |tx, event| people::handle(context, tx, event).await,
    )
    .await?;
    if let Some(cause) = &drained.failed {
        web::log(
            "error",
            "-",
            &format!("a fact of {tenant} was not handled: {cause}"),
        );
    }
    Ok(drained)
}
