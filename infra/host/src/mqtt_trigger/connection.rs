//! The trigger's connection: it reconnects for ever, subscribes when the broker has lost the session, and
//! acknowledges on the connection that a message came by, or not at all.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::Result;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, Outgoing,
    Packet, Publish, SubscribeFilter, SubscribeReasonCode,
};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{PAYLOAD_BYTES_MAX, Settings, WAITING_MAX, handling::Handling, lanes::Lanes};

/// The largest packet this client reads: a payload that is too large is put aside, not a reason to hang up.
const INCOMING_BYTES_MAX: usize = 4 * PAYLOAD_BYTES_MAX;
const OUTGOING_BYTES_MAX: usize = 64 * 1024;
/// Requests (acknowledgements, above all) that may wait for the network.
const REQUESTS_MAX: usize = 2 * WAITING_MAX;

/// A message and the connection it came by.
struct Delivery {
    publish: Publish,
    connection: u64,
}

/// A message that may be acknowledged, and its topic.
type Finished = (String, Delivery);

/// The state of the one task.
pub(super) struct Connection {
    settings: Settings,
    handling: Arc<Handling>,
    stop: CancellationToken,
    client: AsyncClient,
    events: Option<EventLoop>,
    lanes: Lanes<Delivery>,
    report: mpsc::UnboundedSender<Finished>,
    finished: mpsc::UnboundedReceiver<Finished>,
    /// Counts connections, so that an acknowledgement is never sent on a later one.
    number: u64,
    /// Filters of earlier runs that the broker may still know.
    stale: Vec<String>,
    /// Whether the broker has accepted this run's subscriptions.
    is_subscribed: bool,
    /// When to ask again for subscriptions that were refused.
    subscribe_again: Option<Instant>,
    is_leaving: bool,
    backoff: Duration,
}

impl Connection {
    pub(super) async fn new(
        settings: Settings,
        handling: Arc<Handling>,
        stop: CancellationToken,
    ) -> Result<Self> {
        let filters: Vec<String> = handling
            .triggers
            .iter()
            .map(|trigger| trigger.filter.clone())
            .collect();
        let known = handling.quarantine.remember_filters(&filters).await?;
        let client_id = handling.quarantine.client_id().await?;
        let mut options = MqttOptions::new(client_id, settings.host.as_str(), settings.port);
        options
            .set_keep_alive(settings.keep_alive)
            .set_clean_session(false)
            .set_manual_acks(true)
            .set_max_packet_size(INCOMING_BYTES_MAX, OUTGOING_BYTES_MAX);
        if !settings.username.is_empty() {
            options.set_credentials(settings.username.as_str(), settings.password.as_str());
        }
        let (client, events) = AsyncClient::new(options, REQUESTS_MAX);
        let backoff = settings.reconnects.0;
        let (report, finished) = mpsc::unbounded_channel();
        Ok(Self {
            settings,
            handling,
            stop,
            client,
            events: Some(events),
            lanes: Lanes::default(),
            report,
            finished,
            number: 0,
            stale: known
                .into_iter()
                .filter(|filter| !filters.contains(filter))
                .collect(),
            is_subscribed: false,
            subscribe_again: None,
            is_leaving: false,
            backoff,
        })
    }

    /// Until it is stopped and has finished what it began.
    pub(super) async fn run(mut self) {
        let Some(mut events) = self.events.take() else {
            return;
        };
        loop {
            let polled = {
                // The poll is not given up when a message is finished: it may be in the middle of a handshake.
                let poll = events.poll();
                tokio::pin!(poll);
                loop {
                    tokio::select! {
                        polled = &mut poll => break polled,
                        Some((topic, delivery)) = self.finished.recv() => self.finish(&topic, &delivery),
                        () = sleep_until(self.subscribe_again), if self.subscribe_again.is_some() => {
                            self.subscribe();
                        }
                        () = self.stop.cancelled(), if self.lanes.busy() == 0 && !self.is_leaving => {
                            self.leave();
                        }
                    }
                }
            };
            match polled {
                Ok(Event::Outgoing(Outgoing::Disconnect)) => return,
                Ok(event) => self.event(event),
                Err(_) if self.is_leaving => return,
                Err(error) => self.disconnected(&error).await,
            }
        }
    }

