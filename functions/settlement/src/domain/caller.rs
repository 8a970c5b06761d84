//! Who is asking: who acts for a merchant sees and does what is the merchant's, the platform's people settle, auditors
//! read.

use kernel::{Actor, ActorKind, Message, Refusal};

const READ: &str = "settlements:read";
const WRITE: &str = "settlements:write";

/// Whose things a caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Those of the merchants, or the accounts, that they act for.
    Own,
    /// All of the tenant's.
    All,
}

/// Whether the caller settles for the platform: operators, and staff with the permission `settlements:write`.
#[must_use]
pub fn settles(actor: &Actor) -> bool {
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
    settles(actor) || actor.kind == ActorKind::Auditor || reads
}

/// What of merchants the caller sees.
///
/// # Errors
/// 403 for those who have nothing to do with merchants.
pub fn sees_merchants(actor: &Actor) -> Result<Sight, Refusal> {
    if sees_all(actor) {
        return Ok(Sight::All);
    }
    if actor.kind == ActorKind::Merchant {
        return Ok(Sight::Own);
    }
    Err(Refusal::forbidden(
        "merchants_only",
        Message::new(
            "Only merchants and those who settle for the platform see this.",
            "仅商家和平台结算人员可以查看。",
        ),
    ))
}

/// What of platform accounts the caller sees.
///
/// # Errors
/// 403 for devices and applications without the permission.
pub fn sees_accounts(actor: &Actor) -> Result<Sight, Refusal> {
    if sees_all(actor) {
        return Ok(Sight::All);
    }
    match actor.kind {
        ActorKind::Resident | ActorKind::Staff | ActorKind::Merchant => Ok(Sight::Own),
        _ => Err(Refusal::forbidden(
            "people_only",
            Message::new(
                "Platform accounts are for people, and for applications with the permission settlements:read.",
                "平台账户仅供用户及拥有 settlements:read 权限的应用查看。",
            ),
        )),
    }
}

/// Lets those pass who settle for the platform.
///
/// # Errors
/// 403 for everybody else.
pub fn settlers_only(actor: &Actor) -> Result<(), Refusal> {
    if settles(actor) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "settlers_only",
        Message::new(
            "Only operators, and staff with the permission settlements:write, do this.",
            "仅平台运营及拥有 settlements:write 权限的员工可以操作。",
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
    settlers_only(actor)
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

/// A merchant with which nothing was agreed.
#[must_use]
pub fn no_contract() -> Refusal {
    Refusal::conflict(
        "contract_missing",
        Message::new(
            "There is no contract with this merchant yet. Agree on one first.",
            "该商家尚未签订合同，请先签约。",
        ),
    )
}
