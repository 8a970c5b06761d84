//! The uplink: one MQTT session with the broker, kept up for ever. Everything it says comes from the spool; what it
//! hears is acknowledged to the broker only after it is on disk.

mod backoff;
mod sending;
mod subscribing;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use kernel::MessageId;
use rumqttc::{
    AsyncClient, ConnectReturnCode, Event, EventLoop, LastWill, MqttOptions, Packet, Publish, QoS,
    SubscribeFilter,
};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::timeout;
use wire::gateway::Availability;
use wire::{Channel, Message, PAYLOAD_BYTES_MAX};

use self::backoff::Backoff;
use self::subscribing::Subscribing;
use crate::bridge::Phase;
use crate::clock::Clock;
use crate::commands::{Around, Commands, Handled, Inbound};
use crate::config::Config;
use crate::counters::Counters;
use crate::names::{Names, new_id};
use crate::remote::Remote;
use crate::spool::Spool;
use crate::window::Window;

/// Publications without the broker's acknowledgement, at most.
const PUBLISH_IN_FLIGHT_MAX: u16 = 100;
/// Requests that wait for the connection, at most.
const REQUESTS_WAITING_MAX: usize = 64;
/// An unanswered ping of this age ends the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How long the broker may take for CONNECT.
const CONNECT_SECONDS_MAX: u64 = 5;
/// How long saying goodbye may take.
const GOODBYE_MAX: Duration = Duration::from_secs(2);
/// What an MQTT packet has beside the payload, at most, in bytes.
const PACKET_OVERHEAD: usize = 1024;

/// The uplink; [`Uplink::run`] keeps it up.
pub struct Uplink {
    config: Config,
    names: Names,
    commands: Commands,
    spool: Spool,
    clock: Clock,
    counters: Arc<Counters>,
    remote: Remote,
    ready: watch::Sender<bool>,
    online: watch::Sender<bool>,
}

/// What is told about the session.
pub struct Told {
    /// Becomes true when the first session is subscribed.
    pub ready: watch::Receiver<bool>,
    /// Whether there is a session now.
    pub online: watch::Receiver<bool>,
}

impl Uplink {
    /// An uplink for the commands.
    #[must_use]
    pub fn new(config: Config, commands: Commands, around: Around) -> (Self, Told) {
        let (ready, readiness) = watch::channel(false);
        let (online, presence) = watch::channel(false);
        let Around {
            spool,
            clock,
            counters,
            remote,
            ..
        } = around;
        let uplink = Self {
            names: Names::of(&config),
            config,
            commands,
            spool,
            clock,
            counters,
            remote,
            ready,
            online,
        };
        let told = Told {
            ready: readiness,
            online: presence,
        };
        (uplink, told)
    }

    /// Keeps a session up until the bridge leaves.
    pub async fn run(self, mut phase: watch::Receiver<Phase>) {
        let mut backoff = Backoff::new();
        loop {
            backoff.tries();
            let ended = self.session(phase.clone()).await;
            self.online.send_replace(false);
            match ended {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "the broker is not reached")
                }
            }
            let left = timeout(
                backoff.next(),
                phase.wait_for(|phase| *phase == Phase::Leaving),
            )
            .await;
            if left.is_ok() {
                return;
            }
        }
    }

    /// One connection, from CONNECT to its end; well when the bridge left.
    async fn session(&self, phase: watch::Receiver<Phase>) -> Result<()> {
        let (client, mut eventloop) = AsyncClient::new(self.options()?, REQUESTS_WAITING_MAX);
        eventloop
            .network_options
            .set_connection_timeout(CONNECT_SECONDS_MAX)
            .set_tcp_nodelay(true);
        let connected = match eventloop.poll().await.with_context(|| {
            format!(
                "connecting to {}:{}",
                self.config.broker_host, self.config.broker_port
            )
        })? {
            Event::Incoming(Packet::ConnAck(answer))
                if answer.code == ConnectReturnCode::Success =>
            {
                answer
            }
            other => bail!("the broker answered {other:?} to CONNECT"),
        };
        self.online.send_replace(true);
        tracing::info!(
            session_present = connected.session_present,
            "connected to the broker"
        );
        // The doors may have changed since the session was made, so a new process always subscribes.
        let kept = connected.session_present && *self.ready.borrow();
        let subscribing = Subscribing::to(if kept {
            Vec::new()
        } else {
            self.commands.topics()
        });
        let (packets, heard) = mpsc::unbounded_channel();
        let window = Mutex::new(self.known_topics().await?);
        let mut leaving = phase.clone();
        let left = async {
            // A closed channel means that the bridge is gone.
            let _ = leaving.wait_for(|phase| *phase == Phase::Leaving).await;
        };
        tokio::select! {
            error = pump(&mut eventloop, packets) => Err(error),
            result = self.converse(&client, heard, &window, subscribing, phase) => result,
            result = self.send(&client, &window) => result,
            result = self.beat(&client) => result,
            result = async { left.await; self.goodbye(&client, &window).await } => result,
        }
    }

    fn options(&self) -> Result<MqttOptions> {
        let config = &self.config;
        let client_id = format!("{}-{}", config.tenant, config.gateway);
        let mut options = MqttOptions::new(client_id, &config.broker_host, config.broker_port);
        options.set_credentials(config.username(), config.password.reveal());
        options
            .set_clean_session(false)
            .set_manual_acks(true)
            .set_keep_alive(KEEP_ALIVE)
            .set_inflight(PUBLISH_IN_FLIGHT_MAX);
        options.set_max_packet_size(
            PAYLOAD_BYTES_MAX + PACKET_OVERHEAD,
            PAYLOAD_BYTES_MAX + PACKET_OVERHEAD,
        );
        options.set_last_will(LastWill::new(
            self.state_topic(),
            self.availability(false)?,
            QoS::AtLeastOnce,
            true,
        ));
        Ok(options)
    }

    fn state_topic(&self) -> String {
        self.names.gateway_topic(Channel::State)
    }

    fn availability(&self, online: bool) -> Result<Vec<u8>> {
        Ok(Message {
            id: new_id(),
            at: self.clock.now(),
            body: Availability { online },
        }
        .to_payload()?)
    }

    async fn known_topics(&self) -> Result<Window> {
        let mut window = Window::default();
        for topic in self.spool.topics().await? {
            window.know(&topic);
        }
        window.know(&self.names.gateway_topic(Channel::Acknowledgement));
        for door in &self.config.doors {
            window.know(&self.names.door_topic(&door.id, Channel::Acknowledgement));
            window.know(&self.names.door_topic(&door.id, Channel::Event));
        }
        let meters = self.config.meter_buses.iter().flat_map(|bus| &bus.meters);
        for meter in meters.filter(|meter| meter.asked.takes_orders()) {
            window.know(&self.names.meter_topic(&meter.id, Channel::Acknowledgement));
        }
        window.know(&self.names.gateway_topic(Channel::Reading));
        Ok(window)
    }
}

