//! In what order a payment is made up: coupon, points, balance, and the rest by the channel or at the counter. Late fee
//! and discount are in the bills already.

/// What there is to pay with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Means {
    /// What the coupon takes off, in fen.
    pub coupon_fen: i64,
    /// Whole points that may be spent.
    pub points: i64,
    /// What one of them is worth, in fen; 0 where points are not taken.
    pub point_fen: i64,
    /// The balance that may be spent, in fen.
    pub credit_fen: i64,
}

/// What a payment is made up of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// By the coupon, in fen.
    pub coupon_fen: i64,
    /// Whole points.
    pub points: i64,
    /// By the balance, in fen.
    pub credit_fen: i64,
    /// What is left to pay, in fen.
    pub rest_fen: i64,
}

/// Makes up a payment of `asked`.
#[must_use]
pub fn make_up(asked_fen: i64, means: Means) -> Parts {
    let mut rest_fen = asked_fen.max(0);
    let coupon_fen = means.coupon_fen.clamp(0, rest_fen);
    rest_fen -= coupon_fen;
    let points = whole_points(rest_fen, means.point_fen).min(means.points.max(0));
    rest_fen -= points * means.point_fen;
    let credit_fen = means.credit_fen.clamp(0, rest_fen);
    Parts {
        coupon_fen,
        points,
        credit_fen,
        rest_fen: rest_fen - credit_fen,
    }
}

/// What of coupon and points is needed when only `needed` is owed any more: money is used after them, and what of it
/// is over is the payer's.
#[must_use]
pub fn still_needed(
    needed_fen: i64,
    coupon_fen: i64,
    (points, point_fen): (i64, i64),
) -> (i64, i64) {
    let coupon = coupon_fen.clamp(0, needed_fen.max(0));
    let rest = needed_fen.max(0) - coupon;
    (coupon, points.min(whole_points(rest, point_fen)))
}

fn whole_points(fen: i64, point_fen: i64) -> i64 {
    if point_fen > 0 { fen / point_fen } else { 0 }
}

/// What a payment was made up of, and what of it went back, in fen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shares {
    /// By the channel or at the counter.
    pub channel_fen: i64,
    /// By the balance, with what bills gave back, less what was over.
    pub credit_fen: i64,
    /// By points.
    pub points_fen: i64,
    /// By the coupon.
    pub coupon_fen: i64,
}

impl Shares {
    /// All of it.
    #[must_use]
    pub fn total(self) -> i64 {
        self.channel_fen + self.credit_fen + self.points_fen + self.coupon_fen
    }
}

/// How `amount` of a payment goes back: money first, over the channel what came over it and was not over; then points, and
/// the coupon last. Nobody's coupon becomes money.
#[must_use]
pub fn give_back(amount_fen: i64, paid: Shares, gone: Shares) -> Shares {
    let money_left = paid.channel_fen + paid.credit_fen - gone.channel_fen - gone.credit_fen;
    let money = amount_fen.clamp(0, money_left.max(0));
    let channel_fen = money.min((paid.channel_fen - gone.channel_fen).max(0));
    let subsidy = amount_fen.max(0) - money;
    let points_fen = subsidy.min((paid.points_fen - gone.points_fen).max(0));
    let coupon_fen = (subsidy - points_fen).min((paid.coupon_fen - gone.coupon_fen).max(0));
    Shares {
        channel_fen,
        // What is in none of them is the payer's.
        credit_fen: amount_fen.max(0) - channel_fen - points_fen - coupon_fen,
        points_fen,
        coupon_fen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_coupon_comes_first_then_points_then_balance_and_the_rest_is_paid() {
        let means = Means {
            coupon_fen: 1_000,
            points: 7,
            point_fen: 150,
            credit_fen: 300,
        };
        let parts = |coupon_fen, points, credit_fen, rest_fen| Parts {
            coupon_fen,
            points,
            credit_fen,
            rest_fen,
        };
        assert_eq!(make_up(10_000, means), parts(1_000, 7, 300, 7_650));
        assert_eq!(make_up(1_400, means), parts(1_000, 2, 100, 0));
        assert_eq!(make_up(900, means), parts(900, 0, 0, 0));
        assert_eq!(make_up(-5, means), parts(0, 0, 0, 0));
    }

    proptest! {
        #[test]
        fn the_parts_are_what_is_asked(asked in -100..1_000_000_i64, coupon_fen in 0..10_000_i64, points in 0..1_000_i64, point_fen in 0..500_i64, credit_fen in 0..100_000_i64) {
            let parts = make_up(asked, Means { coupon_fen, points, point_fen, credit_fen });
            prop_assert_eq!(parts.coupon_fen + parts.points * point_fen + parts.credit_fen + parts.rest_fen, asked.max(0));
            prop_assert!(parts.rest_fen >= 0 && parts.points <= points && parts.credit_fen <= credit_fen);
        }

        #[test]
        fn what_goes_back_in_steps_is_what_was_paid_and_no_share_goes_back_twice(channel_fen in 0..10_000_i64, credit_fen in -5_000..10_000_i64, points_fen in 0..1_000_i64, coupon_fen in 0..1_000_i64, cuts in prop::collection::vec(0..5_000_i64, 0..6)) {
            let credit_fen = credit_fen.max(-channel_fen);
            let paid = Shares { channel_fen, credit_fen, points_fen, coupon_fen };
            let (mut gone, mut left) = (Shares::default(), paid.total());
            for cut in cuts.into_iter().chain([i64::MAX]) {
                let amount = cut.min(left);
                let back = give_back(amount, paid, gone);
                prop_assert_eq!(back.total(), amount);
                prop_assert!(back.channel_fen >= 0 && back.credit_fen >= 0 && back.points_fen >= 0 && back.coupon_fen >= 0);
                gone = Shares {
                    channel_fen: gone.channel_fen + back.channel_fen,
                    credit_fen: gone.credit_fen + back.credit_fen,
                    points_fen: gone.points_fen + back.points_fen,
                    coupon_fen: gone.coupon_fen + back.coupon_fen,
                };
                left -= amount;
            }
            prop_assert_eq!(gone.channel_fen + gone.credit_fen, channel_fen + credit_fen);
            prop_assert_eq!((gone.points_fen, gone.coupon_fen), (points_fen, coupon_fen));
        }
    }
}
