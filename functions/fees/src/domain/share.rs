//! A cost that a community's rooms bear together (公摊): by largest remainder, so that the parts sum to the cost.

use std::collections::BTreeMap;

use kernel::{Commodity, Currency, Message, Money, Refusal, RoomId};

/// By what a cost is shared.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareBy {
    /// Each room the same.
    Household,
    /// By area.
    Area,
    /// By what each room used of a commodity in the month.
    Usage(Commodity),
    /// By weights of their own; a room without one bears nothing.
    Weights(BTreeMap<RoomId, u32>),
}

/// A room, as the sharing sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharer<'a> {
    /// The room.
    pub room: &'a RoomId,
    /// Its area, in 1/100 m2.
    pub area_dm2: i64,
    /// What it used in the month, in 1/1,000 of the unit.
    pub usage_milli: i64,
    /// Whether nobody lives there.
    pub vacant: bool,
}

/// The weights of the rooms, and what each bears of the cost, in fen. A vacant room weighs `vacancy_percent` of what it
/// would; the others bear the rest, so that the parts sum to the cost.
///
/// # Errors
/// A negative area or usage; nothing to share by.
pub fn share(
    cost_fen: i64,
    by: &ShareBy,
    vacancy_percent: u32,
    rooms: &[Sharer<'_>],
) -> Result<Vec<(u64, i64)>, Refusal> {
    let weights = rooms
        .iter()
        .map(|room| {
            let weight = match by {
                ShareBy::Household => 1,
                ShareBy::Area => room.area_dm2,
                ShareBy::Usage(_) => room.usage_milli,
                ShareBy::Weights(weights) => weights
                    .get(room.room)
                    .map_or(0, |weight| i64::from(*weight)),
            };
            let percent = if room.vacant {
                u64::from(vacancy_percent)
            } else {
                100
            };
            let weight = u64::try_from(weight).ok()?;
            weight.checked_mul(percent)
        })
        .collect::<Option<Vec<u64>>>()
        .ok_or_else(negative)?;
    let parts = Money::new(cost_fen, Currency::Cny).split(&weights);
    let parts = parts.map_err(|_| nothing_to_share_by())?;
    Ok(weights
        .into_iter()
        .zip(parts.into_iter().map(Money::minor))
        .collect())
}

fn negative() -> Refusal {
    Refusal::invalid(
        "share_weight_invalid",
        Message::new(
            "A room has a negative area or usage, or one beyond every range. Correct it first.",
            "有房屋的面积或用量为负或超出范围，请先更正。",
        ),
    )
}

fn nothing_to_share_by() -> Refusal {
    Refusal::invalid(
        "share_without_weights",
        Message::new(
            "No room has anything to share the cost by. Check areas, usage or weights.",
            "没有可用于分摊的面积、用量或权重，请检查。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cost: i64, vacancy_percent: u32, rooms: &[(i64, bool)], expected: &[i64]) {
        let ids: Vec<RoomId> = (0..rooms.len())
            .map(|number| RoomId::parse(&format!("r{number}")).unwrap())
            .collect();
        let sharers: Vec<Sharer<'_>> = ids
            .iter()
            .zip(rooms)
            .map(|(room, (area_dm2, vacant))| Sharer {
                room,
                area_dm2: *area_dm2,
                usage_milli: 0,
                vacant: *vacant,
            })
            .collect();
        let shared = share(cost, &ShareBy::Area, vacancy_percent, &sharers).unwrap();
        let parts: Vec<i64> = shared.into_iter().map(|(_, part)| part).collect();
        assert_eq!(parts, expected);
    }

    #[test]
    fn a_shared_cost_is_borne_to_the_last_fen() {
        check(
            100,
            100,
            &[(1, false), (1, false), (1, false)],
            &[34, 33, 33],
        );
        check(15, 100, &[(80, false), (8, false), (12, true)], &[12, 1, 2]);
        check(100, 0, &[(1, false), (1, true), (0, false)], &[100, 0, 0]);
        check(90, 50, &[(1, false), (1, true)], &[60, 30]);
    }

    #[test]
    fn a_negative_area_and_no_weight_at_all_are_refused() {
        let room = RoomId::parse("r1").unwrap();
        let sharer = |area_dm2| Sharer {
            room: &room,
            area_dm2,
            usage_milli: 0,
            vacant: false,
        };
        let code = |area| {
            share(1, &ShareBy::Area, 100, &[sharer(area)])
                .unwrap_err()
                .code
        };
        assert_eq!(code(-1), "share_weight_invalid");
        assert_eq!(code(0), "share_without_weights");
    }
}
