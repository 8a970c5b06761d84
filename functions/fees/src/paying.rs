//! Asking for a payment of bills: what is owed is quoted, what bears it is counted on, and the rest is asked for, over a
//! channel or at the counter. What becomes of it stands in `settling.rs`, what is given back in `refunding.rs`.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Actor, ActorId, BillId, CommunityId, CouponId, Currency, Message, Refusal, RoomId};
use ledger::Account;
use store::Tx;
use wire::event::PaymentRequested;

use crate::context::Context;
use crate::domain::{
    Bill, BillState, Means, Parts, community_unknown, make_up, quote, unknown_bill,
    works_at_counter,
};
use crate::facts::append;
use crate::store::known::Known;
use crate::store::payments::{BILLS_MAX, Method, Payment, PaymentState};
use crate::store::{cash, known, owed, payments};
use crate::{crediting, rewarding, settling};

/// What payments calls this purpose by.
pub(crate) const PURPOSE: &str = "bills";
/// How long a payment may take, in milliseconds: 30 minutes.
pub(crate) const PAYMENT_MS: i64 = 30 * 60 * 1_000;

/// How somebody wants to pay.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub(crate) bills: Vec<BillId>,
    /// What of it is paid now, oldest first; all of it unless it is said.
    pub(crate) pay_minor: Option<i64>,
    pub(crate) coupon: Option<CouponId>,
    #[serde(default)]
    pub(crate) use_points: bool,
    #[serde(default)]
    pub(crate) use_credit: bool,
    #[serde(default)]
    pub(crate) method: Method,
    /// Who pays at the counter; one of the room's people unless it is said.
    pub(crate) payer: Option<ActorId>,
}

impl Asked {
    fn is_at_counter(&self) -> bool {
        self.method != Method::Channel
    }

    fn spends(&self) -> bool {
        self.coupon.is_some() || self.use_points || self.use_credit
    }
}

/// Asks for what the bills cost today, or a part of it. Coupon, points and the payer's credit bear what they can, in
/// this order; the rest is asked for over a channel, or taken at the counter at once.
///
/// # Errors
/// 404 for a bill or coupon that is not the payer's; 409 when nothing is owed or the coupon cannot be used; 403 at the
/// counter for whom does not work there; 422 for another amount than can be paid; a failure of the database.
pub(crate) async fn request(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    asked: &Asked,
) -> anyhow::Result<Payment> {
    let bills = payable(context, tx, actor, asked).await?;
    let community = bills.first().ok_or_else(nothing_owed)?.community.clone();
    let known = known::community(tx, tx.tenant(), &community).await?;
    let known = known.ok_or_else(community_unknown)?;
    let payer = payer(context, tx, (actor, asked), &bills).await?;
    let quoted = quote(&bills, known.terms, known.today(context.now));
    let total: i64 = quoted
        .iter()
        .map(|owed| owed.principal_fen + owed.late_fen)
        .sum();
    let asked_minor = now_paid(total, asked.pay_minor)?;
    let place = (&community, &payer);
    let parts = parts(context, tx, (asked, asked_minor), (&known, place, &bills)).await?;
    let lasts_ms = match asked.method {
        Method::Channel => PAYMENT_MS,
        Method::Cash | Method::BankTransfer => 0,
    };
    let payment = Payment {
        id: context.new_id()?,
        payment: None,
        payer,
        community,
        quoted,
        total_minor: total,
        asked_minor,
        coupon: asked.coupon.clone(),
        coupon_minor: parts.coupon_fen,
        points: parts.points,
        point_minor: known.points.point_minor,
        credit_minor: parts.credit_fen,
        credit_hold: None,
        method: asked.method,
        channel_minor: parts.rest_fen,
        over_minor: 0,
        state: PaymentState::Requested,
        channel: None,
        requested_at: context.now,
        expires_at: context.now.plus_millis(lasts_ms),
        ended_at: None,
        earned_points: 0,
        taken_by: asked.is_at_counter().then(|| actor.id.clone()),
    };
    begin(context, tx, payment).await
}

