//! What would have been sent, and what the tests say is answered.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Answered, Call};

/// What becomes of a request.
#[derive(Debug, Clone)]
enum Said {
    Answer(Answered),
    /// Nobody is there.
    Fails,
    /// It is taken, and never answered.
    Hangs,
}

/// The way out.
#[derive(Debug, Default)]
pub struct Courier {
    sent: Mutex<Vec<Call>>,
    /// For addresses that start like this.
    said: Mutex<Vec<(String, Said)>>,
    hangs: AtomicUsize,
}

impl Courier {
    /// Takes what was sent so far.
    #[must_use]
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *locked(&self.sent))
    }

    /// Keeps what another replica sent.
    pub fn keep(&self, call: Call) {
        locked(&self.sent).push(call);
    }

    /// From now on, addresses that start like this are answered so; without a status, nobody answers.
    pub fn say(&self, start: &str, status: Option<u16>, retry_after: Option<&str>) {
        let said = status.map_or(Said::Fails, |status| {
            Said::Answer(Answered {
                status,
                retry_after: retry_after.map(str::to_owned),
                body: Vec::new(),
            })
        });
        locked(&self.said).insert(0, (start.to_owned(), said));
    }

    /// As [`Courier::say`], with a body.
    pub fn say_body(&self, start: &str, status: u16, body: &str) {
        let answered = Answered {
            status,
            retry_after: None,
            body: body.as_bytes().to_vec(),
        };
        locked(&self.said).insert(0, (start.to_owned(), Said::Answer(answered)));
    }

    /// From now on, requests to addresses that start like this are taken and never answered.
    pub fn never(&self, start: &str) {
        locked(&self.said).insert(0, (start.to_owned(), Said::Hangs));
    }

    /// How many requests wait for an answer that never comes.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.hangs.load(Ordering::Relaxed)
    }

    /// Keeps the request; 201 unless something else was said.
    ///
    /// # Errors
    /// When it was said that nobody answers.
    pub async fn post(&self, call: Call) -> anyhow::Result<Answered> {
        let said = locked(&self.said)
            .iter()
            .find(|(start, _)| call.url.starts_with(start))
            .map(|(_, said)| said.clone());
        locked(&self.sent).push(call);
        match said {
            Some(Said::Answer(answered)) => Ok(answered),
            Some(Said::Fails) => anyhow::bail!("nobody answers"),
            Some(Said::Hangs) => {
                self.hangs.fetch_add(1, Ordering::Relaxed);
                std::future::pending().await
            }
            None => Ok(Answered {
                status: 201,
                retry_after: None,
                body: Vec::new(),
            }),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
