//! What would have been sent, and what the tests say is answered.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Answered, Call};

/// What an address that starts like this is answered; without a status, nobody answers.
type Said = (String, Option<Answered>);

/// The way out.
#[derive(Debug, Default)]
pub struct Courier {
    sent: Mutex<Vec<Call>>,
    said: Mutex<Vec<Said>>,
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
        let answered = status.map(|status| Answered {
            status,
            retry_after: retry_after.map(str::to_owned),
            body: Vec::new(),
        });
        locked(&self.said).insert(0, (start.to_owned(), answered));
    }

    /// As [`Courier::say`], with a body.
    pub fn say_body(&self, start: &str, status: u16, body: &str) {
        let answered = Answered {
            status,
            retry_after: None,
            body: body.as_bytes().to_vec(),
        };
        locked(&self.said).insert(0, (start.to_owned(), Some(answered)));
    }

    /// Keeps the request; 201 unless something else was said.
    ///
    /// # Errors
    /// When it was said that nobody answers.
    pub async fn post(&self, call: Call) -> anyhow::Result<Answered> {
        let said = locked(&self.said)
            .iter()
            .find(|(start, _)| call.url.starts_with(start))
            .map(|(_, answered)| answered.clone());
        locked(&self.sent).push(call);
        match said {
            Some(Some(answered)) => Ok(answered),
            Some(None) => anyhow::bail!("nobody answers"),
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
