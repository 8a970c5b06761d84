//! The gateway's permissions: fetched from the site, verified, kept on disk, and ready for decisions. Never an older one
//! than the last, never another gateway's, and none for longer than it holds: that is `access`'s to say.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use access::Gate;
use anyhow::{Context, Result, bail, ensure};
use kernel::{CommunityId, DeviceId, TenantId, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use wire::pass::PassKey;
use wire::snapshot::{self, Door, SNAPSHOT_MS, Snapshot};

use crate::config::Config;
use crate::files;
use crate::site::Site;

/// The file in the data folder.
pub const FILE_NAME: &str = "snapshot";
/// How often the site is asked although it said nothing.
const ASK_EVERY: Duration = Duration::from_secs(600);
/// The pauses between two tries.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// The permissions; clones share them.
#[derive(Clone)]
pub struct Snapshots(Arc<Shared>);

struct Shared {
    tenant: TenantId,
    gateway: DeviceId,
    path: PathBuf,
    /// The keys of the configuration; without any the keys of the snapshot before are trusted.
    keys: Vec<PassKey>,
    state: RwLock<State>,
    /// Held while the permissions are changed: making them ready takes a moment, in which decisions go on.
    changing: Mutex<()>,
    announced: Notify,
}

struct State {
    gate: Arc<Gate>,
    /// Doors that are held open for a fire, which the snapshot need not know yet.
    held: BTreeSet<DeviceId>,
    announced: Option<(i64, String)>,
}

impl Snapshots {
    /// Reads what an earlier run kept. A file that is no good is left alone and counts as none.
    #[must_use]
    pub fn open(config: &Config) -> Self {
        let shared = Shared {
            tenant: config.tenant.clone(),
            gateway: config.gateway.clone(),
            path: config.data.join(FILE_NAME),
            keys: config.keys.clone(),
            state: RwLock::new(State {
                gate: Arc::new(Gate::new(nothing(config))),
                held: BTreeSet::new(),
                announced: None,
            }),
            changing: Mutex::new(()),
            announced: Notify::new(),
        };
        let this = Self(Arc::new(shared));
        match this.read() {
            Ok(Some(snapshot)) => this.install(snapshot),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the kept snapshot is no good")
            }
        }
        this
    }

    /// What decisions are made with now.
    #[must_use]
    pub fn gate(&self) -> Arc<Gate> {
        let state = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        state.gate.clone()
    }

    /// The version of what decisions are made with; 0 when there is none.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.gate().snapshot().version
    }

    /// The site says that there is a new one.
    pub fn announce(&self, version: i64, sha256: String) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        state.announced = Some((version, sha256));
        drop(state);
        self.0.announced.notify_one();
    }

    /// A door is held open for a fire, or no longer: that is newer than any snapshot we have.
    pub fn hold(&self, door: &DeviceId, held: bool) {
        let _changing = self
            .0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        if held {
            state.held.insert(door.clone());
        } else {
            state.held.remove(door);
        }
        let gate = state.gate.clone();
        drop(state);
        let mut known = gate.snapshot().doors.iter();
        if known.all(|known| known.id != *door || known.released == held) {
            return;
        }
        let mut snapshot = gate.snapshot().clone();
        for known in &mut snapshot.doors {
            if known.id == *door {
                known.released = held;
            }
        }
        self.set(Gate::new(snapshot));
    }

    /// Whether a door is held open.
    #[must_use]
    pub fn is_held(&self, door: &DeviceId) -> bool {
        let state = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        state.held.contains(door)
    }

    /// Takes the bytes of a snapshot: verified, newer than the last one, and on disk before it counts.
    ///
    /// # Errors
    /// Why it is not taken; the last one stays.
    pub fn take(&self, bytes: &[u8]) -> Result<()> {
        let snapshot = self.verified(bytes)?;
        let version = self.version();
        ensure!(
            snapshot.version > version,
            "it has version {}, which is not newer than {version}",
            snapshot.version
        );
        let state = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((announced, sha256)) = &state.announced {
            ensure!(
                *announced != snapshot.version || *sha256 == snapshot::digest(bytes),
                "its bytes are not those that were announced for version {announced}"
            );
        }
        drop(state);
        files::replace(&self.0.path, bytes)?;
        self.install(snapshot);
        Ok(())
    }

    /// Keeps the permissions fresh for ever.
    pub async fn run(self, mut site: Site, mut online: watch::Receiver<bool>) {
        let mut pause = PAUSE_MIN;
        loop {
            let wait = match self.fetch(&mut site).await {
                Ok(()) => {
                    pause = PAUSE_MIN;
                    ASK_EVERY
                }
                Err(error) => {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "the snapshot could not be fetched"
                    );
                    pause = (pause * 2).min(PAUSE_MAX);
                    pause
                }
            };
            let woken = async {
                tokio::select! {
                    () = self.0.announced.notified() => {}
                    // A closed channel means that the bridge is gone; the time-out ends this as well.
                    Ok(()) = online.changed() => {}
                    else => std::future::pending().await,
                }
            };
            // Both a word of the site and the time are reasons to ask.
            let _ = timeout(wait, woken).await;
        }
    }

    async fn fetch(&self, site: &mut Site) -> Result<()> {
        let Some(bytes) = site.snapshot(self.version()).await? else {
            return Ok(());
        };
        // A large one takes a while to verify and to make ready.
        let this = self.clone();
        let taken = tokio::task::spawn_blocking(move || this.take(&bytes)).await?;
        taken.context("the snapshot is refused")?;
        let (version, doors) = (self.version(), self.gate().snapshot().doors.len());
        tracing::info!(version, doors, "a snapshot was taken");
        Ok(())
    }

    fn read(&self) -> Result<Option<Snapshot>> {
        let Some(bytes) = files::read(&self.0.path)? else {
            return Ok(None);
        };
        self.verified(&bytes).map(Some)
    }

    fn verified(&self, bytes: &[u8]) -> Result<Snapshot> {
        let known = match self.0.keys.as_slice() {
            [] => self.gate().snapshot().keys.clone(),
            configured => configured.to_vec(),
        };
        // The first one comes from the site that we gave our password to: its own keys are the ones to trust.
        let keys = if known.is_empty() {
            own_keys(bytes)?
        } else {
            known
        };
        let snapshot = snapshot::verify(bytes, &keys)?;
        let Snapshot {
            tenant, gateway, ..
        } = &snapshot;
        if *tenant != self.0.tenant || *gateway != self.0.gateway {
            bail!("it was made for {tenant}/{gateway}");
        }
        ensure!(
            snapshot.expires_at.millis_since(snapshot.made_at) <= SNAPSHOT_MS,
            "it wants to hold for longer than a day"
        );
        Ok(snapshot)
    }

    fn install(&self, mut snapshot: Snapshot) {
        let _changing = self
            .0
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for door in &mut snapshot.doors {
            door.released |= self.is_held(&door.id);
        }
        self.set(Gate::new(snapshot));
    }

    fn set(&self, gate: Gate) {
        let mut state = self.0.state.write().unwrap_or_else(PoisonError::into_inner);
        state.gate = Arc::new(gate);
    }
}

