//! `/api/imports`: a file comes in parts, is checked, and is taken in whole or not at all.

use ::http::StatusCode;
use ::http::header::CONTENT_TYPE;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Actor, CommunityId, ImportId, Message, Refusal};
use serde::Deserialize;
use store::tx;
use web::{BODY_BYTES_MAX, Problem, Reply, Request};

use super::{answer, caller, path_id, shown, stored, write};
use crate::context::Context;
use crate::domain::sheet::{Faults, Kind, Sheet};
use crate::domain::{managers_only, managing_kinds_only, oversees, unknown, unknown_community};
use crate::file::{self, Format};
use crate::importing::{self, Mode, Report};
use crate::store::{self as sql, Import};

/// The largest part of a file, in bytes.
pub const PART_BYTES_MAX: usize = 1024 * 1024;
/// The most parts of a file.
pub const PARTS_MAX: i64 = 64;
/// The largest file, in bytes.
pub const IMPORT_BYTES_MAX: i64 = 4 * 1024 * 1024;

const IMPORT: (&str, &str, &str) = ("import_unknown", "import", "导入任务");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewImport {
    community: CommunityId,
    kind: String,
    format: String,
    /// What the file has, if it is known beforehand.
    bytes: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    partial: bool,
}

/// How much of a request's body is read: more only for a part of a file.
#[cfg_attr(not(target_family = "wasm"), allow(dead_code))]
pub(super) fn body_bytes_max(request: &Request) -> usize {
    match (request.method().as_str(), web::segments(request).as_slice()) {
        ("PUT", ["api", "imports", _, "parts", _]) => PART_BYTES_MAX,
        _ => BODY_BYTES_MAX,
    }
}

pub(super) async fn open(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let new: NewImport = web::body(request)?;
    managers_only(&actor, &new.community)?;
    if new.bytes.is_some_and(|bytes| bytes > IMPORT_BYTES_MAX) {
        return Err(too_large().into());
    }
    let import = Import {
        id: context.new_id()?,
        community: new.community,
        kind: Kind::parse(&new.kind).ok_or_else(|| wrong("kind", "rooms, residents or parking"))?,
        format: Format::parse(&new.format).ok_or_else(|| wrong("format", "csv or xlsx"))?,
        is_done: false,
        report: None,
        opened_by: actor.id.clone(),
        opened_at: context.now,
    };
    let opened = write(context, request, &actor, async |tx| {
        let community = sql::community(tx, &actor.tenant, &import.community).await?;
        community.ok_or_else(unknown_community)?;
        sql::insert_import(tx, &import).await?;
        answer(201, &shown::import(&import, &[])?)
    })
    .await?;
    stored(&opened, "/api/imports")
}

fn wrong(field: &'static str, one_of: &str) -> Problem {
    let message = Message::new(
        format!("The field {field} cannot be accepted: it is {one_of}."),
        format!("字段 {field} 不正确：应为 {one_of}。"),
    );
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_type", message).at_field(field)
}

fn too_large() -> Problem {
    let mebibytes = IMPORT_BYTES_MAX / (1024 * 1024);
    let message = Message::new(
        format!("A file has at most {mebibytes} MiB. Split it by building and import the pieces."),
        format!("单个文件不得超过 {mebibytes} MiB，请按楼栋拆分后分别导入。"),
    );
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "import_too_large", message)
}

/// The import, for those who read the community's register.
fn know(actor: &Actor, import: Option<Import>) -> Result<Import, Refusal> {
    let (code, english, chinese) = IMPORT;
    import
        .filter(|import| oversees(actor, &import.community))
        .ok_or_else(|| unknown(code, english, chinese))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    import: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let id = path_id(import, IMPORT)?;
    let import = know(&actor, sql::import(&context.db, &actor.tenant, &id).await?)?;
    let parts = sql::part_sizes(&context.db, &actor.tenant, &id, PARTS_MAX).await?;
    Ok(Reply::ok(&shown::import(&import, &parts)?))
}

pub(super) async fn put_part(
    context: &Context,
    request: &Request,
    import: &str,
    part: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let id: ImportId = path_id(import, IMPORT)?;
    let number = part
        .parse()
        .ok()
        .filter(|part| (1..=PARTS_MAX).contains(part));
    let number: i64 = number.ok_or_else(part_unknown)?;
    let bytes = web::raw_body(request, PART_BYTES_MAX)?;
    let size = i64::try_from(bytes.len())?;
    let content = STANDARD.encode(bytes);
    let import = tx(&context.db, &actor.tenant, async |tx| {
        let import = know(&actor, sql::import(tx, &actor.tenant, &id).await?)?;
        managers_only(&actor, &import.community)?;
        check_type(request, import.format)?;
        if import.is_done {
            return Err(done().into());
        }
        if size == 0 {
            return Err(empty().into());
        }
        let parts = sql::part_sizes(tx, &actor.tenant, &id, PARTS_MAX).await?;
        let others = parts.iter().filter(|(part, _)| *part != number);
        let total = others.map(|(_, bytes)| bytes).sum::<i64>() + size;
        if total > IMPORT_BYTES_MAX {
            return Err(too_large().into());
        }
        sql::put_part(tx, &id, (number, size), &content).await?;
        Ok(import)
    })
    .await?;
    let parts = sql::part_sizes(&context.db, &actor.tenant, &id, PARTS_MAX).await?;
    Ok(Reply::ok(&shown::import(&import, &parts)?))
}

