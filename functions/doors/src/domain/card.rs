//! Cards: a number that a reader gives, and the person who carries it.

use kernel::{Actor, ActorId, CardId, CommunityId, Message, Refusal};

use super::{Reason, is_person, oversees, run_it};

/// The greatest number of a card; what 64-bit readers give above it is no card of ours.
pub const NUMBER_MAX: u64 = i64::MAX as u64;

/// A card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The card's id; its number is not told in events.
    pub id: CardId,
    /// The number, unique among the tenant's cards that are not ended.
    pub number: u64,
    /// Whose staff look after it.
    pub community: CommunityId,
    /// Who carries it.
    pub person: ActorId,
    /// Whether it opens.
    pub state: CardState,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// Whether a card opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardState {
    /// It does.
    Active,
    /// Not until it is unblocked.
    Blocked(Reason),
    /// Never again; its number is free.
    Ended,
}

impl CardState {
    /// The state's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Blocked(_) => "blocked",
            Self::Ended => "ended",
        }
    }
}

/// Blocks a card; nothing when it is blocked already. Its carrier may, too: a lost card cannot wait for the office.
///
/// # Errors
/// 403 for others; 409 when it is ended.
pub fn block(actor: &Actor, card: &Card, reason: Reason) -> Result<Option<Card>, Refusal> {
    if !is_person(actor, &card.person) {
        run_it(actor, &card.community)?;
    }
    match card.state {
        CardState::Active => Ok(Some(card.in_state(CardState::Blocked(reason)))),
        CardState::Blocked(_) => Ok(None),
        CardState::Ended => Err(ended()),
    }
}

/// Lets a blocked card open again; nothing when it does.
///
/// # Errors
/// 403 for those who do not run the community; 409 when it is ended.
pub fn unblock(actor: &Actor, card: &Card) -> Result<Option<Card>, Refusal> {
    run_it(actor, &card.community)?;
    match card.state {
        CardState::Active => Ok(None),
        CardState::Blocked(_) => Ok(Some(card.in_state(CardState::Active))),
        CardState::Ended => Err(ended()),
    }
}

/// Ends a card for good; nothing when it is ended.
///
/// # Errors
/// 403 for those who do not run the community.
pub fn end_card(actor: &Actor, card: &Card) -> Result<Option<Card>, Refusal> {
    run_it(actor, &card.community)?;
    Ok((card.state != CardState::Ended).then(|| card.in_state(CardState::Ended)))
}

/// The card, for those who run or audit its community, and for the person who carries it.
///
/// # Errors
/// 404 for everybody else.
pub fn known_card(actor: &Actor, card: Option<Card>) -> Result<Card, Refusal> {
    let may_know = |card: &Card| {
        oversees(actor, &card.community)
            || (is_person(actor, &card.person) && actor.reaches(&card.community))
    };
    card.filter(may_know).ok_or_else(unknown_card)
}

/// No such card, or none that the caller may know.
#[must_use]
pub fn unknown_card() -> Refusal {
    Refusal::not_found(
        "card_unknown",
        Message::new(
            "There is no such card that you can see.",
            "没有您可见的这张卡。",
        ),
    )
}

impl Card {
    fn in_state(&self, state: CardState) -> Self {
        Self {
            state,
            version: self.version + 1,
            ..self.clone()
        }
    }
}

fn ended() -> Refusal {
    Refusal::conflict(
        "card_ended",
        Message::new(
            "The card is ended for good. Register a new one.",
            "该卡已注销，请登记新卡。",
        ),
    )
}
