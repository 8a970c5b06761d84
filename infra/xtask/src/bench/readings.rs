//! Readings of meters from a gateway over MQTT to their commit: a receipt says that a message is stored for good.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use kernel::{DeviceId, MessageId, TenantId, Timestamp};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, QoS};
use serde_json::json;
use tokio::{sync::mpsc, task::JoinHandle, time};
use wire::{
    Channel, DeviceKind, DeviceTopic, Message, gateway,
    meter::{READINGS_MAX, Reading, Readings, Register, RegisterValue, Source, Unit},
};

use super::{Outcome, ROUNDS, Table, median, servers::Server};
use crate::{client::Client, demo::Demo};

const METERS: usize = 500;
/// How often every meter is read in a round.
const READ_EACH: usize = 20;
/// Messages of a gateway without a receipt: what a bridge allows itself.
const IN_FLIGHT_MAX: usize = 64;
/// At the fixed rate: messages of 50 readings, so that it comes to 2,000 readings a second.
const MESSAGE_EVERY: Duration = Duration::from_millis(25);
const FIXED_READ_EACH: usize = 40;
const RECEIPT_MAX: Duration = Duration::from_secs(30);
const HOUR_MS: i64 = 3_600_000;
/// What a meter counts in an hour: plausible.
const HOUR_MILLI: i64 = 1_000;
const REQUESTS_QUEUED_MAX: usize = 256;

/// Measures a gateway that sends what it read of 500 meters of a community.
///
/// # Errors
/// When the host refuses the meters or a message, or does not store one.
pub async fn measure(
    server: &Server,
    (demo, community): (&Demo, &str),
    operator: &Client,
    table: &mut Table,
) -> Result<()> {
    let hours = i64::try_from((ROUNDS + 1) * READ_EACH + FIXED_READ_EACH + 1)?;
    let now = now_ms()?;
    let opened_at = Timestamp::from_millis(now - now % HOUR_MS - hours * HOUR_MS)?;
    register(operator, community, demo, opened_at).await?;
    let mut gateway = Gateway::connect(&server.broker, demo).await?;
    let mut hour = 0;
    let mut outcomes = Vec::new();
    // The first round warms up.
    for round in 0..=ROUNDS {
        let messages = gateway.messages(opened_at, &mut hour, READ_EACH)?;
        let outcome = gateway.deliver(messages, None).await?;
        if round > 0 {
            outcomes.push(outcome);
        }
    }
    let middle = median(outcomes).context("no round was measured")?;
    let what = format!(
        "readings from MQTT to commit, {READINGS_MAX} a message, {IN_FLIGHT_MAX} messages under way"
    );
    table.row(&what, &middle.shown(), "at least 2,000/s");
    let messages = gateway.messages(opened_at, &mut hour, FIXED_READ_EACH)?;
    let steady = gateway.deliver(messages, Some(MESSAGE_EVERY)).await?;
    let (p50, p99) = (steady.percentile_ms(0.5), steady.percentile_ms(0.99));
    let value = format!("p50 {p50:.1} ms, p99 {p99:.1} ms");
    table.row("readings at a fixed 2,000/s, to commit", &value, "");
    let shown = operator
        .get(&format!("/api/meters/{}", meter(METERS - 1)))
        .await?;
    ensure!(
        shown["register_milli"] == hour * HOUR_MILLI,
        "the last reading is not there: {shown}"
    );
    Ok(())
}

/// Milliseconds since 1970.
fn now_ms() -> Result<i64> {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH)?;
    Ok(i64::try_from(now.as_millis())?)
}

fn meter(number: usize) -> String {
    format!("bench-{number}")
}

async fn register(
    operator: &Client,
    community: &str,
    demo: &Demo,
    opened_at: Timestamp,
) -> Result<()> {
    for number in 0..METERS {
        let meter = json!({
            "id": meter(number), "community": community, "commodity": "electricity", "name": "电表", "area": "大堂",
            "gateway": demo.gateway.id, "digits": 6, "opening_milli": 0, "opened_at": opened_at,
        });
        operator.post("/api/meters", meter).await?;
    }
    Ok(())
}

/// A message as it goes out.
struct Outgoing {
    id: MessageId,
    payload: Vec<u8>,
}

/// The demo's gateway, as its bridge would be.
struct Gateway {
    client: AsyncClient,
    topic: String,
    id: DeviceId,
    sent: u64,
    receipts: mpsc::UnboundedReceiver<(MessageId, Instant)>,
    session: JoinHandle<()>,
}

