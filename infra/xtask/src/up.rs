//! `cargo xtask up`: everything on this machine, with a demo community, until it is interrupted.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::{
    building, children,
    children::Running,
    client::Client,
    demo::{self, CONTROLLER_ADDRESS, Demo},
    workspace,
};

/// Where to listen, and where to keep things.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Without the demo community, controller and bridge.
    #[arg(long)]
    pub empty: bool,
    /// Where HTTP is answered.
    #[arg(long, default_value = "127.0.0.1:3000")]
    pub listen: String,
    /// Where the broker is.
    #[arg(long, default_value = "127.0.0.1:1883")]
    pub mqtt: String,
    /// The folder for everything that lasts.
    #[arg(long, default_value = ".linli")]
    pub data: PathBuf,
}

/// What the host said when it was ready.
pub struct Addresses {
    /// `http://ADDRESS`.
    pub http: String,
    /// `mqtt://ADDRESS`, or nothing without a broker.
    pub mqtt: String,
}

/// Builds, starts and stays until SIGINT or SIGTERM.
///
/// # Errors
/// When something cannot be built or started, or a program ends by itself; with what it printed.
pub async fn run(options: &Options) -> Result<()> {
    building::everything()?;
    let begin = Instant::now();
    let data = workspace::root().join(&options.data);
    let mut started = Vec::new();
    let outcome = tokio::select! {
        outcome = start_and_watch(options, &data, begin, &mut started) => outcome,
        () = children::stop_signal() => Ok(()),
    };
    // The bridge first, so that what it has sent is still taken.
    while let Some(running) = started.pop() {
        running.stop().await;
    }
    outcome
}

async fn start_and_watch(
    options: &Options,
    data: &Path,
    begin: Instant,
    started: &mut Vec<Running>,
) -> Result<()> {
    let (host, addresses) = start_host(options, data).await?;
    started.push(host);
    println!(
        "\nLinli runs: {}, {}, data in {}",
        addresses.http,
        addresses.mqtt,
        data.display()
    );
    if !options.empty {
        let demo = demo_of(data, &addresses).await?;
        start_devices(data, &addresses, &demo, started).await?;
        print_demo(data, &addresses, &demo);
    }
    println!(
        "Ready after {:.1} s. Ctrl-C stops everything.",
        begin.elapsed().as_secs_f64()
    );
    watch(started).await
}

/// Runs until one of the programs ends by itself.
async fn watch(started: &mut [Running]) -> Result<()> {
    let mut ends: Vec<_> = started
        .iter_mut()
        .map(|running| Box::pin(running.ended()))
        .collect();
    std::future::poll_fn(|context| {
        ends.iter_mut()
            .find_map(|end| match end.as_mut().poll(context) {
                std::task::Poll::Ready(ended) => Some(std::task::Poll::Ready(ended)),
                std::task::Poll::Pending => None,
            })
            .unwrap_or(std::task::Poll::Pending)
    })
    .await
}

async fn start_host(options: &Options, data: &Path) -> Result<(Running, Addresses)> {
    let mut command = Command::new(workspace::binary("linli"));
    command
        .args(["up", "--listen", &options.listen, "--mqtt", &options.mqtt])
        .arg("--data")
        .arg(data);
    command.current_dir(workspace::root());
    let mut host = Running::start("linli", command)?;
    let line = host.ready("linli is ready: ").await?;
    let word = |scheme: &str| {
        line.split_whitespace()
            .find(|word| word.starts_with(scheme))
            .map(str::to_owned)
    };
    let http = word("http://").context("linli named no address")?;
    Ok((
        host,
        Addresses {
            http,
            mqtt: word("mqtt://").unwrap_or_default(),
        },
    ))
}

async fn demo_of(data: &Path, addresses: &Addresses) -> Result<Demo> {
    if let Some(demo) = Demo::read(data)? {
        return Ok(demo);
    }
    let internal = Client::new(&addresses.http, &internal_token(data)?);
    let demo = Demo::load(&internal)
        .await
        .context("loading the demo community")?;
    demo.write(data)?;
    Ok(demo)
}

