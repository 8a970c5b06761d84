//! Commands to the gateway itself: receipts, snapshots, configuration, restart, ping.

use anyhow::Result;
use kernel::{MessageId, OpeningId, Timestamp};
use wire::gateway::{Command, Outcome, Report};

use super::{Commands, Handled, Inbound};
use crate::spool::Taken;

impl Commands {
    pub(super) async fn gateway(&self, inbound: Inbound) -> Result<Handled> {
        if inbound.retained {
            self.counters.commands_retained.add(1);
            tracing::error!(
                topic = inbound.topic,
                "a retained command to the gateway was refused"
            );
            return Ok(Handled::Done);
        }
        match self.parse::<Command>(&inbound) {
            None => {}
            Some(Command::Receipt { messages }) => {
                self.spool.forget(messages.clone()).await?;
                return Ok(Handled::Receipted(messages));
            }
            Some(Command::SnapshotReady {
                version, sha256, ..
            }) => {
                self.snapshots.announce(version, sha256);
            }
            Some(Command::Configure {
                command,
                version,
                configuration,
                expires_at,
            }) => {
                let outcome = if self.is_late(expires_at) {
                    Outcome::Expired
                } else {
                    match self.remote.configure(version, configuration) {
                        Ok(_) => Outcome::Done,
                        Err(error) => Outcome::Failed {
                            reason: format!("{error:#}"),
                        },
                    }
                };
                tracing::info!(version, ?outcome, "a configuration came");
                self.report(command, outcome).await?;
            }
            Some(Command::Restart {
                command,
                expires_at,
            }) => self.restart(command, expires_at).await?,
            Some(Command::Ping {
                command,
                expires_at,
            }) => {
                let late = self.is_late(expires_at);
                self.report(
                    command,
                    if late {
                        Outcome::Expired
                    } else {
                        Outcome::Done
                    },
                )
                .await?;
            }
        }
        Ok(Handled::Done)
    }

    /// A restart is written down like an opening, so that the next run knows that it is the answer.
    async fn restart(&self, command: MessageId, expires_at: Timestamp) -> Result<()> {
        let (gateway, taken) = (self.names.gateway(), OpeningId::parse(command.as_str())?);
        if self.is_late(expires_at) {
            return self.report(command, Outcome::Expired).await;
        }
        if self.spool.take(gateway, &taken, expires_at).await? == Taken::First {
            self.report(command, Outcome::Accepted).await?;
            tracing::warn!("the site asks for a restart");
            self.restarting.send_replace(true);
        }
        Ok(())
    }

    /// Answers a restart that an earlier run took: this run is its answer.
    pub(super) async fn restarted(&self, command: &OpeningId) -> Result<()> {
        let id = MessageId::parse(command.as_str())?;
        let body = Report::Command {
            command: id,
            outcome: Outcome::Done,
        };
        let message = self.names.report(body, self.clock.now())?;
        self.spool
            .answer(self.names.gateway(), command, message)
            .await
    }

    async fn report(&self, command: MessageId, outcome: Outcome) -> Result<()> {
        let body = Report::Command { command, outcome };
        self.spool
            .say(self.names.report(body, self.clock.now())?)
            .await
    }

    fn is_late(&self, expires_at: Timestamp) -> bool {
        self.clock.now() >= expires_at
    }
}
