//! What the tests of functions share: who asks, how, what was recorded, whom every route has to refuse, and what every
//! statement has to be. Native only; no part of a function.

mod ask;
mod facts;
mod person;
mod refusals;
mod statements;

pub use ask::{Ask, Function, content_of, token};
pub use facts::{data_of, kinds, last, record};
pub use person::Person;
pub use refusals::{
    Places, Refusals, Route, arms, beats, is_listed, other_methods, refuse, route, with,
};
pub use statements::{about_tables_of, from_tables_alone, understood, without_stars};

/// A secret of the tests.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
