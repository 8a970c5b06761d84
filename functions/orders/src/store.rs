//! Every SQL statement of the capability: a function a statement, named after the question it answers.
//!
//! The tenant is the first parameter everywhere but where cron asks whose something is. Rows are read by position, in
//! the order of the columns named. The books are not here: they belong to the ledger.

macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(const $name: &str = $sql;)*

        /// Every statement with its name, so that a test can prepare all of them on both engines.
        pub const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $sql)),*];
    };
}

// Goods.
pub mod addresses;
pub mod batches;
pub mod carts;
pub mod coupons;
pub mod favourites;
pub mod groups;
pub mod known;
pub mod offers;
pub mod people;
pub mod products;
pub mod promotions;
pub mod search;
pub mod shops;
pub mod slots;
pub mod stock;

// Orders.
pub mod after_sales;
pub mod buyers;
pub mod checkouts;
pub mod conversations;
pub mod disputes;
pub mod exports;
pub mod lines;
pub mod orders;
pub mod refunds;
pub mod reports;
pub mod reviews;
