//! What is decided here, pure: no clock, no randomness, no database.

mod caller;
mod flow;
mod merchant;

pub use caller::{
    buyers_only, goods_keeper, goods_reader, is_people, unknown_merchant, unknown_shop,
};
pub use merchant::{Merchant, not_trading};
pub use flow::*;
