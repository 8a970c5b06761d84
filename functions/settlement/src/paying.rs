//! Money for deposits, statements and platform accounts: asked for over payments, or taken from what the merchant may
//! draw, and put where it belongs once it is there. Statements are paid oldest first; what is over can be withdrawn.

use kernel::{Actor, ActorId, CommunityId, Currency, MerchantId, Message, PaymentId, Refusal};
use ledger::{Account, AccountKind, Posting};
use store::Tx;
use wire::event::{DepositPaid, PaymentClosed, PaymentRequested, PaymentSucceeded, StatementPaid};

use crate::charging;
use crate::context::Context;
use crate::domain::{Money, pay_oldest};
use crate::facts::{append, fen};
use crate::standing::{deposited, restand};
use crate::store::merchants::{self, Merchant};
use crate::store::payments::{self, Payment, PaymentState, Purpose};
use crate::store::statements;

/// How long a payment may take, in milliseconds: 30 minutes.
const PAYMENT_MS: i64 = 30 * 60 * 1_000;
/// The most that is paid at once, in fen: ten million yuan.
const AMOUNT_MAX: i64 = 1_000_000_000;

/// Money that somebody wants to pay.
pub(crate) struct Wanted<'a> {
    pub(crate) purpose: Purpose,
    /// The merchant, or the platform account.
    pub(crate) party: &'a str,
    pub(crate) amount_minor: i64,
    pub(crate) community: CommunityId,
    /// What the payer reads.
    pub(crate) subject: String,
}

/// Lets an amount be paid.
///
/// # Errors
/// 422 for one that is none.
pub(crate) fn payable(amount_minor: i64) -> Result<(), Refusal> {
    if (1..=AMOUNT_MAX).contains(&amount_minor) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "amount_invalid",
        Message::new(
            format!("Pay 1 to {AMOUNT_MAX} fen at once."),
            format!("单次付款金额为 1 到 {AMOUNT_MAX} 分。"),
        ),
    ))
}

/// Asks payments for the money; the payer chooses a channel there.
///
/// # Errors
/// 422 for an amount that is none; a failure of the database.
pub(crate) async fn ask(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    wanted: Wanted<'_>,
) -> anyhow::Result<Payment> {
    payable(wanted.amount_minor)?;
    let payment = Payment {
        id: context.new_id()?,
        over_channel: true,
        purpose: wanted.purpose,
        party: wanted.party.to_owned(),
        payer: actor.id.clone(),
        amount_minor: wanted.amount_minor,
        over_minor: 0,
        state: PaymentState::Requested,
        requested_at: context.now,
        expires_at: context.now.plus_millis(PAYMENT_MS),
        ended_at: None,
    };
    payments::insert(tx, &payment).await?;
    let fact = PaymentRequested {
        payment: payment.id.clone(),
        purpose: payment.purpose.as_str().to_owned(),
        payer: payment.payer.clone(),
        community: wanted.community,
        amount_minor: payment.amount_minor,
        currency: Currency::Cny,
        direct_minor: 0,
        subject: wanted.subject,
        reference: payment.id.to_string(),
        expires_at: payment.expires_at,
    };
    append(context, tx, &fact).await?;
    Ok(payment)
}

/// Where a merchant's payments are asked for.
///
/// # Errors
/// 409 when no community was heard of; a failure of the database.
pub(crate) async fn community_of(tx: &Tx, merchant: &Merchant) -> anyhow::Result<CommunityId> {
    if let Some(community) = &merchant.community {
        return Ok(community.clone());
    }
    let found = merchants::any_community(tx, tx.tenant()).await?;
    found.ok_or_else(|| {
        Refusal::conflict(
            "community_missing",
            Message::new(
                "There is no community yet in which this could be paid. Add one first.",
                "尚无可用于付款的小区，请先添加小区。",
            ),
        )
        .into()
    })
}

/// Pays statements from what the merchant may draw.
///
/// # Errors
/// 409 when less is available, or nothing is owed; a failure of the database.
pub(crate) async fn from_balance(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (merchant, amount_minor): (&MerchantId, i64),
) -> anyhow::Result<Payment> {
    payable(amount_minor)?;
    let payment = Payment {
        id: context.new_id()?,
        over_channel: false,
        purpose: Purpose::Statement,
        party: merchant.to_string(),
        payer: actor.id.clone(),
        amount_minor,
        over_minor: 0,
        state: PaymentState::Succeeded,
        requested_at: context.now,
        expires_at: context.now,
        ended_at: Some(context.now),
    };
    payments::insert(tx, &payment).await?;
    let payable = Account::merchant_payable(merchant);
    let over = pay_statements(context, tx, (&payment, merchant), (payable, "balance")).await?;
    if over > 0 {
        return Err(more_than_owed(amount_minor - over).into());
    }
    Ok(payment)
}

