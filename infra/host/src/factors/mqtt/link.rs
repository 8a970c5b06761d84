//! One connection to a broker: a task that writes what is published, many messages at a time, and hands the
//! acknowledgements back.
//!
//! It does not repeat a message. When the connection breaks, those that wait for an acknowledgement fail, and
//! the caller decides.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, atomic::AtomicU64, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use bytes::{Bytes, BytesMut};
use rumqttc::{
    ConnectReturnCode, QoS,
    mqttbytes::{
        self,
        v4::{Connect, Disconnect, Packet, PingReq, PubRel, Publish},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::pool::Address;

/// The longest wait for a connection and its acknowledgement.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(4);
/// The longest wait for the network to take bytes.
const WRITE_TIME_MAX: Duration = Duration::from_secs(5);
/// How long a connection is kept without a message.
pub(super) const IDLE_TIME_MAX: Duration = Duration::from_secs(60);
/// The most unacknowledged messages.
const IN_FLIGHT_MAX: usize = 512;
/// The most messages written at once.
const BATCH_MAX: usize = 64;
/// The wait after a failed connection: the first, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
const KEEP_ALIVE_DEFAULT: Duration = Duration::from_secs(30);
/// The largest packet a broker may send here; it has only acknowledgements to send.
const INCOMING_BYTES_MAX: usize = 4096;

/// A message to publish.
pub(super) struct Request {
    pub(super) topic: String,
    pub(super) payload: Bytes,
    pub(super) qos: QoS,
    pub(super) done: oneshot::Sender<Result<(), Failure>>,
}

/// Why a publish failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The broker cannot be reached, or refuses the connection.
    Connection(String),
    /// The connection broke before the acknowledgement; the broker may have the message.
    Interrupted,
    /// No acknowledgement in time; the broker may have the message.
    TimedOut,
    /// It cannot be published at all.
    Refused(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Connection(reason) => write!(formatter, "the broker cannot be used: {reason}"),
            Failure::Interrupted => {
                formatter.write_str("the connection broke before the acknowledgement")
            }
            Failure::TimedOut => formatter.write_str("the broker has not acknowledged in time"),
            Failure::Refused(reason) => formatter.write_str(reason),
        }
    }
}

/// Counted since the start.
#[derive(Debug, Default)]
pub struct Counts {
    /// Messages acknowledged by a broker.
    pub published: AtomicU64,
    /// Messages that failed.
    pub failed: AtomicU64,
    /// Connections opened.
    pub connected: AtomicU64,
}

type Waiting = HashMap<u16, oneshot::Sender<Result<(), Failure>>>;

struct Link {
    stream: TcpStream,
    incoming: BytesMut,
    outgoing: BytesMut,
    waiting: Waiting,
    last_id: u16,
    ping_unanswered: bool,
}

/// Serves requests until none came for [`IDLE_TIME_MAX`].
pub(super) async fn run(
    address: Address,
    mut requests: mpsc::Receiver<Request>,
    counts: Arc<Counts>,
) {
    let mut backoff = BACKOFF.0;
    loop {
        match tokio::time::timeout(CONNECT_TIME_MAX, Link::connect(&address)).await {
            Ok(Ok(mut link)) => {
                counts.connected.fetch_add(1, Ordering::Relaxed);
                backoff = BACKOFF.0;
                let ended = link.serve(&mut requests, keep_alive(&address)).await;
                link.fail_all();
                match ended {
                    Ok(()) => return,
                    Err(error) => {
                        tracing::warn!(
                            broker = address.name,
                            error = format!("{error:#}"),
                            "MQTT publisher: broken"
                        );
                    }
                }
            }
            failed => {
                let reason = match failed {
                    Ok(Err(error)) => format!("{error:#}"),
                    _ => format!("no answer within {CONNECT_TIME_MAX:?}"),
                };
                tracing::warn!(
                    broker = address.name,
                    reason,
                    "MQTT publisher: cannot connect"
                );
                let mut refused = 0;
                while let Ok(request) = requests.try_recv() {
                    let _ = request.done.send(Err(Failure::Connection(reason.clone())));
                    refused += 1;
                }
                if refused == 0 && backoff >= BACKOFF.1 {
                    // Nobody is waiting: the next publish starts anew.
                    requests.close();
                    return;
                }
                tokio::time::sleep(backoff).await;
                backoff = (backoff * 2).min(BACKOFF.1);
            }
        }
    }
}

fn keep_alive(address: &Address) -> Duration {
    let asked = if address.keep_alive.is_zero() {
        KEEP_ALIVE_DEFAULT
    } else {
        address.keep_alive
    };
    asked.clamp(Duration::from_secs(5), Duration::from_secs(600))
}

