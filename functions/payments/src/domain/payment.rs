//! A payment and the attempts to pay it. States only move forward.

use kernel::{ActorId, CommunityId, Message, Money, PaymentId, Refusal, Timestamp, TransactionId};

/// The most attempts to pay one payment.
pub const ATTEMPTS_MAX: usize = 10;

/// After how many milliseconds the channel is asked for an attempt, again and again; the last one from then on.
const POLL_MS: [i64; 7] = [15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000];

/// How often an attempt is asked for before it is left to reconciliation.
const POLLS_MAX: usize = 60;

/// Over what money comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// The simulated channel: speaks like WeChat Pay, with keys of its own.
    Simulated,
    /// WeChat Pay (微信支付).
    Wechat,
    /// Alipay (支付宝).
    Alipay,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Simulated, Self::Wechat, Self::Alipay];

    /// The name on the wire, in the database and in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Simulated => "simulated",
            Self::Wechat => "wechat",
            Self::Alipay => "alipay",
        }
    }

    /// The channel of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.as_str() == text)
    }
}

/// Money that somebody is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id, chosen by the capability that asks.
    pub id: PaymentId,
    /// What for.
    pub purpose: String,
    /// Who is to pay.
    pub payer: ActorId,
    /// Where.
    pub community: CommunityId,
    /// How much.
    pub amount: Money,
    /// What the payer reads.
    pub subject: String,
    /// The asking capability's own id.
    pub reference: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// The first moment at which it can no longer be paid.
    pub expires_at: Timestamp,
    /// How it stands.
    pub state: PaymentState,
    /// What went back or is on its way, in fen.
    pub refunded: i64,
    /// What of the amount the channel pays straight to merchants, in fen.
    pub direct: i64,
}

/// How a payment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentState {
    /// Waits to be paid.
    Open,
    /// The money is there.
    Succeeded {
        /// The attempt that brought it.
        attempt: String,
        /// When the payer paid.
        paid_at: Timestamp,
        /// The ledger's transaction.
        transaction: TransactionId,
    },
    /// Will not be paid any more.
    Closed(Closed),
}

/// Why a payment is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Its time is over.
    Expired,
    /// The capability that asked no longer wants it.
    Cancelled,
}

impl Closed {
    /// The name in the database and in the event.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

impl PaymentState {
    /// The name in the database and on the wire.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Succeeded { .. } => "succeeded",
            Self::Closed(_) => "closed",
        }
    }
}

/// One try to pay, over one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its id.
    pub id: String,
    /// What it is to pay.
    pub payment: PaymentId,
    /// Over what.
    pub channel: Channel,
    /// What the channel knows it by.
    pub number: String,
    /// How much.
    pub amount: Money,
    /// When it was started.
    pub created_at: Timestamp,
    /// How it stands.
    pub state: AttemptState,
    /// What the payer scans or opens.
    pub code_url: Option<String>,
    /// Why the channel refused it.
    pub reason: Option<String>,
    /// The channel's own number.
    pub channel_transaction: Option<String>,
    /// When the payer paid.
    pub paid_at: Option<Timestamp>,
    /// When the channel is asked next.
    pub due_at: Option<Timestamp>,
    /// How often it was asked.
    pub polls: u32,
}

/// How an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptState {
    /// Not known whether the channel has it.
    Started,
    /// The channel waits for the payer.
    Waiting,
    /// Paid.
    Succeeded,
    /// Paid when the payment was over or paid otherwise: the money goes back by itself.
    Late,
    /// The channel takes no money for it any more.
    Closed,
    /// The channel did not take it.
    Refused,
}

impl AttemptState {
    const ALL: [Self; 6] = [
        Self::Started,
        Self::Waiting,
        Self::Succeeded,
        Self::Late,
        Self::Closed,
        Self::Refused,
    ];

    /// The name in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Late => "late",
            Self::Closed => "closed",
            Self::Refused => "refused",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the payer may still pay it.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Started | Self::Waiting)
    }

    /// Whether money came by it.
    #[must_use]
    pub fn is_paid(self) -> bool {
        matches!(self, Self::Succeeded | Self::Late)
    }
}

/// What a channel says of a paid attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// Our number.
    pub number: String,
    /// The channel's number.
    pub channel_transaction: String,
    /// When.
    pub paid_at: Timestamp,
    /// How much.
    pub amount: Money,
}

/// What a channel's word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeState {
    /// The payment is paid.
    Pays,
    /// The money is there, but nobody waits for it any more: it goes back.
    Late,
    /// It was known before.
    Known,
}

/// What to do with the money of an attempt.
///
/// # Errors
/// 422 when it is another amount than was asked for.
pub fn received(payment: &Payment, attempt: &Attempt, paid: &Paid) -> Result<NoticeState, Refusal> {
    if paid.amount != attempt.amount {
        return Err(Refusal::invalid(
            "notice_amount_mismatch",
            Message::new(
                "The channel names another amount than the payment's. Look into it by reconciliation.",
                "渠道通知金额与支付单不一致，请通过对账核查。",
            ),
        ));
    }
    if attempt.state.is_paid() {
        return Ok(NoticeState::Known);
    }
    Ok(match payment.state {
        PaymentState::Open => NoticeState::Pays,
        PaymentState::Succeeded { .. } | PaymentState::Closed(_) => NoticeState::Late,
    })
}

/// Whether the payment can be paid now.
///
/// # Errors
/// 409 when it is paid, closed, over, or was tried too often.
pub fn startable(payment: &Payment, attempts: usize, now: Timestamp) -> Result<(), Refusal> {
    if payment.state != PaymentState::Open || payment.expires_at <= now {
        let state = if payment.state == PaymentState::Open {
            "expired"
        } else {
            payment.state.name()
        };
        return Err(Refusal::conflict(
            "payment_state",
            Message::new(
                format!("This payment is {state}; only an open one can be paid."),
                format!("该支付单状态为 {state}，仅待支付的可以付款。"),
            ),
        ));
    }
    if attempts >= ATTEMPTS_MAX {
        return Err(Refusal::conflict(
            "attempts_exhausted",
            Message::new(
                format!("It was tried {ATTEMPTS_MAX} times. Ask for a new payment."),
                format!("已尝试 {ATTEMPTS_MAX} 次，请重新发起支付。"),
            ),
        ));
    }
    Ok(())
}

/// The channel did not take the attempt, or is not offered.
#[must_use]
pub fn attempt_refused() -> Refusal {
    Refusal::conflict(
        "channel_unavailable",
        Message::new(
            "This channel is not offered here. Choose another one.",
            "暂不支持该支付渠道，请选择其他方式。",
        ),
    )
}

/// When the channel is asked again after that many times; never after the last.
#[must_use]
pub fn next_poll(polls: u32, now: Timestamp) -> Option<Timestamp> {
    let index = usize::try_from(polls).unwrap_or(usize::MAX);
    if index >= POLLS_MAX {
        return None;
    }
    let wait = POLL_MS.get(index).or(POLL_MS.last()).copied()?;
    Some(now.plus_millis(wait))
}
