//! What becomes of what was bought: the machines of an order and what of its money goes back. One file a noun.

mod back;
mod chat;
mod contest;
mod order;
mod party;
mod state;
mod step;
mod words;

pub use back::{Wanted, share, too_much};
pub use chat::masked;
pub use contest::{
    AfterSale, Decided, Dispute, Side, WantedLine, unknown_after_sale, unknown_dispute,
};
pub use order::{
    Back, Checkout, DAY_MS, Destination, Frozen, Line, Order, Terms, Times, changed_meanwhile,
    unknown_checkout, unknown_order,
};
pub use party::{
    Party, buyer_only, merchant_only, operator_only, party_of, reports_denied, reports_reader,
};
pub use state::{
    AfterSaleKind, AfterSaleState, Decision, Delivery, DisputeState, Fulfilment, OrderState,
    PaymentState, RefundState, StockState,
};
pub use step::{AfterStep, Stage, Step, after_step, illegal};
pub use words::{Words, WordsError};

#[cfg(test)]
mod law_tests;
