//! Identity: people, their passwords, tokens and roles, and the credentials of devices.
//!
//! Trigger: HTTP under `/api/sessions`, `/api/people` and `/api/devices`, for the deployment's operator under
//! `/internal/tenants`, and for a broker under `/internal/mqtt`.

pub mod context;
pub mod domain;
pub mod http;
mod rows;
pub mod secrets;
mod sign_in;
mod store;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> web::Reply {
    http::serve(request).await
}
