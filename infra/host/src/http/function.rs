//! One component behind HTTP: how many requests it takes, in which instances, and when an instance ends.
//!
//! Instances are reused: wasmtime's handler keeps workers, one instance each. What stands here are the answers to
//! its questions, and the back-pressure that it leaves to its embedder.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use http::{Request, Response};
use prometheus::IntGauge;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep_until},
};
use wasmtime::{Store, StoreContextMut, component::GuestTaskId};
use wasmtime_wasi_http::{
    WasiBody, WasiHttpView,
    handler::{
        ExpirationError, HandlerState, Instance, InstantiationError, Proxy, ProxyHandler,
        ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
    },
};

use super::problem::Problem;
use crate::{
    application::{Function, to_usize},
    instance::State,
    logs::Speaker,
};

/// A component behind HTTP.
pub struct HttpFunction {
    function: Arc<Function>,
    handler: ProxyHandler<Pool>,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// A request that may be served, until then.
struct Ticket {
    permit: OwnedSemaphorePermit,
    request_id: Arc<str>,
    deadline: Instant,
}

impl HttpFunction {
    /// The component, without instances yet.
    #[must_use]
    pub fn new(function: Arc<Function>) -> Self {
        let limits = &function.limits;
        let permits = to_usize(limits.instances.saturating_mul(limits.requests_at_once));
        Self {
            permits: Arc::new(Semaphore::new(permits)),
            waiting: AtomicUsize::new(0),
            handler: ProxyHandler::new(Pool {
                function: function.clone(),
                start: Instant::now(),
            }),
            function,
        }
    }

    /// What serves the requests.
    #[must_use]
    pub fn function(&self) -> &Function {
        &self.function
    }

    /// Has an instance answer a request that arrived at that time.
    ///
    /// # Errors
    /// When there is no room for it, it runs into a limit, or the function breaks. The cause is in the log.
    pub async fn answer(
        &self,
        request: Request<WasiBody>,
        request_id: &Arc<str>,
        arrived: Instant,
    ) -> Result<Response<WasiBody>, Problem> {
        let deadline = arrived + self.function.limits.request_time();
        let permit = self.permit(deadline).await?;
        let _in_flight = InFlight::new(&self.function.metrics.in_flight);
        let ticket = Ticket {
            permit,
            request_id: request_id.clone(),
            deadline,
        };
        let answer = self.handler.handle(ticket, request).await;
        answer.map_err(|error| self.failure(&error, request_id, deadline))
    }

    /// Waits for its turn, if not too many wait already.
    async fn permit(&self, deadline: Instant) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let waiting = Waiting::new(&self.waiting);
        if waiting.before >= to_usize(self.function.limits.requests_waiting) {
            self.function.metrics.rejected.inc();
            return Err(Problem::Overloaded);
        }
        match tokio::time::timeout_at(deadline.into(), self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(Problem::Unavailable),
            Err(_) => {
                self.function.metrics.rejected.inc();
                Err(Problem::Overloaded)
            }
        }
    }

    fn failure(&self, error: &wasmtime::Error, request_id: &str, deadline: Instant) -> Problem {
        let component = &*self.function.name;
        if error.is::<ExpirationError>() || Instant::now() >= deadline {
            tracing::warn!(component, request_id, "the function took too long");
            self.function.metrics.timeouts.inc();
            Problem::Timeout
        } else if error.is::<InstantiationError<Ticket>>() {
            tracing::error!(component, request_id, "no instance can be made: {error:#}");
            Problem::Overloaded
        } else {
            tracing::error!(component, request_id, "the function failed: {error:#}");
            Problem::FunctionFailed
        }
    }
}

/// Counts a request for as long as its client waits for the answer.
struct InFlight<'a>(&'a IntGauge);

