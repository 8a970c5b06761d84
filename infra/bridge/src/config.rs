//! `bridge.toml`: who the gateway is, where the broker is, and which door hangs on which line.
//!
//! ```toml
//! tenant = "demo"
//! gateway = "gate-1"
//! broker = "127.0.0.1:1883"
//! password_file = "/etc/linli/bridge.password"   # or password = "...", or LINLI_BRIDGE_PASSWORD
//! data = "/var/lib/linli-bridge"
//!
//! [[lines]]
//! id = "rs485-1"
//! port = "serial:/dev/ttyUSB0"                   # or "tcp:10.0.0.7:4001"
//! baud = 9600
//!
//! [[doors]]
//! id = "north-gate"
//! line = "rs485-1"
//! address = 5
//! output = 0
//! unlock_ms = 3000
//! reader = 0                                     # the controller's reader at this door; usually the output's number
//!
//! [[relays]]                                     # an HTTP relay (Shelly, second generation)
//! id = "garage-relay"
//! url = "http://10.0.0.9"
//! password = "..."                               # when it asks for one
//!
//! [[doors]]
//! id = "garage"
//! relay = "garage-relay"
//! output = 0
//! ```
//!
//! `site = "https://..."` says where permissions come from; without it doors open by command only.
//! `keys = ["1a2b3c4d:BASE64URL"]` pins the public keys that these are signed with. Panels that call in
//! (`panels_listen`, `[[panels]]`, doors with `panel`) and switches behind an MQTT broker (`[[switches]]`, doors with
//! `switch`) are described in `src/config/devices.rs`, meters (`[[meter_buses]]`, `[[meters]]`) in
//! `src/config/meters.rs`.

mod asked;
mod devices;
mod file;
mod meters;
mod port;

pub use asked::{Asked, Authority, MeterConfig};
pub use devices::{PanelConfig, PanelsConfig, RelayConfig, SwitchConfig};
pub use meters::{METERS_MAX, MeterBusConfig, Protocol};
pub use port::{BAUD_DEFAULT, Parity, Port};

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kernel::{DeviceId, TenantId};

use wire::pass::PassKey;

use crate::http::Url;

/// The environment variable that holds the password when the file names none.
pub const PASSWORD_VARIABLE: &str = "LINLI_BRIDGE_PASSWORD";
/// The most lines, relays, panels and switches of one gateway, together.
pub const ADAPTERS_MAX: usize = 128;
/// The most doors of one gateway.
pub const DOORS_MAX: usize = 256;
/// The longest time a lock is released at once, in milliseconds.
pub const UNLOCK_MS_MAX: u32 = 600_000;
/// The highest OSDP address of one device; 127 is the broadcast.
pub const OSDP_ADDRESS_MAX: u8 = 126;
/// The highest number of messages the spool may be allowed to keep.
pub const SPOOL_MESSAGES_MAX: u64 = 10_000_000;

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The tenant that owns the gateway.
    pub tenant: TenantId,
    /// The gateway itself.
    pub gateway: DeviceId,
    /// The broker's host name or address.
    pub broker_host: String,
    /// The broker's port.
    pub broker_port: u16,
    /// The gateway's password; the user name is `{tenant}/{gateway}`.
    pub password: Password,
    /// Where the spool is kept.
    pub data: PathBuf,
    /// How much the spool keeps.
    pub spool: SpoolLimits,
    /// Where permissions come from; without it doors open by command only.
    pub site: Option<Url>,
    /// The public keys that snapshots are signed with; without any those of the snapshot before are trusted.
    pub keys: Vec<PassKey>,
    /// The lines.
    pub lines: Vec<LineConfig>,
    /// The HTTP relays.
    pub relays: Vec<RelayConfig>,
    /// The panels that call in.
    pub panels: Option<PanelsConfig>,
    /// The switches behind an MQTT broker.
    pub switches: Vec<SwitchConfig>,
    /// The doors; at least one when there are no meters.
    pub doors: Vec<DoorConfig>,
    /// The buses with their meters.
    pub meter_buses: Vec<MeterBusConfig>,
}

/// A password that never shows in a log.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Wraps the password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password itself, for the CONNECT packet.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(..)")
    }
}

/// How much the spool keeps before occurrences are dropped and commands are left alone.
#[derive(Debug, Clone, Copy)]
pub struct SpoolLimits {
    /// The most messages.
    pub messages_max: u64,
    /// The most payload bytes.
    pub bytes_max: u64,
}

impl Default for SpoolLimits {
    fn default() -> Self {
        Self {
            messages_max: 100_000,
            bytes_max: 256 * 1024 * 1024,
        }
    }
}

/// One line of devices, and how it is spoken on.
#[derive(Debug, Clone)]
pub struct LineConfig {
    /// Its name in the log, and in `doors`.
    pub id: String,
    /// Where it is.
    pub port: Port,
    /// The pause between two polls of one device.
    pub poll: Duration,
    /// How long a device may take to answer.
    pub reply_timeout: Duration,
    /// Silence of this length makes a controller lost.
    pub lost_after: Duration,
}

