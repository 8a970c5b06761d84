//! One component in wasmtime, with the host's own engine, linker and interfaces, but with a clock that stands
//! still until the test moves it, and without a broker.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use kernel::{Actor, ActorId, ActorKind, CommunityId, TenantId, Timestamp};
use linli_host::{
    application,
    bindings::{
        cron_function::{CronFunction, spin::cron::cron_types},
        mqtt_function::{MqttFunction, spin::mqtt_trigger::spin_mqtt_types},
    },
    engine,
    factors::{Factors, Permissions},
    instance::State,
    limits::Limits,
    manifest::Manifest,
};
use serde_json::Value;
use tempfile::TempDir;
use wasmtime::{
    Engine, Store,
    component::{Component, Linker},
};
use wasmtime_wasi::{HostWallClock, WasiCtxBuilder};
use wasmtime_wasi_http::p3::{Request as GuestRequest, bindings::Service};

use crate::{http::Answer, place};

/// The secret that the guests of the tests verify tokens with.
const TOKEN_SECRET: &str = "a secret of thirty-two characters";
const INTERNAL_TOKEN: &str = "a token of the machine's operator";
const PASS_SECRET: &str = "a secret that passes are signed with";
/// 2026-03-01T00:00:00Z, in milliseconds since the epoch.
pub const BEGIN_MS: u64 = 1_772_323_200_000;
/// A port on which nobody listens: what is published gets lost, at once.
const NO_BROKER_PORT: &str = "1";

#[derive(Clone)]
struct Clock(Arc<AtomicU64>);

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A component, its database and its clock.
pub struct Guest {
    engine: Engine,
    linker: Linker<State>,
    component: Component,
    factors: Factors,
    permissions: Permissions,
    clock: Clock,
    folder: TempDir,
}

