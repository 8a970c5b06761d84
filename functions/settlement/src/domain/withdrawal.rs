//! Withdrawals: a merchant's money on its way out. Whoever asked decides nothing about it.

use kernel::{ActorId, HoldId, MerchantId, Message, Refusal, Timestamp, WithdrawalId};
use wire::mall::Standing;

use super::Terms;

/// How a withdrawal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithdrawalState {
    /// Its money is held, and somebody else has to look.
    Requested,
    /// Somebody else said no; the money is free again.
    Rejected,
    /// It was taken back before anybody looked.
    Cancelled,
    /// Somebody else said yes; it is to be transferred.
    Approved,
    /// The channel was told, and what it did is not known yet.
    Sending,
    /// The money is out.
    Paid,
    /// The channel will not do it; the money is free again.
    Failed,
}

impl WithdrawalState {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Requested,
        Self::Rejected,
        Self::Cancelled,
        Self::Approved,
        Self::Sending,
        Self::Paid,
        Self::Failed,
    ];

    /// The name in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Approved => "approved",
            Self::Sending => "sending",
            Self::Paid => "paid",
            Self::Failed => "failed",
        }
    }

    /// What it can become next, for people.
    #[must_use]
    pub fn next(self) -> &'static [&'static str] {
        match self {
            Self::Requested => &["approved", "sending", "rejected", "cancelled"],
            Self::Approved => &["paid", "failed"],
            Self::Sending => &["paid", "failed"],
            Self::Rejected | Self::Cancelled | Self::Paid | Self::Failed => &[],
        }
    }
}

/// How the money goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferChannel {
    /// A cashier transfers at the bank and records the bank's reference.
    Bank,
    /// The simulated channel.
    Simulated,
    /// WeChat Pay, to whom it knows by an openid.
    Wechat,
}

impl TransferChannel {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Bank, Self::Simulated, Self::Wechat];

    /// The name in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bank => "bank",
            Self::Simulated => "simulated",
            Self::Wechat => "wechat",
        }
    }
}

/// A withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// Its id.
    pub id: WithdrawalId,
    /// Whose money.
    pub merchant: MerchantId,
    /// How much, in fen.
    pub amount_minor: i64,
    /// The owner of the account at the bank.
    pub payee: String,
    /// Its number.
    pub account: String,
    /// What holds the money.
    pub hold: HoldId,
    /// How it stands.
    pub state: WithdrawalState,
    /// Who asked.
    pub requested_by: ActorId,
    /// When.
    pub requested_at: Timestamp,
    /// Who looked.
    pub reviewed_by: Option<ActorId>,
    /// When.
    pub reviewed_at: Option<Timestamp>,
    /// What was said about it.
    pub note: Option<String>,
    /// How it goes out.
    pub channel: Option<TransferChannel>,
    /// Our number of a transfer at the bank.
    pub number: Option<String>,
    /// What the bank or the channel calls it.
    pub reference: Option<String>,
    /// What the payee's app opens to say yes to a channel's transfer.
    pub confirmation: Option<String>,
    /// Who recorded that the bank paid.
    pub paid_by: Option<ActorId>,
    /// How often somebody had to look what became of it.
    pub tries: i64,
    /// When somebody has to look, as long as it is not over.
    pub due_at: Option<Timestamp>,
    /// When it came to its end.
    pub ended_at: Option<Timestamp>,
}

impl Withdrawal {
    /// Lets it become that.
    ///
    /// # Errors
    /// 409 with what it is and what it can become.
    pub fn can_become(&self, next: WithdrawalState) -> Result<(), Refusal> {
        if self.state.next().contains(&next.as_str()) {
            return Ok(());
        }
        let (now, can) = (self.state.as_str(), self.state.next().join(", "));
        let can = if can.is_empty() { "-" } else { &can };
        Err(Refusal::conflict(
            "withdrawal_state",
            Message::new(
                format!("The withdrawal is {now}; from there it can become: {can}."),
                format!("该提现当前为 {now}，可变更为：{can}。"),
            ),
        ))
    }

