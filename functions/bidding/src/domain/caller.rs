//! Who is asking: who acts for a merchant bids for it and sees what is its own, the platform's people set up rounds and
//! see all, auditors read. Everybody may ask what is shown.

use kernel::{Actor, ActorKind, Message, Refusal};

const READ: &str = "bidding:read";
const WRITE: &str = "bidding:write";

/// Whose things a caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Those of the merchants that they act for.
    Own,
    /// All of the tenant's.
    All,
}

/// Whether the caller looks after auctions for the platform: operators, and staff with the permission `bidding:write`.
#[must_use]
pub fn manages(actor: &Actor) -> bool {
    match actor.kind {
        ActorKind::Operator => true,
        ActorKind::Staff => actor.may(WRITE),
        _ => false,
    }
}

/// Whether the caller sees what is any merchant's.
#[must_use]
pub fn sees_all(actor: &Actor) -> bool {
    let reads = matches!(actor.kind, ActorKind::Staff | ActorKind::Application) && actor.may(READ);
    manages(actor) || actor.kind == ActorKind::Auditor || reads
}

/// What of campaigns and rounds the caller sees.
///
/// # Errors
/// 403 for those who have nothing to do with advertising.
pub fn advertisers(actor: &Actor) -> Result<Sight, Refusal> {
    if sees_all(actor) {
        return Ok(Sight::All);
    }
    if actor.kind == ActorKind::Merchant {
        return Ok(Sight::Own);
    }
    Err(Refusal::forbidden(
        "advertisers_only",
        Message::new(
            "Only merchants, and those who look after auctions for the platform, see this.",
            "仅商家和平台竞价运营人员可以查看。",
        ),
    ))
}

/// Lets those pass who look after auctions for the platform.
///
/// # Errors
/// 403 for everybody else.
pub fn managers_only(actor: &Actor) -> Result<(), Refusal> {
    if manages(actor) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "auction_managers_only",
        Message::new(
            "Only operators, and staff with the permission bidding:write, do this.",
            "仅平台运营及拥有 bidding:write 权限的员工可以操作。",
        ),
    ))
}

/// Lets those pass who read about all merchants.
///
/// # Errors
/// 403 for everybody else.
pub fn readers_only(actor: &Actor) -> Result<(), Refusal> {
    if sees_all(actor) {
        return Ok(());
    }
    managers_only(actor)
}

/// No such merchant, or none that the caller may know.
#[must_use]
pub fn unknown_merchant() -> Refusal {
    Refusal::not_found(
        "merchant_unknown",
        Message::new(
            "There is no such merchant that you can see.",
            "未找到您可查看的商家。",
        ),
    )
}
