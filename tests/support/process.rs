//! A program of ours as a child process: its lines are kept, and shown when the test fails.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::poll::PATIENCE;

/// How many of a program's last lines a failing test shows.
const SHOWN_LINES_MAX: usize = 60;
const PAUSE: Duration = Duration::from_millis(5);

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    written: Condvar,
}

/// A running program. Dropped, it is killed.
pub struct Process {
    name: String,
    child: Child,
    log: Arc<Log>,
    readers: Vec<thread::JoinHandle<()>>,
}

impl Process {
    /// Starts a program of the workspace.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start<Argument: AsRef<OsStr>>(program: &str, arguments: &[Argument]) -> Self {
        let mut command = Command::new(crate::place::binary(program));
        command.args(arguments).current_dir(crate::place::root());
        Self::spawn(program, command)
    }

    /// Starts a command.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(name: &str, mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("starting {name}: {error}"));
        let log = Arc::new(Log::default());
        let mut readers = Vec::new();
        if let Some(stream) = child.stdout.take() {
            readers.push(read(stream, Arc::clone(&log)));
        }
        if let Some(stream) = child.stderr.take() {
            readers.push(read(stream, Arc::clone(&log)));
        }
        Self {
            name: name.to_owned(),
            child,
            log,
            readers,
        }
    }

    /// Waits for a line that holds a text, and returns the line.
    ///
    /// # Panics
    /// When the program ends without it, or none comes in time; with what the program printed.
    pub fn line(&mut self, part: &str) -> String {
        self.line_of(&[part])
    }

    /// Waits for a line that holds one of several texts, and returns the line.
    ///
    /// # Panics
    /// When the program ends without it, or none comes in time; with what the program printed.
    pub fn line_of(&mut self, parts: &[&str]) -> String {
        let deadline = Instant::now() + PATIENCE;
        let find = |log: Vec<String>| {
            log.into_iter()
                .find(|line| parts.iter().any(|part| line.contains(part)))
        };
        loop {
            if let Some(line) = find(self.log()) {
                return line;
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                self.drain();
                let (name, shown) = (&self.name, self.shown());
                return find(self.log()).unwrap_or_else(|| {
                    panic!("{name} ended ({status}) without a line of {parts:?}:\n{shown}")
                });
            }
            assert!(
                Instant::now() < deadline,
                "{} printed no line of {parts:?}:\n{}",
                self.name,
                self.shown()
            );
            let lines = self
                .log
                .lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            drop(
                self.log
                    .written
                    .wait_timeout(lines, Duration::from_millis(50)),
            );
        }
    }

    /// Every line printed so far.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the program without warning, as a power cut would.
    ///
    /// # Panics
    /// When it had ended by itself.
    pub fn kill(&mut self) {
        self.child
            .kill()
            .unwrap_or_else(|error| panic!("killing {}: {error}\n{}", self.name, self.shown()));
        self.child
            .wait()
            .unwrap_or_else(|error| panic!("waiting for {}: {error}", self.name));
    }

    /// Sends a signal by its name: TERM, STOP, CONT.
    ///
    /// # Panics
    /// When there is no such process any more.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args(["-s", signal, &self.id().to_string()])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "sending {signal} to {}:\n{}",
            self.name,
            self.shown()
        );
    }

    /// Waits until the program has ended.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                self.drain();
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "{} does not end:\n{}",
                self.name,
                self.shown()
            );
            thread::sleep(PAUSE);
        }
    }

    /// Whether the program still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The last lines, for a failing test.
    #[must_use]
    pub fn shown(&self) -> String {
        let lines = self.log();
        lines
            .iter()
            .skip(lines.len().saturating_sub(SHOWN_LINES_MAX))
            .map(|line| format!("  {line}\n"))
            .collect()
    }

    fn drain(&mut self) {
        for reader in self.readers.drain(..) {
            drop(reader.join());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!(
                "{} (process {}) printed:\n{}",
                self.name,
                self.id(),
                self.shown()
            );
        }
        // An error here means that it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn read(stream: impl Read + Send + 'static, log: Arc<Log>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            log.lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
            log.written.notify_all();
        }
    })
}
