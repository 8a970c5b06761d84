//! A budget: the bid is reserved at the offer, the price taken at the billable event, the rest let go.

use crate::Micros;

/// What may be spent, what is promised to offers that are out, and what is spent.
///
/// `spent + reserved <= limit` always holds. A database keeps it with one guarded statement:
/// `update .. set reserved = reserved + bid where spent + reserved + bid <= limit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    limit: Micros,
    reserved: Micros,
    spent: Micros,
}

impl Budget {
    /// A budget of which nothing is spent.
    #[must_use]
    pub fn new(limit: Micros) -> Self {
        Self {
            limit,
            reserved: Micros::ZERO,
            spent: Micros::ZERO,
        }
    }

    /// A budget as it is stored; none when more is promised than there is.
    #[must_use]
    pub fn stored(limit: Micros, reserved: Micros, spent: Micros) -> Option<Self> {
        let is_whole = reserved >= Micros::ZERO && spent >= Micros::ZERO;
        let used = reserved.plus(spent)?;
        (is_whole && used <= limit).then_some(Self {
            limit,
            reserved,
            spent,
        })
    }

    /// What may be spent at all.
    #[must_use]
    pub fn limit(self) -> Micros {
        self.limit
    }

    /// What is promised to offers that are out.
    #[must_use]
    pub fn reserved(self) -> Micros {
        self.reserved
    }

    /// What is spent.
    #[must_use]
    pub fn spent(self) -> Micros {
        self.spent
    }

    /// What an offer may still promise.
    #[must_use]
    pub fn left(self) -> Micros {
        let used = self.spent.get().saturating_add(self.reserved.get());
        Micros::new(self.limit.get().saturating_sub(used))
    }

    /// Promises a bid to an offer; none when the budget does not bear it.
    #[must_use]
    pub fn reserve(self, bid: Micros) -> Option<Self> {
        if bid < Micros::ZERO || bid > self.left() {
            return None;
        }
        let reserved = self.reserved.plus(bid)?;
        Some(Self { reserved, ..self })
    }

    /// Takes the price of an offer's billable event and lets the rest of its bid go; none when that bid is not
    /// reserved, or the price is above it.
    #[must_use]
    pub fn capture(self, bid: Micros, price: Micros) -> Option<Self> {
        if price < Micros::ZERO || price > bid {
            return None;
        }
        let released = self.release(bid)?;
        let spent = released.spent.plus(price)?;
        Some(Self { spent, ..released })
    }

    /// Lets a bid go: its offer expired without the billable event.
    #[must_use]
    pub fn release(self, bid: Micros) -> Option<Self> {
        if bid < Micros::ZERO || bid > self.reserved {
            return None;
        }
        let reserved = self.reserved.minus(bid)?;
        Some(Self { reserved, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sixty_offers_on_a_budget_for_three_are_three() {
        let mut budget = Budget::new(Micros::new(350));
        let offered = (0..60).filter(|_| match budget.reserve(Micros::new(100)) {
            Some(after) => {
                budget = after;
                true
            }
            None => false,
        });
        assert_eq!(offered.count(), 3);
        assert_eq!(budget.left(), Micros::new(50));
    }

    proptest! {
        #[test]
        fn spend_never_passes_the_budget(
            limit in 0_i64..1_000,
            steps in prop::collection::vec((0_u8..3, 0_i64..300, 0_i64..300), 0..60),
        ) {
            let mut budget = Budget::new(Micros::new(limit));
            let mut out: Vec<Micros> = Vec::new();
            for (step, bid, price) in steps {
                let bid = Micros::new(bid);
                match step {
                    0 => if let Some(after) = budget.reserve(bid) {
                        budget = after;
                        out.push(bid);
                    },
                    1 => if let Some(bid) = out.pop() {
                        let price = Micros::new(price.min(bid.get()));
                        budget = budget.capture(bid, price).unwrap();
                    },
                    _ => if let Some(bid) = out.pop() {
                        budget = budget.release(bid).unwrap();
                    },
                }
                let promised: i64 = out.iter().map(|bid| bid.get()).sum();
                prop_assert_eq!(budget.reserved().get(), promised);
                prop_assert!(budget.spent().get() + promised <= limit);
            }
            for bid in out {
                budget = budget.release(bid).unwrap();
            }
            prop_assert_eq!(budget.reserved(), Micros::ZERO);
        }

        #[test]
        fn a_price_above_the_bid_is_never_taken(bid in 0_i64..100, over in 1_i64..100) {
            let budget = Budget::new(Micros::new(1_000)).reserve(Micros::new(bid)).unwrap();
            prop_assert_eq!(budget.capture(Micros::new(bid), Micros::new(bid + over)), None);
        }
    }
}
