//! `/api/product-imports`: a shop's list of goods as a file, tried first and then taken in whole or not at all.

use std::fmt;

use ::http::StatusCode;
use kernel::MerchantId;
use store::tx;
use web::{BODY_BYTES_MAX, Query, Reply, Request};

use super::caller;
use super::pictures::PICTURE_BYTES_MAX;
use crate::context::Context;
use crate::domain::{goods_keeper, unknown_merchant};
use crate::importing::{self, Report};
use crate::store::known;
use crate::{inbox, sheet};

/// The largest file, in bytes.
pub const FILE_BYTES_MAX: usize = 512 * 1024;

/// What leaves a transaction that is rolled back: the report of what it would have done.
#[derive(Debug)]
struct RolledBack(Report);

impl fmt::Display for RolledBack {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "an import of {} lines was tried", self.0.rows)
    }
}

impl std::error::Error for RolledBack {}

/// How much of a request's body is read: more only for files and pictures.
#[cfg_attr(not(target_family = "wasm"), allow(dead_code))]
pub(super) fn body_bytes_max(request: &Request) -> usize {
    match (request.method().as_str(), web::segments(request).as_slice()) {
        ("POST", ["api", "product-imports"]) => FILE_BYTES_MAX,
        ("PUT", ["api", "products", _, "pictures", _]) => PICTURE_BYTES_MAX,
        _ => BODY_BYTES_MAX,
    }
}

pub(super) async fn import(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let merchant = query.take("merchant", MerchantId::parse)?;
    let dry_run = query.take("dry_run", |text| match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("it is true or false"),
    })?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let id = merchant.ok_or_else(unknown_merchant)?;
    let merchant = known::merchant(&context.db, &actor.tenant, &id).await?;
    let merchant = merchant.ok_or_else(unknown_merchant)?;
    goods_keeper(&actor, &merchant, unknown_merchant)?;
    let rows = sheet::read(web::raw_body(request, FILE_BYTES_MAX)?)?;
    let dry_run = dry_run.unwrap_or(false);
    let done = tx(&context.db, &actor.tenant, async |tx| {
        let report = importing::import(context, tx, (&actor, &merchant), &rows).await?;
        let report = Report { dry_run, ..report };
        if dry_run || !report.faults.is_empty() {
            return Err(RolledBack(report).into());
        }
        Ok(report)
    })
    .await;
    let (status, report) = match done {
        Ok(report) => (StatusCode::CREATED, report),
        Err(error) => match error.downcast::<RolledBack>() {
            Ok(RolledBack(report)) if report.faults.is_empty() => (StatusCode::OK, report),
            Ok(RolledBack(report)) => (StatusCode::UNPROCESSABLE_ENTITY, report),
            Err(error) => return Err(error),
        },
    };
    if status == StatusCode::UNPROCESSABLE_ENTITY && !report.dry_run {
        return Ok(refused(request, &report));
    }
    Ok(Reply::json(
        if report.dry_run {
            StatusCode::OK
        } else {
            status
        },
        "application/json",
        &report,
    ))
}

/// The problem with a file, with the report beside it.
fn refused(request: &Request, report: &Report) -> Reply {
    let count = report.faults.len();
    let message = kernel::Message::new(
        format!("The file has {count} faults; nothing was taken in. See `report`."),
        format!("文件有 {count} 处错误，未导入任何内容，详见 report。"),
    );
    let problem = web::Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "import_faults", message);
    let mut reply = problem.into_reply(request);
    let body = serde_json::from_slice::<serde_json::Value>(&reply.body);
    if let (Ok(mut body), Ok(report)) = (body, serde_json::to_value(report)) {
        if let Some(fields) = body.as_object_mut() {
            fields.insert("report".to_owned(), report);
        }
        reply = Reply::json(reply.status, "application/problem+json", &body);
    }
    reply
}