    /// Lets somebody decide who did not ask.
    ///
    /// # Errors
    /// 403 for whoever asked.
    pub fn decidable_by(&self, actor: &ActorId) -> Result<(), Refusal> {
        if *actor == self.requested_by {
            return Err(own_request());
        }
        Ok(())
    }
}

/// Nobody decides their own request.
#[must_use]
pub fn own_request() -> Refusal {
    Refusal::forbidden(
        "own_request",
        Message::new(
            "You asked for this yourself. Somebody else has to decide it.",
            "不能审核本人提交的申请，请由他人处理。",
        ),
    )
}

/// What a merchant has asked for today, in fen and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Today {
    /// The sum.
    pub amount_minor: i64,
    /// How often.
    pub count: i64,
}

/// Lets an amount be withdrawn.
///
/// # Errors
/// 409 for a merchant that may not trade, 422 for an amount or a number beyond the limits.
pub fn withdrawable(
    terms: &Terms,
    standing: Option<Standing>,
    (amount_minor, today): (i64, Today),
) -> Result<(), Refusal> {
    if !standing.is_some_and(Standing::may_trade) {
        let name = standing.map_or("unknown", Standing::as_str);
        return Err(Refusal::conflict(
            "merchant_not_in_good_standing",
            Message::new(
                format!(
                    "The merchant is {name}: nothing is withdrawn. Pay what is overdue and the deposit first."
                ),
                format!("商家当前状态为 {name}，不可提现。请先结清欠款并缴足保证金。"),
            ),
        ));
    }
    let sum = today.amount_minor.saturating_add(amount_minor);
    if amount_minor < terms.withdrawal_min_minor
        || sum > terms.withdrawal_max_minor
        || today.count >= terms.withdrawals_per_day
    {
        return Err(Refusal::invalid(
            "withdrawal_limit",
            Message::new(
                format!(
                    "Withdraw at least {} fen at once, at most {} fen and {} times on one day.",
                    terms.withdrawal_min_minor,
                    terms.withdrawal_max_minor,
                    terms.withdrawals_per_day
                ),
                format!(
                    "单次提现不少于 {} 分，每日累计不超过 {} 分，每日最多 {} 次。",
                    terms.withdrawal_min_minor,
                    terms.withdrawal_max_minor,
                    terms.withdrawals_per_day
                ),
            ),
        ));
    }
    Ok(())
}

/// No such withdrawal, or none that the caller may know.
#[must_use]
pub fn unknown_withdrawal() -> Refusal {
    Refusal::not_found(
        "withdrawal_unknown",
        Message::new(
            "There is no such withdrawal that you can see.",
            "未找到您可查看的提现单。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(standing: Option<Standing>, amount: i64, today: (i64, i64), refused: Option<&str>) {
        let today = Today {
            amount_minor: today.0,
            count: today.1,
        };
        let terms = Terms {
            withdrawal_max_minor: 50_000,
            ..Terms::default()
        };
        let answer = withdrawable(&terms, standing, (amount, today));
        assert_eq!(answer.err().map(|refusal| refusal.code), refused);
    }

    #[test]
    fn a_withdrawal_keeps_to_the_limits_to_the_fen() {
        let good = Some(Standing::Good);
        let over = Some("withdrawal_limit");
        check(good, 10_000, (0, 0), None);
        check(good, 9_999, (0, 0), over);
        check(good, 50_000, (0, 0), None);
        check(good, 50_001, (0, 0), over);
        check(good, 10_000, (40_000, 1), None);
        check(good, 10_001, (40_000, 1), over);
        check(good, 10_000, (0, 2), None);
        check(good, 10_000, (0, 3), over);
    }

    #[test]
    fn nothing_is_withdrawn_by_who_may_not_trade() {
        let no = Some("merchant_not_in_good_standing");
        check(Some(Standing::TopUpRequired), 10_000, (0, 0), None);
        for standing in [None, Some(Standing::Frozen), Some(Standing::DepositDue)] {
            check(standing, 10_000, (0, 0), no);
        }
    }
}