/// The money of a payment is there.
pub(crate) async fn paid(
    context: &Context,
    tx: &Tx,
    event: &PaymentSucceeded,
) -> anyhow::Result<()> {
    if Purpose::parse(&event.purpose).is_none() {
        return Ok(());
    }
    let Some(payment) = payments::payment(tx, tx.tenant(), &event.payment).await? else {
        anyhow::bail!("settlement did not ask for the payment {}", event.payment);
    };
    if payment.state == PaymentState::Succeeded {
        return Ok(());
    }
    let payment = Payment {
        amount_minor: event.amount_minor,
        ..payment
    };
    let over = match payment.purpose {
        Purpose::Deposit => to_deposit(context, tx, &payment).await?,
        Purpose::Statement => {
            let merchant = MerchantId::parse(&payment.party)?;
            let from = (Account::suspense(), "payment");
            let over = pay_statements(context, tx, (&payment, &merchant), from).await?;
            restand(context, tx, &merchant).await?;
            over
        }
        Purpose::PlatformFee => to_account(context, tx, &payment).await?,
    };
    let ended = (PaymentState::Succeeded, over);
    payments::end(tx, &payment.id, ended, context.now).await
}

/// Nobody pays any more.
pub(crate) async fn closed(
    context: &Context,
    tx: &Tx,
    event: &PaymentClosed,
) -> anyhow::Result<()> {
    if Purpose::parse(&event.purpose).is_none() {
        return Ok(());
    }
    let found = payments::payment(tx, tx.tenant(), &event.payment).await?;
    if found.is_some_and(|payment| payment.state == PaymentState::Requested) {
        let ended = (PaymentState::Closed, 0);
        payments::end(tx, &event.payment, ended, context.now).await?;
    }
    Ok(())
}

async fn to_deposit(context: &Context, tx: &Tx, payment: &Payment) -> anyhow::Result<i64> {
    let merchant = MerchantId::parse(&payment.party)?;
    let amount = fen(payment.amount_minor);
    let posting = Posting::new("deposit.paid", payment.id.as_str(), context.now)
        .debit(Account::suspense(), amount)
        .credit(Account::merchant_deposit(&merchant), amount);
    let posted = ledger::post(tx, &posting).await?;
    let fact = DepositPaid {
        merchant: merchant.clone(),
        amount_minor: payment.amount_minor,
        balance_minor: deposited(tx, tx.tenant(), &merchant).await?,
        transaction: posted.id,
    };
    append(context, tx, &fact).await?;
    restand(context, tx, &merchant).await?;
    Ok(0)
}

async fn to_account(context: &Context, tx: &Tx, payment: &Payment) -> anyhow::Result<i64> {
    let account = Account::new(AccountKind::PlatformPrepaid, Some(&payment.party))?;
    let amount = fen(payment.amount_minor);
    let posting = Posting::new("platform_fee.recharged", payment.id.as_str(), context.now)
        .debit(Account::suspense(), amount)
        .credit(account, amount);
    ledger::post(tx, &posting).await?;
    charging::resume(context, tx, &ActorId::parse(&payment.party)?).await?;
    Ok(0)
}

/// Puts money against the merchant's statements, the oldest first; what is over, in fen. From suspense it becomes what
/// the merchant may draw.
async fn pay_statements(
    context: &Context,
    tx: &Tx,
    (payment, merchant): (&Payment, &MerchantId),
    (from, by): (Account, &str),
) -> anyhow::Result<i64> {
    let unpaid = statements::unpaid(tx, tx.tenant(), merchant).await?;
    let (paid, over) = pay_oldest(unpaid, payment.amount_minor);
    let taken = payment.amount_minor - over;
    let drawable = Account::merchant_payable(merchant);
    let stays = from == drawable;
    let moved = if stays { taken } else { payment.amount_minor };
    let mut posting = Posting::new("statement.paid", payment.id.as_str(), context.now);
    if moved > 0 {
        posting = posting.debit(from, fen(moved));
    }
    if taken > 0 {
        posting = posting.credit(Account::merchant_receivable(merchant), fen(taken));
    }
    if over > 0 && !stays {
        posting = posting.credit(drawable, fen(over));
    }
    if !posting.legs.is_empty() {
        ledger::post(tx, &posting).await?;
    }
    for (statement, amount) in &paid {
        statements::update(tx, statement, context.now).await?;
        payments::insert_paid(tx, &payment.id, (&statement.id, *amount)).await?;
        if statement.money == Money::Paid {
            let fact = StatementPaid {
                statement: statement.id.clone(),
                merchant: merchant.clone(),
                by: by.to_owned(),
                at: context.now,
            };
            append(context, tx, &fact).await?;
        }
    }
    Ok(over)
}

/// What somebody wants to pay is more than is owed.
pub(crate) fn more_than_owed(owed_minor: i64) -> Refusal {
    Refusal::conflict(
        "more_than_owed",
        Message::new(
            format!("Statements come to {owed_minor} fen that are unpaid. Pay at most that."),
            format!("当前未付结算金额为 {owed_minor} 分，付款不可超过该金额。"),
        ),
    )
}

/// No such payment, or none that the caller may know.
pub(crate) fn unknown_payment() -> Refusal {
    Refusal::not_found(
        "settlement_payment_unknown",
        Message::new(
            "There is no such payment that you can see.",
            "未找到您可查看的付款。",
        ),
    )
}

/// The id of a payment in a path.
///
/// # Errors
/// 404 for what is none.
pub(crate) fn payment_id(text: &str) -> Result<PaymentId, Refusal> {
    PaymentId::parse(text).map_err(|_| unknown_payment())
}
