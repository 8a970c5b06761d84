//! The HTTP server: connections, the host's own routes, and the way from a route to a function.

mod function;
mod problem;
mod request;

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{net::TcpListener, sync::Semaphore};
use wasmtime_wasi_http::WasiBody;

use self::{
    function::HttpFunction,
    request::{Found, REQUEST_ID, RequestIds, RouteHeaders},
};
use crate::{
    application::Application,
    manifest::{HttpTarget, StaticResponse},
    router::Router,
};
pub use problem::{Problem, whole};

/// The most connections at once.
pub const CONNECTIONS_MAX: usize = 10_000;

/// The longest time for the head of a request, which is also the longest time a connection may idle.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(60);

/// The longest body for the host's own routes, in bytes.
pub const HOST_BODY_BYTES_MAX: usize = 64 * 1024;

/// The answer of a route of the host's own.
pub type HostAnswer = Pin<Box<dyn Future<Output = Response<WasiBody>> + Send>>;

/// A route of the host's own, which comes before those of the manifest.
pub struct HostRoute {
    /// It answers this path and everything below it.
    pub prefix: &'static str,
    /// What answers; the body is read already.
    pub answer: Box<dyn Fn(Request<Bytes>) -> HostAnswer + Send + Sync>,
}

/// Everything that answers requests.
pub struct Server {
    application: Arc<Application>,
    router: Router<Target>,
    host_routes: Vec<HostRoute>,
    ids: RequestIds,
    ready: AtomicBool,
}

enum Target {
    Function(Box<Routed>),
    Static(Box<StaticResponse>),
}

struct Routed {
    function: Arc<HttpFunction>,
    /// None when the manifest wants none.
    headers: Option<RouteHeaders>,
}

impl Server {
    /// The server of an application; it is not ready until [`Server::set_ready`].
    ///
    /// # Errors
    /// When routes are malformed or ambiguous.
    pub fn new(application: Arc<Application>, host_routes: Vec<HostRoute>) -> Result<Self> {
        let mut functions = std::collections::BTreeMap::new();
        let mut routes = Vec::new();
        for trigger in &application.manifest.http {
            let Some(route) = &trigger.route else {
                continue;
            };
            let target = match &trigger.target {
                HttpTarget::Static(response) => Target::Static(Box::new(response.clone())),
                HttpTarget::Component(name) => {
                    let function = application
                        .function(name)
                        .context("a component without a function")?;
                    let function = functions
                        .entry(name.clone())
                        .or_insert_with(|| Arc::new(HttpFunction::new(function.clone())));
                    Target::Function(Box::new(Routed {
                        function: function.clone(),
                        headers: None,
                    }))
                }
            };
            routes.push((route.clone(), target));
        }
        let mut router = Router::new(routes)?;
        let described = application.manifest.linli.route_headers;
        for route in router.routes_mut().filter(|_| described) {
            let headers =
                RouteHeaders::new(route).with_context(|| format!("the route {:?}", route.raw))?;
            if let Target::Function(routed) = &mut route.target {
                routed.headers = Some(headers);
            }
        }
        Ok(Self {
            application,
            router,
            host_routes,
            ids: RequestIds::default(),
            ready: AtomicBool::new(false),
        })
    }

    /// From now on `/readyz` says so.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Answers one request.
    async fn answer(&self, request: Request<Incoming>, client: &HeaderValue) -> Response<WasiBody> {
        let arrived = Instant::now();
        let id = self.ids.of(request.headers());
        let mut response = match self.host_answer(&request) {
            Some(route) => host_answer(route, request)
                .await
                .unwrap_or_else(|problem| problem.response(&id)),
            None => match self.own_answer(&request, &id) {
                Some(response) => response,
                None => self.function_answer(request, &id, client, arrived).await,
            },
        };
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }

