//! The books: transactions of two or more legs that balance per currency and never change. One set a tenant.
//!
//! A capability posts inside its own transaction ([`store::Tx`]), so that the money and the decision that moves it are
//! one. Not a payment system: no channel is known here, and no account is made before it is posted to.
//!
//! ```text
//! let bill = Posting::new("bill", &format!("{bill}/{version}"), now)
//!     .debit(Account::fee_receivable(&room), amount)
//!     .credit(Account::fee_income(&community), amount);
//! let posted = ledger::post(tx, &bill).await?;            // again: the same transaction, and `fresh` is false
//! ledger::reverse(tx, &posted.id, &Key::new("bill.void", &format!("{bill}/{version}"), now)).await?;
//! ```

mod account;
mod balance;
mod draft;
mod guard;
mod hold;
mod post;
mod posting;
mod refusal;
mod seal;
mod sql;
mod verify;

pub use account::{Account, AccountError, AccountKind, OWNER_CHARACTERS_MAX, Side};
pub use balance::{
    AccountRow, Balance, KindBalance, Line, Shown, accounts, balance, is_used, statement,
    transaction, trial_balance,
};
pub use hold::{
    HOLDS_EXPIRED_MAX, Held, Hold, expire_holds, hold, settle, tenants_with_expired, void,
};
pub use post::{Posted, post, post_many, reverse, reverse_many};
pub use posting::{Key, LEGS_MAX, Leg, Posting};
pub use refusal::codes;
pub use seal::{SEAL_TRANSACTIONS_MAX, seal, tenants_to_seal};
pub use sql::STATEMENTS;
pub use verify::{FINDINGS_MAX, Finding, Report, tenants, verify};
