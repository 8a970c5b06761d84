//! Orders to meters: carried out once and only in time.

use anyhow::Result;
use kernel::{DeviceId, MessageId, OpeningId, Timestamp};
use tokio::sync::OwnedSemaphorePermit;
use wire::meter::{Command, Outcome};

use super::{Commands, EXPIRY_AHEAD_MS_MAX, Handled, INTERRUPTED, Inbound, SPOOL_RETRY};
use crate::spool::Taken;

impl Commands {
    pub(super) async fn meter(&self, meter: &DeviceId, inbound: Inbound) -> Result<Handled> {
        if inbound.retained {
            self.counters.commands_retained.add(1);
            tracing::error!(
                topic = inbound.topic,
                "a retained order to a meter was refused: it would come at every connection"
            );
            return Ok(Handled::Done);
        }
        let Some(command) = self.parse::<Command>(&inbound) else {
            return Ok(Handled::Done);
        };
        let key = key(&command.command)?;
        let permit = self.under_way.clone().acquire_owned().await?;
        match self.spool.take(meter, &key, command.expires_at).await? {
            Taken::First => self.order(meter, command, permit).await?,
            Taken::Running | Taken::Answered => {
                self.counters.commands_repeated.add(1);
                tracing::info!(%meter, command = %command.command, "a repeated order does nothing");
            }
            Taken::Interrupted => self.interrupted(meter, &key).await?,
            Taken::NoRoom => {
                self.counters.commands_without_room.add(1);
                tracing::error!(%meter, command = %command.command, "the spool is full of answers: the order was left alone");
            }
        }
        Ok(Handled::Done)
    }

    /// Starts carrying out an order that has been written down.
    async fn order(
        &self,
        meter: &DeviceId,
        command: Command,
        permit: OwnedSemaphorePermit,
    ) -> Result<()> {
        let key = key(&command.command)?;
        if let Some(outcome) = refusal(self.clock.now(), command.expires_at) {
            return self.said(meter, &key, outcome).await;
        }
        let Some(handle) = self.meters.get(meter).cloned() else {
            return Ok(());
        };
        let (this, meter) = (self.clone(), meter.clone());
        tokio::spawn(async move {
            let outcome = handle
                .carry_out(&meter, command.order, command.expires_at)
                .await;
            while let Err(error) = this.said(&meter, &key, outcome.clone()).await {
                tracing::error!(%meter, error = format!("{error:#}"), "the answer could not be stored; trying again");
                tokio::time::sleep(SPOOL_RETRY).await;
            }
            drop(permit);
        });
        Ok(())
    }

    /// An earlier run took the order and never answered: nobody knows whether it was carried out.
    pub(super) async fn interrupted(&self, meter: &DeviceId, key: &OpeningId) -> Result<()> {
        let reason = INTERRUPTED.to_owned();
        self.said(meter, key, Outcome::Unanswered { reason }).await
    }

    async fn said(&self, meter: &DeviceId, key: &OpeningId, outcome: Outcome) -> Result<()> {
        let command = MessageId::parse(key.as_str())?;
        let answer = self
            .names
            .meter_answer(meter, command, outcome, self.clock.now())?;
        self.spool.answer(meter, key, answer).await
    }
}

/// What the spool remembers an order by.
fn key(command: &MessageId) -> Result<OpeningId> {
    Ok(OpeningId::parse(command.as_str())?)
}

/// Why an order is not even given to the bus.
fn refusal(now: Timestamp, expires_at: Timestamp) -> Option<Outcome> {
    if now >= expires_at {
        return Some(Outcome::Expired);
    }
    (expires_at.millis_since(now) > EXPIRY_AHEAD_MS_MAX).then(|| Outcome::Unsupported {
        reason: format!(
            "the expiry lies more than {EXPIRY_AHEAD_MS_MAX} ms ahead of the gateway's clock"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_too_late_from_its_expiry_on() {
        let at = |millis| Timestamp::from_millis(millis).unwrap();
        assert_eq!(refusal(at(999), at(1_000)), None);
        assert_eq!(refusal(at(1_000), at(1_000)), Some(Outcome::Expired));
        let far = refusal(at(0), at(EXPIRY_AHEAD_MS_MAX + 1));
        assert!(matches!(far, Some(Outcome::Unsupported { .. })));
    }
}
