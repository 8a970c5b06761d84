//! Snapshots: the permissions of one gateway for a day, built, versioned, signed and kept.
//!
//! A version is another when the content is another, or when the last one is a quarter of its life old, so that a gate
//! always holds one that lasts for a while.

mod making;

use anyhow::Context as _;
use kernel::{DeviceId, TenantId, Timestamp};
use store::tx;
use wire::pass::short_key;
use wire::snapshot::{Card, SNAPSHOT_MS, Snapshot, WINDOW_SLACK_MS, digest, sign_all};

use self::making::Making;
use crate::context::Context;
use crate::store::gateways::{self, Gateway, Kept};
use crate::store::snapshot::{self as sql, Span};

/// After how long a snapshot is renewed although nothing changed, in milliseconds.
pub const RENEW_MS: i64 = SNAPSHOT_MS / 4;

/// The gateway's snapshot as it should be now: the kept one, or a new one when permissions changed or it is old.
/// Nothing for a gateway without doors.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn current(
    context: &Context,
    tenant: &TenantId,
    gateway: &DeviceId,
) -> anyhow::Result<Option<Kept>> {
    let Some(stands) = gateways::gateway(&context.db, tenant, gateway).await? else {
        return Ok(None);
    };
    let is_old = context.now.millis_since(stands.made_at) >= RENEW_MS;
    if stands.is_built(&key_ids(context)) && !is_old {
        return gateways::kept(&context.db, tenant, gateway).await;
    }
    renew(context, tenant, gateway, (&stands, is_old)).await?;
    gateways::kept(&context.db, tenant, gateway).await
}

/// The ids of the keys that a snapshot of now is signed with.
pub(crate) fn key_ids(context: &Context) -> String {
    let ids: Vec<String> = context.pass_keys().into_iter().map(|key| key.id).collect();
    ids.join(",")
}

/// Builds the snapshot anew; what is kept from now on, when that is another one than before.
pub(crate) async fn renew(
    context: &Context,
    tenant: &TenantId,
    gateway: &DeviceId,
    (stands, is_old): (&Gateway, bool),
) -> anyhow::Result<Option<(i64, String, u64)>> {
    let mut snapshot = build(context, tenant, gateway).await?;
    // Its own times and version are still those of nothing: they are no content.
    let content = digest(&serde_json::to_vec(&snapshot)?);
    let is_new = content != stands.content || is_old || stands.version == 0;
    let mut after = Gateway {
        built: stands.changes,
        content,
        keys: key_ids(context),
        ..stands.clone()
    };
    if !is_new {
        tx(&context.db, tenant, async |tx| {
            gateways::set_built(tx, gateway, &after).await
        })
        .await?;
        return Ok(None);
    }
    after.version = stands.version + 1;
    after.made_at = context.now;
    snapshot.version = after.version;
    snapshot.made_at = context.now;
    snapshot.expires_at = context.now.plus_millis(SNAPSHOT_MS);
    let bytes = sign_all(&snapshot, &context.pass_seeds())?;
    let (sha256, length) = (digest(&bytes), u64::try_from(bytes.len())?);
    let body = String::from_utf8(bytes)?;
    let kept = Kept {
        version: after.version,
        sha256: sha256.clone(),
        body,
    };
    let stored = tx(&context.db, tenant, async |tx| {
        // Another request may have built meanwhile; versions are given once.
        let now = gateways::gateway(tx, tenant, gateway).await?;
        if now.is_none_or(|now| now.version != stands.version) {
            return Ok(false);
        }
        gateways::set_built(tx, gateway, &after).await?;
        gateways::keep(tx, gateway, kept.clone()).await?;
        Ok(true)
    })
    .await?;
    Ok(stored.then_some((after.version, sha256, length)))
}

/// What the gateway has to know, of this moment and the next day; without version and times.
async fn build(
    context: &Context,
    tenant: &TenantId,
    gateway: &DeviceId,
) -> anyhow::Result<Snapshot> {
    let db = &context.db;
    let span = Span {
        from: context.now,
        until: context.now.plus_millis(SNAPSHOT_MS + WINDOW_SLACK_MS),
    };
    let mut making = Making::of_doors(&sql::doors(db, tenant, gateway).await?)?;
    making.add_groups(&sql::groups(db, tenant, gateway).await?, span)?;
    for row in sql::grants(db, tenant, gateway, span).await? {
        making.add_grants(&row)?;
    }
    for community in making.communities.clone() {
        making.add_community(db, tenant, &community, span).await?;
    }
    making.settle(context.now);
    let mut cards = Vec::new();
    for community in &making.communities {
        cards.extend(making.cards(&sql::cards(db, tenant, community.as_str()).await?)?);
    }
    cards.sort_by_key(|card: &Card| card.number);
    let key = short_key(&context.pass_seed, tenant, gateway.as_str()).context("a short key")?;
    Ok(Snapshot {
        tenant: tenant.clone(),
        gateway: gateway.clone(),
        version: 0,
        made_at: Timestamp::EPOCH,
        expires_at: Timestamp::EPOCH,
        communities: making.communities,
        doors: making.doors,
        groups: making.groups,
        members: making.members.into_values().collect(),
        cards,
        passes: making.passes,
        revoked_passes: making.revoked,
        keys: context.pass_keys(),
        short_key: key.iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}
