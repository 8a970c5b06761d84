//! What can be bought and how many: items, their counters, and the movements of these.

use kernel::{ActorId, Message, OrderLineId, PromotionId, Refusal, SlotId, Timestamp, VariantId};

/// The most units of one item.
pub const UNITS_MAX: i64 = 10_000_000;

/// Something whose units are counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// Goods of one size or colour.
    Variant(VariantId),
    /// Places in a time slot.
    Slot(SlotId),
    /// Units of a flash sale.
    Flash(PromotionId),
}

impl Item {
    /// Its id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Variant(id) => id.as_str(),
            Self::Slot(id) => id.as_str(),
            Self::Flash(id) => id.as_str(),
        }
    }

    /// What it is, in the database.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Variant(_) => "variant",
            Self::Slot(_) => "slot",
            Self::Flash(_) => "flash",
        }
    }
}

/// The counters of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    /// The item.
    pub item: String,
    /// `variant`, `slot` or `flash`.
    pub kind: String,
    /// Can be bought.
    pub available: i64,
    /// Set aside for orders that are not paid yet.
    pub reserved: i64,
    /// Sold.
    pub taken: i64,
}

/// Why a counter moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovementKind {
    /// Units came (入库).
    Received,
    /// Units went without being sold: spoilt, used, given away (出库).
    Issued,
    /// Somebody counted (盘点).
    Counted,
    /// An order was placed.
    Reserved,
    /// It was paid.
    Taken,
    /// It was cancelled or never paid.
    Released,
    /// Sold units came back.
    Restocked,
}

impl MovementKind {
    const ALL: [Self; 7] = [
        Self::Received,
        Self::Issued,
        Self::Counted,
        Self::Reserved,
        Self::Taken,
        Self::Released,
        Self::Restocked,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Issued => "issued",
            Self::Counted => "counted",
            Self::Reserved => "reserved",
            Self::Taken => "taken",
            Self::Released => "released",
            Self::Restocked => "restocked",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One change of an item's counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Its id; later ones are larger.
    pub id: String,
    /// Why.
    pub kind: MovementKind,
    /// By how much what is available changed.
    pub available: i64,
    /// By how much what is set aside changed.
    pub reserved: i64,
    /// For which line of an order.
    pub line: Option<OrderLineId>,
    /// Who did it; none when it happened by itself.
    pub actor: Option<ActorId>,
    /// What the one who did it said.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// By how much what is available changes when that many came, went, or were counted.
///
/// # Errors
/// 422 for a number of units that cannot be, or a kind that only orders cause.
pub fn adjustment(stock: &Stock, kind: MovementKind, units: i64) -> Result<i64, Refusal> {
    let least = i64::from(kind != MovementKind::Counted);
    if !(least..=UNITS_MAX).contains(&units) {
        return Err(units_invalid());
    }
    let change = match kind {
        MovementKind::Received => units,
        MovementKind::Issued => -units,
        // What is set aside is still on the shelf when somebody counts.
        MovementKind::Counted => units - stock.reserved - stock.available,
        MovementKind::Reserved
        | MovementKind::Taken
        | MovementKind::Released
        | MovementKind::Restocked => {
            return Err(Refusal::invalid(
                "stock_kind_invalid",
                Message::new(
                    "Say `received`, `issued` or `counted`; orders move the rest by themselves.",
                    "请填写 received（入库）、issued（出库）或 counted（盘点），其余由订单自动变动。",
                ),
            ));
        }
    };
    let after = stock.available + change;
    if after > UNITS_MAX {
        return Err(units_invalid());
    }
    if after < 0 {
        return Err(Refusal::conflict(
            "stock_below_zero",
            Message::new(
                format!(
                    "There are {} left, and {} are set aside for orders: the stock cannot fall below zero.",
                    stock.available, stock.reserved
                ),
                format!(
                    "可用库存 {}，订单占用 {}，库存不能小于零。",
                    stock.available, stock.reserved
                ),
            ),
        ));
    }
    Ok(change)
}

/// There is less of this than is wanted.
#[must_use]
pub fn out_of_stock(title: &str) -> Refusal {
    Refusal::conflict(
        "out_of_stock",
        Message::new(
            format!("{title}: there is less left than you want. Take fewer, or something else."),
            format!("{title}：库存不足，请减少数量或选择其他商品。"),
        ),
    )
}

/// There is less of something than is wanted.
#[must_use]
pub fn less_than_wanted() -> Refusal {
    Refusal::conflict(
        "out_of_stock",
        Message::new(
            "There is less left than you want. Look into your cart again.",
            "库存不足，请重新查看购物车。",
        ),
    )
}

/// There is no such item that the caller may know.
#[must_use]
pub fn unknown_item() -> Refusal {
    Refusal::not_found(
        "stock_unknown",
        Message::new(
            "There is no such variant or time of yours.",
            "未找到您的该规格或时段。",
        ),
    )
}

/// No number of units that there can be.
pub(crate) fn units_invalid() -> Refusal {
    Refusal::invalid(
        "units_invalid",
        Message::new(
            format!("Give a number of units from 1 to {UNITS_MAX}; a count may be 0."),
            format!("数量应为 1 至 {UNITS_MAX}，盘点可为 0。"),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: MovementKind, units: i64, expected: Result<i64, &'static str>) {
        let stock = Stock {
            item: "v1".to_owned(),
            kind: "variant".to_owned(),
            available: 5,
            reserved: 2,
            taken: 9,
        };
        let change = adjustment(&stock, kind, units).map_err(|refusal| refusal.code);
        assert_eq!(change, expected, "{kind:?} {units}");
    }

    #[test]
    fn stock_never_falls_below_zero_and_a_count_knows_what_is_set_aside() {
        check(MovementKind::Received, 3, Ok(3));
        check(MovementKind::Issued, 5, Ok(-5));
        check(MovementKind::Issued, 6, Err("stock_below_zero"));
        check(MovementKind::Counted, 7, Ok(0));
        check(MovementKind::Counted, 2, Ok(-5));
        check(MovementKind::Counted, 1, Err("stock_below_zero"));
        check(MovementKind::Received, 0, Err("units_invalid"));
        check(MovementKind::Taken, 1, Err("stock_kind_invalid"));
    }
}
