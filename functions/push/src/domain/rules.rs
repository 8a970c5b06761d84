//! What is told of events: a text of our own for each, which a tenant's template of the same name replaces.

use messaging::timing::Purpose;

/// What is told of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its name; a template of that name replaces the texts.
    pub name: &'static str,
    /// What for.
    pub purpose: Purpose,
    /// The title in Chinese and English.
    pub title: (&'static str, &'static str),
    /// The text in Chinese and English.
    pub body: (&'static str, &'static str),
    /// What a tap opens.
    pub url: &'static str,
}

/// The rule of that name.
#[must_use]
pub fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

const fn service(
    name: &'static str,
    title: (&'static str, &'static str),
    body: (&'static str, &'static str),
    url: &'static str,
) -> Rule {
    Rule {
        name,
        purpose: Purpose::Service,
        title,
        body,
        url,
    }
}

const fn safety(
    name: &'static str,
    title: (&'static str, &'static str),
    body: (&'static str, &'static str),
    url: &'static str,
) -> Rule {
    Rule {
        purpose: Purpose::Safety,
        ..service(name, title, body, url)
    }
}

/// Every rule.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    service("door.opened", ("门已打开", "Door opened"), ("您已打开 {door}。如非本人操作，请联系物业。", "You opened {door}. If it was not you, tell the property office."), "/doors"),
    service("door.failed", ("开门失败", "The door did not open"), ("{door} 未能打开，请重试或联系物业。", "{door} did not open. Try again or call the property office."), "/doors"),
    safety("doors.released", ("紧急疏散：门已全部打开", "Emergency: all doors are open"), ("{community} 的门已为疏散打开。原因：{reason}", "The doors of {community} stand open for evacuation. Reason: {reason}"), "/doors"),
    safety("doors.secured", ("疏散结束：门已恢复", "The doors are shut again"), ("{community} 的门已恢复正常。", "The doors of {community} work as usual again."), "/doors"),
    service("visit.requested", ("有访客等您确认", "A visitor waits for your answer"), ("有访客来访，请尽快答复。", "Somebody wants to visit you. Answer soon."), "/visits/{visit}"),
    service("visit.arrived", ("访客已到", "Your visitor is here"), ("您的访客已进入小区。", "Your visitor came in."), "/visits/{visit}"),
    service("bill.published", ("新账单", "A new bill"), ("{title}（{period}）：{amount} 元，请在 {due} 前缴纳。", "{title} ({period}): {amount} yuan, due by {due}."), "/bills/{bill}"),
    service("bill.reminder", ("缴费提醒", "Bills to pay"), ("您有 {bills} 张账单共 {amount} 元待缴，最早于 {due} 到期。", "You have {bills} bills of {amount} yuan to pay, the oldest due by {due}."), "/bills"),
    service("bill.paid", ("账单已缴清", "Bill paid"), ("账单已缴清，实收 {amount} 元。", "The bill is paid: {amount} yuan."), "/bills/{bill}"),
    service("bill.refunded", ("账单退款", "Bill refunded"), ("{amount} 元将原路退回。原因：{reason}", "{amount} yuan go back to you. Reason: {reason}"), "/bills/{bill}"),
    service("coupon.given", ("您收到一张优惠券", "You have a coupon"), ("物业向您发放了一张优惠券，缴费时可用。", "The property office gave you a coupon. Use it when you pay."), "/coupons"),
    service("recharge.confirmed", ("充值成功", "Recharged"), ("{amount} 元已充入表计。", "{amount} yuan are on the meter."), "/recharges/{recharge}"),
    service("recharge.refunding", ("充值未成功", "The recharge failed"), ("{amount} 元充值未成功，款项将退回。", "{amount} yuan could not be recharged and go back to you."), "/recharges/{recharge}"),
    service("payment.succeeded", ("付款成功", "Payment received"), ("您已付款 {amount} 元。", "You paid {amount} yuan."), "/payments/{payment}"),
    service("order.accepted", ("商家已接单", "Order accepted"), ("您的订单已被商家接受。", "The shop accepted your order."), "/orders/{order}"),
    service("order.shipped", ("订单已发货", "Order shipped"), ("您的订单已发货。", "Your order is on its way."), "/orders/{order}"),
    service("order.ready", ("订单可自提", "Order ready"), ("您的订单已可自提。", "Your order can be picked up."), "/orders/{order}"),
    service("order.delivered", ("订单已送达", "Order delivered"), ("您的订单已送达。", "Your order was delivered."), "/orders/{order}"),
    service("order.completed", ("订单已完成", "Order completed"), ("您的订单已完成，欢迎评价。", "Your order is completed. Tell others how it was."), "/orders/{order}"),
    service("order.cancelled", ("订单已取消", "Order cancelled"), ("您的订单已取消。", "Your order was cancelled."), "/orders/{order}"),
    service("order.rejected", ("商家未接单", "Order refused"), ("商家未能接单，款项将退回。", "The shop could not take your order; the money goes back."), "/orders/{order}"),
    service("order.refunded", ("订单退款", "Order refunded"), ("您的退款已处理。", "Your refund was made."), "/orders/{order}"),
    service("order.paid", ("新订单", "A new order"), ("您有一笔新订单，请尽快接单。", "There is a new order. Accept it soon."), "/merchant/orders/{order}"),
    service("order.refund_requested", ("买家申请退款", "A refund is asked for"), ("买家申请退款，请尽快处理。", "A buyer asks for a refund. Answer soon."), "/merchant/orders/{order}"),
    service("statement.issued", ("结算单已出", "Your statement is there"), ("{month} 的结算单已出，应付 {amount} 元。", "The statement of {month} is there: {amount} yuan to pay."), "/statements/{statement}"),
    service("statement.overdue", ("结算单已逾期", "Your statement is overdue"), ("结算单逾期，尚欠 {amount} 元。", "The statement is overdue: {amount} yuan."), "/statements/{statement}"),
    service("withdrawal.changed", ("提现进度", "Your withdrawal"), ("您的 {amount} 元提现状态：{state}。", "Your withdrawal of {amount} yuan: {state}."), "/withdrawals/{withdrawal}"),
    service("standing.frozen", ("店铺已冻结", "Your shop is frozen"), ("欠款超过保证金，店铺已冻结，请尽快补缴。", "The debt is larger than the deposit. Pay to open again."), "/deposits"),
    service("standing.top_up", ("请补缴保证金", "Top up your deposit"), ("保证金已被扣减，请补足。", "The deposit was drawn on. Top it up."), "/deposits"),
    service("platform.suspended", ("平台账户已暂停", "The platform account is suspended"), ("余额不足，平台账户已暂停，请充值。", "There is too little money: recharge the account."), "/platform-accounts/{account}"),
    service("qualification.expiring", ("资质即将到期", "A licence ends soon"), ("您的资质将于 {date} 到期，请尽快更新。", "A licence ends on {date}. Renew it."), "/merchant/qualifications"),
    service("qualification.expired", ("资质已到期", "A licence has ended"), ("资质已到期，店铺已暂停营业。", "A licence has ended; the shop is closed until it is renewed."), "/merchant/qualifications"),
    service("application.decided", ("入驻申请结果", "Your application"), ("您的入驻申请结果：{decision}。", "Your application: {decision}."), "/merchant-applications/{application}"),
    service("binding.approved", ("房屋绑定已通过", "You are bound to your room"), ("您的房屋绑定申请已通过。", "Your request to be bound to a room was approved."), "/rooms"),
    service("binding.rejected", ("房屋绑定未通过", "Your request was refused"), ("您的房屋绑定申请未通过：{reason}", "Your request to be bound to a room was refused: {reason}"), "/rooms"),
    service("feedback.answered", ("反馈有了答复", "Your feedback was answered"), ("您的反馈已有答复。", "There is an answer to your feedback."), "/feedback/{feedback}"),
    safety("meter.leak", ("疑似泄漏", "A leak is suspected"), ("您家的表计疑似泄漏，请立即检查阀门并联系物业。", "Your meter suggests a leak. Check the valves now and call the property office."), "/meters/{meter}"),
    safety("supply.off", ("供应已切断", "Supply cut"), ("您家的供应已切断，请联系物业。", "Your supply was cut. Call the property office."), "/meters/{meter}"),
    service("supply.on", ("供应已恢复", "Supply restored"), ("您家的供应已恢复。", "Your supply is back."), "/meters/{meter}"),
];

/// Fen as yuan, for people: `12.05`.
#[must_use]
pub fn yuan(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.unsigned_abs();
    format!("{sign}{}.{:02}", minor / 100, minor % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Bilingual, Content, Draft, purpose_name};

    #[test]
    fn every_rule_can_be_told_and_has_a_name_of_its_own() {
        for (index, rule) in RULES.iter().enumerate() {
            let draft = Draft {
                purpose: purpose_name(rule.purpose).to_owned(),
                sender: "物业".to_owned(),
                title: Bilingual::new(rule.title.0, rule.title.1),
                body: Bilingual::new(rule.body.0, rule.body.1),
                url: None,
                channels: Vec::new(),
                urgency: None,
                collapse_key: None,
                ttl_seconds: None,
            };
            assert!(Content::of(draft).is_ok(), "{}", rule.name);
            assert!(rule.url.starts_with('/'), "{}", rule.name);
            let first = RULES.iter().position(|other| other.name == rule.name);
            assert_eq!(first, Some(index), "{}", rule.name);
        }
    }

    #[test]
    fn fen_are_yuan_for_people() {
        assert_eq!(
            [yuan(1205), yuan(7), yuan(-150)],
            ["12.05", "0.07", "-1.50"]
        );
    }
}
