//! Who is asking: people have their own devices, consents and messages; merchants buy pushes; the platform's people and
//! connected applications tell; auditors read.

use kernel::{Actor, ActorKind, Message, Refusal};

const READ: &str = "push:read";
const WRITE: &str = "push:write";
const AUDIT: &str = "push:audit";

/// Whether the caller tells things to people: operators, and staff and applications with `push:write`.
#[must_use]
pub fn tells(actor: &Actor) -> bool {
    let has = matches!(actor.kind, ActorKind::Staff | ActorKind::Application) && actor.may(WRITE);
    actor.kind == ActorKind::Operator || has
}

/// Whether the caller sees what was told to anybody.
#[must_use]
pub fn sees_all(actor: &Actor) -> bool {
    let has = matches!(actor.kind, ActorKind::Staff | ActorKind::Application) && actor.may(READ);
    tells(actor) || actor.kind == ActorKind::Auditor || has
}

/// Whether the caller decides on pushes that merchants pay for: operators, and staff with `push:audit`.
#[must_use]
pub fn reviews(actor: &Actor) -> bool {
    actor.kind == ActorKind::Operator || (actor.kind == ActorKind::Staff && actor.may(AUDIT))
}

/// Lets those pass who tell things to people.
///
/// # Errors
/// 403 for everybody else.
pub fn tellers_only(actor: &Actor) -> Result<(), Refusal> {
    if tells(actor) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "tellers_only",
        Message::new(
            "Only operators, and staff and applications with the permission push:write, do this.",
            "仅平台运营及拥有 push:write 权限的员工和应用可以操作。",
        ),
    ))
}

/// Lets those pass who see what is told.
///
/// # Errors
/// 403 for everybody else.
pub fn readers_only(actor: &Actor) -> Result<(), Refusal> {
    if sees_all(actor) {
        return Ok(());
    }
    tellers_only(actor)
}

/// Lets those pass who decide on paid pushes.
///
/// # Errors
/// 403 for everybody else.
pub fn reviewers_only(actor: &Actor) -> Result<(), Refusal> {
    if reviews(actor) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "reviewers_only",
        Message::new(
            "Only operators, and staff with the permission push:audit, decide on this.",
            "仅平台运营及拥有 push:audit 权限的员工可以审核。",
        ),
    ))
}

/// Lets people pass: those who have an inbox and devices.
///
/// # Errors
/// 403 for devices, auditors and applications.
pub fn people_only(actor: &Actor) -> Result<(), Refusal> {
    match actor.kind {
        ActorKind::Resident | ActorKind::Staff | ActorKind::Merchant | ActorKind::Operator => {
            Ok(())
        }
        _ => Err(Refusal::forbidden(
            "people_only",
            Message::new(
                "Messages and devices are for people. Sign in as one.",
                "消息和设备仅供个人用户使用，请以个人身份登录。",
            ),
        )),
    }
}

/// Lets those pass who may have webhooks and topics: people, and connected applications.
///
/// # Errors
/// 403 for devices and auditors.
pub fn receivers_only(actor: &Actor) -> Result<(), Refusal> {
    if actor.kind == ActorKind::Application {
        return Ok(());
    }
    people_only(actor)
}

/// Lets those pass who buy pushes or sell them.
///
/// # Errors
/// 403 for those who have nothing to do with them.
pub fn buyers_only(actor: &Actor) -> Result<(), Refusal> {
    if actor.kind == ActorKind::Merchant || sees_all(actor) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "merchants_only",
        Message::new("Paid pushes are for merchants.", "付费推送仅供商家使用。"),
    ))
}

/// There is no such thing that the caller may see.
#[must_use]
pub fn unknown(code: &'static str, english: &str, chinese: &str) -> Refusal {
    Refusal::not_found(
        code,
        Message::new(
            format!("There is no such {english} that you can see."),
            format!("未找到您可查看的{chinese}。"),
        ),
    )
}

macro_rules! unknowns {
    ($($name:ident = $code:literal, $english:literal, $chinese:literal;)*) => {$(
        #[doc = concat!("There is no such ", $english, ".")]
        #[must_use]
        pub fn $name() -> Refusal {
            unknown($code, $english, $chinese)
        }
    )*};
}

unknowns! {
    unknown_message = "push_message_unknown", "message", "消息";
    unknown_device = "push_device_unknown", "device", "设备";
    unknown_template = "push_template_unknown", "template", "模板";
    unknown_plan = "push_plan_unknown", "plan", "推送计划";
    unknown_order = "push_order_unknown", "paid push", "付费推送";
    unknown_person = "push_person_unknown", "person", "用户";
    unknown_topic = "push_topic_unknown", "topic", "主题";
    unknown_webhook = "webhook_unknown", "webhook", "Webhook";
    unknown_merchant = "merchant_unknown", "merchant", "商家";
    unknown_stop = "stop_link_invalid", "link", "退订链接";
    unknown_receipt = "receipt_invalid", "delivery", "投递记录";
}
