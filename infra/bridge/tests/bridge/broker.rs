//! An MQTT broker for tests, over real TCP: persistent sessions, retained messages, wills, refusals, and a memory of
//! everything. It also plays the function that sends receipts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use rumqttc::{
    ConnAck, ConnectReturnCode, Error, LastWill, Packet, PubAck, Publish, QoS, SubAck,
    SubscribeReasonCode,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};
use wire::{Channel, DeviceKind, Message, Topic, gateway};

const PACKET_BYTES_MAX: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub topic: String,
    pub payload: Vec<u8>,
    pub retain: bool,
}

#[derive(Default)]
struct State {
    sessions: BTreeMap<String, Session>,
    retained: BTreeMap<String, Vec<u8>>,
    denied: BTreeSet<String>,
    seen: Vec<Seen>,
    subscribes: u64,
    receipts: bool,
    connections: Vec<AbortHandle>,
    away: bool,
}

#[derive(Default)]
struct Session {
    topics: BTreeSet<String>,
    last_packet: u16,
    unacknowledged: BTreeMap<u16, Publish>,
    out: Option<mpsc::UnboundedSender<Packet>>,
}

pub struct Broker {
    pub port: u16,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Broker {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if shared.lock().unwrap().away {
                    continue;
                }
                let connection = tokio::spawn(serve(stream, shared.clone()));
                shared
                    .lock()
                    .unwrap()
                    .connections
                    .push(connection.abort_handle());
            }
        });
        Self { port, state, task }
    }

    /// Answers with receipts, or stops doing so.
    pub fn receipts(&self, on: bool) {
        self.state.lock().unwrap().receipts = on;
    }

    pub fn deny(&self, topic: &str, denied: bool) {
        let mut state = self.state.lock().unwrap();
        if denied {
            state.denied.insert(topic.into())
        } else {
            state.denied.remove(topic)
        };
    }

    pub fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.state
            .lock()
            .unwrap()
            .deliver(topic, &payload.into(), false);
    }

    pub fn retain(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.state
            .lock()
            .unwrap()
            .retained
            .insert(topic.into(), payload.into());
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    pub fn retained(&self, topic: &str) -> Option<Vec<u8>> {
        self.state.lock().unwrap().retained.get(topic).cloned()
    }

    /// How many SUBSCRIBE packets came so far.
    pub fn subscribes(&self) -> u64 {
        self.state.lock().unwrap().subscribes
    }

    /// Cuts every connection, as a broken network does.
    pub fn cut(&self) {
        let mut state = self.state.lock().unwrap();
        state
            .connections
            .drain(..)
            .for_each(|connection| connection.abort());
        state
            .sessions
            .values_mut()
            .for_each(|session| session.out = None);
    }

    /// Cuts every connection and takes no other, until it is back.
    pub fn away(&self, away: bool) {
        self.state.lock().unwrap().away = away;
        if away {
            self.cut();
        }
    }

    /// Forgets every session, as a broker without a disk does at a restart.
    pub fn forget(&self) {
        self.cut();
        self.state.lock().unwrap().sessions.clear();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

impl State {
    fn deliver(&mut self, topic: &str, payload: &[u8], retain: bool) {
        for session in self
            .sessions
            .values_mut()
            .filter(|session| session.topics.contains(topic))
        {
            session.push(topic, payload, retain);
        }
    }

    fn receive(&mut self, publish: &Publish) {
        let payload = publish.payload.to_vec();
        if publish.retain {
            self.retained.insert(publish.topic.clone(), payload.clone());
        }
        self.seen.push(Seen {
            topic: publish.topic.clone(),
            payload: payload.clone(),
            retain: publish.retain,
        });
        let Ok(Topic::Device(topic)) = Topic::parse(&publish.topic) else {
            // Not one of ours: a switch's topic, and this is the broker between it and the bridge.
            return self.deliver(&publish.topic, &payload, false);
        };
        if !self.receipts
            || !matches!(
                topic.channel,
                Channel::Event | Channel::Acknowledgement | Channel::Reading
            )
        {
            return;
        }
        let message = Message::<serde_json::Value>::from_payload(&payload).unwrap();
        if message.body["report"] == "health" {
            return;
        }
        let gateway = match topic.kind {
            DeviceKind::Gateway => topic.device.to_string(),
            _ => message.body["gateway"].as_str().unwrap().to_owned(),
        };
        let receipt = Message {
            id: message.id.clone(),
            at: message.at,
            body: gateway::Command::Receipt {
                messages: vec![message.id],
            },
        };
        self.deliver(
            &format!("linli/{}/gateway/{gateway}/cmd", topic.tenant),
            &receipt.to_payload().unwrap(),
            false,
        );
    }
}

impl Session {
    fn push(&mut self, topic: &str, payload: &[u8], retain: bool) {
        self.last_packet = self.last_packet % 65_000 + 1;
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload.to_vec());
        publish.pkid = self.last_packet;
        publish.retain = retain;
        self.unacknowledged
            .insert(self.last_packet, publish.clone());
        self.send(Packet::Publish(publish));
    }

    fn send(&self, packet: Packet) {
        if let Some(out) = &self.out {
            let _ = out.send(packet);
        }
    }
}

/// One connection: who it is, and where its packets go.
struct Peer {
    client: String,
    will: Option<LastWill>,
    out: mpsc::UnboundedSender<Packet>,
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    stream.set_nodelay(true).unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let (out, mut packets) = mpsc::unbounded_channel::<Packet>();
    let mut peer = Peer {
        client: String::new(),
        will: None,
        out,
    };
    let mut bytes = BytesMut::new();
    loop {
        match Packet::read(&mut bytes, PACKET_BYTES_MAX) {
            Ok(Packet::Disconnect) => return,
            Ok(packet) => state.lock().unwrap().take(packet, &mut peer),
            Err(Error::InsufficientBytes(_)) => tokio::select! {
                read = reader.read_buf(&mut bytes) => if !matches!(read, Ok(1..)) { break },
                packet = packets.recv() => {
                    let mut bytes = BytesMut::new();
                    packet.unwrap().write(&mut bytes, PACKET_BYTES_MAX).unwrap();
                    if writer.write_all(&bytes).await.is_err() { break }
                }
            },
            Err(error) => panic!("the bridge sent no MQTT: {error}"),
        }
    }
    if let Some(will) = peer.will {
        let mut publish = Publish::new(will.topic, will.qos, will.message.to_vec());
        publish.retain = will.retain;
        state.lock().unwrap().receive(&publish);
    }
}

impl State {
    fn take(&mut self, packet: Packet, peer: &mut Peer) {
        match packet {
            Packet::Connect(connect) => {
                let present = self.sessions.contains_key(&connect.client_id);
                let session = self.sessions.entry(connect.client_id.clone()).or_default();
                session.out = Some(peer.out.clone());
                session.send(Packet::ConnAck(ConnAck::new(
                    ConnectReturnCode::Success,
                    present,
                )));
                for mut publish in session.unacknowledged.values().cloned().collect::<Vec<_>>() {
                    publish.dup = true;
                    session.send(Packet::Publish(publish));
                }
                (peer.client, peer.will) = (connect.client_id, connect.last_will);
            }
            Packet::Publish(publish) => {
                if publish.qos != QoS::AtMostOnce {
                    let _ = peer.out.send(Packet::PubAck(PubAck::new(publish.pkid)));
                }
                self.receive(&publish);
            }
            Packet::PubAck(acknowledged) => {
                let session = self.sessions.get_mut(&peer.client).unwrap();
                session.unacknowledged.remove(&acknowledged.pkid);
            }
            Packet::Subscribe(subscribe) => {
                let topics = subscribe.filters.iter().map(|filter| filter.path.clone());
                let codes = self.subscribe(topics.collect(), &peer.client);
                // The retained messages come before the answer here, which MQTT allows.
                let _ = peer
                    .out
                    .send(Packet::SubAck(SubAck::new(subscribe.pkid, codes)));
            }
            Packet::PingReq => drop(peer.out.send(Packet::PingResp)),
            other => panic!("the bridge sent {other:?}"),
        }
    }

    fn subscribe(&mut self, topics: Vec<String>, client: &str) -> Vec<SubscribeReasonCode> {
        self.subscribes += 1;
        let session = self.sessions.get_mut(client).unwrap();
        let grant = |topic: String| {
            if self.denied.contains(&topic) {
                return SubscribeReasonCode::Failure;
            }
            if let Some(payload) = self.retained.get(&topic) {
                session.push(&topic, payload, true);
            }
            session.topics.insert(topic);
            SubscribeReasonCode::Success(QoS::AtLeastOnce)
        };
        topics.into_iter().map(grant).collect()
    }
}
