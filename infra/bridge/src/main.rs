//! `linli-bridge run` connects an estate's hardware; `linli-bridge simulate` plays a controller for tries and tests.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use linli_bridge::audit;
use linli_bridge::bridge::Bridge;
use linli_bridge::clock::Clock;
use linli_bridge::config::{Config, OSDP_ADDRESS_MAX, Protocol};
use linli_bridge::simulator::meters::{Failure, Meters};
use linli_bridge::simulator::{self, Behaviour, Controller, Listen, SwitchSettings, control};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A bridge that cannot start is tried again so often, after this pause.
const START_TRIES_MAX: u32 = 100;
const START_PAUSE: Duration = Duration::from_millis(100);

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
    /// Verify an exported audit (NDJSON): every entry follows from the one before.
    VerifyAudit {
        /// The export.
        file: PathBuf,
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
        /// Where lines come in that show something at a reader, as address:port; they come on standard input as well:
        /// "card 5 0 26 AABBCC80", "text 5 0 L1...", "keys 5 0 123456" (address, reader, what).
        #[arg(long)]
        control: Option<String>,
    },
    /// Play an HTTP relay (Shelly, second generation).
    SimulateRelay {
        /// Where to listen, as address:port.
        #[arg(long)]
        listen: String,
        /// The password of its user admin, if it is to have one.
        #[arg(long)]
        password: Option<String>,
    },
    /// Play a panel that calls in (ZKTeco's push protocol).
    SimulatePanel {
        /// The bridge's panels_listen, as http://address:port.
        #[arg(long)]
        call: String,
        /// Its serial number.
        #[arg(long)]
        serial: String,
    },
    /// Play a relay that is switched over MQTT (Tasmota).
    SimulateSwitch {
        /// The broker, as host:port.
        #[arg(long)]
        broker: String,
        /// Its name in its topics: cmnd/NAME/Backlog and stat/NAME/RESULT.
        #[arg(long)]
        name: String,
    },
    /// Play meters on one bus: registers that advance, daily freezes of the past, and failures.
    SimulateMeters {
        /// What they speak: dlt645, cjt188, modbus-rtu, modbus-tcp or mbus.
        #[arg(long)]
        protocol: Protocol,
        /// Where to listen: tcp:127.0.0.1:PORT, or pty:PATH (a link to the pseudo-terminal is made there).
        #[arg(long)]
        listen: Listen,
        /// The address of a meter, as it is written in the bridge's configuration; give several for several meters.
        #[arg(long, required = true)]
        meter: Vec<String>,
        /// The address of a meter that never answers.
        #[arg(long)]
        dead: Vec<String>,
        /// The address of a meter whose first 10 answers have a wrong checksum.
        #[arg(long)]
        wrong_checksum: Vec<String>,
        /// The address of a meter that takes 5 seconds to answer.
        #[arg(long)]
        late: Vec<String>,
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
        Task::Run { config } => run(&config).await,
        Task::VerifyAudit { file } => verify_audit(&file),
        Task::Simulate {
            listen,
            address,
            answer_delay_ms,
            refuse,
            drop_answers,
            corrupt_answers,
            control,
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
                control,
            )
            .await
        }
        Task::SimulateRelay { listen, password } => simulate_relay(&listen, password).await,
        Task::SimulatePanel { call, serial } => simulate_panel(&call, &serial).await,
        Task::SimulateSwitch { broker, name } => simulate_switch(&broker, name).await,
        Task::SimulateMeters {
            protocol,
            listen,
            meter,
            dead,
            wrong_checksum,
            late,
        } => {
            let failures = [
                (dead, Failure::Dead),
                (wrong_checksum, Failure::WrongChecksum(10)),
                (late, Failure::Late(Duration::from_secs(5))),
            ];
            simulate_meters(protocol, &listen, &meter, failures).await
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

/// Runs bridges one after the other: a restart that the site asks for reads the configuration anew.
async fn run(path: &Path) -> Result<()> {
    let mut stopped = Box::pin(stop_signal()?);
    let mut told = false;
    loop {
        let config = Config::load(path)?;
        let sentence = format!(
            "linli-bridge is ready: {} with {} doors on {} lines and {} meters, mqtt://{}:{}",
            config.username(),
            config.doors.len(),
            config.lines.len(),
            config
                .meter_buses
                .iter()
                .map(|bus| bus.meters.len())
                .sum::<usize>(),
            config.broker_host,
            config.broker_port
        );
        let mut bridge = started(config).await?;
        let ready = tokio::select! {
            () = bridge.ready() => true,
            () = &mut stopped => false,
        };
        let again = ready && {
            if !told {
                say(&sentence)?;
                told = true;
            }
            tokio::select! {
                () = &mut stopped => false,
                () = bridge.asked_to_restart() => true,
            }
        };
        tracing::info!(again, "stopping");
        bridge.stop().await;
        if !again {
            return Ok(());
        }
    }
}

/// Starts a bridge; the one before may need a moment to close its file.
async fn started(config: Config) -> Result<Bridge> {
    let mut tries = 0;
    loop {
        match Bridge::start(config.clone(), Clock::System).await {
            Err(error) if tries < START_TRIES_MAX => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "the bridge does not start yet"
                );
                tries += 1;
                tokio::time::sleep(START_PAUSE).await;
            }
            done => return done,
        }
    }
}

