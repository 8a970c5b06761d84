//! A simulated HTTP relay: the RPC of Shelly's second generation, with timers of its own, and with digest
//! authentication when it has a password.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::Behaviour;
use crate::adapters::digest::{parameters, sha256};

/// How many switches a relay has.
const SWITCHES: u8 = 4;
const REALM: &str = "simulated-relay";

/// A running relay; it ends when this is dropped.
pub struct Relay {
    url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    behaviour: Behaviour,
    password: Option<String>,
    /// Nonces that were given out, each with the last count that was used with it.
    nonces: BTreeMap<String, u32>,
    on_until: BTreeMap<u8, Option<Instant>>,
    moved: BTreeMap<u8, u64>,
    requests: u64,
}

impl Relay {
    /// Starts to listen.
    ///
    /// # Errors
    /// When the address is in use.
    pub async fn listen(
        address: &str,
        password: Option<&str>,
        behaviour: Behaviour,
    ) -> Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("listening on {address}"))?;
        let url = format!("http://{}", listener.local_addr()?);
        let password = password.map(str::to_owned);
        let state = Arc::new(Mutex::new(State {
            behaviour,
            password,
            ..State::default()
        }));
        let task = tokio::spawn(serve(listener, state.clone()));
        Ok(Self { url, state, task })
    }

    /// Where the bridge finds it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How often the switch was switched on.
    #[must_use]
    pub fn releases(&self, switch: u8) -> u64 {
        lock(&self.state).moved.get(&switch).copied().unwrap_or(0)
    }

    /// Whether the switch is on after `later`.
    #[must_use]
    pub fn is_on_after(&self, switch: u8, later: Duration) -> bool {
        lock(&self.state).is_on(switch, Instant::now() + later)
    }

    /// How many requests came.
    #[must_use]
    pub fn requests(&self) -> u64 {
        lock(&self.state).requests
    }

    /// Changes what is wrong from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut lock(&self.state).behaviour);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        connections.spawn(async move {
            let service = service_fn(|request| {
                let state = state.clone();
                async move { Ok::<_, Infallible>(answer(&request, &state).await) }
            });
            // A client that goes is no matter.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(request: &Request<Incoming>, state: &Mutex<State>) -> Response<Full<Bytes>> {
    let (answer, delay, lost) = {
        let mut state = lock(state);
        state.requests += 1;
        let is_release = request.uri().path() == "/rpc/Switch.Set";
        let answer = state.obey(request);
        let lost = is_release && state.behaviour.drop_answers > 0;
        if lost {
            state.behaviour.drop_answers -= 1;
        }
        (answer, state.behaviour.answer_delay, lost)
    };
    if lost {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(delay).await;
    answer
}

impl State {
    fn obey(&mut self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if let Some(password) = self.password.clone() {
            let said = request.headers().get(header::AUTHORIZATION);
            let said = said.and_then(|value| value.to_str().ok()).unwrap_or("");
            let uri = request.uri().to_string();
            if !self.is_known(said, &uri, &password) {
                return self.challenge();
            }
        }
        let values: BTreeMap<&str, &str> = request
            .uri()
            .query()
            .unwrap_or("")
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        let switch = values.get("id").and_then(|id| id.parse().ok());
        let Some(switch) = switch.filter(|switch| *switch < SWITCHES) else {
            return json(
                500,
                r#"{"code":-105,"message":"the argument 'id' names no switch"}"#,
            );
        };
        match request.uri().path() {
            "/rpc/Switch.GetStatus" => {
                let output = self.is_on(switch, Instant::now());
                json(200, &format!("{{\"id\":{switch},\"output\":{output}}}"))
            }
            "/rpc/Switch.Set" if self.behaviour.refuse => {
                json(500, r#"{"code":-1,"message":"refused by its behaviour"}"#)
            }
            "/rpc/Switch.Set" => self.switch(switch, &values),
            _ => json(404, r#"{"code":404,"message":"no handler for that"}"#),
        }
    }

    fn switch(&mut self, switch: u8, values: &BTreeMap<&str, &str>) -> Response<Full<Bytes>> {
        let now = Instant::now();
        let was_on = self.is_on(switch, now);
        let after = values
            .get("toggle_after")
            .map(|seconds| seconds.parse::<f64>());
        match (values.get("on").copied(), after) {
            (Some("true"), None) => drop(self.on_until.insert(switch, None)),
            (Some("true"), Some(Ok(seconds))) if seconds > 0.0 && seconds < 1e6 => {
                let until = now + Duration::from_secs_f64(seconds);
                self.on_until.insert(switch, Some(until));
            }
            (Some("false"), None) => drop(self.on_until.remove(&switch)),
            _ => {
                return json(
                    400,
                    r#"{"code":-103,"message":"the arguments make no sense"}"#,
                );
            }
        }
        if values.get("on") == Some(&"true") {
            *self.moved.entry(switch).or_default() += 1;
        }
        json(200, &format!("{{\"was_on\":{was_on}}}"))
    }

    fn is_on(&self, switch: u8, at: Instant) -> bool {
        let until = self.on_until.get(&switch);
        until.is_some_and(|until| until.is_none_or(|until| at < until))
    }

    fn challenge(&mut self) -> Response<Full<Bytes>> {
        let nonce = uuid::Uuid::now_v7().simple().to_string();
        let asked =
            format!("Digest qop=\"auth\", realm=\"{REALM}\", nonce=\"{nonce}\", algorithm=SHA-256");
        self.nonces.insert(nonce, 0);
        let mut answer = json(401, "");
        if let Ok(asked) = asked.parse() {
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, asked);
        }
        answer
    }

    fn is_known(&mut self, said: &str, uri: &str, password: &str) -> bool {
        let Some(values) = said.strip_prefix("Digest ").and_then(parameters) else {
            return false;
        };
        let value = |name: &str| values.get(name).map_or("", String::as_str);
        let count = u32::from_str_radix(value("nc"), 16).unwrap_or(0);
        let fresh = self
            .nonces
            .get_mut(value("nonce"))
            .filter(|last| **last < count);
        let Some(last) = fresh else { return false };
        *last = count;
        let who = sha256(&format!("{}:{REALM}:{password}", value("username")));
        let what = sha256(&format!("GET:{uri}"));
        let (nonce, nc, cnonce) = (value("nonce"), value("nc"), value("cnonce"));
        let expected = sha256(&format!("{who}:{nonce}:{nc}:{cnonce}:auth:{what}"));
        value("uri") == uri && value("username") == "admin" && value("response") == expected
    }
}

fn json(status: u16, body: &str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body.to_owned())));
    *answer.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = header::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A panic elsewhere leaves counters, not broken invariants.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
