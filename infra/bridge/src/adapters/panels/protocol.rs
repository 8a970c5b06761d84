//! The words of ZKTeco's push protocol, without any I/O. The panel is the HTTP client: it says what happened, fetches
//! its orders, and says what became of them. It is known by its serial number alone.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use kernel::Timestamp;

use crate::adapters::{Movement, Scan};

/// The event of a card that the panel itself does not know: the one it leaves to us.
const UNKNOWN_CARD: &str = "27";
/// A card shown longer ago opens nothing: panels keep their events while we are not reached, and send them later.
pub const EVENT_AGE_MS_MAX: i64 = 10_000;
/// The longest release of such a panel, in seconds; 255 would be without an end.
const SECONDS_MAX: u32 = 254;

/// What a panel asks or says, as far as it concerns us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `GET /iclock/cdata`: how are we to talk?
    Hello,
    /// `POST /iclock/cdata`: this happened.
    Upload,
    /// `GET /iclock/getrequest`: is there an order?
    Fetch,
    /// `POST /iclock/devicecmd`: this became of an order.
    Result,
    /// `POST /iclock/registry`: may I come? Newer panels ask first.
    Register,
    /// `POST /iclock/push`: how are we to talk? The same question of newer panels.
    Options,
    /// `/iclock/ping`: I am here.
    Ping,
}

impl Endpoint {
    /// The endpoint of a request.
    #[must_use]
    pub fn of(method: &str, path: &str) -> Option<Self> {
        match (method, path) {
            ("GET", "/iclock/cdata") => Some(Self::Hello),
            ("POST", "/iclock/cdata") => Some(Self::Upload),
            ("GET", "/iclock/getrequest") => Some(Self::Fetch),
            ("POST", "/iclock/devicecmd") => Some(Self::Result),
            ("GET" | "POST", "/iclock/registry") => Some(Self::Register),
            ("GET" | "POST", "/iclock/push") => Some(Self::Options),
            ("GET" | "POST", "/iclock/ping") => Some(Self::Ping),
            _ => None,
        }
    }
}

/// One value of a query string; percent signs stay, no value of ours has any.
#[must_use]
pub fn query<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .into_iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// How the panel is to talk: events at once, and a look for orders every second.
#[must_use]
pub fn hello(serial: &str, utc_offset_minutes: i64) -> String {
    format!(
        "GET OPTION FROM: {serial}\nStamp=9999\nOpStamp=9999\nErrorDelay=5\nDelay=1\nTransTimes=00:00\nTransInterval=1\n\
         TransFlag=TransData AttLog OpLog\nTimeZone={}\nRealtime=1\nEncrypt=None\n",
        utc_offset_minutes / 60
    )
}

/// The same for newer panels.
#[must_use]
pub fn options() -> String {
    "ServerVersion=3.1.1\nServerName=Linli\nPushVersion=3.1.1\nErrorDelay=5\nRequestDelay=1\nTransTimes=00:00\n\
     TransInterval=1\nTransTables=User Transaction\nRealtime=1\nTimeoutSec=10\n"
        .into()
}

/// The order for a movement: control an output (01) of a door, its lock (01), for so many seconds; 00 locks, FF
/// keeps unlocked.
#[must_use]
pub fn order(id: u64, door: u8, movement: Movement) -> String {
    let seconds = match movement {
        Movement::Release { for_ms } => for_ms.div_ceil(1_000).clamp(1, SECONDS_MAX),
        Movement::Hold => 0xFF,
        Movement::Restore => 0,
    };
    format!("C:{id}:CONTROL DEVICE 01{door:02X}01{seconds:02X}")
}

/// What became of orders: each with its number and the panel's word, 0 or more for done.
#[must_use]
pub fn results(body: &str) -> Vec<(u64, i64)> {
    let lines = body.lines().map(|line| pairs(line, '&'));
    let read = |pairs: BTreeMap<&str, &str>| {
        Some((
            pairs.get("ID")?.parse().ok()?,
            pairs.get("Return")?.parse().ok()?,
        ))
    };
    lines.filter_map(read).collect()
}