impl<'a> InFlight<'a> {
    fn new(gauge: &'a IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Counts a waiting request for as long as it waits; a client that leaves waits no more.
struct Waiting<'a> {
    counter: &'a AtomicUsize,
    before: usize,
}

impl<'a> Waiting<'a> {
    fn new(counter: &'a AtomicUsize) -> Self {
        Self {
            before: counter.fetch_add(1, Ordering::Relaxed),
            counter,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.counter.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Makes instances.
struct Pool {
    function: Arc<Function>,
    /// Deadlines are counted from here.
    start: Instant,
}

/// What the parts of one worker know together.
struct Worker {
    function: Arc<Function>,
    start: Instant,
    /// The latest deadline of the requests served, in milliseconds after `start`.
    deadline_ms: AtomicU64,
    /// Whether a request ran into its deadline: the instance is not to be used again.
    expired: AtomicBool,
    /// Whether its memory has grown beyond what is kept.
    grown: Arc<AtomicBool>,
    speaker: Arc<Speaker>,
}

impl HandlerState for Pool {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Serving;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Serving>> {
        let (mut store, speaker) = self
            .function
            .store()
            .map_err(wasmtime::Error::from_anyhow)?;
        let Some(http) = self.function.http() else {
            wasmtime::bail!("the component exports no HTTP handler");
        };
        let limit = self.function.limits.request_time();
        let proxy = tokio::time::timeout(limit, http.instantiate_async(&mut store)).await;
        let Ok(proxy) = proxy else {
            wasmtime::bail!("the instance took longer than {limit:?} to start")
        };
        let proxy = Proxy::P3(proxy?);
        self.function.metrics.instances.inc();
        let worker = Arc::new(Worker {
            function: self.function.clone(),
            start: self.start,
            deadline_ms: AtomicU64::new(0),
            expired: AtomicBool::new(false),
            grown: store.data().allowance.grown(),
            speaker,
        });
        let expiration = Expiration {
            worker: worker.clone(),
            sleep: Box::pin(tokio::time::sleep(limit)),
        };
        Ok(Instance {
            store,
            proxy,
            view: WasiHttpView::http,
            expiration,
            state: Serving { worker },
        })
    }
}

/// Ends an instance from outside: a guest that never yields to its own event loop cannot be ended from inside.
struct Expiration {
    worker: Arc<Worker>,
    /// Set to the earliest deadline seen and moved on only when it rings, so that most requests touch no timer.
    sleep: Pin<Box<Sleep>>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        let limits = &self.worker.function.limits;
        let deadline = match status {
            WorkerStatus::Idle => since + Duration::from_millis(limits.idle_ms),
            WorkerStatus::Requests => {
                self.worker.start
                    + Duration::from_millis(self.worker.deadline_ms.load(Ordering::Relaxed))
            }
            WorkerStatus::PostReturn if self.worker.expired.load(Ordering::Relaxed) => {
                return Poll::Ready(());
            }
            WorkerStatus::PostReturn => since + limits.request_time(),
        };
        if deadline < self.sleep.deadline().into_std() {
            self.sleep.as_mut().reset(deadline.into());
        }
        loop {
            if self.sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= deadline {
                if status != WorkerStatus::Idle {
                    self.worker.expired.store(true, Ordering::Relaxed);
                }
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(deadline.into());
        }
    }
}

/// Decides which requests an instance takes.
struct Serving {
    worker: Arc<Worker>,
}

impl WorkerState for Serving {
    type StoreData = State;
    type RequestData = Ticket;

    fn should_accept_request(&self, at_once: usize, total: usize) -> ShouldAccept {
        let limits = &self.worker.function.limits;
        let grown = self.worker.grown.load(Ordering::Relaxed);
        if grown || total >= to_usize(limits.requests_per_instance) {
            ShouldAccept::Never
        } else if at_once >= to_usize(limits.requests_at_once) {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, State>,
        ticket: Ticket,
        _task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        let worker = self.worker.clone();
        let Ticket {
            permit,
            request_id,
            deadline,
        } = ticket;
        store.data_mut().interruptions = 0;
        store.set_epoch_deadline(1);
        // Rounded up: ended before its deadline, the request would pass for one that failed.
        let deadline_ms = deadline.saturating_duration_since(worker.start).as_millis() + 1;
        worker.deadline_ms.fetch_max(
            u64::try_from(deadline_ms).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
        // The permit is held until the answer is there, also when the client has left in the meantime. Alone in
        // its instance a request is ended with it, from outside; among others by the timer here.
        if worker.function.limits.requests_at_once == 1 {
            worker.speaker.serve(request_id);
            return Box::pin(async move {
                let _permit = permit;
                std::future::pending().await
            });
        }
        Box::pin(async move {
            let _permit = permit;
            sleep_until(deadline.into()).await;
            worker.expired.store(true, Ordering::Relaxed);
        })
    }

    fn drop(&self, store: Store<State>, result: Result<(), wasmtime::Error>) {
        let metrics = &self.worker.function.metrics;
        metrics.instances.dec();
        if let Err(error) = result {
            let component = &*self.worker.function.name;
            let request = self.worker.speaker.request();
            let request_id = request.as_deref();
            if self.worker.expired.load(Ordering::Relaxed) {
                tracing::warn!(
                    component,
                    request_id,
                    "an instance was dropped at its time limit"
                );
            } else {
                metrics.traps.inc();
                tracing::error!(component, request_id, "an instance trapped: {error:?}");
            }
        }
        drop(store);
    }
}