/// The token of the machine's operator: from the environment, or as the host has made it.
///
/// # Errors
/// When there is none.
pub fn internal_token(data: &Path) -> Result<String> {
    if let Ok(token) = std::env::var("SPIN_VARIABLE_INTERNAL_TOKEN") {
        return Ok(token);
    }
    let file = data.join("secrets.toml");
    let text = fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let secrets: toml::Table = text
        .parse()
        .with_context(|| format!("reading {}", file.display()))?;
    let token = secrets.get("internal_token").and_then(toml::Value::as_str);
    Ok(token
        .with_context(|| format!("{} has no internal_token", file.display()))?
        .to_owned())
}

/// A simulated controller on a free port, and the bridge to it.
///
/// # Errors
/// When one of them does not start.
pub async fn start_devices(
    data: &Path,
    addresses: &Addresses,
    demo: &Demo,
    started: &mut Vec<Running>,
) -> Result<()> {
    let mut command = Command::new(workspace::binary("linli-bridge"));
    command.args([
        "simulate",
        "--listen",
        "tcp:127.0.0.1:0",
        "--address",
        &CONTROLLER_ADDRESS.to_string(),
    ]);
    let mut controller = Running::start("the simulated controller", command)?;
    let line = controller.ready("linli-bridge simulate is ready: ").await?;
    started.push(controller);
    let port = line
        .split_whitespace()
        .find(|word| word.starts_with("tcp:"))
        .context("the simulated controller named no port")?;
    let config = data.join("bridge.toml");
    let broker = addresses.mqtt.trim_start_matches("mqtt://");
    demo::write_private(
        &config,
        &demo.bridge_toml(&addresses.http, broker, &data.join("bridge"), port),
    )?;
    let mut command = Command::new(workspace::binary("linli-bridge"));
    command
        .arg("run")
        .arg("--config")
        .arg(&config)
        .current_dir(workspace::root());
    let mut bridge = Running::start("linli-bridge", command)?;
    let ready = bridge.ready("linli-bridge is ready: ").await;
    started.push(bridge);
    ready.map(drop)
}

fn print_demo(data: &Path, addresses: &Addresses, demo: &Demo) {
    println!(
        "\nThe demo community `{}` of the tenant `{}`:",
        demo::COMMUNITY,
        demo.tenant
    );
    for person in &demo.people {
        println!(
            "  {:<9} {:<9} password {}",
            person.kind, person.username, person.password
        );
    }
    println!(
        "  {:<9} {:<9} password {} (MQTT user {}/{})",
        "gateway", demo.gateway.id, demo.gateway.password, demo.tenant, demo.gateway.id
    );
    println!(
        "  doors: {}",
        demo.doors
            .iter()
            .map(|door| door.id.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    );
    println!(
        "  all of this stands in {}",
        data.join("demo.toml").display()
    );
    println!("\nOpen a door:\n{}", curl_lines(&addresses.http, demo));
    if let Ok(operator) = demo.person("operator") {
        let broker = addresses.mqtt.trim_start_matches("mqtt://");
        let (host, port) = broker.rsplit_once(':').unwrap_or((broker, "1883"));
        println!(
            "Watch the broker (Debian's mosquitto-clients):\n  mosquitto_sub -h {host} -p {port} -u {}/{} -P {} -t 'linli/{}/#' -v\n",
            demo.tenant, operator.username, operator.password, demo.tenant
        );
    }
}

/// Three lines that log in, open a door, and show the opening with its audit.
#[must_use]
pub fn curl_lines(base: &str, demo: &Demo) -> String {
    let (Ok(resident), Some(door)) = (demo.person("resident"), demo.doors.first()) else {
        return String::new();
    };
    let door = format!("{base}/api/doors/{}/openings", door.id);
    let body = serde_json::json!({ "tenant": demo.tenant, "username": resident.username, "password": resident.password });
    format!(
        "  TOKEN=$(curl -sS {base}/api/sessions -H 'content-type: application/json' -d '{body}' | sed 's/.*\"token\":\"\\([^\"]*\\)\".*/\\1/')\n  \
         OPENING=$(curl -sS -X POST {door} -H \"authorization: Bearer $TOKEN\" | sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/'); echo \"$OPENING\"\n  \
         sleep 1; curl -sS {door}/$OPENING -H \"authorization: Bearer $TOKEN\"; echo; curl -sS \"{door}?limit=5\" -H \"authorization: Bearer $TOKEN\"; echo\n"
    )
}