fn verify_audit(file: &Path) -> Result<()> {
    let export = File::open(file).with_context(|| format!("opening {}", file.display()))?;
    let verified =
        audit::verify(BufReader::new(export)).with_context(|| file.display().to_string())?;
    say(&match verified.first {
        None => "the export is empty".to_owned(),
        Some(1) => format!("{} entries, whole from the first one on", verified.entries),
        Some(first) => format!("{} entries, whole from entry {first} on", verified.entries),
    })
}

async fn simulate(
    listen: Listen,
    addresses: &[u8],
    behaviour: Behaviour,
    control: Option<String>,
) -> Result<()> {
    let stopped = stop_signal()?;
    let mut controller = Controller::listen(&listen, addresses, behaviour).await?;
    say(&format!(
        "linli-bridge simulate is ready: {} address {addresses:?}",
        controller.port()
    ))?;
    let (shower, typed) = (controller.shower(), controller.shower());
    if let Some(address) = control {
        let listener = TcpListener::bind(&address)
            .await
            .with_context(|| format!("listening on {address}"))?;
        say(&format!(
            "linli-bridge simulate is controlled on {}",
            listener.local_addr()?
        ))?;
        tokio::spawn(control::obey_all(listener, shower));
    }
    control::obey_typed(typed);
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

async fn simulate_relay(listen: &str, password: Option<String>) -> Result<()> {
    let stopped = stop_signal()?;
    let relay = simulator::Relay::listen(listen, password.as_deref(), Behaviour::default()).await?;
    say(&format!(
        "linli-bridge simulate-relay is ready: {}",
        relay.url()
    ))?;
    stopped.await;
    Ok(())
}

async fn simulate_panel(call: &str, serial: &str) -> Result<()> {
    let stopped = stop_signal()?;
    let _panel =
        simulator::Panel::start(call, serial, Duration::from_secs(1), Behaviour::default())?;
    say(&format!(
        "linli-bridge simulate-panel is ready: {serial} calls {call}"
    ))?;
    stopped.await;
    Ok(())
}

async fn simulate_switch(broker: &str, name: String) -> Result<()> {
    let stopped = stop_signal()?;
    let (host, port) = broker
        .rsplit_once(':')
        .context("the broker is not host:port")?;
    let settings = SwitchSettings {
        broker_host: host.to_owned(),
        broker_port: port.parse().context("the broker's port")?,
        name,
    };
    let ready = format!(
        "linli-bridge simulate-switch is ready: {} at {broker}",
        settings.name
    );
    let _switch = simulator::Switch::start(settings, Behaviour::default());
    say(&ready)?;
    stopped.await;
    Ok(())
}

async fn simulate_meters(
    protocol: Protocol,
    listen: &Listen,
    addresses: &[String],
    failures: [(Vec<String>, Failure); 3],
) -> Result<()> {
    let stopped = stop_signal()?;
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let meters = Meters::listen(listen, protocol, &addresses, Clock::System).await?;
    for (failing, failure) in failures {
        for address in failing {
            meters.fail(&address, failure)?;
        }
    }
    say(&format!(
        "linli-bridge simulate-meters is ready: {} {addresses:?}",
        meters.port()
    ))?;
    stopped.await;
    Ok(())
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
