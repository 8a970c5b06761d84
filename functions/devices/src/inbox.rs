//! What other capabilities recorded: identity's devices and what they speak for, and who asked to be forgotten.

use kernel::TenantId;
use store::Tx;
use store::events::{Consumer, Drained, Recorded, concerns, drain, waiting};
use wire::DeviceKind;
use wire::event::{DeviceChildAssigned, DeviceRegistered, Event, PersonAliased, PersonErased};

use crate::context::Context;
use crate::domain::{Configuration, Device, Gateway, Presence, Profile, Vitals};
use crate::store::{commands, register};

/// The consumer, and what it hears.
pub const CONSUMER: Consumer<'static> = Consumer {
    name: "devices",
    kinds: &[
        DeviceRegistered::KIND,
        DeviceChildAssigned::KIND,
        PersonAliased::KIND,
        PersonErased::KIND,
    ],
};

/// What stands where a person stood who was forgotten.
const ERASED: &str = "erased";

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

/// Handles what waits for one tenant, so that a request or message finds what was recorded right before it. Nothing
/// happens for a tenant that nobody has heard of.
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
    let handle = async |tx: &mut Tx, event: &Recorded| handle(tx, event).await;
    let drained = drain(&context.db, tenant, CONSUMER, context.now, handle).await?;
    if let Some(cause) = &drained.failed {
        web::log(
            "warn",
            "-",
            &format!("an event of {tenant} failed: {cause}"),
        );
    }
    Ok(drained)
}

async fn handle(tx: &mut Tx, event: &Recorded) -> anyhow::Result<()> {
    if let Some(registered) = event.read::<DeviceRegistered>()? {
        return enter(tx, blank(registered.device, registered.kind)).await;
    }
    if let Some(assigned) = event.read::<DeviceChildAssigned>()? {
        let child = blank(assigned.child.clone(), assigned.kind);
        enter(tx, child).await?;
        return register::assigned(tx, &assigned.child, &assigned.gateway).await;
    }
    if let Some(aliased) = event.read::<PersonAliased>()? {
        return commands::rename(tx, &aliased.alias, aliased.person.as_str()).await;
    }
    if let Some(erased) = event.read::<PersonErased>()? {
        return commands::rename(tx, &erased.person, ERASED).await;
    }
    Ok(())
}

fn blank(id: kernel::DeviceId, kind: DeviceKind) -> Device {
    Device {
        id,
        kind,
        description: None,
        gateway: None,
        reachable: None,
        version: 1,
    }
}

/// A device that is known already stays as it is: events may come again.
async fn enter(tx: &Tx, device: Device) -> anyhow::Result<()> {
    if register::device(tx, tx.tenant(), &device.id)
        .await?
        .is_some()
    {
        return Ok(());
    }
    register::put_device(tx, &device).await?;
    if device.kind == DeviceKind::Gateway {
        register::put_gateway(tx, &new_gateway(device)).await?;
    }
    Ok(())
}

/// A gateway that was never heard and runs with its own default.
fn new_gateway(device: Device) -> Gateway {
    Gateway {
        device,
        profile: Profile::Wired,
        presence: Presence::Unknown,
        vitals: Vitals::default(),
        configuration: Configuration {
            text: "{}".to_owned(),
            version: 0,
            applied: None,
        },
    }
}
