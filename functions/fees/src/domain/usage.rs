//! Usage on its way to the plugged tariff: the meters of a room as one, and the line that is rated.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kernel::RoomId;
use tariff::{Band, Line, Schedule, day_of};

use super::Month;
use super::rule::{Household, Rule, Skip, skip};

/// What a room, or an area, used of a commodity in a month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsageOf {
    /// In 1/1,000 of the unit.
    pub quantity_milli: i64,
    /// By band of the day; empty without bands.
    pub bands: Vec<Band>,
    /// The usages with their revisions: `u1.2,u3.1`.
    pub mark: String,
    /// Whether a part was estimated.
    pub estimated: bool,
    /// What was used before in the tariff's cycle.
    pub used_milli: i64,
}

/// The line that the plugged tariff rates for a room's usage of a month.
///
/// # Errors
/// The reason to skip the room.
pub fn schedule_line(
    rule: &Rule,
    household: &Household,
    usage: Option<&UsageOf>,
    month: Month,
) -> Result<Line, Skip> {
    let stretch = rule.stretch(household, month)?;
    let usage = usage.ok_or_else(|| skip("usage_missing"))?;
    Ok(Line {
        first: day_of(stretch.first),
        until: day_of(stretch.until),
        quantity_milli: usage.quantity_milli,
        bands: usage.bands.clone(),
        used_milli: usage.used_milli,
        persons: household.persons,
        moved_in: household.moved_in.map(day_of),
    })
}

/// The first day of the tariff's cycle in which the month begins.
#[must_use]
pub fn cycle_of(schedule: &Schedule, month: Month) -> Option<NaiveDate> {
    schedule
        .cycle
        .start(day_of(month.first()))
        .and_then(tariff::date_of)
}

/// Usages of a month as one by room: quantities, bands and marks together.
#[must_use]
pub fn by_room(usages: Vec<(RoomId, UsageOf)>) -> BTreeMap<RoomId, UsageOf> {
    let mut rooms: BTreeMap<RoomId, UsageOf> = BTreeMap::new();
    for (room, usage) in usages {
        add(rooms.entry(room).or_default(), usage);
    }
    rooms
}

/// All usages as one.
#[must_use]
pub fn known_usages(usages: Vec<UsageOf>) -> Option<UsageOf> {
    usages.into_iter().reduce(|mut all, usage| {
        add(&mut all, usage);
        all
    })
}

fn add(all: &mut UsageOf, usage: UsageOf) {
    all.quantity_milli = all.quantity_milli.saturating_add(usage.quantity_milli);
    all.estimated |= usage.estimated;
    for band in usage.bands {
        match all.bands.iter_mut().find(|known| known.name == band.name) {
            Some(known) => {
                known.quantity_milli = known.quantity_milli.saturating_add(band.quantity_milli)
            }
            None => all.bands.push(band),
        }
    }
    if !all.mark.is_empty() && !usage.mark.is_empty() {
        all.mark.push(',');
    }
    all.mark.push_str(&usage.mark);
}
