//! `cargo xtask test`: everything that a change has to pass, set-up included, with a summary at the end.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
    sync::Arc,
    thread,
};

use anyhow::{Context, Result, bail};

use crate::{
    building, openapi,
    postgres::{self, Postgres},
    tidy, workspace,
};

/// What a step came to.
struct Step {
    name: &'static str,
    outcome: Result<String>,
}

/// Runs every check and every test; all of them even when one fails, so that one run shows everything.
///
/// # Errors
/// When any of them failed, naming them.
pub fn everything(runner_arguments: &[String]) -> Result<()> {
    let postgres = Postgres::start().map(Arc::new);
    if let Ok(postgres) = &postgres {
        stop_on_signal(Arc::clone(postgres))?;
    }
    let clients = mosquitto_clients();
    let steps = [
        step("build", || {
            building::with_components(&building::FIXTURES)
                .and_then(|()| building::compile_components())
                .map(|()| "ok".to_owned())
        }),
        step("format", || {
            workspace::run(&mut workspace::cargo(&["fmt", "--all", "--check"]))
                .map(|()| "ok".to_owned())
        }),
        step("clippy", clippy),
        step("tidy", || tidy::check(&workspace::root())),
        step("openapi", || {
            openapi::merge(&workspace::root()).map(|merged| merged.summary())
        }),
        step("tests", || {
            tests(runner_arguments, postgres.as_deref().ok())
        }),
    ];
    if let Ok(postgres) = &postgres {
        postgres.stop();
    }
    summary(&steps, &postgres, &clients)
}

fn step(name: &'static str, work: impl FnOnce() -> Result<String>) -> Step {
    println!("xtask: {name}");
    let outcome = work();
    if let Err(error) = &outcome {
        eprintln!("xtask: {name}: {error:#}");
    }
    Step { name, outcome }
}

fn clippy() -> Result<String> {
    workspace::run(&mut workspace::cargo(&[
        "clippy",
        "--release",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    // What only components contain is not compiled natively.
    let packages = workspace::component_packages()?;
    let mut packages: Vec<&str> = packages.iter().map(String::as_str).collect();
    packages.extend(building::FIXTURES);
    workspace::run(
        building::component_command("clippy", &packages).args(["--", "-D", "warnings"]),
    )?;
    Ok("ok".to_owned())
}

fn tests(runner_arguments: &[String], postgres: Option<&Postgres>) -> Result<String> {
    let has_nextest = workspace::output(&mut workspace::cargo(&["nextest", "--version"])).is_ok();
    let mut command = if has_nextest {
        workspace::cargo(&[
            "nextest",
            "run",
            "--release",
            "--workspace",
            "--no-fail-fast",
        ])
    } else {
        workspace::cargo(&[
            "test",
            "--release",
            "--workspace",
            "--all-targets",
            "--no-fail-fast",
        ])
    };
    command.args(runner_arguments);
    match postgres {
        Some(postgres) => command.env(postgres::URL_VARIABLE, &postgres.url),
        None => command.env_remove(postgres::URL_VARIABLE),
    };
    let closing = run_and_keep_closing_lines(&mut command)?;
    Ok(closing.join("\n  "))
}

/// Runs the test runner with its output on ours, and keeps the lines in which it sums up.
fn run_and_keep_closing_lines(command: &mut Command) -> Result<Vec<String>> {
    let shown = workspace::shown(command);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting `{shown}`"))?;
    let error = child
        .stderr
        .take()
        .map(|stream| thread::spawn(move || forward(stream)));
    let mut lines = child.stdout.take().map(forward).unwrap_or_default();
    lines.extend(
        error
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default(),
    );
    let status = child.wait()?;
    if !status.success() {
        bail!("`{shown}` failed ({status})\n  {}", lines.join("\n  "));
    }
    Ok(lines)
}

fn forward(stream: impl Read) -> Vec<String> {
    let mut closing = Vec::new();
    for line in BufReader::new(stream)
        .lines()
        .map_while(std::io::Result::ok)
    {
        println!("{line}");
        let sums_up = ["Summary [", "test result:", "skipped: "]
            .iter()
            .any(|start| line.trim_start().starts_with(start));
        if sums_up {
            closing.push(line.trim().to_owned());
        }
    }
    closing
}

fn summary(steps: &[Step], postgres: &Result<Arc<Postgres>>, clients: &Result<()>) -> Result<()> {
    println!("\nxtask: summary");
    match postgres {
        Ok(postgres) => println!("  engines: SQLite, {}", postgres.version),
        Err(error) => println!("  engines: SQLite ONLY; 1 ENGINE SKIPPED: {error:#}"),
    }
    if let Err(error) = clients {
        println!("  mosquitto_sub: SKIPPED 1: {error:#}");
    }
    for Step { name, outcome } in steps {
        match outcome {
            Ok(closing) => println!("  {name}: {closing}"),
            Err(error) => println!("  {name}: FAILED: {error:#}"),
        }
    }
    let failed: Vec<&str> = steps
        .iter()
        .filter(|step| step.outcome.is_err())
        .map(|step| step.name)
        .collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// The tests look at the broker with Debian's own client.
fn mosquitto_clients() -> Result<()> {
    if workspace::is_installed("mosquitto_sub") {
        return Ok(());
    }
    println!("xtask: installing mosquitto-clients");
    workspace::install(&["mosquitto-clients"])
}

fn stop_on_signal(postgres: Arc<Postgres>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("waiting for signals")?;
    thread::spawn(move || {
        runtime.block_on(crate::children::stop_signal());
        postgres.stop();
        // The conventional status of a program that an interrupt ended.
        std::process::exit(130);
    });
    Ok(())
}
