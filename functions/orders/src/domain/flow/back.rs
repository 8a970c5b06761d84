//! What goes back of a line: each share is cumulative, so that the last refund closes every sum exactly.

use kernel::{Message, Refusal};

use super::{Back, Line};

/// What is asked to go back of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// How many; 0 for money alone.
    pub quantity: i64,
    /// How much of what was paid for it; all of that quantity when absent.
    pub goods_minor: Option<i64>,
    /// Whether its freight goes back too.
    pub with_freight: bool,
}

impl Line {
    /// What of the line can still go back, without freight.
    #[must_use]
    pub fn left_minor(&self) -> i64 {
        self.goods_minor - self.back.goods_minor
    }

    /// What goes back of the line when that is asked.
    ///
    /// # Errors
    /// 422 for a quantity or an amount that is none; 409 for more than is left.
    pub fn give_back(&self, wanted: Wanted) -> Result<Back, Refusal> {
        if wanted.quantity < 0 || wanted.quantity > self.quantity - self.back.quantity {
            return Err(too_many(self.quantity - self.back.quantity));
        }
        let goods = match wanted.goods_minor {
            Some(goods) if goods < 0 || wanted.quantity == 0 && goods == 0 => {
                return Err(nothing_wanted());
            }
            Some(goods) => goods,
            None if wanted.quantity == 0 => return Err(nothing_wanted()),
            None => {
                let until = self.back.quantity + wanted.quantity;
                let worth = share(self.goods_minor, until, self.quantity);
                // Money alone that went back before is part of what the units would give.
                (worth - self.back.goods_minor).clamp(0, self.left_minor())
            }
        };
        if goods > self.left_minor() {
            return Err(too_much(self.left_minor()));
        }
        let freight = if wanted.with_freight {
            self.freight_minor - self.back.freight_minor
        } else {
            0
        };
        Ok(self.shares(wanted.quantity, goods, freight))
    }

    /// All that is left of the line.
    #[must_use]
    pub fn give_back_all(&self) -> Back {
        let goods = self.left_minor();
        let freight = self.freight_minor - self.back.freight_minor;
        let all = self.shares(self.quantity - self.back.quantity, goods, freight);
        Back {
            // A line that the platform paid for alone has no goods to share by.
            subsidy_minor: self.subsidy_minor - self.back.subsidy_minor,
            base_minor: self.commission.base_minor - self.back.base_minor,
            commission_minor: self.commission.amount_minor - self.back.commission_minor,
            ..all
        }
    }

    fn shares(&self, quantity: i64, goods_minor: i64, freight_minor: i64) -> Back {
        let goods_until = self.back.goods_minor + goods_minor;
        let subsidy_until = share(self.subsidy_minor, goods_until, self.goods_minor);
        let subsidy_minor = subsidy_until - self.back.subsidy_minor;
        let counted = if self.commission.includes_freight {
            freight_minor
        } else {
            0
        };
        let base_minor = (goods_minor + subsidy_minor + counted)
            .clamp(0, self.commission.base_minor - self.back.base_minor);
        let base_until = self.back.base_minor + base_minor;
        let until = share(
            self.commission.amount_minor,
            base_until,
            self.commission.base_minor,
        );
        Back {
            quantity,
            goods_minor,
            freight_minor,
            subsidy_minor,
            base_minor,
            // After a refund that failed the rest may be a fen ahead: the last one closes the sum.
            commission_minor: (until - self.back.commission_minor).max(0),
        }
    }
}

/// `round_half_up(whole x part / of)`; 0 of nothing.
#[must_use]
pub fn share(whole: i64, part: i64, of: i64) -> i64 {
    if of <= 0 {
        return 0;
    }
    let doubled = 2 * i128::from(whole) * i128::from(part) + i128::from(of);
    i64::try_from(doubled.div_euclid(2 * i128::from(of))).unwrap_or(whole)
}

fn too_many(left: i64) -> Refusal {
    Refusal::conflict(
        "refund_quantity",
        Message::new(
            format!("Of this line {left} can still go back. Ask for 0 to {left}."),
            format!("该明细最多还可退 {left} 件。"),
        ),
    )
}

/// More than is left of what was paid.
#[must_use]
pub fn too_much(left_minor: i64) -> Refusal {
    Refusal::conflict(
        "refund_too_large",
        Message::new(
            format!("At most {left_minor} fen of what was paid are left to go back."),
            format!("可退金额最多为 {left_minor} 分。"),
        ),
    )
}

fn nothing_wanted() -> Refusal {
    Refusal::invalid(
        "refund_nothing",
        Message::new(
            "Say how many go back, or an amount above zero.",
            "请填写退货数量或大于零的退款金额。",
        ),
    )
}
