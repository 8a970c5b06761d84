//! Who may see, pay and look into the books.

use kernel::{Actor, ActorKind, CommunityId, Message, Refusal};

use super::Payment;

/// The permission with which connected applications read payments.
const READ: &str = "payments:read";

/// Whether the caller works for the community: its staff, and the operator.
#[must_use]
pub fn is_manager(actor: &Actor, community: &CommunityId) -> bool {
    matches!(actor.kind, ActorKind::Operator | ActorKind::Staff) && actor.reaches(community)
}

/// Whether the caller may know of the payment: the payer, the community's staff, operator, auditor, and applications
/// with the permission.
#[must_use]
pub fn can_see(actor: &Actor, payment: &Payment) -> bool {
    match actor.kind {
        ActorKind::Auditor => true,
        ActorKind::Application => actor.may(READ),
        ActorKind::Operator | ActorKind::Staff => {
            is_manager(actor, &payment.community) || is_payer(actor, payment)
        }
        ActorKind::Resident | ActorKind::Merchant => is_payer(actor, payment),
        ActorKind::Device => false,
    }
}

/// Whether the caller may start to pay it: the payer, and the community's staff at the counter.
#[must_use]
pub fn can_pay(actor: &Actor, payment: &Payment) -> bool {
    match actor.kind {
        ActorKind::Auditor | ActorKind::Application | ActorKind::Device => false,
        _ => is_payer(actor, payment) || is_manager(actor, &payment.community),
    }
}

fn is_payer(actor: &Actor, payment: &Payment) -> bool {
    actor.id == payment.payer
}

/// Lets only those pass who look into the books.
///
/// # Errors
/// 403 for all but operators and auditors.
pub fn auditors_only(actor: &Actor) -> Result<(), Refusal> {
    if matches!(actor.kind, ActorKind::Operator | ActorKind::Auditor) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "auditors_only",
        Message::new(
            "Only the operator and auditors look into the books.",
            "仅平台运营和审计可以查看账本。",
        ),
    ))
}

/// Lets only the operator pass.
///
/// # Errors
/// 403 for all others.
pub fn operators_only(actor: &Actor) -> Result<(), Refusal> {
    if actor.kind == ActorKind::Operator {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "operators_only",
        Message::new("Only the operator does this.", "仅平台运营可以进行此操作。"),
    ))
}

/// No such payment, or none that the caller may know.
#[must_use]
pub fn unknown_payment() -> Refusal {
    Refusal::not_found(
        "payment_unknown",
        Message::new(
            "There is no such payment that you can see.",
            "未找到您可查看的支付单。",
        ),
    )
}

/// No such refund, or none that the caller may know.
#[must_use]
pub fn unknown_refund() -> Refusal {
    Refusal::not_found(
        "refund_unknown",
        Message::new(
            "There is no such refund that you can see.",
            "未找到您可查看的退款单。",
        ),
    )
}

/// No such transfer.
#[must_use]
pub fn unknown_transfer() -> Refusal {
    Refusal::not_found(
        "transfer_unknown",
        Message::new("There is no such transfer.", "未找到该转账单。"),
    )
}

/// No such account in the books.
#[must_use]
pub fn unknown_account() -> Refusal {
    Refusal::not_found(
        "account_unknown",
        Message::new(
            "There is no such account in the ledger.",
            "账本中没有该账户。",
        ),
    )
}

/// That day was not reconciled.
#[must_use]
pub fn unknown_reconciliation() -> Refusal {
    Refusal::not_found(
        "reconciliation_unknown",
        Message::new(
            "That day was not reconciled. Run it.",
            "该日尚未对账，请先执行对账。",
        ),
    )
}
