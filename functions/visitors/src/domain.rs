//! What is decided about visits, pure: time, ids and the caller come in as arguments, a refusal comes out as a value.
//!
//! One file a noun: [`Visit`], [`Recurring`], [`Entry`] of the blacklist, and what they are made of.

mod blacklist;
mod caller;
mod pass;
mod plate;
mod recurring;
mod steps;
mod text;
mod visit;

pub use blacklist::{Ended, Entry, Mark, blacklisted, managers_only, unblock, unknown_entry};
pub use caller::{
    Relation, Signed, has_lists, is_manager, is_people, on_behalf, relation, unknown_recurring,
    unknown_room, unknown_visit,
};
pub use pass::{
    COURIER_MS, GUEST_MS, Pass, REGISTERED_GUEST_MS, UsesMax, WINDOW_AHEAD_MS_MAX, WINDOW_MS_MAX,
    Window, window_invalid,
};
pub use plate::Plate;
pub use recurring::{
    Days, PLAN_AHEAD_MS, Recurring, RecurringState, SPAN_DAYS_MAX, Weekly, days_to_plan,
    plan_through, revoke_recurring,
};
pub use steps::{
    ANSWER_MS, COMMUNITY_REQUESTS_MAX, Invitation, PHONE_REQUESTS_MAX, REQUESTS_WINDOW_MS,
    Registration, Terms, approve, arrive, invite, leave, observe, pass_used, register, reject,
    revoke,
};
pub use text::{Line, Name, Purpose, Reason, RoomText, TextError};
pub use visit::{Approval, End, KnownPhone, Place, Room, Visit, VisitKind, VisitState, Visitor};

#[cfg(test)]
mod visit_tests;
