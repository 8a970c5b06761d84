//! The host's own routes besides health and metrics.

use std::sync::Arc;

use http::{Response, StatusCode, header};

use crate::{
    http::{HostRoute, empty, whole},
    quarantine::{self, Quarantine},
};

/// All of them.
#[must_use]
pub fn of_the_host(quarantine: Arc<Quarantine>) -> Vec<HostRoute> {
    vec![HostRoute {
        prefix: "/internal/quarantine",
        answer: Box::new(move |request| {
            let quarantine = quarantine.clone();
            Box::pin(async move {
                let authorization = request.headers().get(header::AUTHORIZATION);
                let asked = quarantine::Request {
                    method: request.method(),
                    path: request.uri().path(),
                    query: request.uri().query().unwrap_or_default(),
                    authorization: authorization.and_then(|value| value.to_str().ok()),
                };
                match quarantine.handle(asked).await {
                    Some(answer) => boxed(answer),
                    None => empty(StatusCode::NOT_FOUND),
                }
            })
        }),
    }]
}

fn boxed(answer: Response<bytes::Bytes>) -> Response<wasmtime_wasi_http::WasiBody> {
    let (head, body) = answer.into_parts();
    let mut response = whole(head.status, "application/json", body);
    response.headers_mut().extend(head.headers);
    response
}
