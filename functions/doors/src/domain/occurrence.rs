//! Occurrences: what happens at a door by itself, reported by its gateway.

use kernel::{DeviceId, Message, MessageId, Refusal, Timestamp};
use wire::door::OccurrenceKind;

use super::Door;

/// How far back a device's clock is believed, in milliseconds: 31 days, the time a gateway may be offline.
pub const DEVICE_BEHIND_MS_MAX: i64 = 31 * 24 * 60 * 60 * 1_000;
/// How far ahead a device's clock is believed, in milliseconds: 5 minutes.
pub const DEVICE_AHEAD_MS_MAX: i64 = 5 * 60 * 1_000;

/// Something that happened at a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The message that reported it: a repeated report is the same occurrence.
    pub id: MessageId,
    /// The door.
    pub door: DeviceId,
    /// The gateway that reported it.
    pub gateway: DeviceId,
    /// What happened.
    pub kind: OccurrenceKind,
    /// When, by the device's clock where that is believed, else by ours.
    pub happened_at: Timestamp,
    /// Whether the device's clock was believed.
    pub clock_believed: bool,
    /// When it was reported.
    pub reported_at: Timestamp,
}

/// Takes a report of the door's own gateway.
///
/// # Errors
/// 403 when another gateway speaks.
pub fn report(
    door: &Door,
    message: &wire::Message<wire::door::Occurrence>,
    now: Timestamp,
) -> Result<Occurrence, Refusal> {
    own_gateway(&door.gateway, &message.body.gateway)?;
    let earliest = now.plus_millis(-DEVICE_BEHIND_MS_MAX);
    let latest = now.plus_millis(DEVICE_AHEAD_MS_MAX);
    let clock_believed = (earliest..=latest).contains(&message.at);
    Ok(Occurrence {
        id: message.id.clone(),
        door: door.id.clone(),
        gateway: message.body.gateway.clone(),
        kind: message.body.kind.clone(),
        happened_at: if clock_believed { message.at } else { now },
        clock_believed,
        reported_at: now,
    })
}

/// Only the gateway that speaks for a door at present is believed about it.
pub(super) fn own_gateway(expected: &DeviceId, speaking: &DeviceId) -> Result<(), Refusal> {
    if expected == speaking {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "gateway_foreign",
        Message::new(
            "This gateway does not speak for this door.",
            "该网关不负责这扇门。",
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{at, north_gate};
    use super::*;

    fn message(gateway: &str, device_at: Timestamp) -> wire::Message<wire::door::Occurrence> {
        let gateway = DeviceId::parse(gateway).unwrap();
        let kind = OccurrenceKind::RetainedCommandRefused;
        let body = wire::door::Occurrence { gateway, kind };
        wire::Message {
            id: MessageId::parse("m1").unwrap(),
            at: device_at,
            body,
        }
    }

    #[test]
    fn a_clock_is_believed_within_its_bounds_and_replaced_by_ours_outside() {
        let now = at(DEVICE_BEHIND_MS_MAX * 2);
        for (offset, believed) in [
            (-DEVICE_BEHIND_MS_MAX, true),
            (-DEVICE_BEHIND_MS_MAX - 1, false),
            (DEVICE_AHEAD_MS_MAX, true),
            (DEVICE_AHEAD_MS_MAX + 1, false),
        ] {
            let device_at = now.plus_millis(offset);
            let occurrence = report(&north_gate(), &message("gateway-1", device_at), now).unwrap();
            assert_eq!(occurrence.clock_believed, believed, "{offset}");
            assert_eq!(
                occurrence.happened_at,
                if believed { device_at } else { now }
            );
        }
    }

    #[test]
    fn another_gateway_is_not_believed() {
        let refusal = report(&north_gate(), &message("gateway-2", at(0)), at(0)).unwrap_err();
        assert_eq!(refusal.code, "gateway_foreign");
    }
}
