//! Why a posting is refused. Most of these are mistakes of the capability that posts; a lack of money is not.

use kernel::{Message, Refusal};

use crate::Account;

/// The stable names of the refusals.
pub mod codes {
    /// An account would go below zero.
    pub const INSUFFICIENT: &str = "balance_insufficient";
    /// The key was used for other content.
    pub const KEY_REUSED: &str = "ledger_key_reused";
    /// The transaction was reversed before.
    pub const REVERSED: &str = "ledger_already_reversed";
    /// The hold was posted, let go or has expired.
    pub const HOLD_ENDED: &str = "hold_ended";
}

pub(crate) fn invalid(code: &'static str, english: &str, chinese: &str) -> Refusal {
    Refusal::invalid(code, Message::new(english, chinese))
}

pub(crate) fn insufficient(account: &Account) -> Refusal {
    Refusal::conflict(
        codes::INSUFFICIENT,
        Message::new(
            format!("There is not enough available on {account}. Take less, or top it up first."),
            format!("账户 {account} 可用余额不足，请减少金额或先充值。"),
        ),
    )
}

pub(crate) fn key_reused(kind: &str, reference: &str) -> Refusal {
    Refusal::conflict(
        codes::KEY_REUSED,
        Message::new(
            format!(
                "{kind} {reference} was posted with other content. Reverse it, and post under a new key."
            ),
            format!("{kind} {reference} 已以不同内容入账，请先冲正，再用新的业务键入账。"),
        ),
    )
}

pub(crate) fn unknown_transaction() -> Refusal {
    Refusal::not_found(
        "ledger_transaction_unknown",
        Message::new(
            "There is no such transaction in the ledger.",
            "账本中没有该笔交易。",
        ),
    )
}

pub(crate) fn already_reversed() -> Refusal {
    Refusal::conflict(
        codes::REVERSED,
        Message::new(
            "This transaction is reversed already. Post anew what should hold.",
            "该交易已冲正，请重新入账。",
        ),
    )
}

pub(crate) fn is_reversal() -> Refusal {
    Refusal::conflict(
        "ledger_is_reversal",
        Message::new(
            "A reversal is not reversed. Post anew what should hold.",
            "冲正交易不可再冲正，请重新入账。",
        ),
    )
}

pub(crate) fn unknown_hold() -> Refusal {
    Refusal::not_found(
        "hold_unknown",
        Message::new("There is no such hold.", "没有该冻结记录。"),
    )
}

pub(crate) fn hold_ended(state: &str) -> Refusal {
    Refusal::conflict(
        codes::HOLD_ENDED,
        Message::new(
            format!("This hold is {state}: it ends once. Hold again."),
            format!("该冻结已结束（{state}），请重新冻结。"),
        ),
    )
}
