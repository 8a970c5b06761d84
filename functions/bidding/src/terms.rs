//! What an advertiser may ask of a campaign: amounts, targets, times, and bids that can win.

use advertising::Micros;
use kernel::{Message, PlacementId, Refusal, Timestamp};
use serde::Deserialize;
use store::Tx;
use wire::advertising::ReserveMode;

use crate::domain::{Campaign, Kind, Limits, TARGETS_MAX, Target, TargetKind, sold_otherwise};
use crate::store::placements;

/// A target as it stands on the wire.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTarget {
    kind: TargetKind,
    value: String,
}

/// How much is bid and spent.
pub(crate) fn limits(
    (bid_minor, ratio_bps): (i64, Option<i64>),
    (budget_minor, daily_minor): (i64, i64),
) -> Limits {
    Limits {
        bid_minor,
        ratio_bps,
        budget_minor,
        daily_minor,
    }
}

/// An amount that was checked, in micros.
pub(crate) fn micros(minor: i64) -> i64 {
    Micros::of_minor(minor).map_or(i64::MAX, Micros::get)
}

/// What a campaign aims at; each once.
///
/// # Errors
/// 422 for none, too many, or such as are not sold so.
pub(crate) fn targets(kind: Kind, new: &[NewTarget]) -> Result<Vec<Target>, Refusal> {
    let parsed = new
        .iter()
        .map(|target| Target::parse(target.kind, &target.value));
    let parsed: Result<std::collections::BTreeSet<Target>, _> = parsed.collect();
    let fits = |target: &Target| target.kind.is_rank() == kind.is_rank();
    match parsed {
        Ok(targets) if (1..=TARGETS_MAX).contains(&targets.len()) && targets.iter().all(fits) => {
            Ok(targets.into_iter().collect())
        }
        _ => Err(Refusal::invalid(
            "campaign_targets_invalid",
            Message::new(
                format!(
                    "Name 1 to {TARGETS_MAX} targets of 1 to 64 characters: boards, categories and keywords for ranks, placements and exchanges for displays."
                ),
                format!(
                    "请指定 1 到 {TARGETS_MAX} 个投放目标（1 到 64 字）：排名类为版块、品类、关键词，展示类为广告位、交易平台。"
                ),
            ),
        )),
    }
}

/// Lets a time pass.
///
/// # Errors
/// 422 for one that ends before it starts.
pub(crate) fn within((starts_at, ends_at): (Timestamp, Option<Timestamp>)) -> Result<(), Refusal> {
    if ends_at.is_none_or(|ends_at| ends_at > starts_at) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "campaign_time_invalid",
        Message::new(
            "The campaign ends before it starts. Choose a later end.",
            "计划结束时间早于开始时间，请重新选择。",
        ),
    ))
}

/// Refuses a bid that could never win where it aims: in the other unit, or below the reserve of the placement or board. A
/// reserve of scores is known only with the quality, so there the round says it.
pub(crate) async fn above_reserves(
    tx: &Tx,
    (campaign, targets): (&Campaign, &[Target]),
) -> anyhow::Result<()> {
    for target in targets {
        let placement = match target.kind {
            TargetKind::Placement => match PlacementId::parse(&target.value) {
                Ok(id) => placements::placement(tx, tx.tenant(), &id).await?,
                Err(_) => None,
            },
            TargetKind::Board | TargetKind::Category => {
                placements::of_board(tx, tx.tenant(), &target.value).await?
            }
            TargetKind::Keyword | TargetKind::Exchange => None,
        };
        let by_ratio = placement.as_ref().map(|one| one.sells(Kind::Sale.as_str()));
        if let (Some(by_ratio), true) = (by_ratio, campaign.kind.is_rank())
            && by_ratio != (campaign.kind == Kind::Sale)
        {
            return Err(sold_otherwise(&target.value, by_ratio).into());
        }
        let unweighted = placement.filter(|one| one.reserve_mode == ReserveMode::Unweighted);
        let Some(placement) = unweighted.filter(|one| campaign.amount() < one.reserve) else {
            continue;
        };
        let unit = match campaign.kind {
            Kind::Sale => ("of 10,000 of the sale", "（成交额万分比）"),
            Kind::Rank | Kind::Display => ("fen", "分"),
        };
        return Err(Refusal::invalid(
            "bid_below_reserve",
            Message::new(
                format!(
                    "The reserve of {} is {} {}. Bid at least that.",
                    placement.id, placement.reserve, unit.0
                ),
                format!(
                    "{} 的底价为 {} {}，出价不得低于底价。",
                    placement.id, placement.reserve, unit.1
                ),
            ),
        )
        .into());
    }
    Ok(())
}
