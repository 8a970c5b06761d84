//! Web Push (RFC 8030): encrypted for the receiver (RFC 8291, 8188), signed by the sender (RFC 8292). UnifiedPush takes
//! the same requests.

mod content;
mod encryption;
mod request;
mod vapid;

pub use content::{Header, decode, encode};
pub use encryption::{
    AUTH_BYTES, Once, PLAINTEXT_BYTES_MAX, PUBLIC_KEY_BYTES, RECORD_BYTES, Receiver, decrypt,
    encrypt,
};
pub use request::{Answer, Push, Request, Subscription, TTL_SECONDS_MAX, Topic, Urgency};
pub use vapid::{Claims, Sender, TOKEN_MS_MAX, verify};
