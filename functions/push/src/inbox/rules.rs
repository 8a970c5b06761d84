//! Household rules: whom an event is told, and with which words. One message for each event, so that a household is told
//! of it exactly once.

use std::collections::BTreeMap;

use kernel::{ActorId, CommunityId, DeviceId, MerchantId, RoomId};
use serde_json::json;
use store::Tx;
use store::events::Recorded;
use wire::event::{
    BillPaid, BillPublished, BillRefunded, BillReminderDue, BindingRequestDecided, DoorOpened,
    DoorOpeningFailed, DoorOpeningTimedOut, DoorsReleased, FeeCouponChanged, FeedbackAnswered,
    MerchantApplicationDecided, MerchantQualificationExpired, MerchantQualificationExpiring,
    MerchantStandingChanged, MeterAlarmRaised, OrderChanged, PaymentSucceeded,
    PlatformAccountChanged, RechargeFinished, StatementIssued, StatementOverdue, SwitchingSettled,
    VisitArrived, VisitRequested, WithdrawalChanged,
};
use wire::mall::Standing;

use crate::context::Context;
use crate::domain::{Bilingual, Channel, Content, Draft, Source, purpose_name, rule, yuan};
use crate::store::messages::Whom;
use crate::store::{merchants, people, terms, troubles};
use crate::telling::{self, New};

/// Who speaks for the property office and the platform.
const SENDER: &str = "邻里 Linli";
/// Who speaks when an event does.
const ACTOR: &str = "push";

/// Whom it is told.
pub(super) enum To {
    People(Vec<ActorId>),
    Room(RoomId),
    Merchant(MerchantId),
    Community(CommunityId),
}

/// What is told.
pub(super) struct Told {
    rule: &'static str,
    to: To,
    values: BTreeMap<String, String>,
    /// Only in the list of the app.
    is_quiet: bool,
}

impl Told {
    fn new(rule: &'static str, to: To) -> Self {
        Self {
            rule,
            to,
            values: BTreeMap::new(),
            is_quiet: false,
        }
    }

    fn one(rule: &'static str, person: &ActorId) -> Self {
        Self::new(rule, To::People(vec![person.clone()]))
    }

    fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.values.insert(name.to_owned(), value.to_string());
        self
    }

    fn quietly(mut self) -> Self {
        self.is_quiet = true;
        self
    }
}

/// What is told of an event, if anything.
///
/// # Errors
/// An event that cannot be read; a failure of the database.
pub(super) async fn told(
    context: &Context,
    tx: &Tx,
    event: &Recorded,
) -> anyhow::Result<Option<Told>> {
    if let Some(opened) = event.read::<DoorOpened>()? {
        people::active(tx, &opened.person, event.at).await?;
        let told = Told::one("door.opened", &opened.person).with("door", &opened.door);
        return Ok(Some(told.quietly()));
    }
    if let Some(released) = event.read::<DoorsReleased>()? {
        let name = terms::community_name(tx, &released.community).await?;
        let name = name.unwrap_or_else(|| released.community.to_string());
        let rule = match released.released {
            true => "doors.released",
            false => "doors.secured",
        };
        let told = Told::new(rule, To::Community(released.community));
        let told = told.with("community", name).with("reason", released.reason);
        return Ok(Some(told));
    }
    if let Some(failed) = door_failed(event)? {
        let (person, door) = &failed;
        let is_news = troubles::tell(tx, person, &format!("door {door}"), event.at).await?;
        let told = Told::one("door.failed", person).with("door", door);
        return Ok(is_news.then_some(told));
    }
    if let Some(told) = of_visits(event)? {
        return Ok(Some(told));
    }
    if let Some(told) = of_money(event)? {
        return Ok(Some(told));
    }
    if let Some(told) = of_homes(event)? {
        return Ok(Some(told));
    }
    if let Some(told) = of_merchants(context, event)? {
        return Ok(Some(told));
    }
    of_orders(event)
}

/// Who asked for a door that did not open, and the door.
fn door_failed(event: &Recorded) -> anyhow::Result<Option<(ActorId, DeviceId)>> {
    if let Some(failed) = event.read::<DoorOpeningFailed>()? {
        return Ok(Some((failed.person, failed.door)));
    }
    let failed = event.read::<DoorOpeningTimedOut>()?;
    Ok(failed.map(|failed| (failed.person, failed.door)))
}

fn of_visits(event: &Recorded) -> anyhow::Result<Option<Told>> {
    if let Some(asked) = event.read::<VisitRequested>()? {
        let told = Told::new("visit.requested", To::People(asked.hosts));
        return Ok(Some(told.with("visit", asked.visit)));
    }
    if let Some(arrived) = event.read::<VisitArrived>()? {
        let told = Told::new("visit.arrived", To::Room(arrived.room));
        return Ok(Some(told.with("visit", arrived.visit)));
    }
    Ok(None)
}

