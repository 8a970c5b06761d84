//! What ntfy's clients say and understand: publications, topics, messages as lines of JSON, `since`, error codes.
//!
//! Not here: attachments, e-mail, calls, Matrix, templates, and delays in natural language; they are refused with the
//! codes that ntfy's clients know.

mod actions;
mod delay;
mod error;
mod message;
mod parameters;
mod publication;
mod since;
mod topic;

pub use error::NtfyError;
pub use message::{Event, Message, MessageId};
pub use parameters::Parameters;
pub use publication::{
    DELAY_MS_MAX, DELAY_MS_MIN, MESSAGE_BYTES_MAX, Publication, TITLE_BYTES_MAX,
};
pub use since::Since;
pub use topic::{TOPICS_MAX, Topic};
