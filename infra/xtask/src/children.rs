//! Programs that run while a command runs: started, watched for the line that says they are ready, stopped.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::mpsc,
    time,
};

/// How long a program may take to say that it is ready.
pub const READY_SECONDS_MAX: u64 = 60;
/// How long a program may take to end after SIGTERM.
const STOP_SECONDS_MAX: u64 = 15;
/// How many lines of a program are shown when it fails.
const SHOWN_LINES_MAX: usize = 20;

/// A running program.
pub struct Running {
    name: &'static str,
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    /// What it printed last, for when it fails.
    last: Vec<String>,
}

impl Running {
    /// Starts a program; it is killed when this value is dropped. Its errors go to a file, for they are many.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &'static str, mut command: Command) -> Result<Self> {
        // A group of its own: an interrupt at the terminal reaches us, and we stop the children in order.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .process_group(0);
        let mut child = command
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        let (sender, lines) = mpsc::unbounded_channel();
        if let Some(stream) = child.stdout.take() {
            tokio::spawn(read(stream, sender.clone()));
        }
        if let Some(stream) = child.stderr.take() {
            tokio::spawn(read(stream, sender));
        }
        Ok(Self {
            name,
            child,
            lines,
            last: Vec::new(),
        })
    }

    /// Waits for a line that starts so, and returns it.
    ///
    /// # Errors
    /// When the program ends or is silent for too long; the error shows what it printed.
    pub async fn ready(&mut self, start: &str) -> Result<String> {
        let wait = time::timeout(Duration::from_secs(READY_SECONDS_MAX), self.line(start));
        match wait.await {
            Ok(Some(line)) => Ok(line),
            Ok(None) => {
                let status = self
                    .child
                    .wait()
                    .await
                    .with_context(|| format!("waiting for {}", self.name))?;
                bail!("{} ended ({status})\n{}", self.name, self.shown());
            }
            Err(_) => bail!(
                "{} is not ready after {READY_SECONDS_MAX} s\n{}",
                self.name,
                self.shown()
            ),
        }
    }

    async fn line(&mut self, start: &str) -> Option<String> {
        while let Some(line) = self.lines.recv().await {
            if line.starts_with(start) {
                return Some(line);
            }
            self.keep(line);
        }
        None
    }

    fn keep(&mut self, line: String) {
        if self.last.len() >= SHOWN_LINES_MAX {
            self.last.remove(0);
        }
        self.last.push(line);
    }

    fn shown(&self) -> String {
        self.last.join("\n")
    }

    /// Reads on until the program ends by itself, and fails with what it printed.
    ///
    /// # Errors
    /// Always: a program that should run has ended.
    pub async fn ended(&mut self) -> Result<()> {
        while let Some(line) = self.lines.recv().await {
            self.keep(line);
        }
        let status = self
            .child
            .wait()
            .await
            .with_context(|| format!("waiting for {}", self.name))?;
        bail!("{} ended ({status})\n{}", self.name, self.shown())
    }

    /// The process id, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks the program to end, and kills it when it does not.
    pub async fn stop(mut self) {
        let Some(id) = self.child.id() else { return };
        let asked = Command::new("kill").arg(id.to_string()).status().await;
        if let Err(error) = asked {
            eprintln!("xtask: asking {} to end: {error}", self.name);
        }
        if time::timeout(Duration::from_secs(STOP_SECONDS_MAX), self.child.wait())
            .await
            .is_err()
        {
            eprintln!(
                "xtask: {} does not end within {STOP_SECONDS_MAX} s: killing it",
                self.name
            );
            if let Err(error) = self.child.kill().await {
                eprintln!("xtask: killing {}: {error}", self.name);
            }
        }
    }
}

async fn read(stream: impl AsyncRead + Unpin, sender: mpsc::UnboundedSender<String>) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // Nobody waits for lines any more: read on, so that the program never blocks on a full pipe.
        drop(sender.send(line));
    }
}

/// Waits for SIGINT or SIGTERM.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        }
        _ => std::future::pending().await,
    }
}
