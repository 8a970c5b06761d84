//! Coupons: what the property office gives one person or one room, to be used once, between two days.

use chrono::NaiveDate;
use kernel::{ActorId, BillPaymentId, CommunityId, CouponId, Message, Refusal, RoomId, Timestamp};
use tariff::{Rounding, to_fen};

/// The most that a coupon is worth, in fen: ten thousand yuan.
const AMOUNT_MINOR_MAX: i64 = 1_000_000;

/// What a coupon is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CouponValue {
    /// An amount in fen.
    AmountMinor(i64),
    /// A part of what is paid.
    Percent {
        /// In 1/100.
        percent: i64,
        /// At most, in fen.
        cap_minor: i64,
    },
}

/// How a coupon stands. That its days are over is not a state of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CouponState {
    /// Waits to be used.
    Available,
    /// A payment that is under way counts on it.
    Held,
    /// A payment was made with it.
    Used,
    /// The office took it back.
    Withdrawn,
}

impl CouponState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Available, Self::Held, Self::Used, Self::Withdrawn];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Held => "held",
            Self::Used => "used",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Whose a coupon is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// One person's, for any of their bills in the community.
    Person(ActorId),
    /// Of whoever pays the bills of this room.
    Room(RoomId),
}

/// A coupon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coupon {
    /// The coupon.
    pub id: CouponId,
    /// Where it counts.
    pub community: CommunityId,
    /// What people read.
    pub title: String,
    /// Whose it is.
    pub holder: Holder,
    /// What it is worth.
    pub value: CouponValue,
    /// Only for payments of at least this much, in fen.
    pub minimum_fen: i64,
    /// The first day on which it counts.
    pub first_day: NaiveDate,
    /// The first day on which it no longer does.
    pub until_day: NaiveDate,
    /// How it stands.
    pub state: CouponState,
    /// The payment that holds or has used it.
    pub payment: Option<BillPaymentId>,
    /// Why it was given.
    pub reason: String,
    /// Who gave it.
    pub issued_by: ActorId,
    /// When.
    pub issued_at: Timestamp,
}

impl Coupon {
    /// Whether it can ever be worth something.
    ///
    /// # Errors
    /// 422 with what is wrong.
    pub fn checked(self) -> Result<Self, Refusal> {
        let amount = |fen: i64| (1..=AMOUNT_MINOR_MAX).contains(&fen);
        let worth = match self.value {
            CouponValue::AmountMinor(fen) => amount(fen),
            CouponValue::Percent { percent, cap_minor } => {
                (1..=100).contains(&percent) && amount(cap_minor)
            }
        };
        let minimum = (0..=100 * AMOUNT_MINOR_MAX).contains(&self.minimum_fen);
        if worth && minimum && self.first_day < self.until_day {
            return Ok(self);
        }
        Err(Refusal::invalid(
            "fee_coupon_invalid",
            Message::new(
                format!(
                    "A coupon is worth 1 to {AMOUNT_MINOR_MAX} fen, or 1 to 100 percent with such a cap; its minimum is not below zero and it ends after it begins."
                ),
                format!(
                    "优惠券面额应为 1 到 {AMOUNT_MINOR_MAX} 分，或 1% 到 100% 并设上限；最低金额不能为负，结束须晚于开始。"
                ),
            ),
        ))
    }

    /// What it takes off a payment of `asked` on a day, for this payer and these rooms.
    ///
    /// # Errors
    /// 404 for somebody else's; 409 when it cannot be used any more, or for another room; 422 for too small a payment.
    pub fn worth(
        &self,
        asked_fen: i64,
        today: NaiveDate,
        (payer, rooms): (&ActorId, &[RoomId]),
    ) -> Result<i64, Refusal> {
        match &self.holder {
            Holder::Person(person) if person != payer => return Err(unknown_coupon()),
            Holder::Room(room) if rooms.iter().any(|other| other != room) => {
                return Err(unknown_coupon());
            }
            _ => {}
        }
        if self.state != CouponState::Available || today < self.first_day || today >= self.until_day
        {
            return Err(unusable(self));
        }
        if asked_fen < self.minimum_fen.max(1) {
            return Err(too_little(self.minimum_fen));
        }
        let worth = match self.value {
            CouponValue::AmountMinor(fen) => fen,
            CouponValue::Percent { percent, cap_minor } => {
                // The one rounding of it, half up to the fen.
                let exact = i128::from(asked_fen) * i128::from(percent);
                let part = to_fen(exact, 100, Rounding::default()).unwrap_or(cap_minor);
                part.min(cap_minor)
            }
        };
        Ok(worth.clamp(0, asked_fen))
    }
}

