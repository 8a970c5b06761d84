//! Why a round is not held. Never a slot for nothing instead.

use crate::{
    AMOUNT_MAX, BIDS_MAX, ID_BYTES_MAX, QUALITY_BPS_MAX, ROUNDS_MAX, SCORE_MAX, SEED_BYTES_MAX,
    SEED_BYTES_MIN, SLOTS_MAX, WEIGHT_MAX,
};

/// The reason, for programs and for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The stable name, in snake_case.
    pub code: String,
    /// The sentence in English.
    pub english: String,
    /// The sentence in simplified Chinese.
    pub chinese: String,
}

fn problem(code: &str, english: impl Into<String>, chinese: impl Into<String>) -> Problem {
    Problem {
        code: code.to_owned(),
        english: english.into(),
        chinese: chinese.into(),
    }
}

pub(crate) fn too_many_rounds() -> Problem {
    problem(
        "too_many_rounds",
        format!("At most {ROUNDS_MAX} rounds are held in one call."),
        format!("一次最多进行 {ROUNDS_MAX} 轮竞价。"),
    )
}

pub(crate) fn too_many_bids() -> Problem {
    problem(
        "too_many_bids",
        format!("A round takes at most {BIDS_MAX} bids."),
        format!("一轮竞价最多 {BIDS_MAX} 个出价。"),
    )
}

pub(crate) fn slots_out_of_range() -> Problem {
    problem(
        "slots_out_of_range",
        format!("A placement has 1 to {SLOTS_MAX} slots, each with a weight."),
        format!("广告位应有 1 到 {SLOTS_MAX} 个位置，每个位置都有权重。"),
    )
}

pub(crate) fn weight_out_of_range(slot: usize) -> Problem {
    problem(
        "weight_out_of_range",
        format!("The weight of slot {slot} is not from 1 to {WEIGHT_MAX}."),
        format!("第 {slot} 个位置的权重应为 1 到 {WEIGHT_MAX}。"),
    )
}

pub(crate) fn weights_rise(slot: usize) -> Problem {
    problem(
        "weights_rise",
        format!("Slot {slot} weighs more than the one before it. Give the best slot first."),
        format!("第 {slot} 个位置的权重高于前一个，请按从好到差排列。"),
    )
}

pub(crate) fn reserve_out_of_range() -> Problem {
    problem(
        "reserve_out_of_range",
        format!("A reserve is from 0 to {AMOUNT_MAX}, and one of scores from 0 to {SCORE_MAX}."),
        format!("底价应为 0 到 {AMOUNT_MAX}；按得分的底价应为 0 到 {SCORE_MAX}。"),
    )
}

pub(crate) fn increment_out_of_range() -> Problem {
    problem(
        "increment_out_of_range",
        format!("An increment is from 0 to {AMOUNT_MAX}."),
        format!("加价应为 0 到 {AMOUNT_MAX}。"),
    )
}

pub(crate) fn increment_not_taken() -> Problem {
    problem(
        "increment_not_taken",
        "Only the second price takes an increment. Set it to 0 for the plugged rule.",
        "只有第二价格加价规则使用加价，当前竞价插件请设为 0。",
    )
}

pub(crate) fn seed_out_of_range() -> Problem {
    problem(
        "seed_out_of_range",
        format!("The seed of a round has {SEED_BYTES_MIN} to {SEED_BYTES_MAX} bytes."),
        format!("每轮竞价的随机种子应为 {SEED_BYTES_MIN} 到 {SEED_BYTES_MAX} 字节。"),
    )
}

pub(crate) fn id_out_of_range() -> Problem {
    problem(
        "id_out_of_range",
        format!("The ids of a bid and of its advertiser have 1 to {ID_BYTES_MAX} bytes."),
        format!("出价和广告主的编号应为 1 到 {ID_BYTES_MAX} 字节。"),
    )
}

pub(crate) fn bid_repeated(id: &str) -> Problem {
    problem(
        "bid_repeated",
        format!("The bid {id} is in the round twice."),
        format!("出价 {id} 在本轮中重复。"),
    )
}

pub(crate) fn bid_out_of_range(id: &str) -> Problem {
    problem(
        "bid_out_of_range",
        format!("The amount of the bid {id} is not from 0 to {AMOUNT_MAX}."),
        format!("出价 {id} 的金额应为 0 到 {AMOUNT_MAX}。"),
    )
}

pub(crate) fn quality_out_of_range(id: &str) -> Problem {
    problem(
        "quality_out_of_range",
        format!("The quality of the bid {id} is not from 1 to {QUALITY_BPS_MAX} ten-thousandths."),
        format!("出价 {id} 的质量分应为 1 到 {QUALITY_BPS_MAX}（万分之一）。"),
    )
}