/// Counts on what bears the payment, and has the rest paid.
async fn begin(context: &Context, tx: &Tx, mut payment: Payment) -> anyhow::Result<Payment> {
    rewarding::count_on(context, tx, &payment).await?;
    if payment.credit_minor > 0 {
        payment.credit_hold = Some(crediting::hold(tx, &payment).await?);
    }
    if payment.channel_minor > 0 && payment.method == Method::Channel {
        payment.payment = Some(context.new_id()?);
        payments::insert_payment(tx, &payment).await?;
        ask(context, tx, &payment).await?;
        return Ok(payment);
    }
    payments::insert_payment(tx, &payment).await?;
    let came = payment.channel_minor;
    if let (Method::Cash, 1.., Some(cashier)) = (payment.method, came, &payment.taken_by) {
        let drawer = (&payment.community, cashier);
        cash::insert_entry(context, tx, drawer, (payment.id.as_str(), came)).await?;
    }
    let over = (payment.method != Method::Channel).then(|| payment.method.as_str().to_owned());
    settling::succeed(context, tx, payment, (came, over, context.now)).await
}

async fn parts(
    context: &Context,
    tx: &Tx,
    (asked, asked_minor): (&Asked, i64),
    (known, (community, payer), bills): (&Known, (&CommunityId, &ActorId), &[Bill]),
) -> anyhow::Result<Parts> {
    let rooms: Vec<RoomId> = bills.iter().map(|bill| bill.room.clone()).collect();
    let when = (asked_minor, known.today(context.now));
    let whose = (community, payer, rooms.as_slice());
    let mut means = Means {
        coupon_fen: rewarding::coupon_worth(tx, asked.coupon.as_ref(), when, whose).await?,
        points: 0,
        point_fen: known.points.point_minor,
        credit_fen: 0,
    };
    if asked.use_points {
        means.points = rewarding::spendable(tx, (community, payer), known.points).await?;
    }
    if asked.use_credit {
        let wallet = Account::resident_wallet(payer);
        let balance = ledger::balance(tx, tx.tenant(), &wallet, Currency::Cny).await?;
        means.credit_fen = balance.available().minor();
    }
    Ok(make_up(asked_minor, means))
}

fn now_paid(total: i64, pay_minor: Option<i64>) -> Result<i64, Refusal> {
    match pay_minor {
        None => Ok(total.max(0)),
        Some(part) if (1..=total).contains(&part) => Ok(part),
        Some(_) => Err(Refusal::invalid(
            "pay_amount",
            Message::new(
                format!("These bills cost {total} fen today: pay 1 fen to all of it."),
                format!("这些账单今日应付 {total} 分，支付金额应在 1 分到该金额之间。"),
            ),
        )),
    }
}

/// The bills that the caller may have paid, with those of the same rooms that give back.
async fn payable(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    asked: &Asked,
) -> anyhow::Result<Vec<Bill>> {
    let ids = &asked.bills;
    if ids.is_empty() || ids.len() > BILLS_MAX {
        return Err(too_many().into());
    }
    let mut found: BTreeMap<BillId, Bill> = BTreeMap::new();
    for bill in owed::of_ids(tx, ids).await? {
        found.insert(bill.id.clone(), bill);
    }
    if ids.iter().any(|id| !found.contains_key(id)) {
        return Err(unknown_bill().into());
    }
    let mut rooms: BTreeMap<RoomId, CommunityId> = BTreeMap::new();
    for bill in found.values() {
        rooms.insert(bill.room.clone(), bill.community.clone());
    }
    for place in &rooms {
        check_payer(context, tx, (actor, asked), place).await?;
    }
    if found.values().any(|bill| bill.state == BillState::Draft) {
        return Err(unknown_bill().into());
    }
    let communities: BTreeSet<&CommunityId> = rooms.values().collect();
    if communities.len() > 1 {
        return Err(one_community().into());
    }
    if found
        .values()
        .any(|bill| bill.state != BillState::Published)
    {
        return Err(nothing_owed().into());
    }
    for (room, community) in &rooms {
        for bill in owed::giving_back(tx, (community, room)).await? {
            found.insert(bill.id.clone(), bill);
        }
    }
    Ok(found.into_values().collect())
}

