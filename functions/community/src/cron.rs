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
    /// Events of other capabilities handled.
    pub heard: usize,
    /// Events set aside because they could not be handled.
    pub parked: usize,
    /// Imports and idempotency records forgotten.
    pub forgotten: usize,
    /// Whether the tick stopped at a limit and more may be owed.
    pub more: bool,
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
    let mut drained = Drained::default();
    for tenant in events::waiting(&context.db, CONSUMER.name).await? {
        drained += take(context, &tenant).await?;
    }
    let before = context.now.plus_millis(-IMPORT_KEPT_MS);
    let imports = bulk(&context.db, async |batch| {
        sql::sweep_imports(batch, before, SWEEP_IMPORTS_MAX).await
    })
    .await?;
    Ok(Done {
        heard: drained.handled,
        parked: drained.parked,
        forgotten: imports + store::sweep(&context.db, context.now).await?,
        more: drained.is_full() || i64::try_from(imports)? >= SWEEP_IMPORTS_MAX,
    })
}

/// Handles what waits for one tenant; nothing happens for a tenant that nobody has heard of.
///
/// # Errors
/// A failure of the database.
pub async fn catch_up(context: &Context, tenant: &TenantId) -> anyhow::Result<()> {
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
