//! What is decided here, pure: no clock, no randomness, no database.

mod caller;
mod flow;
mod merchant;
pub mod pricing;
#[cfg(test)]
mod pricing_tests;
pub mod stock;

pub use caller::{
    buyers_only, goods_keeper, goods_reader, is_people, unknown_merchant, unknown_shop,
};
pub use merchant::{Merchant, not_trading};
pub use flow::*;
