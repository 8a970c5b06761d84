//! A loaded application: every component compiled and linked, ready to make instances. Messages and ticks are
//! handled here, each in a fresh instance; HTTP goes through `http`.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::{Context, Result, bail};
use tokio::sync::Semaphore;
use wasmtime::{Engine, Store, component::InstancePre};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::{
    bindings::{
        cron_function::{CronFunctionPre, spin::cron::cron_types},
        mqtt_function::{MqttFunctionPre, spin::mqtt_trigger::spin_mqtt_types},
    },
    clock::FunctionClock,
    components, engine,
    factors::{Factors, Permissions},
    files::{self, Mount},
    instance::State,
    limits::Limits,
    logs::{GuestStream, Speaker},
    manifest::{self, HttpTarget, Manifest},
    metrics::{ComponentMetrics, Metrics},
    outbound::AllowedHosts,
};

/// A loaded application.
pub struct Application {
    /// What it was loaded from.
    pub manifest: Manifest,
    /// The values of its variables.
    pub variables: BTreeMap<String, String>,
    /// What it counts.
    pub metrics: Arc<Metrics>,
    /// Its host interfaces.
    pub factors: Arc<Factors>,
    /// Its clock.
    pub clock: FunctionClock,
    functions: BTreeMap<String, Arc<Function>>,
}

/// A component that a trigger names, ready to make instances.
pub struct Function {
    /// Its name in the manifest.
    pub name: Arc<str>,
    /// The limits of its instances.
    pub limits: Limits,
    /// Its counters.
    pub metrics: ComponentMetrics,
    engine: Engine,
    factors: Arc<Factors>,
    clock: FunctionClock,
    permissions: Permissions,
    environment: Vec<(String, String)>,
    mounts: Vec<Mount>,
    instance: InstancePre<State>,
    http: Option<ServicePre<State>>,
    mqtt: Option<MqttFunctionPre<State>>,
    cron: Option<CronFunctionPre<State>>,
    /// Instances that handle messages and ticks.
    background: Semaphore,
}

/// Compiles what `cache` lacks of the components that a trigger names; how many it holds then.
///
/// # Errors
/// When a wasm file is missing or does not compile, or the cache cannot be written.
pub fn compile(manifest: &Manifest, cache: &Path) -> Result<usize> {
    let engine = engine::engine()?;
    let names = triggered(manifest);
    for name in &names {
        components::compiled(&engine, manifest, name, cache)
            .with_context(|| format!("the component {name}"))?;
    }
    Ok(names.len())
}

impl Application {
    /// Compiles and links every component that a trigger names; `cache` keeps them compiled.
    ///
    /// # Errors
    /// When a wasm file is missing, does not fit its trigger or needs what this host does not have.
    pub fn load(
        manifest: Manifest,
        variables: BTreeMap<String, String>,
        data: &Path,
        cache: &Path,
    ) -> Result<Self> {
        let engine = engine::engine()?;
        let linker = engine::linker(&engine)?;
        let factors = Arc::new(Factors::new(data)?);
        let metrics = Arc::new(Metrics::new()?);
        let clock = FunctionClock::default();
        let mut functions = BTreeMap::new();
        for name in triggered(&manifest) {
            let Some(component) = manifest.components.get(&name) else {
                continue;
            };
            let compiled = components::compiled(&engine, &manifest, &name, cache);
            let compiled = compiled.with_context(|| format!("the component {name}"))?;
            let instance = linker
                .instantiate_pre(&compiled)
                .map_err(anyhow::Error::from);
            let instance = instance
                .with_context(|| format!("the component {name} needs what linli does not have"))?;
            let function = Function {
                metrics: metrics.component(&name),
                permissions: permissions(&name, component, &variables)?,
                environment: component.environment.clone().into_iter().collect(),
                mounts: files::mounts(&name, component, &manifest.folder, data)?,
                limits: manifest.linli.limits.clone(),
                engine: engine.clone(),
                factors: factors.clone(),
                clock: clock.clone(),
                http: ServicePre::new(instance.clone()).ok(),
                mqtt: MqttFunctionPre::new(instance.clone()).ok(),
                cron: CronFunctionPre::new(instance.clone()).ok(),
                instance,
                background: Semaphore::new(to_usize(manifest.linli.limits.background_instances)),
                name: Arc::from(&*name),
            };
            functions.insert(name, Arc::new(function));
        }
        let application = Self {
            manifest,
            variables,
            metrics,
            factors,
            clock,
            functions,
        };
        application.check_exports()?;
        Ok(application)
    }

