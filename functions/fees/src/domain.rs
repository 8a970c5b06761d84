//! What is decided about fees, pure: time, ids and the caller come in as arguments, a refusal comes out as a value.
//! One file a noun.

mod bill;
mod caller;
mod coupon;
mod late;
mod month;
mod plain;
mod reduce;
mod rent;
mod rule;
mod settle;
mod share;
mod terms;
mod text;
mod usage;

pub use bill::{
    Bill, BillState, Versions, discount, next_version, refuse_paid, unknown_bill, void, waive,
};
pub use caller::{
    Sight, check_manager, check_reader, community_unknown, is_manager, is_people, sees,
    works_at_counter,
};
pub use coupon::{Coupon, CouponState, CouponValue, Holder, unknown_coupon, withdraw};
pub use late::{Late, LateTerms};
pub use month::{Billing, Every, Month, MonthError, Span, Stretch, prorated};
pub use reduce::{Means, Parts, Shares, give_back, make_up, still_needed};
pub use rent::{Escalation, Rent, rent};
pub use rule::{Charge, Charged, Cost, Household, Rule, Scope, Skip, in_days, skip, unknown_rule};
pub use settle::{Owed, Paid, late_of, needed, quote, settle};
pub use share::{ShareBy, Sharer, share};
pub use terms::{TariffTerms, schedule, unknown_tariff};
pub use text::{Name, Reason, TextError};
pub use usage::{UsageOf, by_room, cycle_of, known_usages, schedule_line};

#[cfg(test)]
mod law_tests;
