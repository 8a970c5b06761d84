//! What goes out in a session: the spool, the heartbeat, and the goodbye.

use std::time::Instant;

use anyhow::Result;
use rumqttc::{AsyncClient, QoS};
use tokio::sync::Mutex;
use tokio::time::{sleep, sleep_until, timeout};
use wire::gateway::Report;

use super::{GOODBYE_MAX, Uplink};
use crate::spool::Stored;
use crate::window::Window;

impl Uplink {
    /// Sends what the spool holds, oldest first, and again what got no receipt.
    pub(super) async fn send(&self, client: &AsyncClient, window: &Mutex<Window>) -> Result<()> {
        loop {
            while self.send_new(client, window).await? > 0 {}
            let due = window.lock().await.next_due();
            tokio::select! {
                () = self.spool.changed() => {}
                () = sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => self.send_again(client, window).await?,
            }
        }
    }

    async fn send_new(&self, client: &AsyncClient, window: &Mutex<Window>) -> Result<usize> {
        let wants = window.lock().await.wants();
        let found = self.spool.fetch(wants).await?;
        for stored in &found {
            self.publish(client, window, stored).await?;
        }
        Ok(found.len())
    }

    async fn send_again(&self, client: &AsyncClient, window: &Mutex<Window>) -> Result<()> {
        let due = window.lock().await.due(Instant::now());
        let found = self
            .spool
            .fetch_again(due.iter().map(|(seq, _)| *seq).collect())
            .await?;
        for stored in &found {
            self.publish(client, window, stored).await?;
        }
        self.counters.messages_resent.add(found.len() as u64);
        let mut window = window.lock().await;
        for (seq, id) in due {
            if found.iter().all(|stored| stored.seq != seq) {
                window.receipt(&id);
            }
        }
        Ok(())
    }

    async fn publish(
        &self,
        client: &AsyncClient,
        window: &Mutex<Window>,
        stored: &Stored,
    ) -> Result<()> {
        let message = &stored.message;
        // First into the window: the receipt may be here before the publication returns.
        window
            .lock()
            .await
            .sent(&message.topic, stored.seq, &message.id, Instant::now());
        client
            .publish(
                &message.topic,
                QoS::AtLeastOnce,
                false,
                message.payload.clone(),
            )
            .await?;
        Ok(())
    }

    /// Says from time to time how the gateway is. A lost heartbeat is made up for by the next one, so it does not go
    /// through the spool.
    pub(super) async fn beat(&self, client: &AsyncClient) -> Result<()> {
        loop {
            let health = Report::Health(self.remote.health());
            let message = self.names.report(health, self.clock.now())?;
            client
                .publish(message.topic, QoS::AtLeastOnce, false, message.payload)
                .await?;
            sleep(self.remote.heartbeat()).await;
        }
    }

    /// Says what is left, and that we go; the spool keeps whatever gets no receipt.
    pub(super) async fn goodbye(&self, client: &AsyncClient, window: &Mutex<Window>) -> Result<()> {
        let said = async {
            self.send_new(client, window).await?;
            client
                .publish(
                    self.state_topic(),
                    QoS::AtLeastOnce,
                    true,
                    self.availability(false)?,
                )
                .await?;
            client.disconnect().await?;
            // The connection ends itself after DISCONNECT, and with it the session this runs in.
            sleep(GOODBYE_MAX).await;
            anyhow::Ok(())
        };
        timeout(GOODBYE_MAX, said).await.unwrap_or(Ok(()))
    }
}
