//! The three servers that answer the same `/hello`: linli, `wasmtime serve`, and axum natively.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command as Blocking,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::{net::TcpStream, process::Command, time};

use crate::{building, children::Running, workspace};

/// The version of wasmtime's command line that is measured against: the one that linli embeds.
const WASMTIME_CLI: &str = "48.0.8";
/// What it needs to serve a component of WASI 0.3, and nothing else.
const WASMTIME_FEATURES: &str = "run,serve,cranelift,component-model-async,pooling-allocator,parallel-compilation,gc,gc-null,stack-switching";
const READY_PAUSE: Duration = Duration::from_millis(2);
const READY_MAX: Duration = Duration::from_secs(30);

/// A server under measurement.
pub struct Server {
    /// The program.
    pub running: Running,
    /// Where it answers, as `address:port`.
    pub address: String,
    /// Where its broker is, as `address:port`; empty without one.
    pub broker: String,
    /// From its start to its first answer.
    pub start: Duration,
}

/// `linli up` with a manifest and a data folder.
///
/// # Errors
/// When it does not start.
pub async fn linli(manifest: &Path, data: &Path, mqtt: &str) -> Result<Server> {
    let begin = Instant::now();
    let mut command = Command::new(workspace::binary("linli"));
    command
        .arg("up")
        .arg("--manifest")
        .arg(manifest)
        .arg("--data")
        .arg(data);
    command
        .args(["--listen", "127.0.0.1:0", "--mqtt", mqtt])
        .env("LINLI_LOG", "warn")
        .current_dir(workspace::root());
    let mut running = Running::start("linli", command)?;
    let line = running.ready("linli is ready: ").await?;
    let start = begin.elapsed();
    let named = |scheme: &str| {
        let rest = line.split(scheme).nth(1)?;
        let address = rest.split_whitespace().next()?;
        Some(address.trim_end_matches('/').to_owned())
    };
    Ok(Server {
        address: named("http://").context("linli named no address")?,
        broker: named("mqtt://").unwrap_or_default(),
        running,
        start,
    })
}

/// A manifest of the probe alone, under the target folder; like `wasmtime serve`, without headers about the route.
///
/// # Errors
/// When it cannot be written.
pub fn probe_manifest() -> Result<PathBuf> {
    let folder = workspace::target().join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let file = folder.join("spin.toml");
    let component = building::component_file(building::PROBE);
    let text = format!(
        "spin_manifest_version = 2\n\n[application]\nname = \"bench\"\nversion = \"0.1.0\"\n\n\
         [application.tool.linli]\nroute_headers = false\n\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"probe\"\n\n[component.probe]\nsource = {:?}\n",
        component.display().to_string()
    );
    fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    Ok(file)
}

/// `wasmtime serve` on the probe, built once and kept in the target folder.
///
/// # Errors
/// When it cannot be built, or does not start.
pub async fn wasmtime() -> Result<Server> {
    let program = install_wasmtime()?;
    let address = free_address()?;
    let mut command = Command::new(program);
    command.args([
        "serve",
        "-Scli",
        "-Sp3",
        "-Wcomponent-model-async",
        "--addr",
        &address,
    ]);
    command.arg(building::component_file(building::PROBE));
    answering("wasmtime serve", command, address).await
}

/// The same handler natively, in a process of its own.
///
/// # Errors
/// When it does not start.
pub async fn native() -> Result<Server> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe().context("finding this program")?);
    command.args(["bench-native", &address]);
    answering("axum", command, address).await
}

/// Serves `/hello` natively until it is killed: what `native` starts.
///
/// # Errors
/// When the address is taken.
pub async fn serve_native(address: SocketAddr) -> Result<()> {
    let router = axum::Router::new().route(
        "/hello",
        axum::routing::get(|| async { "Hello, neighbour!" }),
    );
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .with_context(|| format!("listening on {address}"))?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        // A connection that is closed already shows at its first read.
        drop(stream.set_nodelay(true));
    });
    axum::serve(listener, router).await.context("serving")
}

async fn answering(name: &'static str, command: Command, address: String) -> Result<Server> {
    let begin = Instant::now();
    let mut running = Running::start(name, command)?;
    loop {
        if TcpStream::connect(&address).await.is_ok() {
            return Ok(Server {
                running,
                address,
                broker: String::new(),
                start: begin.elapsed(),
            });
        }
        if begin.elapsed() > READY_MAX || !running.is_running() {
            running.ended().await?;
        }
        time::sleep(READY_PAUSE).await;
    }
}

fn free_address() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").context("looking for a free port")?;
    Ok(listener.local_addr()?.to_string())
}

fn install_wasmtime() -> Result<PathBuf> {
    let folder = workspace::target().join("tools");
    let program = folder.join("bin/wasmtime");
    let is_there = workspace::output(Blocking::new(&program).arg("--version"))
        .is_ok_and(|version| version.contains(WASMTIME_CLI));
    if !is_there {
        println!("xtask: building wasmtime {WASMTIME_CLI} to compare with (once)");
        let mut install = workspace::cargo(&[
            "install",
            "wasmtime-cli",
            "--locked",
            "--version",
            WASMTIME_CLI,
        ]);
        install
            .args(["--no-default-features", "--features", WASMTIME_FEATURES])
            .arg("--root")
            .arg(&folder);
        workspace::run(install.arg("--target-dir").arg(folder.join("build")))?;
    }
    Ok(program)
}