    fn host_answer(&self, request: &Request<Incoming>) -> Option<&HostRoute> {
        let path = request.uri().path();
        self.host_routes.iter().find(|route| {
            path.strip_prefix(route.prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    fn own_answer(&self, request: &Request<Incoming>, id: &str) -> Option<Response<WasiBody>> {
        let path = request.uri().path();
        if !matches!(path, "/healthz" | "/readyz" | "/metrics") {
            return None;
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Some(Problem::MethodNotAllowed.response(id));
        }
        Some(match path {
            "/healthz" => whole(StatusCode::OK, "text/plain", "ok\n"),
            "/readyz" if self.ready.load(Ordering::Relaxed) => {
                whole(StatusCode::OK, "text/plain", "ready\n")
            }
            "/readyz" => Problem::Unavailable.response(id),
            _ => match self.application.metrics.text() {
                Ok(text) => whole(StatusCode::OK, "text/plain; version=0.0.4", text),
                Err(error) => {
                    tracing::error!("metrics: {error:#}");
                    Problem::FunctionFailed.response(id)
                }
            },
        })
    }

    async fn function_answer(
        &self,
        mut request: Request<Incoming>,
        id: &Arc<str>,
        client: &HeaderValue,
        arrived: Instant,
    ) -> Response<WasiBody> {
        let Some(found) = self.router.find(request.uri().path()) else {
            return Problem::NotFound.response(id);
        };
        let routed = match &found.route.target {
            Target::Static(response) => return fixed(response),
            Target::Function(routed) => routed,
        };
        let function = &routed.function;
        let headers = routed.headers.as_ref();
        let described = headers.map(|headers| (headers, Found::new(&found)));
        request::identify(&mut request, id);
        if let Some((headers, found)) = described {
            request::describe(&mut request, client, headers, &found);
        }
        let (head, body) = request.into_parts();
        let metrics = &function.function().metrics;
        let waits = head.headers.contains_key(http::header::EXPECT);
        let limit = function.function().limits.body_bytes;
        let answer = match request::limited(body, limit) {
            // A client that waits to be told to send is told not to.
            Err(_) if waits => Err(Problem::BodyTooLarge),
            Err(body) => {
                request::swallow(body).await;
                Err(Problem::BodyTooLarge)
            }
            Ok((body, too_long)) => {
                let request = Request::from_parts(head, body);
                let answer = function.answer(request, id, arrived).await;
                match too_long.leftover() {
                    None => answer,
                    Some(body) => {
                        request::swallow(body).await;
                        Err(Problem::BodyTooLarge)
                    }
                }
            }
        };
        let response = answer.unwrap_or_else(|problem| problem.response(id));
        metrics.answered(response.status(), arrived.elapsed());
        response
    }
}

fn fixed(fixed: &StaticResponse) -> Response<WasiBody> {
    let mut response = whole(fixed.status, "text/plain", fixed.body.clone());
    for (name, value) in &fixed.headers {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

async fn host_answer(
    route: &HostRoute,
    request: Request<Incoming>,
) -> Result<Response<WasiBody>, Problem> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, HOST_BODY_BYTES_MAX).collect();
    let body = match tokio::time::timeout(HEAD_TIME_MAX, body).await {
        Err(_) => return Err(Problem::Timeout),
        Ok(Err(_)) => return Err(Problem::BodyTooLarge),
        Ok(Ok(body)) => body.to_bytes(),
    };
    Ok((route.answer)(Request::from_parts(head, body)).await)
}

/// An answer with a JSON body, for the host's own routes.
#[must_use]
pub fn json(status: StatusCode, value: &serde_json::Value) -> Response<WasiBody> {
    whole(status, "application/json", value.to_string())
}

/// An answer without a body, for the host's own routes.
#[must_use]
pub fn empty(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(
        Full::new(Bytes::new())
            .map_err(|never| match never {})
            .boxed_unsync(),
    );
    *response.status_mut() = status;
    response
}

/// Serves until told to stop, then lets the requests in progress finish, for at most that long.
pub async fn serve(
    listener: TcpListener,
    server: Arc<Server>,
    stop: impl Future<Output = ()>,
    drain: Duration,
) {
    let graceful = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .pipeline_flush(true);
    http.http2().timer(TokioTimer::new());
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let permit = connections.clone().acquire_owned().await.ok();
            (permit, listener.accept().await)
        };
        let (permit, stream, address) = tokio::select! {
            () = &mut stop => break,
            (permit, accepted) = accepted => match accepted {
                Ok((stream, address)) => (permit, stream, address),
                Err(error) => {
                    // Out of file handles, or the client was gone already: others may do better.
                    tracing::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
            },
        };
        // Small answers must not wait for more to send.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("TCP_NODELAY: {error}");
        }
        let server = server.clone();
        let client = client_address(address);
        let service = service_fn(move |request| {
            let (server, client) = (server.clone(), client.clone());
            async move { Ok::<_, Infallible>(server.answer(request, &client).await) }
        });
        let connection = graceful.watch(
            http.serve_connection(TokioIo::new(stream), service)
                .into_owned(),
        );
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%address, "a connection ended: {error}");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(drain, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not finish in {drain:?}");
    }
}

fn client_address(address: SocketAddr) -> HeaderValue {
    HeaderValue::from_str(&address.to_string()).unwrap_or(HeaderValue::from_static("unknown"))
}
