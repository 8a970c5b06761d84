//! `linli up`: everything started in the order in which it depends on each other, and stopped in the reverse one.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, TryLockError},
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use futures_util::future::BoxFuture;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use crate::{
    application::Application,
    broker::{Broker, access::Questions, journal::Durability},
    http::{self, Server},
    manifest::Manifest,
    migrations::{self, Migrate},
    options::{MqttOption, UpOptions},
    routes, secrets,
    triggers::{self, Triggers},
};

/// The longest time for requests, messages and ticks in progress once the host is told to stop.
pub const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);

/// The longest wait for the MQTT trigger's first subscription before the host says that it is ready: an external
/// broker may come later.
const SUBSCRIBE_TIME_MAX: Duration = Duration::from_secs(10);

/// The file that tells a second host that the data folder is in use.
const LOCK_FILE: &str = "lock";

/// Runs the application until SIGTERM or SIGINT; answers whatever keeps it from starting. Boxed, so that all of it is
/// compiled here, once, and not in whoever calls it.
#[must_use]
pub fn up(options: UpOptions, migrate: Migrate) -> BoxFuture<'static, Result<()>> {
    Box::pin(run(options, migrate))
}

async fn run(options: UpOptions, migrate: Migrate) -> Result<()> {
    let stop = stop_signal()?;
    let manifest = Manifest::read(&options.manifest.manifest)?;
    make_folder(&options.folders.data)?;
    let _lock = lock(&options.folders.data)?;
    let listener = TcpListener::bind(options.listen).await.with_context(|| {
        format!(
            "HTTP cannot be served on {}: choose another address with --listen",
            options.listen
        )
    })?;
    let http_address = listener.local_addr().context("asking for the HTTP port")?;

    let given = secrets::from_environment;
    let values = secrets::resolve(&manifest.variables, given, &options.folders.data)?;
    let broker = start_broker(&options, &manifest, &values, reachable(http_address)).await?;
    let mqtt_address = broker.as_ref().map(|broker| reachable(broker.address()));
    let values = secrets::resolve(
        &manifest.variables,
        |name| given(name).or_else(|| embedded_broker(name, mqtt_address)),
        &options.folders.data,
    )?;
    bring_up_to_date(&manifest, (&values, &options.folders.data), migrate).await?;

    let (data, cache) = (options.folders.data.clone(), options.folders.compiled());
    let application =
        tokio::task::spawn_blocking(move || Application::load(manifest, values, &data, &cache));
    let application = Arc::new(application.await.context("loading the application")??);
    let triggers = Triggers::prepare(&application, &options.folders.data)?;
    let mut host_routes = routes::of_the_host(triggers.quarantine());
    if options.movable_clock {
        tracing::warn!("the clock can be set ahead over HTTP: nothing here is for a real estate");
        let quarantine = triggers.quarantine();
        let clock = application.clock.clone();
        host_routes.push(clock.route(move |presented| quarantine.is_authorized(presented)));
    }
    let server = Arc::new(Server::new(application.clone(), host_routes)?);
    let stopping = CancellationToken::new();
    let serving = tokio::spawn(http::serve(
        listener,
        server.clone(),
        stopping.clone().cancelled_owned(),
        DRAIN_TIME_MAX,
    ));
    let running = triggers.start(&application, stopping.clone()).await?;
    triggers::watch(&application, &running, broker.as_ref());
    running.subscribed(SUBSCRIBE_TIME_MAX).await;
    server.set_ready(true);
    announce(http_address, broker.as_ref().map(Broker::address));

    stop.await;
    tracing::info!("stopping: what is in progress is finished first");
    server.set_ready(false);
    stopping.cancel();
    let (served, ()) = tokio::join!(serving, running.stop(DRAIN_TIME_MAX));
    served.context("the HTTP server broke")?;
    if let Some(broker) = broker {
        broker.stop().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Resolves when the process is told to stop.
fn stop_signal() -> Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Makes the data folder, for its owner only.
///
/// # Errors
/// When it cannot be made or written.
pub fn make_folder(data: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .with_context(|| {
            format!(
                "the data folder {} cannot be made: choose another with --data",
                data.display()
            )
        })?;
    let probe = data.join(".writable");
    File::create(&probe)
        .and_then(|_| fs::remove_file(&probe))
        .with_context(|| {
            format!(
                "the data folder {} cannot be written: choose another with --data",
                data.display()
            )
        })
}

/// Holds the data folder for this process; the operating system lets go of it however the process ends.
fn lock(data: &Path) -> Result<File> {
    let path = data.join(LOCK_FILE);
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "the data folder {} is used by another linli: stop it, or choose another folder with --data",
            data.display()
        ),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

async fn start_broker(
    options: &UpOptions,
    manifest: &Manifest,
    values: &BTreeMap<String, String>,
    http_address: SocketAddr,
) -> Result<Option<Broker>> {
    let MqttOption::Embedded(listen) = options.mqtt else {
        return Ok(None);
    };
    let (Some(authentication), Some(authorization)) = (
        &manifest.linli.broker_authentication,
        &manifest.linli.broker_authorization,
    ) else {
        // Nobody could say who may connect: an application without these routes gets no broker.
        return Ok(None);
    };
    let settings = crate::broker::Settings {
        listen,
        file: options.folders.data.join("broker.db"),
        durability: Durability::PowerCut,
        questions: Questions {
            authentication: format!("http://{http_address}{authentication}"),
            authorization: format!("http://{http_address}{authorization}"),
            internal_token: values
                .get(triggers::INTERNAL_TOKEN)
                .cloned()
                .unwrap_or_default(),
        },
    };
    Broker::start(settings).await.map(Some)
}

/// The variables that lead functions to the embedded broker, unless the environment leads them elsewhere.
fn embedded_broker(name: &str, address: Option<SocketAddr>) -> Option<String> {
    match name {
        "mqtt_host" => address.map(|address| address.ip().to_string()),
        "mqtt_port" => address.map(|address| address.port().to_string()),
        _ => None,
    }
}

async fn bring_up_to_date(
    manifest: &Manifest,
    (values, data): (&BTreeMap<String, String>, &Path),
    migrate: Migrate,
) -> Result<()> {
    if manifest.migration_folders().is_empty() {
        return Ok(());
    }
    let url = match values.get("database_url").filter(|url| !url.is_empty()) {
        Some(url) => url.clone(),
        None => migrations::embedded_database(data),
    };
    for file in migrations::apply(manifest, &url, migrate).await? {
        tracing::info!(file, "migrated");
    }
    Ok(())
}

/// An address that this machine can connect to: a server that listens everywhere is reached on the loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    let loopback: std::net::IpAddr = if address.is_ipv4() {
        std::net::Ipv4Addr::LOCALHOST.into()
    } else {
        std::net::Ipv6Addr::LOCALHOST.into()
    };
    SocketAddr::new(loopback, address.port())
}

fn announce(http: SocketAddr, mqtt: Option<SocketAddr>) {
    match mqtt {
        Some(mqtt) => println!("linli is ready: http://{http} mqtt://{mqtt}"),
        None => println!("linli is ready: http://{http}"),
    }
}

impl triggers::Running {
    /// Waits until messages are received, if any are to be.
    async fn subscribed(&self, time_max: Duration) {
        let Some(counts) = self.mqtt_counts() else {
            return;
        };
        let ready = async {
            while !counts.is_ready.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(time_max, ready).await.is_err() {
            tracing::warn!("no MQTT broker answers yet; messages are handled as soon as one does");
        }
    }
}