impl Guest {
    /// The component of that name in the manifest, on a fresh, migrated database.
    ///
    /// # Panics
    /// When it is not built, or the host cannot run it.
    pub async fn of(name: &str) -> Self {
        let folder =
            tempfile::tempdir().unwrap_or_else(|error| panic!("a temporary folder: {error}"));
        let manifest = Manifest::read(&place::root().join("spin.toml"))
            .unwrap_or_else(|error| panic!("{error:#}"));
        migrate(&folder, &manifest).await;
        let values = [
            ("token_secret", TOKEN_SECRET),
            ("internal_token", INTERNAL_TOKEN),
            ("database_url", ""),
            ("mqtt_host", "127.0.0.1"),
            ("mqtt_port", NO_BROKER_PORT),
            ("mqtt_password", "none"),
            ("pass_secret", PASS_SECRET),
            ("postgres_host", "127.0.0.1"),
            ("postgres_port", "5432"),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let defaults = manifest.variables.iter().filter_map(|(name, variable)| {
            variable.default.clone().map(|value| (name.clone(), value))
        });
        let values = defaults.chain(values).collect();
        let component = manifest
            .components
            .get(name)
            .unwrap_or_else(|| panic!("no component {name}"));
        let permissions = application::permissions(name, component, &values)
            .unwrap_or_else(|error| panic!("{error:#}"));
        let engine = engine::engine().unwrap_or_else(|error| panic!("{error:#}"));
        let linker = engine::linker(&engine).unwrap_or_else(|error| panic!("{error:#}"));
        let component = Component::from_file(&engine, place::component(name))
            .unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let factors = Factors::new(folder.path()).unwrap_or_else(|error| panic!("{error:#}"));
        let clock = Clock(Arc::new(AtomicU64::new(BEGIN_MS)));
        Self {
            engine,
            linker,
            component,
            factors,
            permissions,
            clock,
            folder,
        }
    }

    /// Moves the guest's clock.
    pub fn advance(&self, millis: u64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// The data folder, for a look into the database.
    #[must_use]
    pub fn data(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Has the component answer a request of an actor of the tenant `demo`, community `garden`.
    ///
    /// # Panics
    /// When it traps.
    pub async fn ask(
        &self,
        kind: ActorKind,
        id: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let asked = format!("{method} {path}");
        let request = Request::builder()
            .method(method)
            .uri(format!("http://guest{path}"))
            .header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {}", self.token(kind, id)));
        let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let request = request
            .body(Full::new(bytes))
            .unwrap_or_else(|error| panic!("{asked}: {error}"));
        self.answer(&asked, request)
            .await
            .unwrap_or_else(|error| panic!("{asked}: {error:#}"))
    }

    async fn answer(&self, asked: &str, request: Request<Full<Bytes>>) -> wasmtime::Result<Answer> {
        let mut store = self.store();
        let service = Service::instantiate_async(&mut store, &self.component, &self.linker).await?;
        let (request, read) = GuestRequest::from_http(&mut store.data_mut().outbound_http, request);
        let answered = store.run_concurrent(async |store| {
            let answer = async {
                let answer = service
                    .handle(store, request)
                    .await?
                    .map_err(|code| wasmtime::format_err!("{code:?}"))?;
                let answer = store.with(|store| answer.into_http(store, async { Ok(()) }))?;
                let (parts, body) = answer.into_parts();
                let body = body
                    .collect()
                    .await
                    .map_err(|error| wasmtime::format_err!("{error:?}"))?;
                wasmtime::error::Ok((parts, body.to_bytes()))
            };
            let (answer, read) = tokio::join!(answer, read);
            read.map_err(|error| wasmtime::format_err!("{error:?}"))?;
            answer
        });
        let (parts, body) = answered.await??;
        Ok(Answer {
            asked: asked.to_owned(),
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }

    /// Has the component handle a message.
    ///
    /// # Errors
    /// What the component says.
    ///
    /// # Panics
    /// When it traps.
    pub async fn message(&self, topic: &str, payload: &[u8]) -> Result<(), String> {
        let mut store = self.store();
        let metadata = spin_mqtt_types::Metadata {
            topic: topic.to_owned(),
        };
        let handled = async {
            let function =
                MqttFunction::instantiate_async(&mut store, &self.component, &self.linker).await?;
            store
                .run_concurrent(async |store| {
                    function
                        .call_handle_message(store, payload.to_vec(), metadata)
                        .await
                })
                .await?
        };
        let answer: wasmtime::Result<_> = handled.await;
        let answer = answer.unwrap_or_else(|error| panic!("a message on {topic}: {error:#}"));
        answer.map_err(|spin_mqtt_types::Error::Other(text)| text)
    }

    /// Has the component do a tick.
    ///
    /// # Errors
    /// What the component says.
    ///
    /// # Panics
    /// When it traps.
    pub async fn tick(&self) -> Result<(), String> {
        let mut store = self.store();
        let metadata = cron_types::Metadata {
            timestamp: self.clock.now().as_secs(),
        };
        let ticked = async {
            let function =
                CronFunction::instantiate_async(&mut store, &self.component, &self.linker).await?;
            store
                .run_concurrent(async |store| {
                    function.call_handle_cron_event(store, metadata).await
                })
                .await?
        };
        let answer: wasmtime::Result<_> = ticked.await;
        answer
            .unwrap_or_else(|error| panic!("a tick: {error:#}"))
            .map_err(|cron_types::Error::Other(text)| text)
    }

    fn store(&self) -> Store<State> {
        let mut wasi = WasiCtxBuilder::new();
        wasi.wall_clock(self.clock.clone()).inherit_stderr();
        let state = State::new(
            &self.factors,
            &self.permissions,
            wasi.build(),
            Limits::default().allowance(),
        );
        engine::store(&self.engine, state)
    }

    fn token(&self, kind: ActorKind, id: &str) -> String {
        let issued = || -> anyhow::Result<String> {
            let actor = Actor {
                tenant: TenantId::parse("demo")?,
                kind,
                id: ActorId::parse(id)?,
                communities: vec![CommunityId::parse("garden")?],
                scopes: Vec::new(),
            };
            let now = Timestamp::from_millis(i64::try_from(self.clock.now().as_millis())?)?;
            web::token::issue(
                &web::Secret::new("token_secret", TOKEN_SECRET.to_owned())?,
                &actor,
                now,
                3600,
            )
        };
        issued().unwrap_or_else(|error| panic!("a token of {id}: {error:#}"))
    }
}

async fn migrate(folder: &TempDir, manifest: &Manifest) {
    let folders: Vec<(String, PathBuf)> = manifest
        .migration_folders()
        .into_iter()
        .map(|path| (path.display().to_string(), path))
        .collect();
    let named: Vec<(&str, PathBuf)> = folders
        .iter()
        .map(|(name, path)| (name.as_str(), path.clone()))
        .collect();
    let url = format!("sqlite://{}", folder.path().join("default.db").display());
    store::migrate(&url, &named)
        .await
        .unwrap_or_else(|error| panic!("{url}: {error:#}"));
}
