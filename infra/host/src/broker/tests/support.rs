//! A service that answers the broker's questions, MQTT clients, and a broker in a process of its own.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use rumqttc::{
    AsyncClient, ConnectionError, Event, MqttOptions, Outgoing, Packet, Publish, QoS,
    SubscribeReasonCode,
};
use serde_json::{Value, json};
use tokio::{
    io::AsyncBufReadExt,
    net::TcpListener,
    sync::mpsc,
    time::{Instant, timeout},
};

use super::super::{Broker, Settings, access::Questions, journal::Durability};

pub(crate) const WAIT: Duration = Duration::from_secs(20);
pub(crate) const TOKEN: &str = "internal-token-of-the-test";

/// Answers questions: `functions` may do everything; `{tenant}/{device}` what lies below
/// `linli/{tenant}/gateway/{device}/`.
pub(crate) struct AccessService {
    pub(crate) address: SocketAddr,
    pub(crate) asked: Arc<AtomicUsize>,
}

impl AccessService {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let counter = counter.clone();
                let service = service_fn(move |request| {
                    counter.fetch_add(1, Ordering::SeqCst);
                    answer(request)
                });
                tokio::spawn(async move {
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { address, asked }
    }

    pub(crate) fn questions(&self) -> Questions {
        Questions {
            authentication: format!("http://{}/authentication", self.address),
            authorization: format!("http://{}/authorization", self.address),
            internal_token: TOKEN.to_owned(),
        }
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    assert_eq!(
        request.headers()["authorization"],
        format!("Bearer {TOKEN}")
    );
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    let username = text("username");
    let is_functions = username == "functions";
    let allowed = if path == "/authentication" {
        text("password") == format!("{username} password")
    } else {
        let own = username
            .split_once('/')
            .map(|(tenant, device)| format!("linli/{tenant}/gateway/{device}/"));
        is_functions || own.is_some_and(|own| text("topic").starts_with(&own))
    };
    let result = if allowed { "allow" } else { "deny" };
    let answer =
        json!({ "result": result, "is_superuser": is_functions, "ok": allowed }).to_string();
    Ok(Response::new(Full::new(Bytes::from(answer))))
}

pub(crate) async fn start_broker(service: &AccessService, data: &Path) -> Broker {
    let listen = "127.0.0.1:0".parse().unwrap();
    Broker::start(settings(service.questions(), data, listen))
        .await
        .unwrap()
}

pub(crate) fn settings(questions: Questions, data: &Path, listen: SocketAddr) -> Settings {
    Settings {
        listen,
        file: data.join("broker.db"),
        durability: Durability::PowerCut,
        questions,
    }
}

/// A client whose events are collected.
pub(crate) struct Client {
    pub(crate) mqtt: AsyncClient,
    pub(crate) session_present: bool,
    events: mpsc::UnboundedReceiver<Packet>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Clone)]
pub(crate) struct Connect<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) username: &'a str,
    pub(crate) clean: bool,
    pub(crate) manual_acks: bool,
    pub(crate) will: Option<rumqttc::LastWill>,
}

impl<'a> Connect<'a> {
    /// A session that outlives its connection.
    pub(crate) fn persistent(client_id: &'a str, username: &'a str) -> Self {
        Self {
            client_id,
            username,
            clean: false,
            manual_acks: false,
            will: None,
        }
    }

    pub(crate) fn clean(client_id: &'a str, username: &'a str) -> Self {
        Self {
            clean: true,
            ..Self::persistent(client_id, username)
        }
    }

    pub(crate) async fn open(self, broker: SocketAddr) -> Client {
        let password = format!("{} password", self.username);
        self.open_with(broker, &password).await.unwrap()
    }

    pub(crate) async fn open_with(
        self,
        broker: SocketAddr,
        password: &str,
    ) -> Result<Client, ConnectionError> {
        let mut options = MqttOptions::new(self.client_id, broker.ip().to_string(), broker.port());
        options
            .set_credentials(self.username, password)
            .set_clean_session(self.clean)
            .set_manual_acks(self.manual_acks)
            .set_inflight(1000)
            .set_max_packet_size(1 << 20, 1 << 20);
        if let Some(will) = self.will {
            options.set_last_will(will);
        }
        let (mqtt, mut eventloop) = AsyncClient::new(options, 10_000);
        let session_present = match timeout(WAIT, eventloop.poll()).await.unwrap()? {
            Event::Incoming(Packet::ConnAck(answer)) => answer.session_present,
            other => panic!("{other:?}"),
        };
        let (sender, events) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            while let Ok(event) = eventloop.poll().await {
                match event {
                    Event::Incoming(packet) => {
                        let _ = sender.send(packet);
                    }
                    Event::Outgoing(Outgoing::Disconnect) => return,
                    Event::Outgoing(_) => {}
                }
            }
        });
        Ok(Client {
            mqtt,
            session_present,
            events,
            task,
        })
    }
}