/// Drives the connection and hands on what comes in. It does nothing else, so that it never waits for the disk.
async fn pump(eventloop: &mut EventLoop, packets: mpsc::UnboundedSender<Packet>) -> anyhow::Error {
    loop {
        match eventloop.poll().await {
            Ok(Event::Incoming(packet @ (Packet::Publish(_) | Packet::SubAck(_)))) => {
                if packets.send(packet).is_err() {
                    return anyhow!("the session has ended");
                }
            }
            Ok(_) => {}
            Err(error) => return anyhow::Error::new(error).context("the connection broke"),
        }
    }
}

impl Uplink {
    /// Subscribes, says that we are there, and takes in what comes.
    async fn converse(
        &self,
        client: &AsyncClient,
        mut heard: mpsc::UnboundedReceiver<Packet>,
        window: &Mutex<Window>,
        mut subscribing: Subscribing,
        phase: watch::Receiver<Phase>,
    ) -> Result<()> {
        client
            .publish(
                self.state_topic(),
                QoS::AtLeastOnce,
                true,
                self.availability(true)?,
            )
            .await?;
        let (taken, mut receipted) = mpsc::unbounded_channel();
        loop {
            if subscribing.is_done() {
                self.ready.send_replace(true);
            }
            tokio::select! {
                packet = heard.recv() => match packet {
                    Some(Packet::Publish(publish)) => {
                        // While draining nothing is taken: unacknowledged, it stays with the broker.
                        if *phase.borrow() == Phase::Working {
                            self.take(client.clone(), publish, taken.clone());
                        }
                    }
                    Some(Packet::SubAck(answer)) => subscribing.answered(&answer.return_codes),
                    Some(_) => {}
                    None => bail!("the session has ended"),
                },
                Some(messages) = receipted.recv() => {
                    let mut window = window.lock().await;
                    messages.iter().for_each(|id| window.receipt(id));
                    drop(window);
                    self.spool.wake();
                }
                topics = subscribing.next() => {
                    let filters = topics.into_iter().map(|topic| SubscribeFilter::new(topic, QoS::AtLeastOnce));
                    client.subscribe_many(filters).await?;
                }
            }
        }
    }

    /// Takes one message in beside the others, and acknowledges it once it is on disk. It runs on when the session
    /// ends: a command that was written down must be acted on or answered.
    fn take(
        &self,
        client: AsyncClient,
        publish: Publish,
        receipted: mpsc::UnboundedSender<Vec<MessageId>>,
    ) {
        let commands = self.commands.clone();
        tokio::spawn(async move {
            let inbound = Inbound {
                topic: publish.topic.clone(),
                payload: publish.payload.to_vec(),
                retained: publish.retain,
            };
            match commands.handle(inbound).await {
                Ok(handled) => {
                    // When the connection is gone, the broker delivers again, and the command is known.
                    let _ = client.ack(&publish).await;
                    if let Handled::Receipted(messages) = handled {
                        let _ = receipted.send(messages);
                    }
                }
                Err(error) => {
                    tracing::error!(
                        topic = publish.topic,
                        error = format!("{error:#}"),
                        "a message could not be taken in; the broker keeps it"
                    );
                }
            }
        });
    }
}
