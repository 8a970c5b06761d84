//! What payments decide, pure: who may see and pay, how states move, what a channel's bill says against our books.

mod caller;
mod payment;
mod reconciliation;
mod refund;
mod settlement;
mod transfer;

pub use caller::{
    auditors_only, can_pay, can_see, is_manager, operators_only, unknown_account, unknown_payment,
    unknown_reconciliation, unknown_refund, unknown_transfer,
};
pub use payment::{
    ATTEMPTS_MAX, Attempt, AttemptState, Channel, Closed, NoticeState, Paid, Payment, PaymentState,
    attempt_refused, next_poll, received, startable,
};
pub use reconciliation::{
    Bill, BillStatus, Booked, Compared, DRIFT_MS, Entry, Mistake, MistakeKind, Movement, Rate,
    compare,
};
pub use refund::{Refund, RefundState, TRIES_MAX, next_try, refundable};
pub use settlement::{Moved, Settled, settled};
pub use transfer::{Transfer, TransferState, next_ask};
