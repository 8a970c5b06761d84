//! The decisions of metering, pure: what a reading means, what is missing, and who may do what.

pub mod alarm;
pub mod caller;
pub mod counting;
pub mod curve;
pub mod estimate;
pub mod meter;
pub mod month;
pub mod reading;
pub mod recharge;
pub mod switching;
pub mod text;

pub use alarm::{AlarmKind, alarms_of, master_differs};
pub use counting::{Basis, Count, Flow, Item, ItemKind, Judged, Register, Verdict, count, judge};
pub use estimate::{Gap, Method, Point, allocate};
pub use meter::{Binding, Decoding, Digits, Meter, Multiplier, Object};
pub use month::Month;
pub use reading::{Clock, Decision, HoldReason, Source, believed};
pub use recharge::{Recharge, RechargeState};
pub use switching::{CutReason, Switching, SwitchingState};
pub use text::{Line, Name, Reason};

#[cfg(test)]
mod counting_tests;
#[cfg(test)]
mod estimate_tests;
