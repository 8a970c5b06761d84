//! What a person reads when a door stays shut.

use access::Reason;
use kernel::{Message, Refusal, RefusalKind};

/// The refusal of a decision.
#[must_use]
pub fn refusal_of(reason: Reason) -> Refusal {
    let (english, chinese) = words(reason);
    let kind = match reason {
        Reason::TooFast | Reason::TooOften => RefusalKind::TooMany,
        Reason::DoorOffline => RefusalKind::Conflict,
        _ => RefusalKind::Forbidden,
    };
    Refusal::new(kind, reason.code(), Message::new(english, chinese))
}

fn words(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::GrantSuspended => (
            "Your grant for this door is suspended. Ask the property office.",
            "您对此门的授权已停用，请联系物业。",
        ),
        Reason::GrantNotYetValid => (
            "Your grant for this door does not hold yet.",
            "您对此门的授权尚未生效。",
        ),
        Reason::GrantExpired => (
            "Your grant for this door has ended. Ask the property office.",
            "您对此门的授权已到期，请联系物业。",
        ),
        Reason::KindMayNotOpen => ("Accounts of this kind open no doors.", "此类账号不能开门。"),
        Reason::PersonSuspended => (
            "Your access to this community is suspended. Ask the property office.",
            "您在本小区的通行权限已停用，请联系物业。",
        ),
        Reason::OutsideSchedule => (
            "This door is not open to you at this time.",
            "当前时段您不能通行此门。",
        ),
        Reason::DoorOffline => (
            "The door cannot be reached now. Use a card or a code at the door.",
            "门禁设备当前离线，请在门口使用卡或二维码。",
        ),
        Reason::TooFast => ("Wait 3 seconds and ask again.", "请等待 3 秒后再试。"),
        Reason::TooOften => (
            "You opened this door too often within the hour. Try again later.",
            "一小时内开门次数过多，请稍后再试。",
        ),
        _ => (
            "You have no grant for this door. Ask the property office.",
            "您没有此门的授权，请联系物业。",
        ),
    }
}
