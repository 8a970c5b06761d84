//! The way out over HTTP: a POST, bounded in time, that follows no redirect.
//!
//! Natively nothing is sent: what would have been is kept for the tests to look at, and they say what is answered.

#[cfg(target_family = "wasm")]
#[path = "courier/guest.rs"]
mod way;
#[cfg(not(target_family = "wasm"))]
#[path = "courier/native.rs"]
mod way;

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

pub use way::Courier;

/// How long one request may take, in milliseconds.
pub const REQUEST_MS_MAX: u64 = 10_000;
/// How much of an answer is read, in bytes.
pub const ANSWER_BYTES_MAX: usize = 4_096;

/// A POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The address.
    pub url: String,
    /// The headers, their names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// The first [`ANSWER_BYTES_MAX`] of the body.
    pub body: Vec<u8>,
}

/// What all of them give, in their order; they run at once.
pub async fn all<Work: Future>(works: Vec<Work>) -> Vec<Work::Output> {
    let mut running: Vec<Pin<Box<Work>>> = works.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<Work::Output>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut waits = false;
        for (work, place) in running.iter_mut().zip(done.iter_mut()) {
            if place.is_some() {
                continue;
            }
            match work.as_mut().poll(context) {
                Poll::Ready(output) => *place = Some(output),
                Poll::Pending => waits = true,
            }
        }
        if waits {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
