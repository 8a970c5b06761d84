//! Who is asking: people buy, a merchant's members sell, operators keep hosted shops, auditors read.

use kernel::{Actor, ActorKind, Message, Refusal};
use wire::mall::MerchantMode;

use super::Merchant;

const READ: &str = "goods:read";
const WRITE: &str = "goods:write";

/// Whether accounts of that kind are people, who may buy.
#[must_use]
pub fn is_people(kind: ActorKind) -> bool {
    match kind {
        ActorKind::Resident | ActorKind::Staff | ActorKind::Merchant | ActorKind::Operator => true,
        ActorKind::Auditor | ActorKind::Device | ActorKind::Application => false,
    }
}

/// Lets people pass.
///
/// # Errors
/// 403 for auditors, devices and applications: they buy nothing.
pub fn buyers_only(actor: &Actor) -> Result<(), Refusal> {
    if is_people(actor.kind) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "people_only",
        Message::new(
            "Only people buy: sign in with an account of a person.",
            "仅限个人账号购物，请使用个人账号登录。",
        ),
    ))
}

/// Lets those pass who read all that a merchant keeps: its members, operators, auditors, and applications with
/// `goods:read`.
///
/// # Errors
/// 404 for everybody else: whose the goods are is nobody's business.
pub fn goods_reader(
    actor: &Actor,
    merchant: &Merchant,
    unknown: fn() -> Refusal,
) -> Result<(), Refusal> {
    let reads = match actor.kind {
        ActorKind::Merchant => merchant.has_member(&actor.id),
        ActorKind::Operator | ActorKind::Auditor => true,
        ActorKind::Application => actor.may(READ) || actor.may(WRITE),
        ActorKind::Staff => actor.may(READ) || actor.may(WRITE),
        ActorKind::Resident | ActorKind::Device => false,
    };
    if reads { Ok(()) } else { Err(unknown()) }
}

/// Lets those pass who change what a merchant sells: its members; for a hosted shop those who hold `goods:write`, which
/// operators do.
///
/// # Errors
/// 404 for those who may not know of it; 403 for those who only read, and for operators while the shop is kept by the
/// merchant itself.
pub fn goods_keeper(
    actor: &Actor,
    merchant: &Merchant,
    unknown: fn() -> Refusal,
) -> Result<(), Refusal> {
    goods_reader(actor, merchant, unknown)?;
    if actor.kind == ActorKind::Merchant {
        return Ok(());
    }
    if !actor.may(WRITE) {
        return Err(Refusal::forbidden(
            "goods_keepers_only",
            Message::new(
                "Only the merchant, or the operators of a hosted shop, change goods.",
                "仅商家本人或托管店铺的平台运营可以修改商品。",
            ),
        ));
    }
    match merchant.mode {
        MerchantMode::Hosted => Ok(()),
        MerchantMode::SelfRun => Err(Refusal::forbidden(
            "shop_is_self_run",
            Message::new(
                "The merchant keeps this shop itself. Only hosted shops are edited on the merchant's behalf.",
                "该店铺由商家自行管理，平台仅可代为编辑托管店铺。",
            ),
        )),
    }
}

/// No such merchant, or none that the caller acts for.
#[must_use]
pub fn unknown_merchant() -> Refusal {
    Refusal::not_found(
        "merchant_unknown",
        Message::new(
            "There is no such merchant that you act for.",
            "未找到您可管理的该商家。",
        ),
    )
}

/// No such shop, or none that is open.
#[must_use]
pub fn unknown_shop() -> Refusal {
    Refusal::not_found(
        "shop_unknown",
        Message::new(
            "There is no such shop that is open. Choose another one.",
            "未找到营业中的该店铺，请选择其他店铺。",
        ),
    )
}
