//! A rank that is let for a time: bids that nobody else sees, secured by deposits, held once. A bid in the last minutes
//! moves the end, so that nobody wins by being last.

use kernel::{
    CreativeId, MerchantId, Message, PaymentId, PlacementId, RefundId, Refusal, SealedBidId,
    SealedRoundId, Timestamp, TransactionId,
};

use super::target::Target;

/// By how much all extensions together move the end at most, in milliseconds: a day.
pub const EXTENSIONS_MS_MAX: i64 = 24 * 3_600_000;
/// In a sealed round everybody's advertisement is as good as any.
const QUALITY_BPS: u32 = 10_000;

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// The name on the wire and in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one of that name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                [$(Self::$variant),*].into_iter().find(|known| known.as_str() == text)
            }
        }
    )*};
}

states! {
    /// How a sealed round stands.
    SealedState {
        /// It takes bids.
        Open = "open",
        /// It was held.
        Cleared = "cleared",
        /// It will not be held.
        CalledOff = "called_off",
    }
    /// How a sealed bid stands.
    BidState {
        /// Its deposit is not there.
        Unsecured = "unsecured",
        /// It counts.
        Secured = "secured",
        /// Nobody pays its deposit any more.
        Lapsed = "lapsed",
        /// It has a slot.
        Won = "won",
        /// It has none.
        Lost = "lost",
        /// It had one, and its deposit is kept.
        Forfeited = "forfeited",
    }
}

/// A rank put up for sealed bids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRound {
    /// Its id.
    pub id: SealedRoundId,
    /// What people call it.
    pub name: String,
    /// Where, if it is a placement's.
    pub placement: Option<PlacementId>,
    /// The board, category or keyword.
    pub target: Target,
    /// How many slots, from the first on.
    pub slots: i64,
    /// The least bid, in fen for the whole time.
    pub reserve_minor: i64,
    /// What a bid is secured by, in fen.
    pub deposit_minor: i64,
    /// From when on the rank is let.
    pub starts_at: Timestamp,
    /// The first moment at which it no longer is.
    pub ends_at: Timestamp,
    /// When it takes no more bids.
    pub closes_at: Timestamp,
    /// When it would have closed without extensions.
    pub first_closes_at: Timestamp,
    /// A bid so shortly before the end moves the end, in milliseconds.
    pub extension_ms: i64,
    /// How it stands.
    pub state: SealedState,
    /// Counts up with each change.
    pub version: i64,
}

/// A sealed bid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedBid {
    /// Its id.
    pub id: SealedBidId,
    /// In which round.
    pub round: SealedRoundId,
    /// Whose.
    pub merchant: MerchantId,
    /// What would be shown.
    pub creative: CreativeId,
    /// For the whole time, in fen.
    pub amount_minor: i64,
    /// Of equal bids the earlier is first.
    pub bid_version: i64,
    /// How it stands.
    pub state: BidState,
    /// Its slot, when it has won.
    pub slot: Option<i64>,
    /// What it pays, when it has won.
    pub price_minor: Option<i64>,
    /// The payment of its deposit.
    pub payment: PaymentId,
    /// What was paid, in fen.
    pub paid_minor: i64,
    /// The going back of its deposit.
    pub refund: Option<RefundId>,
    /// How that stands.
    pub refund_state: Option<String>,
    /// Why its deposit was kept, if it was; also after it was given back.
    pub forfeit: Option<Forfeit>,
    /// When it was made.
    pub made_at: Timestamp,
}

/// A deposit that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forfeit {
    /// Why, for people.
    pub reason: String,
    /// The ledger transaction that kept it.
    pub transaction: TransactionId,
}

impl SealedBid {
    /// Lets the deposit of a winner be kept, until the time begins that was won: then the rent is charged, and it has gone
    /// back.
    ///
    /// # Errors
    /// 409 with how the bid stands.
    pub fn forfeitable(&self, round: &SealedRound, now: Timestamp) -> Result<(), Refusal> {
        let is_kept = self.state == BidState::Won && self.refund.is_none() && self.paid_minor > 0;
        if is_kept && now < round.starts_at {
            return Ok(());
        }
        Err(self.in_state(
            "only the deposit of a winner can be kept, before the time begins",
            "仅中标者的保证金可在租期开始前没收",
        ))
    }

    /// The deposit that is kept, so that it can be given back.
    ///
    /// # Errors
    /// 409 with how the bid stands.
    pub fn forfeited(&self) -> Result<Forfeit, Refusal> {
        let kept = self.forfeit.clone();
        kept.filter(|_| self.state == BidState::Forfeited)
            .ok_or_else(|| {
                self.in_state(
                    "only a deposit that is kept is given back so",
                    "仅已没收的保证金可退还",
                )
            })
    }

    fn in_state(&self, english: &str, chinese: &str) -> Refusal {
        let state = self.state.as_str();
        Refusal::conflict(
            "sealed_bid_state",
            Message::new(
                format!("The bid is {state}; {english}."),
                format!("该出价当前状态为 {state}，{chinese}。"),
            ),
        )
    }
}

