//! HTTP helpers of the functions: bodies, replies, problems, pages, preconditions and the caller.
//!
//! Helpers, not a framework: your code calls them, from the top of a route to its reply. Everything works on
//! plain `http` types and runs natively; only the `guest` module knows Spin.
//!
//! ```text
//! let request = web::read(incoming).await?;                     // guest only; capped at BODY_BYTES_MAX
//! match (request.method().as_str(), web::segments(&request).as_slice()) {
//!     ("POST", ["api", "doors"]) => register(context, &request).await,   // -> anyhow::Result<Reply>
//!     ..
//! }
//! web::answer(&request, result)                                 // errors become problem documents here
//! ```

mod body;
mod caller;
mod edge;
#[cfg(target_family = "wasm")]
mod guest;
mod idempotency;
mod language;
mod log;
mod phone;
mod precondition;
mod problem;
mod query;
mod reply;
mod request;
mod secret;
pub mod token;

pub use body::{BODY_BYTES_MAX, body, body_up_to, raw_body};
pub use caller::{actor, actor_in_session, bearer, internal};
pub use edge::{new_id, now};
#[cfg(target_family = "wasm")]
pub use guest::{read, read_up_to, variables};
pub use idempotency::{IDEMPOTENCY_KEY_CHARACTERS_MAX, Idempotency, idempotency, name_of};
pub use language::{Language, language};
pub use log::log;
pub use phone::phone_digest;
pub use precondition::{IfMatch, if_match, is_fresh, required_if_match};
pub use problem::{Problem, answer, method_not_allowed, unknown_route};
pub use query::{Listing, PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX, Page, Query};
pub use reply::{Reply, private};
pub use request::{REQUEST_ID, Request, path_id, request_id, segments};
pub use secret::Secret;