/// One door, and the output that releases its lock.
#[derive(Debug, Clone)]
pub struct DoorConfig {
    /// The door.
    pub id: DeviceId,
    /// The line, relay, panel or switch that moves its lock.
    pub adapter: String,
    /// The controller's OSDP address, 0 to 126; 0 where there is no line.
    pub address: u8,
    /// The output that releases the lock; a panel's number of the door.
    pub output: u8,
    /// The number of the reader at the door.
    pub reader: u8,
    /// How long the lock is released when a command says 0, in milliseconds.
    pub unlock_ms: u32,
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// A sentence that names the file, and the key or value that cannot be.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text, std::env::var(PASSWORD_VARIABLE).ok())
            .with_context(|| format!("{} is refused", path.display()))
    }

    /// Checks the text of the file; `password` is what the environment says.
    ///
    /// # Errors
    /// A sentence that names the key or value that cannot be.
    pub fn parse(text: &str, password: Option<String>) -> Result<Self> {
        file::parse(text, password)
    }

    /// The name the gateway connects with.
    #[must_use]
    pub fn username(&self) -> String {
        format!("{}/{}", self.tenant, self.gateway)
    }
}

fn host_and_port(text: &str) -> Result<(String, u16)> {
    let (host, port) = text
        .rsplit_once(':')
        .with_context(|| format!("{text:?} is not host:port"))?;
    let port: u16 = port
        .parse()
        .ok()
        .filter(|port| *port != 0)
        .with_context(|| format!("{text:?} has no port from 1 to 65535"))?;
    ensure!(!host.is_empty(), "{text:?} has no host");
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        tenant = "demo"
        gateway = "gate-1"
        broker = "127.0.0.1:1883"
        password = "secret"
        data = "/tmp/x"
        [[lines]]
        id = "l1"
        port = "serial:/dev/ttyUSB0"
        baud = 115200
        [[doors]]
        id = "d1"
        line = "l1"
        address = 5
        output = 0
    "#;

    fn refusal(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "{from:?} is not in the example");
        format!(
            "{:#}",
            Config::parse(&GOOD.replace(from, to), None).unwrap_err()
        )
    }

    #[test]
    fn a_good_file_is_read_with_the_usual_values() {
        let config = Config::parse(GOOD, None).unwrap();
        assert_eq!(config.username(), "demo/gate-1");
        assert_eq!(
            config.lines[0].port,
            Port::Serial {
                parity: Parity::None,
                path: "/dev/ttyUSB0".into(),
                baud: 115_200
            }
        );
        assert_eq!(config.lines[0].poll, Duration::from_millis(200));
        assert_eq!(config.doors[0].unlock_ms, 3_000);
        assert_eq!(config.spool.messages_max, 100_000);
    }

    #[test]
    fn an_unknown_key_is_refused_by_its_name() {
        assert!(refusal("baud", "bauds").contains("bauds"));
        assert!(refusal("tenant = \"demo\"", "tenant = \"demo\"\ncolour = 1").contains("colour"));
        assert!(refusal("output", "colour = 1\noutput").contains("colour"));
    }

    #[test]
    fn an_impossible_value_is_refused_by_its_name() {
        for (from, to, named) in [
            (
                "address = 5",
                "address = 127",
                "address of door d1 must be 0 to 126, not 127",
            ),
            ("address = 5", "address = 300", "300"),
            ("115200", "3", "baud of line"),
            ("serial:/dev/ttyUSB0", "usb0", "\"usb0\" is no port"),
            (
                "serial:/dev/ttyUSB0",
                "tcp:10.0.0.7:0",
                "no port from 1 to 65535",
            ),
            (
                "serial:/dev/ttyUSB0",
                "tcp:10.0.0.7:4001",
                "baud is the serial server's matter",
            ),
            (
                "line = \"l1\"",
                "line = \"l2\"",
                "\"l2\", which is not among",
            ),
            (
                "output = 0",
                "output = 0\nunlock_ms = 0",
                "unlock_ms of door d1",
            ),
            ("127.0.0.1:1883", "127.0.0.1", "broker"),
            ("\"demo\"", "\"de/mo\"", "an id has 1 to 64"),
            ("password = \"secret\"", "", "LINLI_BRIDGE_PASSWORD"),
            (
                "password = \"secret\"",
                "password_file = \"/does/not/exist\"",
                "/does/not/exist",
            ),
        ] {
            let sentence = refusal(from, to);
            assert!(sentence.contains(named), "{to:?} -> {sentence}");
        }
    }

    #[test]
    fn two_doors_on_one_output_are_refused() {
        let door = "[[doors]]\nid = \"d2\"\nline = \"l1\"\naddress = 5\noutput = 0\n";
        let sentence = format!(
            "{:#}",
            Config::parse(&format!("{GOOD}{door}"), None).unwrap_err()
        );
        assert!(
            sentence.contains("the same device, address and output: l1, 5 and 0"),
            "{sentence}"
        );
        assert!(
            Config::parse(
                &format!("{GOOD}{}", door.replace("output = 0", "output = 1")),
                None
            )
            .is_ok()
        );
    }

    #[test]
    fn the_environment_gives_the_password_that_the_file_does_not() {
        let text = GOOD.replace("password = \"secret\"", "");
        assert_eq!(
            Config::parse(&text, Some("from outside".into()))
                .unwrap()
                .password
                .reveal(),
            "from outside"
        );
        assert_eq!(format!("{:?}", Password::new("secret")), "Password(..)");
    }
}
