//! The commands: `up` runs the application, `compile` prepares its start, `migrate` brings a database up to date, `check` reads
//! the manifest, `ledger` looks at the books.

use std::{
    env,
    path::PathBuf,
    process::{self, Stdio},
};

use anyhow::{Context, Result};
use clap::{Args, Parser};
use futures_util::future::BoxFuture;
use linli_host::{
    application,
    cron::Schedule,
    logs,
    manifest::Manifest,
    migrations,
    options::{Folders, ManifestOption, UpOptions},
    router::Router,
    up,
};
use tokio::runtime::Handle;

use crate::ledger::{self, LedgerCommand};

/// Runs the functions of a spin.toml on this machine.
#[derive(Debug, Parser)]
#[command(name = "linli", version)]
pub enum Command {
    /// Migrates the database, then runs everything until SIGTERM or SIGINT.
    Up(UpOptions),
    /// Compiles the components, so that `up` starts at once.
    Compile(CompileOptions),
    /// Applies the migrations that a database lacks.
    Migrate(MigrateOptions),
    /// Reads and checks the manifest.
    Check(ManifestOption),
    /// Looks at the books.
    #[command(subcommand)]
    Ledger(LedgerCommand),
}

/// What `compile` is told.
#[derive(Debug, Clone, Args)]
pub struct CompileOptions {
    /// The manifest.
    #[command(flatten)]
    pub manifest: ManifestOption,
    /// Where things are kept.
    #[command(flatten)]
    pub folders: Folders,
}

/// What `migrate` is told.
#[derive(Debug, Clone, Args)]
pub struct MigrateOptions {
    /// The manifest.
    #[command(flatten)]
    pub manifest: ManifestOption,
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseOptions,
}

/// Which database.
#[derive(Debug, Clone, Args)]
pub struct DatabaseOptions {
    /// The database: `postgres://user:password@host:port/name`, or `sqlite:PATH`. Without it, the database that
    /// `up` would use.
    #[arg(long, env = "SPIN_VARIABLE_DATABASE_URL")]
    pub database: Option<String>,
    /// The folder of everything that is kept.
    #[arg(long, env = "LINLI_DATA", default_value = ".linli")]
    pub data: PathBuf,
}

impl DatabaseOptions {
    /// The URL of the database; the folder of an embedded one is made.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn url(&self) -> Result<String> {
        match self.database.as_ref().filter(|url| !url.is_empty()) {
            Some(url) => Ok(url.clone()),
            None => {
                up::make_folder(&self.data)?;
                Ok(migrations::embedded_database(&self.data))
            }
        }
    }
}

/// Runs a command to its end.
///
/// # Errors
/// Whatever keeps it from its work, in one sentence for the person who started it.
pub fn run(command: Command) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the threads")?;
    match command {
        Command::Up(options) => {
            logs::start(&options.log)
                .with_context(|| format!("LINLI_LOG: {:?} is not a filter", options.log))?;
            compile_apart(&options);
            runtime.block_on(up::up(options, apply))
        }
        Command::Compile(options) => compile(&options),
        Command::Migrate(options) => runtime.block_on(migrate(options)),
        Command::Check(option) => check(&option),
        Command::Ledger(command) => runtime.block_on(ledger::run(command)),
    }
}

fn compile(options: &CompileOptions) -> Result<()> {
    let manifest = Manifest::read(&options.manifest.manifest)?;
    up::make_folder(&options.folders.data)?;
    let cache = options.folders.compiled();
    let count = application::compile(&manifest, &cache)?;
    println!("{count} components compiled in {}", cache.display());
    Ok(())
}

/// Has a process of its own compile what the cache lacks: a compiler takes some 200 MB, which only the end of its process gives
/// back. What goes wrong with it is not said here: `up` meets it again, and says it.
fn compile_apart(options: &UpOptions) {
    let Ok(program) = env::current_exe() else {
        return;
    };
    let mut command = process::Command::new(program);
    command.arg("compile");
    command.arg("--manifest").arg(&options.manifest.manifest);
    command.arg("--data").arg(&options.folders.data);
    command.arg("--cache").arg(options.folders.compiled());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _compiled_or_not = command.status();
}

async fn migrate(options: MigrateOptions) -> Result<()> {
    let manifest = Manifest::read(&options.manifest.manifest)?;
    let url = options.database.url()?;
    let applied = migrations::apply(&manifest, &url, apply).await?;
    for file in &applied {
        println!("applied {file}");
    }
    println!("{} migrations applied", applied.len());
    Ok(())
}

fn check(option: &ManifestOption) -> Result<()> {
    let manifest = Manifest::read(&option.manifest)?;
    let routes = manifest
        .http
        .iter()
        .filter_map(|trigger| trigger.route.clone());
    Router::new(routes.map(|route| (route, ())))?;
    for trigger in &manifest.cron_triggers {
        Schedule::parse(&trigger.expression)?;
    }
    println!(
        "{}: {} components, {} HTTP, {} MQTT and {} cron triggers",
        manifest.name,
        manifest.components.len(),
        manifest.http.len(),
        manifest.mqtt_triggers.len(),
        manifest.cron_triggers.len()
    );
    Ok(())
}

/// Applies folders of migrations with what the functions themselves store with, on a thread that may block: the compiler
/// cannot show that this future may move between threads.
fn apply(url: String, folders: Vec<(String, PathBuf)>) -> BoxFuture<'static, Result<Vec<String>>> {
    let migrate = move || {
        let folders: Vec<(&str, PathBuf)> = folders
            .iter()
            .map(|(name, folder)| (name.as_str(), folder.clone()))
            .collect();
        Handle::current().block_on(store::migrate(&url, &folders))
    };
    Box::pin(async { tokio::task::spawn_blocking(migrate).await? })
}
