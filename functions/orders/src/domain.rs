//! What is decided here, pure: no clock, no randomness, no database.

pub mod batch;
mod caller;
mod flow;
mod merchant;
pub mod offer;
pub mod pricing;
#[cfg(test)]
mod pricing_tests;
pub mod product;
pub mod promotion;
pub mod search;
pub mod stock;
pub mod text;

pub use caller::{
    buyers_only, goods_keeper, goods_reader, is_people, unknown_merchant, unknown_shop,
};
pub use flow::*;
pub use merchant::{Delivery as ShopDelivery, Merchant, not_trading};
pub use product::{
    Content, Freshness, Product, ProductState, Shelf, Slot, Variant, unknown_product, unknown_slot,
};