impl Link {
    async fn connect(address: &Address) -> Result<Self> {
        let stream = TcpStream::connect(address.sockets.as_slice())
            .await
            .context("connecting")?;
        stream.set_nodelay(true)?;
        let mut link = Self {
            stream,
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
            waiting: Waiting::new(),
            last_id: 0,
            ping_unanswered: false,
        };
        let mut connect = Connect::new(format!("linli-{}", uuid::Uuid::now_v7().simple()));
        connect.keep_alive = u16::try_from(keep_alive(address).as_secs()).unwrap_or(u16::MAX);
        if !address.username.is_empty() {
            connect.set_login(address.username.as_str(), address.password.as_str());
        }
        connect.write(&mut link.outgoing).context("encoding")?;
        link.flush().await?;
        loop {
            match link.packet()? {
                Some(Packet::ConnAck(answer)) if answer.code == ConnectReturnCode::Success => {
                    return Ok(link);
                }
                Some(Packet::ConnAck(answer)) => {
                    bail!("the broker refuses the connection: {:?}", answer.code)
                }
                Some(packet) => bail!("instead of an answer to CONNECT: {packet:?}"),
                None => link.read().await?,
            }
        }
    }

    /// Ends with Ok for idleness.
    async fn serve(
        &mut self,
        requests: &mut mpsc::Receiver<Request>,
        keep_alive: Duration,
    ) -> Result<()> {
        let mut ping = tokio::time::interval_at(Instant::now() + keep_alive / 2, keep_alive / 2);
        let mut idle_until = Instant::now() + IDLE_TIME_MAX;
        loop {
            while let Some(packet) = self.packet()? {
                self.acknowledge(packet)?;
            }
            self.flush().await?;
            tokio::select! {
                request = requests.recv(), if self.waiting.len() < IN_FLIGHT_MAX => {
                    let Some(request) = request else { return self.leave().await };
                    idle_until = Instant::now() + IDLE_TIME_MAX;
                    self.write(request, requests).await?;
                }
                read = self.stream.read_buf(&mut self.incoming) => ensure!(read? > 0, "the broker closed it"),
                _ = ping.tick() => {
                    ensure!(!self.ping_unanswered, "the broker answers no ping");
                    PingReq.write(&mut self.outgoing)?;
                    self.ping_unanswered = true;
                }
                () = tokio::time::sleep_until(idle_until), if self.waiting.is_empty() => {
                    requests.close();
                    return self.leave().await;
                }
            }
        }
    }

    async fn leave(&mut self) -> Result<()> {
        Disconnect.write(&mut self.outgoing)?;
        self.flush().await
    }

    /// Writes this request and those that wait behind it.
    async fn write(
        &mut self,
        first: Request,
        requests: &mut mpsc::Receiver<Request>,
    ) -> Result<()> {
        let mut unacknowledged = Vec::new();
        let mut next = Some(first);
        let mut written = 0;
        while let Some(request) = next {
            // A caller that gave up is gone, and its message (a command, perhaps) must not come late.
            if !request.done.is_closed() {
                self.encode(request, &mut unacknowledged)?;
                written += 1;
            }
            let is_room = written < BATCH_MAX && self.waiting.len() < IN_FLIGHT_MAX;
            next = if is_room {
                requests.try_recv().ok()
            } else {
                None
            };
        }
        self.flush().await?;
        for done in unacknowledged {
            let _ = done.send(Ok(()));
        }
        Ok(())
    }

    fn encode(
        &mut self,
        request: Request,
        unacknowledged: &mut Vec<oneshot::Sender<Result<(), Failure>>>,
    ) -> Result<()> {
        let mut publish = Publish::from_bytes(request.topic, request.qos, request.payload);
        if request.qos == QoS::AtMostOnce {
            unacknowledged.push(request.done);
        } else {
            publish.pkid = self.free_id();
            self.waiting.insert(publish.pkid, request.done);
        }
        publish.write(&mut self.outgoing).context("encoding")?;
        Ok(())
    }

    /// There are always free ones: fewer than [`IN_FLIGHT_MAX`] are in use.
    fn free_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if self.last_id != 0 && !self.waiting.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
    }

    fn acknowledge(&mut self, packet: Packet) -> Result<()> {
        let id = match packet {
            Packet::PubAck(ack) => ack.pkid,
            Packet::PubComp(complete) => complete.pkid,
            Packet::PubRec(received) => {
                PubRel::new(received.pkid).write(&mut self.outgoing)?;
                return Ok(());
            }
            Packet::PingResp => {
                self.ping_unanswered = false;
                return Ok(());
            }
            other => bail!("an unexpected packet: {other:?}"),
        };
        if let Some(done) = self.waiting.remove(&id) {
            let _ = done.send(Ok(()));
        }
        Ok(())
    }

    fn packet(&mut self) -> Result<Option<Packet>> {
        match Packet::read(&mut self.incoming, INCOMING_BYTES_MAX) {
            Ok(packet) => Ok(Some(packet)),
            Err(mqttbytes::Error::InsufficientBytes(_)) => Ok(None),
            Err(error) => Err(error).context("decoding"),
        }
    }

    async fn read(&mut self) -> Result<()> {
        ensure!(
            self.stream.read_buf(&mut self.incoming).await? > 0,
            "the broker closed it"
        );
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        let written = tokio::time::timeout(
            WRITE_TIME_MAX,
            self.stream.write_all_buf(&mut self.outgoing),
        );
        written
            .await
            .context("the broker takes no bytes")?
            .context("writing")
    }

    fn fail_all(&mut self) {
        for (_, done) in self.waiting.drain() {
            let _ = done.send(Err(Failure::Interrupted));
        }
    }
}
