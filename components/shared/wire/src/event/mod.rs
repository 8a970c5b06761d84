//! The facts that capabilities record. The event log is the audit trail; other capabilities consume it.

/// Makes the facts of a capability. `awaited` after a kind says that other capabilities wait for it, `unhurried` that
/// they hear it soon enough with their next heartbeat.
macro_rules! events {
    (@awaited) => { false };
    (@awaited awaited) => { true };
    (@awaited unhurried) => { false };
    ($($(#[$doc:meta])* $name:ident = $kind:literal $(, $awaited:ident)? { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl crate::event::Event for $name {
            const KIND: &'static str = $kind;
            const AWAITED: bool = events!(@awaited $($awaited)?);
        }
    )*};
}

mod access;
mod advertising;
mod bidding;
mod community;
mod device;
mod door;
mod fee;
mod goods;
mod identity;
mod merchant;
mod meter;
mod order;
mod payment;
mod push;
mod settlement;
mod visit;

use serde::{Serialize, de::DeserializeOwned};

pub use access::*;
pub use advertising::*;
pub use bidding::*;
pub use community::*;
pub use device::*;
pub use door::*;
pub use fee::*;
pub use goods::*;
pub use identity::*;
pub use merchant::*;
pub use meter::*;
pub use order::*;
pub use payment::*;
pub use push::*;
pub use settlement::*;
pub use visit::*;

/// A fact of one kind.
pub trait Event: Serialize + DeserializeOwned {
    /// The name in the log, `noun.past_participle`; never changes.
    const KIND: &'static str;

    /// Whether other capabilities wait for it, so that the doorbell is rung after its commit; the others are only
    /// kept, or heard with the next heartbeat. `awaited` or `unhurried` beside its kind says so, and a conformance test
    /// compares it with what consumers hear.
    const AWAITED: bool = false;
}