/// Takes a coupon back that nobody counts on.
///
/// # Errors
/// 409 for one that is held or used.
pub fn withdraw(coupon: &Coupon) -> Result<Coupon, Refusal> {
    match coupon.state {
        CouponState::Available | CouponState::Withdrawn => Ok(Coupon {
            state: CouponState::Withdrawn,
            ..coupon.clone()
        }),
        CouponState::Held | CouponState::Used => Err(unusable(coupon)),
    }
}

/// No such coupon, or none that the caller may know.
#[must_use]
pub fn unknown_coupon() -> Refusal {
    Refusal::not_found(
        "fee_coupon_unknown",
        Message::new(
            "There is no such coupon of yours that counts for these bills.",
            "未找到您可用于这些账单的该优惠券。",
        ),
    )
}

fn unusable(coupon: &Coupon) -> Refusal {
    let (state, first, until) = (coupon.state.as_str(), coupon.first_day, coupon.until_day);
    Refusal::conflict(
        "fee_coupon_state",
        Message::new(
            format!(
                "The coupon is {state} and counts from {first} until before {until}: that cannot be done with it now."
            ),
            format!("优惠券当前状态为 {state}，有效期 {first} 起、{until} 前，暂不能执行该操作。"),
        ),
    )
}

fn too_little(minimum_fen: i64) -> Refusal {
    Refusal::invalid(
        "fee_coupon_minimum",
        Message::new(
            format!("This coupon is for payments of at least {minimum_fen} fen."),
            format!("该优惠券需单笔付款满 {minimum_fen} 分。"),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coupon(value: CouponValue) -> Coupon {
        Coupon {
            id: CouponId::parse("c").unwrap(),
            community: CommunityId::parse("garden").unwrap(),
            title: "x".to_owned(),
            holder: Holder::Person(ActorId::parse("li").unwrap()),
            value,
            minimum_fen: 1_000,
            first_day: "2026-11-01".parse().unwrap(),
            until_day: "2026-12-01".parse().unwrap(),
            state: CouponState::Available,
            payment: None,
            reason: String::new(),
            issued_by: ActorId::parse("chen").unwrap(),
            issued_at: Timestamp::EPOCH,
        }
    }

    fn worth(value: CouponValue, asked: i64, today: &str) -> Result<i64, &'static str> {
        let payer = ActorId::parse("li").unwrap();
        coupon(value)
            .worth(asked, today.parse().unwrap(), (&payer, &[]))
            .map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_part_is_rounded_half_up_once_and_never_beyond_its_cap() {
        let part = CouponValue::Percent {
            percent: 15,
            cap_minor: 2_000,
        };
        assert_eq!(worth(part, 1_003, "2026-11-15"), Ok(150));
        assert_eq!(worth(part, 1_010, "2026-11-15"), Ok(152));
        assert_eq!(worth(part, 100_000, "2026-11-15"), Ok(2_000));
    }

    #[test]
    fn an_amount_is_never_more_than_what_is_asked() {
        let amount = CouponValue::AmountMinor(5_000);
        assert_eq!(worth(amount, 3_000, "2026-11-15"), Ok(3_000));
        assert_eq!(worth(amount, 9_000, "2026-11-30"), Ok(5_000));
    }

    #[test]
    fn outside_of_its_days_below_its_minimum_and_for_others_it_is_worth_nothing() {
        let amount = CouponValue::AmountMinor(500);
        assert_eq!(worth(amount, 9_000, "2026-10-31"), Err("fee_coupon_state"));
        assert_eq!(worth(amount, 9_000, "2026-12-01"), Err("fee_coupon_state"));
        assert_eq!(worth(amount, 999, "2026-11-15"), Err("fee_coupon_minimum"));
        let room = RoomId::parse("r1").unwrap();
        let of_room = Coupon {
            holder: Holder::Room(room.clone()),
            ..coupon(amount)
        };
        let payer = ActorId::parse("anybody").unwrap();
        let today = "2026-11-15".parse().unwrap();
        assert!(
            of_room
                .worth(9_000, today, (&payer, std::slice::from_ref(&room)))
                .is_ok()
        );
        let rooms = [room, RoomId::parse("r2").unwrap()];
        assert!(of_room.worth(9_000, today, (&payer, &rooms)).is_err());
        assert!(
            coupon(amount)
                .worth(9_000, today, (&payer, &rooms))
                .is_err()
        );
    }
}
