//! What the rooms of a page owe by a rule for a month: the usage is looked up for all of them at once, the plugged
//! tariff is asked once, and there is no statement for a single room.

use std::collections::BTreeMap;

use kernel::{Commodity, RoomId};
use serde_json::json;
use store::Tx;
use tariff::{Charge as Rated, Line, Schedule};

use crate::domain::{
    Charge, Charged, Cost, Household, Month, Rule, ShareBy, Sharer, Skip, Span, UsageOf, by_room,
    cycle_of, in_days, known_usages, schedule, schedule_line, share, skip,
};
use crate::rating;
use crate::store::{rules, usages};

/// What became of one room.
pub(crate) type Outcome = (RoomId, Result<Charged, Skip>);

/// What each of the rooms owes by the rule, which is not shared.
pub(crate) async fn charge(
    tx: &Tx,
    (rule, span): (&Rule, Span),
    rooms: &[Household],
) -> anyhow::Result<Vec<Outcome>> {
    // What is used is billed by the month.
    let month = span.first;
    let Some(commodity) = rule.commodity() else {
        return Ok(rooms
            .iter()
            .map(|room| (room.room.clone(), rule.charge_plain(room, span)))
            .collect());
    };
    let schedule = match schedule_of(tx, rule).await? {
        Ok(schedule) => schedule,
        Err(reason) => {
            let skipped = |room: &Household| (room.room.clone(), Err(reason.clone()));
            return Ok(rooms.iter().map(skipped).collect());
        }
    };
    let used = usage_of(tx, (rule, commodity), (&schedule, month), rooms).await?;
    Ok(rate_all(rule, &schedule, month, (rooms, &used)))
}

async fn schedule_of(tx: &Tx, rule: &Rule) -> anyhow::Result<Result<Schedule, Skip>> {
    if let Some(flat) = rule.flat_schedule() {
        return Ok(Ok(flat));
    }
    let (Charge::Tiered { tariff, .. } | Charge::TimeOfUse { tariff, .. }) = &rule.charge else {
        return Ok(Err(skip("not_rated")));
    };
    let found = rules::tariff(tx, tx.tenant(), tariff).await?;
    let Some(found) = found.filter(|tariff| tariff.community == rule.community) else {
        return Ok(Err(skip("tariff_missing")));
    };
    Ok(Ok(schedule(&found.terms()?)))
}

async fn usage_of(
    tx: &Tx,
    (rule, commodity): (&Rule, Commodity),
    (schedule, month): (&Schedule, Month),
    rooms: &[Household],
) -> anyhow::Result<BTreeMap<RoomId, UsageOf>> {
    let (Some(first), Some(last)) = (rooms.first(), rooms.last()) else {
        return Ok(BTreeMap::new());
    };
    let (place, span) = ((&rule.community, commodity), (&first.room, &last.room));
    let mut used = by_room(usages::of_rooms(tx, place, month, span).await?);
    let Some(cycle) = cycle_of(schedule, month)
        .map(Month::of)
        .filter(|cycle| *cycle < month)
    else {
        return Ok(used);
    };
    for (room, before) in usages::used_before(tx, place, (cycle, month), span).await? {
        if let Some(usage) = used.get_mut(&room) {
            usage.used_milli = before;
        }
    }
    Ok(used)
}

fn rate_all(
    rule: &Rule,
    schedule: &Schedule,
    month: Month,
    (rooms, used): (&[Household], &BTreeMap<RoomId, UsageOf>),
) -> Vec<Outcome> {
    let asked: Vec<(&Household, Result<Line, Skip>)> = rooms
        .iter()
        .map(|room| (room, schedule_line(rule, room, used.get(&room.room), month)))
        .collect();
    let lines: Vec<Line> = asked
        .iter()
        .filter_map(|(_, line)| line.as_ref().ok().cloned())
        .collect();
    let mut rated = match rating::rate(schedule, &lines) {
        Ok(rated) => rated.into_iter(),
        Err(problem) => {
            let reason = Skip(problem.code);
            let skipped = |(room, line): (&Household, Result<Line, Skip>)| {
                (
                    room.room.clone(),
                    Err(line.err().unwrap_or_else(|| reason.clone())),
                )
            };
            return asked.into_iter().map(skipped).collect();
        }
    };
    asked
        .into_iter()
        .map(|(room, line)| {
            let outcome = line.and_then(|line| {
                let outcome = rated.next().ok_or_else(|| skip("not_rated"))?;
                let charge = outcome.map_err(|problem| Skip(problem.code))?;
                charged(used.get(&room.room), &line, &charge)
            });
            (room.room.clone(), outcome)
        })
        .collect()
}

fn charged(usage: Option<&UsageOf>, line: &Line, rated: &Rated) -> Result<Charged, Skip> {
    let usage = usage.ok_or_else(|| skip("usage_missing"))?;
    Ok(Charged {
        amount_fen: rated.amount_fen,
        basis: json!({
            "kind": "usage",
            "usages": usage.mark,
            "quantity_milli": line.quantity_milli,
            "used_before_milli": line.used_milli,
            "persons": line.persons,
            "estimated": usage.estimated,
            "exact": rated.exact,
            "parts": rated.parts,
        }),
        mark: usage.mark.clone(),
    })
}

