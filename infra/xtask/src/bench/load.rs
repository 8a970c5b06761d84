//! A small load generator over kept-alive HTTP/1.1 connections: as fast as they answer, or at a fixed rate.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet, time};

/// Makes the request with a number; the numbers of one run are all different.
pub type Make = Arc<dyn Fn(u64) -> Result<Request<Full<Bytes>>> + Send + Sync>;

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Answers with a status of success, a second.
    pub per_second: f64,
    /// How long each answer took, ascending.
    pub latencies: Vec<Duration>,
    /// Answers with another status, and requests without an answer.
    pub failed: u64,
}

impl Outcome {
    /// How much, how late, how often in vain.
    #[must_use]
    pub fn shown(&self) -> String {
        let (p99, failed) = (self.percentile_ms(0.99), self.failed);
        format!("{:.0}/s, p99 {p99:.1} ms, {failed} failed", self.per_second)
    }

    /// The latency that a share of the requests did not exceed, in milliseconds.
    #[must_use]
    pub fn percentile_ms(&self, share: f64) -> f64 {
        let index = (self.latencies.len().saturating_sub(1) as f64 * share).round() as usize;
        self.latencies
            .get(index)
            .map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
    }
}

/// Sends the next request of a connection as soon as the last one is answered.
///
/// # Errors
/// When the server cannot be reached.
pub async fn saturate(
    address: &str,
    connections: usize,
    duration: Duration,
    make: Make,
) -> Result<Outcome> {
    let next = Arc::new(AtomicU64::new(0));
    let begin = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        let (mut connection, make, next) = (
            connect(address).await?,
            Arc::clone(&make),
            Arc::clone(&next),
        );
        workers.spawn(async move {
            let mut tally = Tally::default();
            while begin.elapsed() < duration {
                let number = next.fetch_add(1, Ordering::Relaxed);
                tally.add(Instant::now(), send(&mut connection, make(number)?).await);
            }
            anyhow::Ok(tally)
        });
    }
    gather(workers, begin).await
}

/// Starts requests at fixed moments, whether or not earlier ones are answered; latency counts from the moment
/// at which a request was due, so that a server that stalls cannot hide the requests it kept waiting.
///
/// # Errors
/// When the server cannot be reached.
pub async fn at_rate(
    address: &str,
    connections: usize,
    per_second: u64,
    duration: Duration,
    make: Make,
) -> Result<Outcome> {
    let total = per_second * duration.as_secs();
    let next = Arc::new(AtomicU64::new(0));
    let begin = Instant::now() + Duration::from_millis(50);
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        let (mut connection, make, next) = (
            connect(address).await?,
            Arc::clone(&make),
            Arc::clone(&next),
        );
        workers.spawn(async move {
            let mut tally = Tally::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= total {
                    return anyhow::Ok(tally);
                }
                let due = begin + Duration::from_micros(number * 1_000_000 / per_second);
                time::sleep_until(due.into()).await;
                tally.add(due, send(&mut connection, make(number)?).await);
            }
        });
    }
    gather(workers, begin).await
}

/// Sends these requests at once, each over a connection of its own; the status of each answer.
///
/// # Errors
/// When the server cannot be reached, or does not answer.
pub async fn at_once(
    address: &str,
    requests: Vec<Request<Full<Bytes>>>,
) -> Result<Vec<StatusCode>> {
    let mut connected = Vec::with_capacity(requests.len());
    for request in requests {
        connected.push((connect(address).await?, request));
    }
    let mut workers = JoinSet::new();
    for (mut connection, request) in connected {
        workers.spawn(async move {
            connection.ready().await?;
            let answer = connection.send_request(request).await?;
            let status = answer.status();
            answer.into_body().collect().await?;
            anyhow::Ok(status)
        });
    }
    let mut answers = Vec::with_capacity(workers.len());
    while let Some(answer) = workers.join_next().await {
        answers.push(answer.context("a worker of the load generator ended")??);
    }
    Ok(answers)
}

#[derive(Default)]
struct Tally {
    latencies: Vec<Duration>,
    failed: u64,
    first_failure: Option<String>,
}

impl Tally {
    fn add(&mut self, since: Instant, answer: Result<()>) {
        match answer {
            Ok(()) => self.latencies.push(since.elapsed()),
            Err(error) => {
                self.failed += 1;
                self.first_failure
                    .get_or_insert_with(|| format!("{error:#}"));
            }
        }
    }
}

async fn gather(mut workers: JoinSet<Result<Tally>>, begin: Instant) -> Result<Outcome> {
    let mut all = Tally::default();
    while let Some(tally) = workers.join_next().await {
        let tally = tally.context("a worker of the load generator ended")??;
        all.latencies.extend(tally.latencies);
        all.failed += tally.failed;
        all.first_failure = all.first_failure.or(tally.first_failure);
    }
    let elapsed = begin.elapsed();
    if let Some(failure) = &all.first_failure {
        eprintln!(
            "xtask: {} requests failed, for example: {failure}",
            all.failed
        );
    }
    ensure!(!all.latencies.is_empty(), "no request succeeded");
    all.latencies.sort_unstable();
    Ok(Outcome {
        per_second: all.latencies.len() as f64 / elapsed.as_secs_f64(),
        latencies: all.latencies,
        failed: all.failed,
    })
}

async fn connect(address: &str) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("connecting to {address}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn send(
    connection: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<()> {
    connection.ready().await?;
    let answer = connection.send_request(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    if !status.is_success() {
        bail!("{status} {}", String::from_utf8_lossy(&body));
    }
    Ok(())
}
