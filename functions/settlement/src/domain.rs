//! What settlement decides, pure: time, ids and sums come in as arguments, a refusal comes out as a value. One file a
//! noun.

mod caller;
mod contract;
mod deposit;
mod item;
mod month;
mod platform;
mod statement;
mod text;
mod withdrawal;

pub use caller::{
    Sight, no_contract, readers_only, sees_accounts, sees_all, sees_merchants, settlers_only,
    settles, unknown_merchant,
};
pub use contract::{Contract, Moments, Terms};
pub use deposit::{Means, required_minor, standing};
pub use item::{Item, Kind, LineError, LineKey, Revenue, of_charged, of_completed, of_refunded};
pub use month::{Month, MonthError};
pub use platform::{Fee, Party, PlatformAccount, Use, charge_after, unknown_account};
pub use statement::{
    KindSums, Money, Review, Statement, Sums, pay_oldest, total, unknown_statement,
};
pub use text::{Name, Number, Reason, TextError};
pub use withdrawal::{
    Today, TransferChannel, Withdrawal, WithdrawalState, own_request, unknown_withdrawal,
    withdrawable,
};

#[cfg(test)]
mod law_tests;
