//! What the tests of the adapters share, and what their configuration refuses.

use kernel::Timestamp;
use linli_bridge::adapters::{Failure, LockHandle, Movement, Noticed, Report};
use linli_bridge::clock::Clock;
use linli_bridge::config::Config;
use tokio::sync::mpsc;
use wire::door::OccurrenceKind;

pub const HEAD: &str = "tenant = \"demo\"\ngateway = \"gate-1\"\nbroker = \"127.0.0.1:1\"\npassword = \"x\"\ndata = \"/tmp/x\"\n";
pub const RELEASE: Movement = Movement::Release { for_ms: 3_000 };

fn later(clock: &Clock) -> Timestamp {
    clock.now().plus_millis(5_000)
}

pub struct Tried {
    pub handle: LockHandle,
    pub reported: mpsc::UnboundedReceiver<Report>,
    pub clock: Clock,
    pub output: u8,
}

impl Tried {
    pub async fn carry_out(&self, movement: Movement) -> Result<(), Failure> {
        self.handle
            .carry_out(0, self.output, movement, later(&self.clock))
            .await
    }

    /// Waits until the adapter has found its device, and until it lost it.
    pub async fn until(&mut self, found: bool) {
        loop {
            let report = self.reported.recv().await.unwrap();
            let Noticed::Occurrence(kind) = report.noticed else {
                continue;
            };
            if found == (kind == OccurrenceKind::ControllerFound) {
                return;
            }
        }
    }
}

#[test]
fn a_device_that_cannot_be_is_refused_by_its_name() {
    let switch = "[[switches]]\nid = \"s\"\nbroker = \"b:1\"\ncommand_topic = \"c\"\nrelease_payload = \"{ms}\"\n\
                  state_topic = \"t\"\nopen_value = \"ON\"\nshut_value = \"OFF\"\n[[doors]]\nid = \"d\"\nswitch = \"s\"\n";
    assert!(Config::parse(&format!("{HEAD}{switch}"), None).is_ok());
    for (text, named) in [
        (
            switch.replace("{ms}", "ON"),
            "the switch must end a release by itself",
        ),
        (switch.replace("{ms}", "{ms}{minutes}"), "{minutes}"),
        (
            switch.replace("\"c\"", "\"c/#\""),
            "command_topic must be one topic",
        ),
        (
            switch.replace("\"OFF\"", "\"ON\""),
            "open_value and shut_value are the same",
        ),
        (
            switch.replace("switch = \"s\"", "switch = \"x\""),
            "\"x\", which is not among the switches",
        ),
        (
            switch.replace("switch = \"s\"", "relay = \"s\""),
            "which is not among the relays",
        ),
        (
            switch.replace("switch = \"s\"", "switch = \"s\"\naddress = 5"),
            "address of door d is a line's matter",
        ),
        (
            switch.replace("switch = \"s\"", ""),
            "exactly one line, relay, panel or switch",
        ),
        (
            "[[panels]]\nid = \"p\"\nserial = \"A\"\n".to_owned(),
            "panels_listen does not say",
        ),
        (
            "panels_listen = \"x\"\n".to_owned(),
            "panels_listen must be address:port",
        ),
        (
            "[[relays]]\nid = \"r\"\nurl = \"10.0.0.9\"\n".to_owned(),
            "relay \"r\": url",
        ),
        (format!("site = \"http://x/y\"\n{switch}"), "site"),
    ] {
        let sentence = format!(
            "{:#}",
            Config::parse(&format!("{HEAD}{text}"), None).unwrap_err()
        );
        assert!(sentence.contains(named), "{text} -> {sentence}");
    }
}