/// The keys that a snapshot names itself.
fn own_keys(bytes: &[u8]) -> Result<Vec<PassKey>> {
    #[derive(serde::Deserialize)]
    struct Keys {
        keys: Vec<PassKey>,
    }
    let json = bytes
        .splitn(2, |byte| *byte == b'\n')
        .nth(1)
        .context("it is no snapshot")?;
    let keys: Keys = serde_json::from_slice(json).context("it is no snapshot")?;
    Ok(keys.keys)
}

/// The permissions of a gateway that has none: everybody is unknown.
fn nothing(config: &Config) -> Snapshot {
    let door = |door: &crate::config::DoorConfig| Door {
        id: door.id.clone(),
        community: 0,
        direction: snapshot::Direction::Both,
        released: false,
        unlock_ms: door.unlock_ms,
    };
    Snapshot {
        tenant: config.tenant.clone(),
        gateway: config.gateway.clone(),
        version: 0,
        made_at: Timestamp::EPOCH,
        expires_at: Timestamp::EPOCH,
        communities: CommunityId::parse("none").into_iter().collect(),
        doors: config.doors.iter().map(door).collect(),
        groups: Vec::new(),
        members: Vec::new(),
        cards: Vec::new(),
        passes: Vec::new(),
        revoked_passes: Vec::new(),
        keys: Vec::new(),
        short_key: String::new(),
    }
}