/// The cards of a real-time log that the panel leaves to us, with the number of their door. A card that was shown
/// longer ago than it may be, or at an unreadable time, is none.
#[must_use]
pub fn cards(body: &str, now: Timestamp, utc_offset_minutes: i64) -> Vec<(u8, Scan)> {
    let card = |line: &str| {
        let event = pairs(line, '\t');
        if event.get("event") != Some(&UNKNOWN_CARD) {
            return None;
        }
        let local = NaiveDateTime::parse_from_str(event.get("time")?, "%Y-%m-%d %H:%M:%S").ok()?;
        let shown_at = local.and_utc().timestamp_millis() - utc_offset_minutes * 60_000;
        if (now.millis() - shown_at).abs() > EVENT_AGE_MS_MAX {
            tracing::warn!("a card that was shown at a panel at another time was left alone");
            return None;
        }
        Some((
            event.get("eventaddr")?.parse().ok()?,
            scan(event.get("cardno")?)?,
        ))
    };
    body.lines().filter_map(card).collect()
}

/// A card's number is decimal; a reader that passes on QR codes gives their text.
fn scan(number: &str) -> Option<Scan> {
    match number.parse::<u64>() {
        Ok(0) => None,
        Ok(number) => match u32::try_from(number) {
            Ok(short) => Some(Scan::card(32, &short.to_be_bytes())),
            Err(_) => Some(Scan::card(64, &number.to_be_bytes())),
        },
        Err(_) => Scan::text(number.as_bytes()),
    }
}

fn pairs(line: &str, separator: char) -> BTreeMap<&str, &str> {
    let pairs = line
        .split(separator)
        .filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_order_names_door_lock_and_seconds() {
        let release = |for_ms| order(7, 1, Movement::Release { for_ms });
        assert_eq!(release(3_000), "C:7:CONTROL DEVICE 01010103");
        assert_eq!(release(0), "C:7:CONTROL DEVICE 01010101");
        assert_eq!(
            release(u32::MAX),
            "C:7:CONTROL DEVICE 010101FE",
            "never without an end"
        );
        assert_eq!(order(8, 2, Movement::Hold), "C:8:CONTROL DEVICE 010201FF");
        assert_eq!(
            order(8, 2, Movement::Restore),
            "C:8:CONTROL DEVICE 01020100"
        );
    }

    #[test]
    fn results_are_read_line_by_line() {
        let body = "ID=7&Return=0&CMD=CONTROL DEVICE\nID=8&Return=-1\nnonsense\n";
        assert_eq!(results(body), [(7, 0), (8, -1)]);
    }

    #[test]
    fn only_a_fresh_unknown_card_is_for_us() {
        let now = Timestamp::from_millis(1_700_000_000_000).unwrap();
        // 2023-11-14 22:13:20 UTC is 06:13:20 the next day in Shanghai.
        let line =
            "time=2023-11-15 06:13:19\tpin=0\tcardno=505931040\teventaddr=1\tevent=27\tindex=3";
        let expected = (1, Scan::card(32, &505_931_040_u32.to_be_bytes()));
        assert_eq!(cards(line, now, 480), [expected]);
        assert_eq!(cards(line, now, 0), [], "another time zone");
        assert_eq!(cards(&line.replace("event=27", "event=0"), now, 480), []);
        assert_eq!(cards(line, now.plus_millis(60_000), 480), [], "sent later");
        assert_eq!(cards(&line.replace("505931040", "0"), now, 480), []);
        let text = cards(&line.replace("505931040", "L1.a.b"), now, 480);
        assert_eq!(text, [(1, Scan::Text("L1.a.b".into()))]);
    }

    #[test]
    fn a_query_gives_its_values() {
        assert_eq!(query("SN=ABC&table=rtlog", "table"), Some("rtlog"));
        assert_eq!(query("SN=ABC", "table"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_left(text in "\\PC{0,200}") {
            let _ = (results(&text), query(&text, "SN"));
            let _ = cards(&text, Timestamp::from_millis(0).unwrap(), 480);
        }
    }
}