fn part_unknown() -> Refusal {
    unknown(
        "part_unknown",
        "part (they are 1 to 64)",
        "分片（编号为 1 至 64）",
    )
}

/// The body says that it is a file of the import's format, or bytes of any kind.
fn check_type(request: &Request, format: Format) -> Result<(), Problem> {
    let header = request.headers().get(CONTENT_TYPE);
    let text = header
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = |text: &str| {
        text.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    };
    let sent = essence(text);
    if sent == essence(format.media_type()) || sent == "application/octet-stream" {
        return Ok(());
    }
    let wanted = essence(format.media_type());
    let message = Message::new(
        format!("Send the file's bytes, with `content-type: {wanted}`."),
        format!("请直接发送文件内容，并设置 content-type: {wanted}。"),
    );
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Err(Problem::new(status, "content_type_unsupported", message))
}

fn done() -> Refusal {
    Refusal::conflict(
        "import_done",
        Message::new(
            "This import has been carried out. Open a new one for another file.",
            "该导入已完成，请为新文件新建导入任务。",
        ),
    )
}

fn empty() -> Refusal {
    Refusal::conflict(
        "import_incomplete",
        Message::new(
            "The file has not arrived whole: its parts are numbered from 1 without gaps. Send what is missing.",
            "文件尚未完整上传：分片须从 1 开始连续编号，请补传缺少的部分。",
        ),
    )
}

pub(super) async fn run(
    context: &Context,
    request: &Request,
    import: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let id: ImportId = path_id(import, IMPORT)?;
    let asked: Asked = match request.body().is_empty() {
        true => Asked::default(),
        false => web::body(request)?,
    };
    let mode = Mode {
        is_dry: asked.dry_run,
        is_partial: asked.partial,
    };
    let import = know(&actor, sql::import(&context.db, &actor.tenant, &id).await?)?;
    managers_only(&actor, &import.community)?;
    if let Some(report) = import.report.as_ref().filter(|_| import.is_done) {
        return Ok(Reply::with_body(
            StatusCode::OK,
            "application/json",
            report.clone().into(),
        ));
    }
    let bytes = gather(context, &actor, &id).await?;
    let sheet = file::read(import.format, &bytes);
    drop(bytes);
    let ran = write(context, request, &actor, async |tx| {
        let import = know(&actor, sql::import(tx, &actor.tenant, &id).await?)?;
        if import.is_done {
            return Err(done().into());
        }
        let (report, is_done) = match &sheet {
            Ok(sheet) => importing::run(context, tx, &actor, (&import, sheet), mode).await?,
            Err(fault) => (refused(fault.clone()), false),
        };
        let shown = report.shown(&import, mode, is_done);
        let after = Import {
            is_done,
            report: Some(shown.to_string()),
            ..import
        };
        sql::report_import(tx, &after).await?;
        if is_done {
            sql::delete_parts(tx, &id).await?;
        }
        answer(200, &shown)
    })
    .await?;
    Ok(Reply::with_body(
        StatusCode::OK,
        "application/json",
        ran.body.into(),
    ))
}

/// The report of a file that is no table.
fn refused(fault: crate::domain::sheet::Fault) -> Report {
    let mut faults = Faults::default();
    faults.add(fault);
    Report {
        rows: Sheet::default().rows.len(),
        faults,
        ..Report::default()
    }
}

/// The whole file.
async fn gather(context: &Context, actor: &Actor, id: &ImportId) -> anyhow::Result<Vec<u8>> {
    let parts = sql::part_sizes(&context.db, &actor.tenant, id, PARTS_MAX).await?;
    let is_whole = (1..).zip(&parts).all(|(number, (part, _))| *part == number);
    if parts.is_empty() || !is_whole {
        return Err(empty().into());
    }
    let mut bytes = Vec::new();
    for (part, _) in parts {
        let content = sql::part(&context.db, &actor.tenant, id, part).await?;
        let content = content.ok_or_else(empty)?;
        STANDARD
            .decode_vec(content, &mut bytes)
            .map_err(|error| anyhow::anyhow!("part {part} of import {id}: {error}"))?;
    }
    Ok(bytes)
}
