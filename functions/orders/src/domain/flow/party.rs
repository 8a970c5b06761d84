//! In which part somebody stands before an order: who bought, who sells, who decides, who only looks.

use kernel::{Actor, ActorId, ActorKind, MerchantId, Message, Refusal};

const READ: &str = "orders:read";
/// Held by roles of staff that look after the mall for the operator.
const OPERATE: &str = "orders:operate";

/// A part in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// Who bought.
    Buyer,
    /// Who acts for the shop that sells.
    Merchant,
    /// Who runs the platform.
    Operator,
    /// Who looks and does nothing: auditors, applications.
    Reader,
}

/// The caller's part in what this buyer bought of this merchant; none when they may not know of it. `shops` are those
/// that the caller acts for.
#[must_use]
pub fn party_of(
    actor: &Actor,
    shops: &[MerchantId],
    (buyer, merchant): (&ActorId, Option<&MerchantId>),
) -> Option<Party> {
    match actor.kind {
        ActorKind::Merchant if merchant.is_some_and(|merchant| shops.contains(merchant)) => {
            Some(Party::Merchant)
        }
        ActorKind::Operator => Some(Party::Operator),
        ActorKind::Auditor => Some(Party::Reader),
        ActorKind::Application if actor.may(READ) => Some(Party::Reader),
        ActorKind::Application | ActorKind::Device => None,
        _ if actor.id == *buyer => Some(Party::Buyer),
        ActorKind::Staff if actor.may(OPERATE) => Some(Party::Operator),
        _ => None,
    }
}

/// Lets the buyer pass.
///
/// # Errors
/// 403 for everybody else who may know of the order.
pub fn buyer_only(party: Party) -> Result<(), Refusal> {
    if party == Party::Buyer {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "buyer_only",
        Message::new("Only the buyer does this.", "仅买家本人可以操作。"),
    ))
}

/// Lets the merchant pass, and operators where the platform keeps the shop.
///
/// # Errors
/// 403 for everybody else who may know of the order.
pub fn merchant_only(party: Party, is_hosted: bool) -> Result<(), Refusal> {
    if party == Party::Merchant || party == Party::Operator && is_hosted {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "merchant_only",
        Message::new(
            "Only the merchant does this, or an operator where the platform keeps the shop.",
            "仅商家可以操作；托管店铺可由平台运营代为操作。",
        ),
    ))
}

/// Lets operators pass.
///
/// # Errors
/// 403 for everybody else who may know of it.
pub fn operator_only(party: Party) -> Result<(), Refusal> {
    if party == Party::Operator {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "operator_only",
        Message::new("Only operators do this.", "仅平台运营可以操作。"),
    ))
}

/// Lets those pass who watch over all orders of the tenant.
///
/// # Errors
/// 403 for everybody else.
pub fn reports_reader(actor: &Actor) -> Result<(), Refusal> {
    let nobody = ActorId::parse("-").map_err(|_| reports_denied())?;
    match party_of(actor, &[], (&nobody, None)) {
        Some(Party::Operator | Party::Reader) => Ok(()),
        _ => Err(reports_denied()),
    }
}

/// Not for those who neither buy, sell nor watch.
#[must_use]
pub fn reports_denied() -> Refusal {
    Refusal::forbidden(
        "reports_readers_only",
        Message::new(
            "Only operators, auditors and applications with the permission orders:read see this.",
            "仅平台运营、审计及拥有 orders:read 权限的应用可以查看。",
        ),
    )
}
