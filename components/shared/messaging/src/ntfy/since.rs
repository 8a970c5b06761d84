//! From where on a client wants the messages that are kept.

use kernel::Timestamp;

use super::delay::{duration_ms, unix_seconds};
use super::{MessageId, NtfyError};

/// From where on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// All that are kept.
    All,
    /// None: only new ones.
    None,
    /// The last one of each topic.
    Latest,
    /// From that moment on.
    At(Timestamp),
    /// After that message; all, when it is not kept any more.
    After(MessageId),
}

impl Since {
    /// Parses `since`; without it a poll gets all and a subscription none.
    ///
    /// # Errors
    /// When it is none of the forms.
    pub fn parse(text: Option<&str>, is_poll: bool, now: Timestamp) -> Result<Self, NtfyError> {
        match text.map(str::trim) {
            None | Some("") if is_poll => return Ok(Self::All),
            None | Some("") => return Ok(Self::None),
            Some("all") => return Ok(Self::All),
            Some("none") => return Ok(Self::None),
            Some("latest") => return Ok(Self::Latest),
            Some(_) => {}
        }
        let text = text.unwrap_or_default().trim();
        if let Some(id) = MessageId::parse(text) {
            return Ok(Self::After(id));
        }
        if let Some(at) = unix_seconds(text) {
            return Ok(Self::At(at));
        }
        let span = duration_ms(text).ok_or(NtfyError::SinceInvalid)?;
        Ok(Self::At(now.plus_millis(span.saturating_neg())))
    }
}