    /// Everything is handled; the acknowledgements reach the network before this request.
    fn leave(&mut self) {
        self.is_leaving = true;
        self.handling
            .counts
            .is_ready
            .store(false, Ordering::Relaxed);
        if let Err(error) = self.client.try_disconnect() {
            tracing::warn!(%error, "MQTT trigger: cannot say goodbye");
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::Incoming(Packet::ConnAck(answer)) => self.connected(answer.session_present),
            Event::Incoming(Packet::SubAck(answer)) => {
                let refused = answer.return_codes.contains(&SubscribeReasonCode::Failure);
                if refused {
                    tracing::error!(
                        filters = ?self.handling.triggers.iter().map(|trigger| &trigger.filter).collect::<Vec<_>>(),
                        "MQTT trigger: the broker refuses a subscription; these messages do not arrive"
                    );
                    self.subscribe_again = Some(Instant::now() + self.settings.reconnects.1);
                }
                self.is_subscribed = !refused;
                self.handling
                    .counts
                    .is_ready
                    .store(!refused, Ordering::Relaxed);
            }
            Event::Incoming(Packet::Publish(publish)) => self.arrived(publish),
            _ => {}
        }
    }

    fn connected(&mut self, session_present: bool) {
        self.number += 1;
        self.backoff = self.settings.reconnects.0;
        tracing::info!(broker = %self.broker(), session_present, "MQTT trigger: connected");
        if session_present && self.is_subscribed {
            self.handling.counts.is_ready.store(true, Ordering::Relaxed);
        } else {
            self.is_subscribed = false;
            self.subscribe();
        }
    }

    fn subscribe(&mut self) {
        self.subscribe_again = None;
        for filter in self.stale.drain(..) {
            let _ = self.client.try_unsubscribe(filter);
        }
        let filters = self.handling.triggers.iter();
        let filters =
            filters.map(|trigger| SubscribeFilter::new(trigger.filter.clone(), trigger.qos));
        if let Err(error) = self.client.try_subscribe_many(filters) {
            tracing::error!(%error, "MQTT trigger: cannot subscribe");
        }
    }

    fn arrived(&mut self, publish: Publish) {
        if self.stop.is_cancelled() {
            // Not acknowledged: it comes again after the restart.
            return;
        }
        self.handling
            .counts
            .received
            .fetch_add(1, Ordering::Relaxed);
        let waits = self.lanes.last(&publish.topic);
        if publish.payload.is_empty() && waits.is_some_and(|waits| waits.publish.payload.is_empty())
        {
            // A message without a payload says only: look. Who is called for the one that waits looks later than this.
            self.acknowledge(&publish);
            return;
        }
        if self.lanes.waiting() >= WAITING_MAX {
            self.handling
                .counts
                .overflowed
                .fetch_add(1, Ordering::Relaxed);
            tracing::error!(
                topic = publish.topic,
                limit = WAITING_MAX,
                "MQTT trigger: too many messages wait"
            );
            return;
        }
        let topic = publish.topic.clone();
        self.lanes.push(
            &topic,
            Delivery {
                publish,
                connection: self.number,
            },
        );
        self.start_ready();
    }

    fn start_ready(&mut self) {
        while let Some((topic, delivery)) = self.lanes.next() {
            let handling = self.handling.clone();
            let finished = self.report.clone();
            tokio::spawn(async move {
                handling.handle(&topic, &delivery.publish.payload).await;
                let _ = finished.send((topic, delivery));
            });
        }
    }

    fn finish(&mut self, topic: &str, delivery: &Delivery) {
        if delivery.connection == self.number {
            self.acknowledge(&delivery.publish);
        }
        self.lanes.done(topic);
        if !self.stop.is_cancelled() {
            self.start_ready();
        }
    }

    fn acknowledge(&self, publish: &Publish) {
        match self.client.try_ack(publish) {
            Ok(()) => {
                self.handling
                    .counts
                    .acknowledged
                    .fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                let topic = &publish.topic;
                tracing::error!(%error, topic, "MQTT trigger: cannot acknowledge");
            }
        }
    }

    async fn disconnected(&mut self, error: &ConnectionError) {
        self.number += 1;
        self.handling
            .counts
            .is_ready
            .store(false, Ordering::Relaxed);
        self.handling
            .counts
            .disconnections
            .fetch_add(1, Ordering::Relaxed);
        // The broker sends again what is not acknowledged.
        self.lanes.clear();
        let broker = self.broker();
        if let ConnectionError::ConnectionRefused(
            code @ (ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized),
        ) = error
        {
            tracing::error!(
                broker,
                ?code,
                "MQTT trigger: the broker refuses these credentials; no messages arrive"
            );
        } else {
            tracing::warn!(broker, %error, "MQTT trigger: not connected, trying again");
        }
        let until = Instant::now() + self.backoff;
        self.backoff = (self.backoff * 2).min(self.settings.reconnects.1);
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                () = self.stop.cancelled(), if self.lanes.busy() == 0 => return,
                Some((topic, delivery)) = self.finished.recv() => self.finish(&topic, &delivery),
            }
        }
    }

    fn broker(&self) -> String {
        format!("{}:{}", self.settings.host, self.settings.port)
    }
}

async fn sleep_until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