fn of_money(event: &Recorded) -> anyhow::Result<Option<Told>> {
    if let Some(bill) = event.read::<BillPublished>()? {
        if bill.amount_minor <= 0 {
            return Ok(None);
        }
        let told = Told::new("bill.published", To::Room(bill.room));
        let told = told.with("title", bill.title).with("period", bill.period);
        let told = told.with("amount", yuan(bill.amount_minor));
        return Ok(Some(told.with("due", bill.due_on).with("bill", bill.bill)));
    }
    if let Some(due) = event.read::<BillReminderDue>()? {
        let told = Told::new("bill.reminder", To::People(due.people));
        let told = told.with("bills", due.bills).with("due", due.due_on);
        return Ok(Some(told.with("amount", yuan(due.outstanding_minor))));
    }
    if let Some(paid) = event.read::<BillPaid>()? {
        if !paid.settled {
            return Ok(None);
        }
        let told = Told::new("bill.paid", To::Room(paid.room)).with("bill", paid.bill);
        let amount = yuan(paid.principal_minor.saturating_add(paid.late_minor));
        return Ok(Some(told.with("amount", amount)));
    }
    if let Some(back) = event.read::<BillRefunded>()? {
        let told = Told::new("bill.refunded", To::Room(back.room)).with("bill", back.bill);
        let told = told.with("amount", yuan(back.amount_minor));
        return Ok(Some(told.with("reason", back.reason)));
    }
    if let Some(recharge) = event.read::<RechargeFinished>()? {
        let rule = match recharge.state.as_str() {
            "confirmed" => "recharge.confirmed",
            _ => "recharge.refunding",
        };
        let told = Told::new(rule, To::Room(recharge.room)).with("recharge", recharge.recharge);
        return Ok(Some(told.with("amount", yuan(recharge.amount_minor))));
    }
    if let Some(paid) = event.read::<PaymentSucceeded>()? {
        let told = Told::one("payment.succeeded", &paid.payer).with("payment", paid.payment);
        return Ok(Some(told.with("amount", yuan(paid.amount_minor)).quietly()));
    }
    if let Some(coupon) = event.read::<FeeCouponChanged>()? {
        let to = match (coupon.person, coupon.room, coupon.state.as_str()) {
            (Some(person), _, "available") => To::People(vec![person]),
            (None, Some(room), "available") => To::Room(room),
            _ => return Ok(None),
        };
        return Ok(Some(Told::new("coupon.given", to).quietly()));
    }
    Ok(None)
}

fn of_homes(event: &Recorded) -> anyhow::Result<Option<Told>> {
    if let Some(decided) = event.read::<BindingRequestDecided>()? {
        let rule = match decided.binding {
            Some(_) => "binding.approved",
            None => "binding.rejected",
        };
        let reason = decided.reason.unwrap_or_default();
        let told = Told::one(rule, &decided.person).with("reason", reason);
        return Ok(Some(told));
    }
    if let Some(answered) = event.read::<FeedbackAnswered>()? {
        let told = Told::one("feedback.answered", &answered.person);
        return Ok(Some(told.with("feedback", answered.feedback)));
    }
    if let Some(alarm) = event.read::<MeterAlarmRaised>()? {
        // What stands still or does not sum up is the property office's to look after.
        return Ok(match (alarm.room, alarm.kind.as_str()) {
            (Some(room), "leak") => {
                Some(Told::new("meter.leak", To::Room(room)).with("meter", alarm.meter))
            }
            _ => None,
        });
    }
    if let Some(settled) = event.read::<SwitchingSettled>()? {
        let rule = match settled.supply.as_str() {
            "off" => "supply.off",
            _ => "supply.on",
        };
        return Ok(match (settled.room, settled.state.as_str()) {
            (Some(room), "done") => {
                Some(Told::new(rule, To::Room(room)).with("meter", settled.meter))
            }
            _ => None,
        });
    }
    Ok(None)
}

