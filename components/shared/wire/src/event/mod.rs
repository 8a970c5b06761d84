//! The facts that capabilities record. The event log is the audit trail; other capabilities consume it.

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $kind:literal { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl crate::event::Event for $name {
            const KIND: &'static str = $kind;
        }
    )*};
}

mod access;
mod community;
mod device;
mod door;
mod fee;
mod identity;
mod meter;
mod payment;
mod visit;

use serde::{Serialize, de::DeserializeOwned};

pub use access::*;
pub use community::*;
pub use device::*;
pub use door::*;
pub use fee::*;
pub use identity::*;
pub use meter::*;
pub use payment::*;
pub use visit::*;

/// A fact of one kind.
pub trait Event: Serialize + DeserializeOwned {
    /// The name in the log, `noun.past_participle`; never changes.
    const KIND: &'static str;
}