    /// The component of that name, if a trigger names it.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&Arc<Function>> {
        self.functions.get(name)
    }

    /// Has a component handle an MQTT message, in a fresh instance. The inner result is the function's own; its
    /// error text may begin with `reject:`.
    ///
    /// # Errors
    /// When the function traps, runs into a limit, or exports no `handle-message`.
    pub async fn invoke_message(
        &self,
        component: &str,
        payload: Vec<u8>,
        topic: &str,
    ) -> Result<Result<(), String>> {
        let function = self
            .function(component)
            .with_context(|| format!("no component {component:?}"))?;
        let pre = function
            .mqtt
            .as_ref()
            .context("the component exports no handle-message")?;
        let metadata = spin_mqtt_types::Metadata {
            topic: topic.to_owned(),
        };
        let work = async |mut store: Store<State>| {
            let instance = pre.instantiate_async(&mut store).await?;
            store
                .run_concurrent(async |accessor| {
                    instance
                        .call_handle_message(accessor, payload, metadata)
                        .await
                })
                .await?
        };
        let answer = function.run_in_background(work).await?;
        Ok(answer.map_err(|spin_mqtt_types::Error::Other(text)| text))
    }

    /// Has a component do a tick, in a fresh instance. `timestamp` is in seconds since 1970. The inner result is
    /// the function's own.
    ///
    /// # Errors
    /// When the function traps, runs into a limit, or exports no `handle-cron-event`.
    pub async fn invoke_cron(&self, component: &str, timestamp: u64) -> Result<Result<(), String>> {
        let function = self
            .function(component)
            .with_context(|| format!("no component {component:?}"))?;
        let pre = function
            .cron
            .as_ref()
            .context("the component exports no handle-cron-event")?;
        let metadata = cron_types::Metadata { timestamp };
        let work = async |mut store: Store<State>| {
            let instance = pre.instantiate_async(&mut store).await?;
            store
                .run_concurrent(async |accessor| {
                    instance.call_handle_cron_event(accessor, metadata).await
                })
                .await?
        };
        let answer = function.run_in_background(work).await?;
        Ok(answer.map_err(|cron_types::Error::Other(text)| text))
    }

    fn check_exports(&self) -> Result<()> {
        let function = |name: &str| self.functions.get(name);
        for trigger in &self.manifest.http {
            if let HttpTarget::Component(name) = &trigger.target
                && function(name).is_some_and(|function| function.http.is_none())
            {
                bail!(
                    "the component {name} has an HTTP trigger and does not export wasi:http/handler@0.3.0"
                );
            }
        }
        for trigger in &self.manifest.mqtt_triggers {
            if function(&trigger.component).is_some_and(|function| function.mqtt.is_none()) {
                bail!(
                    "the component {} has an MQTT trigger and does not export handle-message",
                    trigger.component
                );
            }
        }
        for trigger in &self.manifest.cron_triggers {
            if function(&trigger.component).is_some_and(|function| function.cron.is_none()) {
                bail!(
                    "the component {} has a cron trigger and does not export handle-cron-event",
                    trigger.component
                );
            }
        }
        Ok(())
    }
}