fn of_merchants(context: &Context, event: &Recorded) -> anyhow::Result<Option<Told>> {
    if let Some(issued) = event.read::<StatementIssued>()? {
        let told = Told::new("statement.issued", To::Merchant(issued.merchant));
        let told = told.with("month", issued.month);
        let told = told.with("amount", yuan(issued.owed_minor));
        return Ok(Some(told.with("statement", issued.statement)));
    }
    if let Some(overdue) = event.read::<StatementOverdue>()? {
        let told = Told::new("statement.overdue", To::Merchant(overdue.merchant));
        let told = told.with("amount", yuan(overdue.owed_minor));
        return Ok(Some(told.with("statement", overdue.statement)));
    }
    if let Some(changed) = event.read::<WithdrawalChanged>()? {
        let told = Told::new("withdrawal.changed", To::Merchant(changed.merchant));
        let told = told.with("amount", yuan(changed.amount_minor));
        let told = told.with("state", changed.state);
        return Ok(Some(told.with("withdrawal", changed.withdrawal)));
    }
    if let Some(changed) = event.read::<MerchantStandingChanged>()? {
        let rule = match changed.standing {
            Standing::Frozen => "standing.frozen",
            Standing::TopUpRequired => "standing.top_up",
            Standing::DepositDue | Standing::Good => return Ok(None),
        };
        return Ok(Some(Told::new(rule, To::Merchant(changed.merchant))));
    }
    if let Some(changed) = event.read::<PlatformAccountChanged>()? {
        let told = Told::new("platform.suspended", To::People(changed.holders));
        let told = told.with("account", changed.account);
        return Ok(changed.suspended.then_some(told));
    }
    if let Some(ends) = event.read::<MerchantQualificationExpiring>()? {
        let date = kernel::Zone::SHANGHAI.local(ends.expires_at).date;
        let told = Told::new("qualification.expiring", To::People(ends.members));
        return Ok(Some(told.with("date", date)));
    }
    if let Some(ended) = event.read::<MerchantQualificationExpired>()? {
        let told = Told::new("qualification.expired", To::People(ended.members));
        return Ok((ended.expired_at <= context.now).then_some(told));
    }
    if let Some(decided) = event.read::<MerchantApplicationDecided>()? {
        let told = decided
            .applicant
            .filter(|_| decided.decision != "withdrawn")
            .map(|person| Told::one("application.decided", &person));
        let told = told.map(|told| told.with("decision", decided.decision));
        return Ok(told.map(|told| told.with("application", decided.application)));
    }
    Ok(None)
}

fn of_orders(event: &Recorded) -> anyhow::Result<Option<Told>> {
    let Some(changed) = event.read::<OrderChanged>()? else {
        return Ok(None);
    };
    let rule = match changed.change.as_str() {
        "paid" => "order.paid",
        "refund_requested" => "order.refund_requested",
        "accepted" => "order.accepted",
        "shipped" => "order.shipped",
        "ready" => "order.ready",
        "delivered" => "order.delivered",
        "completed" => "order.completed",
        "cancelled" => "order.cancelled",
        "rejected" => "order.rejected",
        "refunded" => "order.refunded",
        _ => return Ok(None),
    };
    let to = match rule {
        "order.paid" | "order.refund_requested" => To::Merchant(changed.merchant),
        _ => To::People(vec![changed.buyer]),
    };
    Ok(Some(Told::new(rule, to).with("order", changed.order)))
}

/// Makes the message of an event, once.
///
/// # Errors
/// A failure of the database.
pub(super) async fn tell(
    context: &Context,
    tx: &Tx,
    (event, told): (&Recorded, Told),
) -> anyhow::Result<()> {
    let whom = match told.to {
        To::People(people) => Whom::People(people),
        To::Room(room) => Whom::People(people::household(tx, &room, context.now).await?),
        To::Merchant(merchant) => Whom::People(merchants::members(tx, &merchant).await?),
        To::Community(community) => Whom::Audience(json!({"community": community})),
    };
    if matches!(&whom, Whom::People(people) if people.is_empty()) {
        return Ok(());
    }
    let own = telling::template(tx, tx.tenant(), told.rule).await?;
    let (Some(rule), Some((_, title, body))) = (rule(told.rule), own) else {
        anyhow::bail!("there is no rule {}", told.rule);
    };
    let link = Bilingual::new(rule.url, "").filled(&told.values).zh;
    let draft = Draft {
        // A template has other words, not another purpose: an alarm stays one.
        purpose: purpose_name(rule.purpose).to_owned(),
        sender: SENDER.to_owned(),
        title: title.filled(&told.values),
        body: body.filled(&told.values),
        url: Some(link),
        channels: match told.is_quiet {
            true => vec![Channel::Inbox],
            false => Vec::new(),
        },
        urgency: (told.rule == "visit.requested").then(|| "high".to_owned()),
        collapse_key: None,
        ttl_seconds: None,
    };
    let new = New {
        content: Content::of(draft)?,
        source: Source::Event,
        reference: event.id.to_string(),
        whom,
        due_at: context.now,
        per_minute: None,
        hold_out_bps: 0,
        quiet: None,
        actor: &ActorId::parse(ACTOR)?,
    };
    telling::tell(context, tx, new).await.map(drop)
}