/// People pay for their rooms themselves, and who works at the counter takes money for any room of the community.
async fn check_payer(
    context: &Context,
    tx: &Tx,
    (actor, asked): (&Actor, &Asked),
    (room, community): (&RoomId, &CommunityId),
) -> anyhow::Result<()> {
    let is_bound = crate::domain::is_people(actor.kind)
        && known::is_bound(tx, tx.tenant(), (&actor.id, room), context.now).await?;
    if !asked.is_at_counter() {
        let own = is_bound && asked.payer.as_ref().is_none_or(|payer| *payer == actor.id);
        return own.then_some(()).ok_or_else(|| unknown_bill().into());
    }
    match (works_at_counter(actor, community), is_bound) {
        (true, _) => Ok(()),
        (false, true) => Err(counter_only().into()),
        (false, false) => Err(unknown_bill().into()),
    }
}

/// Who pays. Coupons, points and credit are spent only for people of the room.
async fn payer(
    context: &Context,
    tx: &Tx,
    (actor, asked): (&Actor, &Asked),
    bills: &[Bill],
) -> anyhow::Result<ActorId> {
    if !asked.is_at_counter() {
        return Ok(actor.id.clone());
    }
    let room = &bills.first().ok_or_else(nothing_owed)?.room;
    let Some(payer) = &asked.payer else {
        let people = known::payers(tx, room, context.now).await?;
        return people.into_iter().next().ok_or_else(|| no_payer().into());
    };
    let is_bound = known::is_bound(tx, tx.tenant(), (payer, room), context.now).await?;
    if asked.spends() && !is_bound {
        return Err(no_payer().into());
    }
    Ok(payer.clone())
}

async fn ask(context: &Context, tx: &Tx, payment: &Payment) -> anyhow::Result<()> {
    let Some(id) = &payment.payment else {
        return Ok(());
    };
    let count = payment.quoted.len();
    let fact = PaymentRequested {
        payment: id.clone(),
        purpose: PURPOSE.to_owned(),
        payer: payment.payer.clone(),
        community: payment.community.clone(),
        amount_minor: payment.channel_minor,
        currency: Currency::Cny,
        subject: format!("物业账单 {count} 笔 / {count} property bills"),
        reference: payment.id.to_string(),
        expires_at: payment.expires_at,
        direct_minor: 0,
    };
    append(context, tx, &fact).await
}

/// No such payment, or none that the caller may know.
pub(crate) fn unknown_payment() -> Refusal {
    Refusal::not_found(
        "bill_payment_unknown",
        Message::new(
            "There is no such payment that you can see.",
            "未找到您可查看的该笔付款。",
        ),
    )
}

fn nothing_owed() -> Refusal {
    Refusal::conflict(
        "nothing_owed",
        Message::new(
            "One of these bills is not owed any more. Read them again.",
            "其中有账单已无需支付，请重新读取。",
        ),
    )
}

fn too_many() -> Refusal {
    Refusal::invalid(
        "bills_count",
        Message::new(
            format!("Name 1 to {BILLS_MAX} bills."),
            format!("请选择 1 到 {BILLS_MAX} 张账单。"),
        ),
    )
}

fn one_community() -> Refusal {
    Refusal::invalid(
        "bills_of_two_communities",
        Message::new(
            "Pay the bills of each community by themselves.",
            "不同小区的账单请分别支付。",
        ),
    )
}

fn counter_only() -> Refusal {
    Refusal::forbidden(
        "counter_only",
        Message::new(
            "Cash and bank transfers are taken by the staff of the community. Pay over a channel instead.",
            "现金和转账由小区物业人员登记，请改用线上渠道支付。",
        ),
    )
}

/// Nobody is named who may pay.
pub(crate) fn no_payer() -> Refusal {
    Refusal::invalid(
        "payer_required",
        Message::new(
            "Name the payer; coupons, points and credit are only spent for people of the room.",
            "请指定付款人；优惠券、积分和余额仅限该房屋的住户使用。",
        ),
    )
}