impl Client {
    /// The next packet that this picks, others are skipped.
    async fn wait_for<T>(&mut self, mut pick: impl FnMut(Packet) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + WAIT;
        loop {
            let packet = tokio::time::timeout_at(deadline, self.events.recv())
                .await
                .ok()??;
            if let Some(found) = pick(packet) {
                return Some(found);
            }
        }
    }

    pub(crate) async fn subscribe(&mut self, filter: &str) -> bool {
        self.mqtt.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        let code = self
            .wait_for(|packet| match packet {
                Packet::SubAck(ack) => Some(ack.return_codes[0]),
                _ => None,
            })
            .await
            .expect("an answer to SUBSCRIBE");
        code != SubscribeReasonCode::Failure
    }

    /// Publishes and waits for the acknowledgement.
    pub(crate) async fn publish(&mut self, topic: &str, payload: &str) {
        self.mqtt
            .publish(topic, QoS::AtLeastOnce, false, payload)
            .await
            .unwrap();
        self.acknowledged(1).await;
    }

    pub(crate) async fn retain(&mut self, topic: &str, payload: &str) {
        self.mqtt
            .publish(topic, QoS::AtLeastOnce, true, payload)
            .await
            .unwrap();
        self.acknowledged(1).await;
    }

    pub(crate) async fn acknowledged(&mut self, count: usize) {
        for _ in 0..count {
            let acknowledged = self
                .wait_for(|packet| matches!(packet, Packet::PubAck(_)).then_some(()))
                .await;
            acknowledged.expect("an acknowledgement");
        }
    }

    pub(crate) async fn next(&mut self) -> Publish {
        self.wait_for(|packet| match packet {
            Packet::Publish(publish) => Some(publish),
            _ => None,
        })
        .await
        .expect("a message")
    }

    pub(crate) async fn next_text(&mut self) -> String {
        String::from_utf8(self.next().await.payload.to_vec()).unwrap()
    }

    pub(crate) async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        for _ in 0..count {
            texts.push(self.next_text().await);
        }
        texts
    }

    /// Waits until the broker has hung up.
    pub(crate) async fn hung_up(&mut self) {
        assert!(self.wait_for(|_| None::<()>).await.is_none());
        timeout(WAIT, &mut self.task)
            .await
            .expect("the broker hangs up")
            .unwrap();
    }

    /// Says goodbye.
    pub(crate) async fn leave(self) {
        self.mqtt.disconnect().await.unwrap();
        timeout(WAIT, self.task).await.unwrap().unwrap();
    }

    /// Is gone without a word.
    pub(crate) async fn vanish(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// A broker in a process of its own: this test program again, as `child_broker`.
pub(crate) struct ChildBroker {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl ChildBroker {
    pub(crate) async fn start(service: &AccessService, data: &Path) -> Self {
        Self::start_at(service, data, "127.0.0.1:0".parse().unwrap()).await
    }

    pub(crate) async fn start_at(service: &AccessService, data: &Path, listen: SocketAddr) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "broker::tests::support::child_broker",
                "--ignored",
                "--nocapture",
            ])
            .env("BROKER_TEST_DATA", data)
            .env("BROKER_TEST_SERVICE", service.address.to_string())
            .env("BROKER_TEST_LISTEN", listen.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = tokio::process::ChildStdout::from_std(process.stdout.take().unwrap()).unwrap();
        let mut lines = tokio::io::BufReader::new(output).lines();
        let ready = async {
            loop {
                let line = lines
                    .next_line()
                    .await
                    .unwrap()
                    .expect("the child broker says where it listens");
                if let Some((_, address)) = line.split_once("broker listens on ") {
                    return address.trim().parse().unwrap();
                }
            }
        };
        let address = timeout(WAIT, ready).await.unwrap();
        Self { process, address }
    }

    /// kill -9
    pub(crate) fn kill(self) {}
}

impl Drop for ChildBroker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "runs as a child process of other tests"]
fn child_broker() {
    let Some(data) = std::env::var_os("BROKER_TEST_DATA") else {
        return;
    };
    let service = std::env::var("BROKER_TEST_SERVICE")
        .unwrap()
        .parse()
        .unwrap();
    let service = AccessService {
        address: service,
        asked: Arc::default(),
    };
    let listen = std::env::var("BROKER_TEST_LISTEN")
        .unwrap()
        .parse()
        .unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let settings = settings(service.questions(), Path::new(&data), listen);
        let broker = Broker::start(settings).await.unwrap();
        println!("\nbroker listens on {}", broker.address());
        std::future::pending::<()>().await;
    });
}
