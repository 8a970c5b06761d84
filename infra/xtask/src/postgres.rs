//! A PostgreSQL of the tests' own: found or installed, made in a temporary folder, stopped when dropped.

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// The variable that tells tests where PostgreSQL is; without it they skip that engine, loudly.
pub const URL_VARIABLE: &str = "LINLI_TEST_POSTGRES";

const ROLE: &str = "linli";
const DATABASE: &str = "postgres";
/// Each test may hold several connections, and as many tests run at once as there are cores.
const CONNECTIONS_MAX: u32 = 200;

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    /// How clients reach it.
    pub url: String,
    /// What it calls itself, for the summary.
    pub version: String,
    programs: PathBuf,
    folder: PathBuf,
    user: Option<String>,
}

impl Postgres {
    /// Starts a server on a free port.
    ///
    /// # Errors
    /// When there is none and none can be installed, or it does not start.
    pub fn start() -> Result<Self> {
        let programs = find_or_install()?;
        let user = unprivileged_user()?;
        let folder = env::temp_dir().join(format!("linli-postgres-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        if let Some(user) = &user {
            workspace::run(Command::new("chown").arg(user).arg(&folder))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")
            .context("looking for a free port")?
            .local_addr()?
            .port();
        let server = Self {
            url: format!("postgres://{ROLE}@127.0.0.1:{port}/{DATABASE}"),
            version: workspace::output(Command::new(programs.join("postgres")).arg("--version"))?
                .trim()
                .to_owned(),
            programs,
            folder,
            user,
        };
        server.initialise(port).inspect_err(|_| server.stop())?;
        Ok(server)
    }

    fn initialise(&self, port: u16) -> Result<()> {
        let data = self.folder.join("data");
        let mut initdb = self.command("initdb");
        initdb.arg("-D").arg(&data).args([
            "-U",
            ROLE,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        workspace::output(&mut initdb).context("making a PostgreSQL cluster")?;
        // What a test database loses at a power cut is lost anyway: no fsync, so that the disk is not the measure.
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off \
             -c full_page_writes=off -c max_connections={CONNECTIONS_MAX}",
            self.folder.display()
        );
        let log = self.folder.join("log");
        let mut start = self.command("pg_ctl");
        start
            .arg("-D")
            .arg(&data)
            .arg("-l")
            .arg(&log)
            .args(["-w", "-t", "30", "-o", &options, "start"]);
        // Not `output`: the server inherits the pipes, and reading them to their end would wait for ever.
        start.stdout(std::process::Stdio::null());
        workspace::run(&mut start).with_context(|| {
            format!(
                "starting PostgreSQL; its log: {}",
                fs::read_to_string(&log).unwrap_or_default()
            )
        })
    }

    /// Stops the server and removes its folder; a second call does nothing.
    pub fn stop(&self) {
        let data = self.folder.join("data");
        if data.join("postmaster.pid").exists()
            && let Err(error) =
                workspace::output(self.command("pg_ctl").arg("-D").arg(&data).args([
                    "-m",
                    "immediate",
                    "-w",
                    "stop",
                ]))
        {
            eprintln!("xtask: {error:#}");
        }
        if self.folder.exists()
            && let Err(error) = fs::remove_dir_all(&self.folder)
        {
            eprintln!("xtask: removing {}: {error}", self.folder.display());
        }
    }

    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = match &self.user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(path);
                command
            }
            None => Command::new(path),
        };
        command.current_dir(&self.folder);
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

fn find_or_install() -> Result<PathBuf> {
    if let Some(folder) = find() {
        return Ok(folder);
    }
    println!("xtask: installing PostgreSQL");
    workspace::install(&["postgresql"]).context("PostgreSQL is not installed")?;
    find().context("apt-get installed PostgreSQL, but no initdb is to be found")
}

fn find() -> Option<PathBuf> {
    let mut further: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    further.sort();
    further.reverse();
    let has_all = |folder: &Path| {
        ["initdb", "pg_ctl", "postgres"]
            .iter()
            .all(|program| folder.join(program).is_file())
    };
    workspace::find_program("initdb", &further)?
        .parent()
        .filter(|folder| has_all(folder))
        .map(Path::to_owned)
        .or_else(|| further.into_iter().find(|folder| has_all(folder)))
}

/// PostgreSQL refuses to run as root: then somebody else runs it.
fn unprivileged_user() -> Result<Option<String>> {
    if !workspace::is_root() {
        return Ok(None);
    }
    for user in ["postgres", "nobody"] {
        if workspace::output(Command::new("id").args(["-u", user])).is_ok() {
            return Ok(Some(user.to_owned()));
        }
    }
    bail!("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_answers_until_it_is_stopped_and_leaves_nothing() {
        if find().is_none() {
            eprintln!("skipped: 1 test needs PostgreSQL");
            return;
        }
        let server = Postgres::start().unwrap();
        let further = [server.programs.clone()];
        let psql = workspace::find_program("psql", &further).unwrap();
        let asked =
            |url: &str| workspace::output(Command::new(&psql).args([url, "-Atc", "select 6 * 7"]));
        assert_eq!(asked(&server.url).unwrap().trim(), "42");
        assert!(server.version.contains("PostgreSQL"), "{}", server.version);
        server.stop();
        assert!(asked(&server.url).is_err());
        assert!(!server.folder.exists());
    }
}
