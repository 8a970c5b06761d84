//! The HTTP server that panels call in at. It knows no other requests, and no serial numbers but the configured ones.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Panel;
use super::protocol::{Endpoint, hello, options, query};

/// The longest body, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// The most connections at the same time.
const CONNECTIONS_MAX: usize = 256;
/// How long a head may take to come.
const HEAD_TIME_MAX: Duration = Duration::from_secs(30);

type Panels = Arc<BTreeMap<String, Arc<Panel>>>;

/// Serves until it is dropped.
pub async fn serve(listener: TcpListener, panels: Panels) {
    let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(permit) = free.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let panels = panels.clone();
                connections.spawn(async move {
                    converse(stream, panels).await;
                    drop(permit);
                });
            }
            Err(error) => tracing::warn!(%error, "a panel's connection could not be accepted"),
        }
    }
}

async fn converse(stream: TcpStream, panels: Panels) {
    let service = service_fn(move |request| {
        let panels = panels.clone();
        async move { Ok::<_, Infallible>(answer(request, &panels).await) }
    });
    let ended = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = ended {
        tracing::debug!(%error, "a panel's connection ended");
    }
}

async fn answer(request: Request<Incoming>, panels: &Panels) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let Some(endpoint) = Endpoint::of(head.method.as_str(), head.uri.path()) else {
        return said(StatusCode::NOT_FOUND, "ERROR".into());
    };
    let asked = head.uri.query().unwrap_or("");
    let Some(panel) = query(asked, "SN").and_then(|serial| panels.get(serial)) else {
        tracing::warn!("a panel with an unknown serial number called in");
        return said(StatusCode::FORBIDDEN, "ERROR".into());
    };
    let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
        return said(StatusCode::PAYLOAD_TOO_LARGE, "ERROR".into());
    };
    let body = body.to_bytes();
    let body = String::from_utf8_lossy(&body);
    panel.called();
    let text = match endpoint {
        Endpoint::Hello => hello(&panel.config.serial, panel.config.utc_offset_minutes),
        Endpoint::Options => options(),
        Endpoint::Register => format!("RegistryCode={}", panel.config.serial),
        Endpoint::Upload if query(asked, "table") == Some("rtlog") => {
            panel.uploaded(&body);
            "OK".into()
        }
        Endpoint::Upload => format!("OK: {}", body.lines().count()),
        Endpoint::Fetch => panel.fetch().unwrap_or_else(|| "OK".into()),
        Endpoint::Result => {
            panel.answered(&body);
            "OK".into()
        }
        Endpoint::Ping => "OK".into(),
    };
    said(StatusCode::OK, text)
}

fn said(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    let plain = header::HeaderValue::from_static("text/plain");
    answer.headers_mut().insert(header::CONTENT_TYPE, plain);
    answer
}