impl Gateway {
    async fn connect(broker: &str, demo: &Demo) -> Result<Self> {
        let (host, port) = broker
            .split_once(':')
            .context("the host named no broker with a port")?;
        let mut options = MqttOptions::new("bench-gateway", host, port.parse()?);
        options.set_credentials(
            format!("{}/{}", demo.tenant, demo.gateway.id),
            &demo.gateway.password,
        );
        options.set_inflight(u16::try_from(2 * IN_FLIGHT_MAX)?);
        let (client, mut events) = AsyncClient::new(options, REQUESTS_QUEUED_MAX);
        let topic = |channel| -> Result<String> {
            let topic = DeviceTopic {
                tenant: TenantId::parse(&demo.tenant)?,
                kind: DeviceKind::Gateway,
                device: DeviceId::parse(&demo.gateway.id)?,
                channel,
            };
            Ok(topic.to_string())
        };
        let commands = topic(Channel::Command)?;
        client.subscribe(commands, QoS::AtLeastOnce).await?;
        time::timeout(RECEIPT_MAX, subscribed(&mut events))
            .await
            .context("the broker is silent")??;
        let (sender, receipts) = mpsc::unbounded_channel();
        Ok(Self {
            client,
            topic: topic(Channel::Reading)?,
            id: DeviceId::parse(&demo.gateway.id)?,
            sent: 0,
            receipts,
            session: tokio::spawn(listen(events, sender)),
        })
    }

    /// Every meter, read at the end of so many further hours.
    fn messages(
        &mut self,
        opened_at: Timestamp,
        hour: &mut i64,
        times: usize,
    ) -> Result<Vec<Outgoing>> {
        let mut messages = Vec::new();
        for _ in 0..times {
            *hour += 1;
            let read_at = opened_at.plus_millis(*hour * HOUR_MS);
            let numbers: Vec<usize> = (0..METERS).collect();
            for some in numbers.chunks(READINGS_MAX) {
                self.sent += 1;
                let read = |number: &usize| reading(*number, read_at, *hour * HOUR_MILLI);
                let body = Readings {
                    gateway: self.id.clone(),
                    readings: some.iter().map(read).collect::<Result<_>>()?,
                };
                let id = MessageId::parse(&format!("bench-{}", self.sent))?;
                let at = read_at;
                let payload = Message {
                    id: id.clone(),
                    at,
                    body,
                }
                .to_payload()?;
                messages.push(Outgoing { id, payload });
            }
        }
        Ok(messages)
    }

    /// Sends them, as many at once as may be or at fixed moments, until each has its receipt. Latency counts from the
    /// moment at which a message was due.
    async fn deliver(
        &mut self,
        messages: Vec<Outgoing>,
        every: Option<Duration>,
    ) -> Result<Outcome> {
        let total = messages.len();
        let begin = Instant::now();
        let mut unsent = messages.into_iter().zip(0_u32..).peekable();
        let mut waiting: HashMap<MessageId, Instant> = HashMap::new();
        let mut latencies = Vec::with_capacity(total);
        while latencies.len() < total {
            let due = unsent.peek().and_then(|(_, number)| match every {
                Some(every) => Some(begin + every * *number),
                None => (waiting.len() < IN_FLIGHT_MAX).then(Instant::now),
            });
            tokio::select! {
                () = time::sleep_until(due.unwrap_or(begin).into()), if due.is_some() => {
                    let Some((Outgoing { id, payload }, _)) = unsent.next() else { continue };
                    waiting.insert(id, due.unwrap_or(begin));
                    self.client.publish(&self.topic, QoS::AtLeastOnce, false, payload).await?;
                }
                receipt = time::timeout(RECEIPT_MAX, self.receipts.recv()) => {
                    let (id, at) = receipt.context("no receipt came")?.context("the session ended")?;
                    if let Some(since) = waiting.remove(&id) {
                        latencies.push(at.saturating_duration_since(since));
                    }
                }
            }
        }
        let took = begin.elapsed().as_secs_f64();
        latencies.sort_unstable();
        Ok(Outcome {
            per_second: (total * READINGS_MAX) as f64 / took,
            latencies,
            failed: 0,
        })
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.session.abort();
    }
}

fn reading(number: usize, read_at: Timestamp, value_milli: i64) -> Result<Reading> {
    Ok(Reading {
        meter: DeviceId::parse(&meter(number))?,
        source: Source::Interval,
        read_at,
        registers: vec![RegisterValue {
            register: Register::Total,
            value_milli,
            unit: Unit::KilowattHour,
        }],
        flags: vec![],
        raw: None,
    })
}

async fn subscribed(events: &mut EventLoop) -> Result<()> {
    loop {
        if let Event::Incoming(Packet::SubAck(_)) = events.poll().await? {
            return Ok(());
        }
    }
}

/// Notes when each receipt came, until the session ends.
async fn listen(mut events: EventLoop, receipts: mpsc::UnboundedSender<(MessageId, Instant)>) {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::Publish(said))) => {
                for id in receipted(&said) {
                    if receipts.send((id, Instant::now())).is_err() {
                        return;
                    }
                }
            }
            Ok(_) => {}
            Err(error) => {
                eprintln!("xtask: the gateway lost the broker: {error}");
                return;
            }
        }
    }
}

fn receipted(said: &Publish) -> Vec<MessageId> {
    match Message::<gateway::Command>::from_payload(&said.payload) {
        Ok(Message {
            body: gateway::Command::Receipt { messages },
            ..
        }) => messages,
        _ => vec![],
    }
}
