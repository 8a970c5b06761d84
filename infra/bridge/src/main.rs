//! `linli-bridge run` connects an estate's hardware; `linli-bridge simulate` plays a controller for tries and tests.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use linli_bridge::bridge::Bridge;
use linli_bridge::clock::Clock;
use linli_bridge::config::{Config, OSDP_ADDRESS_MAX};
use linli_bridge::simulator::{Behaviour, Controller, Listen};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[derive(Parser)]
#[command(
    name = "linli-bridge",
    version,
    about = "The device bridge between an estate's hardware and MQTT"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Connect the hardware that the configuration names.
    Run {
        /// The configuration file.
        #[arg(long, env = "LINLI_BRIDGE_CONFIG", default_value = "bridge.toml")]
        config: PathBuf,
    },
    /// Play an OSDP controller.
    Simulate {
        /// Where to listen: tcp:127.0.0.1:PORT, or pty:PATH (a link to the pseudo-terminal is made there).
        #[arg(long)]
        listen: Listen,
        /// The address of the controller; give several for several controllers on the line.
        #[arg(long, required = true, value_parser = clap::value_parser!(u8).range(0..=i64::from(OSDP_ADDRESS_MAX)))]
        address: Vec<u8>,
        /// How long every answer takes, in milliseconds.
        #[arg(long, default_value_t = 0)]
        answer_delay_ms: u64,
        /// Refuse every release.
        #[arg(long)]
        refuse: bool,
        /// Run every order, but lose this many answers first.
        #[arg(long, default_value_t = 0)]
        drop_answers: u32,
        /// Send this many answers with a wrong CRC first.
        #[arg(long, default_value_t = 0)]
        corrupt_answers: u32,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("LINLI_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    let done = match Arguments::parse().task {
        Task::Run { config } => run(config).await,
        Task::Simulate {
            listen,
            address,
            answer_delay_ms,
            refuse,
            drop_answers,
            corrupt_answers,
        } => {
            let answer_delay = Duration::from_millis(answer_delay_ms);
            simulate(
                listen,
                &address,
                Behaviour {
                    answer_delay,
                    refuse,
                    drop_answers,
                    corrupt_answers,
                    ..Behaviour::default()
                },
            )
            .await
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("linli-bridge: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(path: PathBuf) -> Result<()> {
    let config = Config::load(&path)?;
    let sentence = format!(
        "linli-bridge is ready: {} with {} doors on {} lines, mqtt://{}:{}",
        config.username(),
        config.doors.len(),
        config.lines.len(),
        config.broker_host,
        config.broker_port
    );
    let mut stopped = Box::pin(stop_signal()?);
    let mut bridge = Bridge::start(config, Clock::System).await?;
    let ready = tokio::select! {
        () = bridge.ready() => true,
        () = &mut stopped => false,
    };
    if ready {
        say(&sentence)?;
        stopped.await;
    }
    tracing::info!("stopping");
    bridge.stop().await;
    Ok(())
}

async fn simulate(listen: Listen, addresses: &[u8], behaviour: Behaviour) -> Result<()> {
    let stopped = stop_signal()?;
    let mut controller = Controller::listen(&listen, addresses, behaviour).await?;
    say(&format!(
        "linli-bridge simulate is ready: {} address {addresses:?}",
        controller.port()
    ))?;
    let told = async {
        loop {
            let release = controller.next_release().await;
            say(&format!(
                "released address {} output {} for {} ms",
                release.address, release.output, release.for_ms
            ))?;
        }
    };
    tokio::select! {
        () = stopped => Ok(()),
        result = told => result,
    }
}

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

fn say(sentence: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{sentence}")
        .and_then(|()| out.flush())
        .context("writing to stdout")
}
