//! The command to open: acted on once and only in time.

use anyhow::Result;
use kernel::{DeviceId, OpeningId, Timestamp};
use tokio::sync::OwnedSemaphorePermit;
use wire::door::Outcome;

use super::{Commands, EXPIRY_AHEAD_MS_MAX, Handled, INTERRUPTED, SPOOL_RETRY};
use crate::adapters::Failure;
use crate::config::UNLOCK_MS_MAX;
use crate::spool::Taken;

impl Commands {
    pub(super) async fn open(
        &self,
        door: &DeviceId,
        opening: OpeningId,
        (expires_at, unlock_ms): (Timestamp, u32),
        permit: OwnedSemaphorePermit,
    ) -> Result<Handled> {
        match self.spool.take(door, &opening, expires_at).await? {
            Taken::First => {
                self.start(door, opening, (expires_at, unlock_ms), permit)
                    .await?
            }
            Taken::Running | Taken::Answered => {
                self.counters.commands_repeated.add(1);
                tracing::info!(%door, %opening, "a repeated command moves nothing");
            }
            Taken::Interrupted => {
                self.answer(
                    door,
                    &opening,
                    Outcome::Failed {
                        reason: INTERRUPTED.into(),
                    },
                )
                .await?
            }
            Taken::NoRoom => {
                self.counters.commands_without_room.add(1);
                tracing::error!(%door, %opening, "the spool is full of answers: the command was left alone");
            }
        }
        Ok(Handled::Done)
    }

    /// Starts acting on a command that has been written down.
    async fn start(
        &self,
        door: &DeviceId,
        opening: OpeningId,
        (expires_at, unlock_ms): (Timestamp, u32),
        permit: OwnedSemaphorePermit,
    ) -> Result<()> {
        let now = self.clock.now();
        if let Some(outcome) = refusal(now, expires_at, unlock_ms) {
            return self.answer(door, &opening, outcome).await;
        }
        let Some((config, line)) = self.doors.get(door) else {
            return Ok(());
        };
        if self.snapshots.is_held(door) {
            // It stands open for a fire; a release with a timer would end in a locked door.
            return self.answer(door, &opening, Outcome::Opened).await;
        }
        let for_ms = match unlock_ms {
            0 => self.remote.unlock_ms(door).unwrap_or(config.unlock_ms),
            unlock_ms => unlock_ms,
        };
        let (this, line, config) = (self.clone(), line.clone(), config.clone());
        tokio::spawn(async move {
            let result = line
                .release(config.address, config.output, for_ms, expires_at)
                .await;
            let took_ms = this.clock.now().millis_since(now);
            tracing::info!(door = %config.id, %opening, ?result, took_ms, "a door command was carried out");
            let outcome = match result {
                Ok(()) => Outcome::Opened,
                Err(Failure::Expired) => Outcome::Expired,
                Err(failure) => Outcome::Failed {
                    reason: failure.to_string(),
                },
            };
            // A fire may have come in between; a release with a timer would end in a locked door.
            this.found(&config.id);
            while let Err(error) = this.answer(&config.id, &opening, outcome.clone()).await {
                tracing::error!(%opening, error = format!("{error:#}"), "the answer could not be stored; trying again");
                tokio::time::sleep(SPOOL_RETRY).await;
            }
            drop(permit);
        });
        Ok(())
    }
}

/// Why a command is not even given to the line.
fn refusal(now: Timestamp, expires_at: Timestamp, unlock_ms: u32) -> Option<Outcome> {
    if now >= expires_at {
        return Some(Outcome::Expired);
    }
    if expires_at.millis_since(now) > EXPIRY_AHEAD_MS_MAX {
        return Some(Outcome::Failed {
            reason: format!(
                "the expiry lies more than {EXPIRY_AHEAD_MS_MAX} ms ahead of the gateway's clock"
            ),
        });
    }
    if unlock_ms > UNLOCK_MS_MAX {
        return Some(Outcome::Failed {
            reason: format!("unlock_ms is {unlock_ms}, at most {UNLOCK_MS_MAX} is carried out"),
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    #[test]
    fn a_command_is_too_late_from_its_expiry_on() {
        assert_eq!(refusal(at(999), at(1000), 3_000), None);
        assert_eq!(refusal(at(1000), at(1000), 3_000), Some(Outcome::Expired));
        assert_eq!(refusal(at(0), at(EXPIRY_AHEAD_MS_MAX), 3_000), None);
        assert!(matches!(
            refusal(at(0), at(EXPIRY_AHEAD_MS_MAX + 1), 3_000),
            Some(Outcome::Failed { .. })
        ));
        assert!(matches!(
            refusal(at(0), at(1000), UNLOCK_MS_MAX + 1),
            Some(Outcome::Failed { .. })
        ));
    }
}