impl Function {
    /// A store for a new instance, and who speaks in its log.
    ///
    /// # Errors
    /// When a mounted folder cannot be opened.
    pub fn store(&self) -> Result<(Store<State>, Arc<Speaker>)> {
        let speaker = Speaker::new(self.name.clone());
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(GuestStream::new(speaker.clone(), "stdout"));
        wasi.stderr(GuestStream::new(speaker.clone(), "stderr"));
        wasi.wall_clock(self.clock.clone());
        for (name, value) in &self.environment {
            wasi.env(name, value);
        }
        for mount in &self.mounts {
            wasi.preopened_dir(&mount.host, &mount.guest, FsPerms::ReadOnly)?;
        }
        let state = State::new(
            &self.factors,
            &self.permissions,
            wasi.build(),
            self.limits.allowance(),
        );
        Ok((engine::store(&self.engine, state), speaker))
    }

    /// The HTTP export.
    #[must_use]
    pub fn http(&self) -> Option<&ServicePre<State>> {
        self.http.as_ref()
    }

    /// The component, linked.
    #[must_use]
    pub fn instance(&self) -> &InstancePre<State> {
        &self.instance
    }

    /// Runs work in a fresh instance, within the limits of time and number.
    async fn run_in_background<T>(
        &self,
        work: impl AsyncFnOnce(Store<State>) -> wasmtime::Result<T>,
    ) -> Result<T> {
        let _permit = self.background.acquire().await?;
        let (store, _speaker) = self.store()?;
        let _alive = Alive::new(&self.metrics);
        let limit = self.limits.request_time();
        let Ok(done) = tokio::time::timeout(limit, work(store)).await else {
            self.metrics.timeouts.inc();
            bail!("{} took longer than {limit:?}", self.name);
        };
        done.map_err(|error| {
            self.metrics.traps.inc();
            anyhow::Error::from(error).context(format!("{} failed", self.name))
        })
    }
}

/// Counts an instance for as long as it lives.
struct Alive<'a>(&'a ComponentMetrics);

impl<'a> Alive<'a> {
    fn new(metrics: &'a ComponentMetrics) -> Self {
        metrics.instances.inc();
        Self(metrics)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.instances.dec();
    }
}

/// The components that triggers name, each once.
fn triggered(manifest: &Manifest) -> Vec<String> {
    let http = manifest
        .http
        .iter()
        .filter_map(|trigger| match &trigger.target {
            HttpTarget::Component(name) => Some(name),
            HttpTarget::Static(_) => None,
        });
    let mqtt = manifest
        .mqtt_triggers
        .iter()
        .map(|trigger| &trigger.component);
    let cron = manifest
        .cron_triggers
        .iter()
        .map(|trigger| &trigger.component);
    let mut names: Vec<String> = http.chain(mqtt).chain(cron).cloned().collect();
    names.sort();
    names.dedup();
    names
}

/// What the manifest permits a component, with these values of the application's variables.
///
/// # Errors
/// When an entry of `allowed_outbound_hosts` is malformed once its variables are replaced.
pub fn permissions(
    name: &str,
    component: &manifest::Component,
    values: &BTreeMap<String, String>,
) -> Result<Permissions> {
    let mut hosts = Vec::new();
    for host in &component.allowed_outbound_hosts {
        hosts.push(host.resolve(values)?);
    }
    let mut variables = BTreeMap::new();
    for (variable, template) in &component.variables {
        variables.insert(variable.clone(), template.resolve(values)?);
    }
    Ok(Permissions {
        component: Arc::from(name),
        hosts: Arc::new(AllowedHosts::parse(&hosts).with_context(|| format!("component.{name}"))?),
        key_value_stores: component.key_value_stores.clone().into(),
        sqlite_databases: component.sqlite_databases.clone().into(),
        variables: Arc::new(variables),
    })
}

/// A limit as a number of things in memory.
#[must_use]
pub fn to_usize(limit: u64) -> usize {
    usize::try_from(limit)
        .unwrap_or(usize::MAX)
        .min(Semaphore::MAX_PERMITS)
}
