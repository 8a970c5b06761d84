//! What came of a click where a ratio of the sale was bid: an order that was paid soon after it, and completed. It costs
//! its ratio of what was sold and did not go back, and never more than its bid reserved.

use kernel::{Message, Refusal, Timestamp};

/// The highest ratio that is bid, in 1/10,000: half of the sale.
pub const RATIO_MAX: i64 = 5_000;
/// Until how long after the click an order that came of it is paid, in milliseconds: 7 days.
pub const PAID_MS: i64 = 7 * 24 * 3_600_000;
/// For how long after the click the bid stays reserved, in milliseconds: 30 days. What is completed later costs nothing.
pub const HELD_MS: i64 = 30 * 24 * 3_600_000;

/// What was sold by an offer so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sold {
    /// The price, in 1/10,000 of the sale.
    pub ratio_bps: i64,
    /// What was reserved for it, in micros.
    pub most_micros: i64,
    /// What was sold and did not go back, in fen.
    pub sale_minor: i64,
    /// What was charged for that, in micros.
    pub charged_micros: i64,
}

impl Sold {
    /// With so much sold more, or, below zero, gone back.
    #[must_use]
    pub fn and(self, sale_minor: i64) -> Self {
        let sale_minor = self.sale_minor.saturating_add(sale_minor);
        // A fen is 10,000 micros and a whole 1/10,000 x 10,000: nothing is rounded.
        let costs = self.ratio_bps.saturating_mul(sale_minor.max(0));
        Self {
            sale_minor,
            charged_micros: costs.clamp(0, self.most_micros.max(0)),
            ..self
        }
    }
}

/// Whether an order that was paid then came of a click.
#[must_use]
pub fn came_of(clicked_at: Timestamp, paid_at: Timestamp) -> bool {
    (0..=PAID_MS).contains(&paid_at.millis_since(clicked_at))
}

/// A place whose bids are in the other unit.
#[must_use]
pub fn sold_otherwise(place: &str, by_ratio: bool) -> Refusal {
    let (english, chinese) = match by_ratio {
        true => ("a ratio of the sale", "成交比例"),
        false => ("the click", "点击"),
    };
    Refusal::invalid(
        "target_sold_otherwise",
        Message::new(
            format!("The ranks of {place} are sold by {english}. Bid so, or aim elsewhere."),
            format!("{place} 的排名按{chinese}出价，请相应出价或更换投放目标。"),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn offer(ratio_bps: i64, most_micros: i64) -> Sold {
        Sold {
            ratio_bps,
            most_micros,
            sale_minor: 0,
            charged_micros: 0,
        }
    }

    #[test]
    fn five_percent_of_a_hundred_yuan_are_five_and_never_more_than_was_reserved() {
        let sold = offer(500, 8_000_000).and(10_000);
        assert_eq!(sold.charged_micros, 5_000_000);
        assert_eq!(sold.and(10_000).charged_micros, 8_000_000);
        assert_eq!(sold.and(10_000).and(-10_000), sold);
        assert_eq!(sold.and(-10_000).charged_micros, 0);
    }

    #[test]
    fn an_order_comes_of_a_click_before_it_for_seven_days() {
        let clicked = Timestamp::EPOCH.plus_millis(5_000);
        let came = |after: i64| came_of(clicked, clicked.plus_millis(after));
        assert!(came(0) && came(PAID_MS));
        assert!(!came(-1) && !came(PAID_MS + 1));
    }

    proptest! {
        #[test]
        fn what_is_charged_depends_on_what_stays_sold_and_not_on_how_it_came(
            ratio in 1_i64..=RATIO_MAX,
            most in 1_i64..1_000_000_000,
            lines in prop::collection::vec((1_i64..1_000_000, 0_i64..=100), 1..12),
        ) {
            let back = |(sold, share): &(i64, i64)| sold * share / 100;
            let sales = lines.iter().map(|line| line.0);
            let refunds = lines.iter().map(|line| -back(line));
            let told = |changes: Vec<i64>| changes.into_iter().fold(offer(ratio, most), Sold::and);
            let one_by_one = lines.iter().flat_map(|line| [line.0, -back(line)]).collect();
            let after_all: Vec<i64> = sales.clone().chain(refunds).collect();
            let stays = lines.iter().map(|line| line.0 - back(line)).sum::<i64>();
            let charged = told(after_all).charged_micros;
            prop_assert_eq!(told(one_by_one).charged_micros, charged);
            prop_assert_eq!(charged, (stays * ratio).min(most));
            let nothing: Vec<i64> = sales.clone().chain(sales.map(|sold| -sold)).collect();
            prop_assert_eq!(told(nothing).charged_micros, 0);
        }

        #[test]
        fn a_higher_ratio_never_costs_less(
            ratio in 1_i64..RATIO_MAX,
            most in 1_i64..1_000_000_000,
            sale in 0_i64..10_000_000,
        ) {
            let costs = |ratio| offer(ratio, most).and(sale).charged_micros;
            prop_assert!(costs(ratio + 1) >= costs(ratio));
        }
    }
}
