//! The site for tests: device sessions and snapshots over HTTP, and the snapshots themselves.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kernel::{
    ActorId, BuildingId, CommunityId, DeviceId, DoorGroupId, PassId, TenantId, Timestamp, UnitId,
};
use linli_bridge::clock::Clock;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use wire::pass::{self, Holder, PassClaims, PassKey, Target};
use wire::snapshot::{
    self, Belonging, Card, Direction, Door, Group, Member, Pass, SNAPSHOT_MS, Snapshot, Window,
};

pub const SEED: [u8; 32] = [3; 32];
/// The cards of a resident, of a member of the staff, and one that is blocked.
pub const LI: u64 = 11;
pub const CHEN: u64 = 12;

pub struct Site {
    pub url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    snapshot: Option<(i64, Vec<u8>)>,
    sessions: u64,
    questions: u64,
    unchanged: u64,
}

impl Site {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = shared.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(request, state.clone()));
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { url, state, task }
    }

    pub fn offer(&self, snapshot: &Snapshot) {
        let bytes = snapshot::sign(snapshot, &SEED).unwrap();
        self.state.lock().unwrap().snapshot = Some((snapshot.version, bytes));
    }

    /// Every token that was given out so far holds no longer.
    pub fn forget_sessions(&self) {
        self.state.lock().unwrap().sessions += 1;
    }

    /// How often the gateway asked for the snapshot, and how often it had it already.
    pub fn questions(&self) -> (u64, u64) {
        let state = self.state.lock().unwrap();
        (state.questions, state.unchanged)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut state = state.lock().unwrap();
    let said = match (head.method.as_str(), head.uri.path()) {
        ("POST", "/api/device-sessions") => {
            let asked: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let expected =
                serde_json::json!({"tenant": "demo", "device": "gate-1", "secret": "secret"});
            if asked != expected {
                said(401, "{\"code\":\"credentials_wrong\"}".into())
            } else {
                state.sessions += 1;
                let until = Clock::System.now().plus_millis(3_600_000);
                let token = state.sessions;
                said(
                    201,
                    format!("{{\"token\":\"t{token}\",\"expires_at\":\"{until}\"}}").into(),
                )
            }
        }
        ("GET", "/api/gateways/gate-1/snapshot") => {
            let token = format!("Bearer t{}", state.sessions);
            let known = head
                .headers
                .get(header::AUTHORIZATION)
                .map(|value| value.to_str().unwrap());
            let had = head
                .headers
                .get(header::IF_NONE_MATCH)
                .map(|value| value.to_str().unwrap());
            match state.snapshot.clone() {
                _ if known != Some(&token) => said(401, "{\"code\":\"token_invalid\"}".into()),
                None => said(404, "{\"code\":\"gateway_unknown\"}".into()),
                Some((version, bytes)) => {
                    state.questions += 1;
                    if had == Some(&format!("\"{version}\"")) {
                        state.unchanged += 1;
                        said(304, Bytes::new())
                    } else {
                        said(200, bytes.into())
                    }
                }
            }
        }
        _ => said(404, Bytes::new()),
    };
    Ok(said)
}

fn said(status: u16, body: Bytes) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

fn home() -> Target {
    Target::Unit(
        BuildingId::parse("b1").unwrap(),
        UnitId::parse("u1").unwrap(),
    )
}

fn member(id: &str, target: Target, holder: Holder) -> Member {
    let belonging = Belonging {
        community: 0,
        target,
        holder,
        window: None,
    };
    Member {
        person: ActorId::parse(id).unwrap(),
        belongs: vec![belonging],
        grants: vec![],
        suspended: vec![],
    }
}

/// Door `d5`, a resident and a member of the staff with their cards, and a visitor's pass `visit-1` for one use.
pub fn snapshot(version: i64, made_at: Timestamp) -> Snapshot {
    let tenant = TenantId::parse("demo").unwrap();
    let door = DeviceId::parse("d5").unwrap();
    let key = pass::short_key(&SEED, &tenant, "gate-1").unwrap();
    let card = |number, person| Card {
        number,
        person: ActorId::parse(person).unwrap(),
        blocked: false,
    };
    Snapshot {
        tenant,
        gateway: DeviceId::parse("gate-1").unwrap(),
        version,
        made_at,
        expires_at: made_at.plus_millis(SNAPSHOT_MS),
        communities: vec![CommunityId::parse("garden").unwrap()],
        doors: vec![Door {
            id: door.clone(),
            community: 0,
            direction: Direction::Both,
            released: false,
            unlock_ms: 2_000,
        }],
        groups: vec![Group {
            id: DoorGroupId::parse("all").unwrap(),
            community: 0,
            admits: vec![Target::Community],
            visitors: true,
            doors: vec![door],
            windows: None,
        }],
        members: vec![
            member("li", home(), Holder::Resident),
            member("chen", Target::Community, Holder::Staff),
        ],
        cards: vec![card(LI, "li"), card(CHEN, "chen")],
        passes: vec![Pass {
            id: PassId::parse("visit-1").unwrap(),
            community: 0,
            targets: vec![home()],
            window: Window {
                from: made_at.millis() - 1_000,
                until: made_at.millis() + 7_200_000,
            },
            uses_max: 1,
        }],
        revoked_passes: vec![PassId::parse("visit-0").unwrap()],
        keys: vec![PassKey::of_seed(&SEED)],
        short_key: key.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// The QR code of a visitor's pass for one use.
pub fn qr(pass: &str, from: Timestamp) -> String {
    let claims = PassClaims {
        pass: PassId::parse(pass).unwrap(),
        tenant: TenantId::parse("demo").unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        holder: Holder::Visitor,
        person: None,
        targets: vec![home()],
        not_before: from,
        expires_at: from.plus_millis(7_200_000),
        uses_max: 1,
        step: 0,
    };
    pass::sign(&claims, &SEED).unwrap()
}