impl SealedRound {
    /// Lets an amount be bid now.
    ///
    /// # Errors
    /// 409 when it is closed, 422 below the reserve.
    pub fn takes(&self, amount_minor: i64, now: Timestamp) -> Result<(), Refusal> {
        if self.state != SealedState::Open || now >= self.closes_at {
            return Err(Refusal::conflict(
                "sealed_round_closed",
                Message::new(
                    format!(
                        "The round is {} and closed at {}. Look for another one.",
                        self.state.as_str(),
                        self.closes_at
                    ),
                    format!("该密封竞价已于 {} 截止，请参加其他竞价。", self.closes_at),
                ),
            ));
        }
        let least = self.reserve_minor.max(1);
        if amount_minor < least || amount_minor > super::BUDGET_MAX {
            return Err(Refusal::invalid(
                "bid_below_reserve",
                Message::new(
                    format!(
                        "Bid at least {least} fen, and at most {}.",
                        super::BUDGET_MAX
                    ),
                    format!(
                        "出价不得低于 {least} 分，且不超过 {} 分。",
                        super::BUDGET_MAX
                    ),
                ),
            ));
        }
        Ok(())
    }

    /// When it closes after a bid at that moment: later, if it was in the last minutes, but not for ever.
    #[must_use]
    pub fn closes_after_bid(&self, now: Timestamp) -> Timestamp {
        let last = self.first_closes_at.plus_millis(EXTENSIONS_MS_MAX);
        let moved = now.plus_millis(self.extension_ms).min(last);
        self.closes_at.max(moved)
    }

    /// Whether it is to be held now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.state == SealedState::Open && now >= self.closes_at
    }
}

/// The bids that count in a clearing: those with a deposit, of merchants that may be shown.
pub fn clearing_bids<'a>(bids: impl Iterator<Item = &'a SealedBid>) -> Vec<auction::Bid> {
    bids.filter(|bid| bid.state == BidState::Secured)
        .map(|bid| auction::Bid {
            id: bid.id.to_string(),
            advertiser: bid.merchant.to_string(),
            amount: bid.amount_minor,
            quality_bps: QUALITY_BPS,
            version: bid.bid_version,
        })
        .collect()
}

/// No such sealed round, or none that the caller may know.
#[must_use]
pub fn unknown_round() -> Refusal {
    Refusal::not_found(
        "sealed_round_unknown",
        Message::new(
            "There is no such sealed round that you can see.",
            "未找到您可查看的密封竞价。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::TargetKind;

    fn round() -> SealedRound {
        let at = |minutes: i64| Timestamp::EPOCH.plus_millis(minutes * 60_000);
        SealedRound {
            id: SealedRoundId::parse("s1").unwrap(),
            name: "首位".to_owned(),
            placement: None,
            target: Target::parse(TargetKind::Board, "news").unwrap(),
            slots: 1,
            reserve_minor: 100,
            deposit_minor: 50,
            starts_at: at(10_000),
            ends_at: at(20_000),
            closes_at: at(100),
            first_closes_at: at(100),
            extension_ms: 5 * 60_000,
            state: SealedState::Open,
            version: 1,
        }
    }

    #[test]
    fn a_bid_in_the_last_minutes_moves_the_end_and_an_earlier_one_does_not() {
        let round = round();
        let after = |minutes: i64| {
            let now = Timestamp::EPOCH.plus_millis(minutes * 60_000);
            round.closes_after_bid(now).millis() / 60_000
        };
        assert_eq!(
            (after(1), after(95), after(96), after(99)),
            (100, 100, 101, 104)
        );
        let late = SealedRound {
            closes_at: Timestamp::EPOCH.plus_millis((100 + 24 * 60) * 60_000),
            ..round.clone()
        };
        let now = late.closes_at.plus_millis(-1);
        assert_eq!(late.closes_after_bid(now), late.closes_at);
    }

    #[test]
    fn only_the_deposit_of_a_winner_is_kept_and_only_before_the_time_begins() {
        let (round, now) = (round(), Timestamp::EPOCH);
        let won = SealedBid {
            id: SealedBidId::parse("b1").unwrap(),
            round: round.id.clone(),
            merchant: MerchantId::parse("m1").unwrap(),
            creative: CreativeId::parse("k1").unwrap(),
            amount_minor: 100,
            bid_version: 1,
            state: BidState::Won,
            slot: Some(1),
            price_minor: Some(100),
            payment: PaymentId::parse("p1").unwrap(),
            paid_minor: 50,
            refund: None,
            refund_state: None,
            forfeit: None,
            made_at: now,
        };
        assert!(won.forfeitable(&round, now).is_ok());
        assert!(won.forfeited().is_err());
        let refused = |bid: SealedBid, now| bid.forfeitable(&round, now).unwrap_err().code;
        assert_eq!(refused(won.clone(), round.starts_at), "sealed_bid_state");
        for state in [BidState::Secured, BidState::Lost, BidState::Forfeited] {
            let other = SealedBid {
                state,
                ..won.clone()
            };
            assert_eq!(refused(other, now), "sealed_bid_state");
        }
        let gone = SealedBid {
            refund: Some(RefundId::parse("r1").unwrap()),
            ..won
        };
        assert_eq!(refused(gone, now), "sealed_bid_state");
    }

    #[test]
    fn a_closed_round_and_a_bid_below_the_reserve_are_refused() {
        let round = round();
        assert!(round.takes(100, Timestamp::EPOCH).is_ok());
        assert_eq!(
            round.takes(99, Timestamp::EPOCH).unwrap_err().code,
            "bid_below_reserve"
        );
        assert_eq!(
            round.takes(100, round.closes_at).unwrap_err().code,
            "sealed_round_closed"
        );
    }
}
