//! What meters record: meters, what was read, what is wrong, and the usage of closed months.
//!
//! Quantities are in thousandths of the commodity's unit ([`kernel::Commodity::unit`]), after the meter's multiplier.

use kernel::{
    ActorId, Commodity, CommunityId, DeviceId, MeterAlarmId, MeterId, MeterUnit, ReadingId,
    RechargeId, RoomId, SwitchingId, TimeBand, Timestamp, UsageId,
};

/// What of a month's usage fell into one band of the day.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BandUsage {
    /// The band.
    pub name: TimeBand,
    /// How much.
    pub quantity_milli: i64,
}

events! {
    /// A meter's usage of one month is known, or known better: a later revision replaces the earlier.
    UsageClosed = "usage.closed", awaited {
        /// The usage; the same in every revision. Unique by meter, period and who used it.
        usage: UsageId,
        /// The meter.
        meter: MeterId,
        /// What it measures.
        commodity: Commodity,
        /// The community.
        community: CommunityId,
        /// The room that used it, unless it is a common area.
        room: Option<RoomId>,
        /// The common area that used it, unless it is a room: `大堂`.
        area: Option<String>,
        /// The month in the community's zone: `2026-10`.
        period: String,
        /// From when on the usage is counted.
        from: Timestamp,
        /// The first moment that is no longer counted.
        until: Timestamp,
        /// How much was used.
        quantity_milli: i64,
        /// The unit of the quantity.
        unit: MeterUnit,
        /// The same by band of the day; empty when the meter does not tell bands. Sums to the quantity.
        bands: Vec<BandUsage>,
        /// Whether a part of it was estimated.
        estimated: bool,
        /// 1, 2, 3 ...: later ones replace earlier ones.
        revision: u32,
        /// What the register showed at `from`, in thousandths of the unit, before the multiplier.
        register_from_milli: i64,
        /// What the register showed at `until`; below `register_from_milli` after a rollover or replacement.
        register_until_milli: i64,
    }
    /// A meter was entered into the register.
    MeterRegistered = "meter.registered" {
        /// The meter.
        meter: MeterId,
        /// What it measures.
        commodity: Commodity,
        /// Where it is.
        community: CommunityId,
        /// The room whose usage it measures now, unless it is a common area's.
        room: Option<RoomId>,
        /// Who entered it.
        actor: ActorId,
    }
    /// A meter's entry has other content.
    MeterChanged = "meter.changed" {
        /// The meter.
        meter: MeterId,
        /// The community.
        community: CommunityId,
        /// Its version after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A meter measures for another room or area from a moment on.
    MeterBound = "meter.bound" {
        /// The meter.
        meter: MeterId,
        /// The community.
        community: CommunityId,
        /// The room, unless it is a common area.
        room: Option<RoomId>,
        /// The common area, unless it is a room.
        area: Option<String>,
        /// From when on.
        from: Timestamp,
        /// Who bound it.
        actor: ActorId,
    }
    /// The device behind a meter was replaced: the old register is closed, the new one opened.
    MeterReplaced = "meter.replaced" {
        /// The meter.
        meter: MeterId,
        /// The community.
        community: CommunityId,
        /// When.
        at: Timestamp,
        /// What the old register showed at the end.
        closing_milli: i64,
        /// What the new register showed at the start.
        opening_milli: i64,
        /// Why.
        reason: String,
        /// Who replaced it.
        actor: ActorId,
    }
    /// A meter was taken down for good: its register is closed, and no other follows.
    MeterRemoved = "meter.removed" {
        /// The meter.
        meter: MeterId,
        /// The community.
        community: CommunityId,
        /// When.
        at: Timestamp,
        /// What its register showed at the end.
        closing_milli: i64,
        /// Why.
        reason: String,
        /// Who removed it.
        actor: ActorId,
    }
    /// A reading was held back for review: it does not count until somebody decides.
    ReadingQuarantined = "reading.quarantined" {
        /// The reading.
        reading: ReadingId,
        /// The meter.
        meter: MeterId,
        /// The community.
        community: CommunityId,
        /// The stable code of the reason: `backwards`, `spike` ...
        reason: String,
    }
    /// Somebody decided about a reading: accepted, rejected or edited it.
    ReadingReviewed = "reading.reviewed" {
        /// The reading.
        reading: ReadingId,
        /// The meter.
        meter: MeterId,
        /// The community.
        community: CommunityId,
        /// `accepted`, `rejected` or `edited`.
        decision: String,
        /// What the register is taken to have shown, unless the reading was rejected.
        register_milli: Option<i64>,
        /// Why.
        reason: Option<String>,
        /// Who decided.
        actor: ActorId,
    }
    /// Somebody asked for a room's supply to be cut or restored.
    SwitchingRequested = "meter.switching_requested" {
        /// The request.
        switching: SwitchingId,
        /// The meter.
        meter: MeterId,
        /// The community.
        community: CommunityId,
        /// The room it measures for, unless it is a common area's.
        room: Option<RoomId>,
        /// `on` or `off`.
        supply: String,
        /// The code of why; always there when the supply is cut.
        reason: Option<String>,
        /// What there is to be known about it.
        note: Option<String>,
        /// Who asked.
        actor: ActorId,
    }
    /// It is known what became of such a request.
    SwitchingSettled = "meter.switching_settled", awaited {
        /// The request.
        switching: SwitchingId,
        /// The meter.
        meter: MeterId,
        /// The community.
        community: CommunityId,
        /// The room it measures for, unless it is a common area's.
        room: Option<RoomId>,
        /// `on` or `off`.
        supply: String,
        /// `done`, `refused` or `timed_out`.
        state: String,
        /// What the meter or the line said.
        detail: Option<String>,
    }
    /// A prepaid meter has answered to a recharge.
    MeterRecharged = "meter.recharged", awaited {
        /// The recharge.
        recharge: RechargeId,
        /// The meter.
        meter: MeterId,
        /// The community.
        community: CommunityId,
        /// The gateway that says so.
        gateway: DeviceId,
        /// Whether it has taken it; if not, it never will.
        taken: bool,
        /// What the meter said when it did not.
        detail: Option<String>,
    }
    /// Something is not right with a meter.
    MeterAlarmRaised = "meter.alarm_raised", awaited {
        /// The alarm.
        alarm: MeterAlarmId,
        /// The meter.
        meter: MeterId,
        /// The community.
        community: CommunityId,
        /// The room it measures for, unless it is a common area's.
        room: Option<RoomId>,
        /// `leak`, `stuck` or `master_sum`.
        kind: String,
        /// Since when.
        since: Timestamp,
    }
    /// What was not right is right again, or was acknowledged as done.
    MeterAlarmCleared = "meter.alarm_cleared" {
        /// The alarm.
        alarm: MeterAlarmId,
        /// The meter.
        meter: MeterId,
        /// The community.
        community: CommunityId,
        /// `leak`, `stuck` or `master_sum`.
        kind: String,
        /// Who cleared it; absent when the readings did.
        actor: Option<ActorId>,
    }
}
