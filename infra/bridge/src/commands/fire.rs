//! A fire: doors are held open until they are restored, also over a restart of the bridge or of a controller.

use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use kernel::{DeviceId, Timestamp};
use tokio::sync::OwnedSemaphorePermit;
use wire::door::OccurrenceKind;

use super::Commands;
use crate::adapters::Movement;

/// How long a hold or a restore is tried at once, in milliseconds.
const MOVE_MS_MAX: i64 = 10_000;
/// The pause before it is tried again.
const AGAIN: Duration = Duration::from_secs(2);

impl Commands {
    /// Holds a door open, or shuts it again. It is written down first: whatever becomes of the lock, the door's
    /// readers obey the fire from now on, and the lock is moved until it follows.
    pub(super) async fn fire(
        &self,
        door: &DeviceId,
        held: bool,
        expires_at: Timestamp,
        permit: OwnedSemaphorePermit,
    ) -> Result<()> {
        if self.clock.now() >= expires_at {
            tracing::warn!(%door, held, "a command about a fire came too late");
            return Ok(());
        }
        self.spool.hold(door, held).await?;
        self.snapshots.hold(door, held);
        tracing::warn!(%door, held, "the door is held open for a fire, or no longer");
        self.follow(door, Some(permit));
        Ok(())
    }

    /// Doors that were held when an earlier run ended are held on.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn hold_on(&self) -> Result<()> {
        for door in self.spool.held().await? {
            self.snapshots.hold(&door, true);
            self.follow(&door, None);
        }
        Ok(())
    }

    /// A controller came back: it may have forgotten that its door is held.
    pub(super) fn found(&self, door: &DeviceId) {
        if self.snapshots.is_held(door) {
            self.follow(door, None);
        }
    }

    /// Moves a lock until it is as the fire commands want it. One task a door: commands come again and again until the
    /// door's state is known.
    fn follow(&self, door: &DeviceId, permit: Option<OwnedSemaphorePermit>) {
        if !self.following().insert(door.clone()) {
            return;
        }
        let (this, door) = (self.clone(), door.clone());
        tokio::spawn(async move {
            let mut permit = permit;
            loop {
                let held = this.snapshots.is_held(&door);
                let moved = this.move_held(&door, held).await;
                // The first try counts as under way; a lock that does not follow must not keep the bridge from stopping.
                drop(permit.take());
                {
                    // Looked at under the lock: a command that comes now finds the task gone, or is seen here.
                    let mut following = this.following();
                    let is_done = moved && this.snapshots.is_held(&door) == held;
                    if is_done || this.under_way.is_closed() {
                        following.remove(&door);
                        return;
                    }
                }
                if !moved {
                    tokio::time::sleep(AGAIN).await;
                }
            }
        });
    }

    fn following(&self) -> MutexGuard<'_, BTreeSet<DeviceId>> {
        // A panic elsewhere leaves a whole set.
        self.following
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn move_held(&self, door: &DeviceId, held: bool) -> bool {
        let Some((config, lock)) = self.doors.get(door) else {
            return true;
        };
        let (movement, kind) = if held {
            (Movement::Hold, OccurrenceKind::Released)
        } else {
            (Movement::Restore, OccurrenceKind::Restored)
        };
        let expires_at = self.clock.now().plus_millis(MOVE_MS_MAX);
        match lock
            .carry_out(config.address, config.output, movement, expires_at)
            .await
        {
            Ok(()) => {
                self.occurred(door, kind).await;
                true
            }
            Err(failure) => {
                tracing::error!(%door, held, %failure, "the lock does not follow the fire command");
                false
            }
        }
    }
}