/// What each of all rooms of a community bears of a shared cost.
pub(crate) async fn charge_shared(
    tx: &Tx,
    (rule, month): (&Rule, Month),
    rooms: &[Household],
) -> anyhow::Result<Vec<Outcome>> {
    let Charge::Shared {
        cost,
        by,
        vacancy_percent,
    } = &rule.charge
    else {
        return charge(tx, (rule, month.into()), rooms).await;
    };
    let (sharing, mut outcomes) = in_scope((rule, month), rooms);
    let mut used = BTreeMap::new();
    if let (ShareBy::Usage(commodity), Some(first), Some(last)) = (by, rooms.first(), rooms.last())
    {
        let span = (&first.room, &last.room);
        used = by_room(usages::of_rooms(tx, (&rule.community, *commodity), month, span).await?);
    }
    let cost = match cost_of(tx, (rule, month), cost).await? {
        Ok(cost) => cost,
        Err(reason) => {
            outcomes.extend(
                sharing
                    .iter()
                    .map(|room| (room.room.clone(), Err(reason.clone()))),
            );
            return Ok(outcomes);
        }
    };
    let sharers: Vec<Sharer<'_>> = sharing
        .iter()
        .map(|room| Sharer {
            room: &room.room,
            area_dm2: room.area_dm2,
            usage_milli: used.get(&room.room).map_or(0, |usage| usage.quantity_milli),
            vacant: room.is_vacant(),
        })
        .collect();
    match share(
        cost.amount_fen,
        by,
        vacancy_percent.unwrap_or(100),
        &sharers,
    ) {
        Err(refusal) => outcomes.extend(
            sharing
                .iter()
                .map(|room| (room.room.clone(), Err(skip(refusal.code)))),
        ),
        Ok(parts) => {
            let total: u64 = parts.iter().map(|(weight, _)| weight).sum();
            for (room, (weight, amount_fen)) in sharing.iter().zip(parts) {
                outcomes.push((
                    room.room.clone(),
                    part_of(&cost, amount_fen, (weight, total)),
                ));
            }
        }
    }
    Ok(outcomes)
}

/// Who shares, and who does not because the rule is not about them.
fn in_scope<'a>(
    (rule, month): (&Rule, Month),
    rooms: &'a [Household],
) -> (Vec<&'a Household>, Vec<Outcome>) {
    let (mut sharing, mut outcomes) = (Vec::new(), Vec::new());
    for room in rooms {
        match rule.stretch(room, month) {
            Ok(_) => sharing.push(room),
            Err(reason) => outcomes.push((room.room.clone(), Err(reason))),
        }
    }
    (sharing, outcomes)
}

fn part_of(cost: &Charged, amount_fen: i64, (weight, total): (u64, u64)) -> Result<Charged, Skip> {
    if amount_fen == 0 {
        return Err(skip("nothing_due"));
    }
    let mut basis = json!({"kind": "shared", "cost_minor": cost.amount_fen, "weight": weight, "weights": total});
    if let (Some(basis), Some(of)) = (basis.as_object_mut(), cost.basis.as_object()) {
        basis.extend(of.clone());
    }
    Ok(Charged {
        amount_fen,
        basis,
        mark: cost.mark.clone(),
    })
}

/// The cost of the month, rounded once; a rule that holds for a part of the month bears that part.
async fn cost_of(
    tx: &Tx,
    (rule, month): (&Rule, Month),
    cost: &Cost,
) -> anyhow::Result<Result<Charged, Skip>> {
    let Some(stretch) = month.part(Some(rule.first_day), rule.until_day) else {
        return Ok(Err(skip("not_in_force")));
    };
    let ((numerator, denominator), mut basis, mark) = match cost {
        Cost::AmountMinor(amount) => {
            let exact = crate::domain::prorated(i128::from(*amount), stretch);
            (exact, json!({}), String::new())
        }
        Cost::Metered {
            commodity,
            price,
            areas,
        } => {
            let found = usages::of_areas(tx, (&rule.community, *commodity), month).await?;
            let wanted = |area: &String| areas.is_empty() || areas.contains(area);
            let used = found.into_iter().filter(|(area, _)| wanted(area));
            let Some(used) = known_usages(used.map(|(_, usage)| usage).collect()) else {
                return Ok(Err(skip("usage_missing")));
            };
            let exact = i128::from(*price) * i128::from(used.quantity_milli);
            let basis =
                json!({"quantity_milli": used.quantity_milli, "price": price, "usages": used.mark});
            ((exact, 100_000), basis, used.mark)
        }
    };
    in_days(&mut basis, stretch);
    Ok(
        match tariff::to_fen(numerator, denominator, rule.rounding) {
            Ok(amount_fen) => Ok(Charged {
                amount_fen,
                basis,
                mark,
            }),
            Err(problem) => Err(Skip(problem.code)),
        },
    )
}
