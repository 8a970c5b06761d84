//! A simulated panel that speaks ZKTeco's push protocol: it calls in, looks for orders, and says what it did.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use chrono::DateTime;
use http::{Method, Request};
use http_body_util::Full;
use kernel::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::Behaviour;
use crate::http::{Limits, Url, ask};

const LIMITS: Limits = Limits {
    time: Duration::from_secs(5),
    body_bytes: 64 * 1024,
};

/// A running panel; it ends when this is dropped.
pub struct Panel {
    state: Arc<Mutex<State>>,
    caller: Caller,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Caller {
    url: Url,
    serial: String,
}

#[derive(Default)]
struct State {
    behaviour: Behaviour,
    silent: bool,
    moved: BTreeMap<u8, u64>,
    orders: Vec<String>,
}

impl Panel {
    /// Calls in at `url` every `pause`.
    ///
    /// # Errors
    /// When the URL is none.
    pub fn start(url: &str, serial: &str, pause: Duration, behaviour: Behaviour) -> Result<Self> {
        let caller = Caller {
            url: url.parse()?,
            serial: serial.to_owned(),
        };
        let state = Arc::new(Mutex::new(State {
            behaviour,
            ..State::default()
        }));
        let task = tokio::spawn(work(caller.clone(), state.clone(), pause));
        Ok(Self {
            state,
            caller,
            task,
        })
    }

    /// How often the lock of a door was moved.
    #[must_use]
    pub fn releases(&self, door: u8) -> u64 {
        lock(&self.state).moved.get(&door).copied().unwrap_or(0)
    }

    /// Every order that was fetched, without its number.
    #[must_use]
    pub fn orders(&self) -> Vec<String> {
        lock(&self.state).orders.clone()
    }

    /// Changes what is wrong from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut lock(&self.state).behaviour);
    }

    /// Stops to call in, or begins again.
    pub fn silent(&self, silent: bool) {
        lock(&self.state).silent = silent;
    }

    /// Reports a card that the panel does not know.
    ///
    /// # Errors
    /// When the bridge does not take it.
    pub async fn show(
        &self,
        door: u8,
        card: &str,
        at: Timestamp,
        utc_offset_minutes: i64,
    ) -> Result<()> {
        let local = at.plus_millis(utc_offset_minutes * 60_000).millis();
        let local = DateTime::from_timestamp_millis(local).context("a time in range")?;
        let line = format!(
            "time={}\tpin=0\tcardno={card}\teventaddr={door}\tevent=27\tinoutstatus=0\tverifytype=4\tindex=1\r\n",
            local.format("%Y-%m-%d %H:%M:%S")
        );
        let said = self.caller.post("cdata", "&table=rtlog", line).await?;
        ensure!(said == "OK", "the bridge answered {said:?}");
        Ok(())
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Caller {
    async fn get(&self, what: &str, more: &str) -> Result<String> {
        self.call(Method::GET, what, more, String::new()).await
    }

    async fn post(&self, what: &str, more: &str, body: String) -> Result<String> {
        self.call(Method::POST, what, more, body).await
    }

    async fn call(&self, method: Method, what: &str, more: &str, body: String) -> Result<String> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/iclock/{what}?SN={}{more}", self.serial))
            .body(Full::new(Bytes::from(body)))
            .context("a request")?;
        let answer = ask(&self.url, request, LIMITS).await?;
        ensure!(
            answer.status.is_success(),
            "the bridge answered {}",
            answer.status
        );
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }
}

async fn work(caller: Caller, state: Arc<Mutex<State>>, pause: Duration) {
    let mut known = false;
    loop {
        if !lock(&state).silent {
            let done = async {
                if !known {
                    caller
                        .get("cdata", "&options=all&pushver=2.4.1&language=69")
                        .await?;
                    known = true;
                }
                let order = caller.get("getrequest", "").await?;
                obey(&caller, &state, &order).await
            };
            if let Err(error) = done.await {
                tracing::debug!(
                    error = format!("{error:#}"),
                    "a simulated panel was not heard"
                );
            }
        }
        sleep(pause).await;
    }
}

async fn obey(caller: &Caller, state: &Mutex<State>, order: &str) -> Result<()> {
    let Some((id, text)) = order
        .trim()
        .strip_prefix("C:")
        .and_then(|rest| rest.split_once(':'))
    else {
        return Ok(());
    };
    let (word, lost, delay) = lock(state).switch(text);
    sleep(delay).await;
    if lost {
        return Ok(());
    }
    let answer = format!("ID={id}&Return={word}&CMD=CONTROL DEVICE\n");
    caller.post("devicecmd", "", answer).await.map(drop)
}

impl State {
    /// Carries an order out; the word for it, whether that is lost, and how long it takes.
    fn switch(&mut self, text: &str) -> (i64, bool, Duration) {
        self.orders.push(text.to_owned());
        let lost = self.behaviour.drop_answers > 0;
        self.behaviour.drop_answers = self.behaviour.drop_answers.saturating_sub(1);
        let digits = text
            .strip_prefix("CONTROL DEVICE ")
            .filter(|digits| digits.len() == 8 && digits.is_ascii());
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let word = match number.map(u32::to_be_bytes) {
            _ if self.behaviour.refuse => -1,
            Some([1, door @ 1..=4, 1, seconds]) => {
                *self.moved.entry(door).or_default() += u64::from(seconds > 0);
                0
            }
            _ => -2,
        };
        (word, lost, self.behaviour.answer_delay)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A panic elsewhere leaves counters, not broken invariants.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
