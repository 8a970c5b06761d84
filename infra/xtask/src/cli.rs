//! What can be typed after `cargo xtask`.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser, Subcommand};

use crate::{bench, building, fuzzing, openapi, testing, tidy, up, workspace};

/// The commands of a developer of Linli.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub struct Arguments {
    /// Which one.
    #[command(subcommand)]
    pub command: Command,
}

/// One command.
#[derive(Subcommand)]
pub enum Command {
    /// Build what is missing, and run everything with a demo community.
    Up(up::Options),
    /// Build the components, linli and linli-bridge.
    Build,
    /// Run every check and every test, set-up included.
    Test {
        /// Further arguments for the test runner: a filter, for example.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        runner: Vec<String>,
    },
    /// Bring the database up to date, without starting anything.
    Migrate {
        /// Where: postgres://user:password@host:port/database; without it the SQLite of the data folder.
        #[arg(long)]
        database: Option<String>,
    },
    /// Merge and check the functions' HTTP contracts.
    Openapi {
        /// Where to write the one document.
        #[arg(long, default_value = "target/openapi.yaml")]
        output: PathBuf,
    },
    /// Name what breaks the rules of the tree.
    Tidy,
    /// What continuous integration runs: the same as `test`.
    Ci,
    /// What runs at night: `test`, and then `fuzz`.
    Nightly,
    /// Feed arbitrary bytes to every protocol of meters, each for a while.
    Fuzz {
        /// For how many seconds each.
        #[arg(long, default_value_t = fuzzing::SECONDS)]
        seconds: u32,
    },
    /// Measure, and print one table.
    Bench {
        /// Only these parts.
        parts: Vec<bench::Part>,
    },
    /// The native half of the benchmark's comparison.
    #[command(hide = true)]
    BenchNative {
        /// Where to listen.
        address: SocketAddr,
    },
}

/// The commands as clap sees them, for the test of the README.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs a command to its end.
///
/// # Errors
/// When it fails; the message is for people.
pub fn run(command: Command) -> Result<()> {
    match command {
        Command::Up(options) => wait(up::run(&options)),
        Command::Bench { parts } => wait(bench::parts(&parts)),
        Command::BenchNative { address } => wait(bench::serve_native(address)),
        Command::Build => building::everything(),
        Command::Test { runner } => testing::everything(&runner),
        Command::Ci => testing::everything(&[]),
        Command::Nightly => testing::everything(&[]).and_then(|()| fuzzing::run(fuzzing::SECONDS)),
        Command::Fuzz { seconds } => fuzzing::run(seconds),
        Command::Migrate { database } => migrate(database.as_deref()),
        Command::Openapi { output } => {
            let merged = openapi::write(&workspace::root(), &workspace::root().join(&output))?;
            println!("{}: {}", output.display(), merged.summary());
            Ok(())
        }
        Command::Tidy => {
            println!("{}", tidy::check(&workspace::root())?);
            Ok(())
        }
    }
}

fn wait(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.context("starting the runtime")?.block_on(work)
}

fn migrate(database: Option<&str>) -> Result<()> {
    building::programs()?;
    let mut command = std::process::Command::new(workspace::binary("linli"));
    command.arg("migrate").current_dir(workspace::root());
    if let Some(url) = database {
        command.args(["--database", url]);
    }
    workspace::run(&mut command)
}
