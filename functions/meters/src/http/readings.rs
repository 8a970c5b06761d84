//! `/api/meter-readings`: sending what was read, many at once, and how each reading stands.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use kernel::{
    Actor, ActorKind, CommunityId, Message, MeterId, ReadingId, Refusal, TimeBand, Timestamp,
};
use serde::{Deserialize, Serialize};
use store::tx;
use web::{Problem, Query, Reply, Request};

use super::{LARGE_BODY_BYTES_MAX, answer, caller, path_id, replied, seen, write};
use crate::context::Context;
use crate::domain::caller::{
    is_manager, managers_only, managing_kinds, unknown_meter, unknown_photo, unknown_reading,
};
use crate::domain::counting::Bands;
use crate::domain::{Source, believed};
use crate::intake::{self, Incoming, Taken};
use crate::store::readings::{self as sql, Cursor, Reviewed, Stands};

/// The most readings of one request.
pub const READINGS_MAX: usize = 500;
/// The largest picture, in bytes.
pub const PHOTO_BYTES_MAX: usize = 200 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    readings: Vec<NewReading>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewReading {
    id: ReadingId,
    meter: MeterId,
    at: Timestamp,
    register_milli: i64,
    bands_milli: Option<NewBands>,
}

#[derive(Deserialize, Serialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBands {
    sharp: i64,
    peak: i64,
    flat: i64,
    valley: i64,
}

#[derive(Serialize)]
struct Results {
    items: Vec<ItemResult>,
}

#[derive(Serialize)]
struct ItemResult {
    id: ReadingId,
    meter: MeterId,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    clock_believed: bool,
}

#[derive(Serialize)]
pub(super) struct ShownReading {
    id: ReadingId,
    meter: MeterId,
    community: CommunityId,
    at: Timestamp,
    device_at: Timestamp,
    clock_believed: bool,
    received_at: Timestamp,
    register_milli: i64,
    bands_milli: Option<NewBands>,
    source: &'static str,
    gateway: Option<String>,
    actor: Option<String>,
    flags: Vec<String>,
    verdict: String,
    reason: Option<String>,
    counted_register_milli: i64,
    total_milli: i64,
    review: Option<Reviewed>,
    has_photo: bool,
}

/// Who sends readings: those who go round, gateways, and connected applications that may.
fn senders_only(actor: &Actor) -> Result<Source, Refusal> {
    match actor.kind {
        ActorKind::Device => Ok(Source::Interval),
        ActorKind::Application => managing_kinds(actor).map(|()| Source::Interval),
        _ => managing_kinds(actor).map(|()| Source::Phone),
    }
}

pub(super) async fn send(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let source = senders_only(&actor)?;
    let sent: Sent = web::body_up_to(request, LARGE_BODY_BYTES_MAX)?;
    if sent.readings.is_empty() || sent.readings.len() > READINGS_MAX {
        return Err(count_refusal().into());
    }
    let is_device = actor.kind == ActorKind::Device;
    let incoming: Vec<Incoming> = sent
        .readings
        .into_iter()
        .map(|reading| Incoming {
            id: reading.id,
            meter: reading.meter,
            device_at: reading.at,
            register_milli: reading.register_milli,
            bands: reading.bands_milli.map(bands),
            source,
            gateway: None,
            actor: (!is_device).then(|| actor.id.clone()),
            flags: None,
        })
        .collect();
    let taken = write(context, request, &actor, async |tx| {
        let taken = intake::take(context, tx, &incoming, |known, _| {
            let speaks = if is_device {
                let gateway = known.meter.gateway.as_ref();
                gateway.is_some_and(|gateway| gateway.as_str() == actor.id.as_str())
            } else {
                is_manager(&actor, &known.meter.community)
            };
            if speaks { Ok(()) } else { Err(unknown_meter()) }
        })
        .await?;
        let items = incoming
            .iter()
            .zip(taken)
            .map(|(reading, taken)| result(reading, taken, (context.now, web::language(request))))
            .collect();
        answer(200, &Results { items })
    })
    .await?;
    replied(&taken)
}

fn result(
    reading: &Incoming,
    taken: Taken,
    (now, language): (Timestamp, web::Language),
) -> ItemResult {
    let (result, reason, detail) = match taken {
        Taken::Counted => ("counted", None, None),
        Taken::Held(reason) => ("held", Some(reason.as_str()), None),
        Taken::Duplicate => ("duplicate", None, None),
        Taken::Refused(refusal) => (
            "refused",
            Some(refusal.code),
            Some(language.of(&refusal.message).to_owned()),
        ),
    };
    ItemResult {
        id: reading.id.clone(),
        meter: reading.meter.clone(),
        result,
        reason,
        detail,
        clock_believed: believed(reading.device_at, now).believed,
    }
}

fn bands(bands: NewBands) -> Bands {
    [bands.sharp, bands.peak, bands.flat, bands.valley]
}

/// The bands by their names, in the order of [`TimeBand::ALL`].
pub(super) fn named_bands(bands: Bands) -> NewBands {
    debug_assert_eq!(TimeBand::ALL.len(), bands.len());
    let [sharp, peak, flat, valley] = bands;
    NewBands {
        sharp,
        peak,
        flat,
        valley,
    }
}

fn count_refusal() -> Refusal {
    Refusal::invalid(
        "readings_count",
        Message::new(
            "Send 1 to 500 readings at a time.",
            "每次请发送 1 到 500 条读数。",
        ),
    )
}

pub(super) async fn list(
    context: &Context,
    request: &Request,
    meter: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(meter, unknown_meter)?;
    let mut query = Query::of(request)?;
    let page = query.page(cursor)?;
    let from = query.take("from", Timestamp::parse)?;
    let until = query.take("until", Timestamp::parse)?;
    query.finish()?;
    let (_, earliest) = seen(context, &actor, &id).await?;
    let from = from.unwrap_or(earliest).max(earliest);
    let until = until.unwrap_or_else(|| context.now.plus_millis(24 * 60 * 60 * 1_000));
    let found = sql::readings(&context.db, &actor.tenant, (&id, from, until), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |stands| format!("{}_{}", stands.at.millis(), stands.id),
        ShownReading::from,
    )))
}

fn cursor(text: &str) -> Result<Cursor, String> {
    let parse = || {
        let (millis, id) = text.split_once('_')?;
        let at = Timestamp::from_millis(millis.parse().ok()?).ok()?;
        Some(Cursor(at, ReadingId::parse(id).ok()?))
    };
    parse().ok_or_else(|| "it is the `next` of the page before".to_owned())
}

/// The reading in a path, as far as the caller may know its meter at its moment.
async fn known_reading(context: &Context, actor: &Actor, reading: &str) -> anyhow::Result<Stands> {
    let id = path_id(reading, unknown_reading)?;
    let stands = sql::reading(&context.db, &actor.tenant, &id).await?;
    let stands = stands.ok_or_else(unknown_reading)?;
    match seen(context, actor, &stands.meter).await {
        Ok((_, earliest)) if stands.at >= earliest => Ok(stands),
        Ok(_) => Err(unknown_reading().into()),
        Err(error) if error.is::<Refusal>() => Err(unknown_reading().into()),
        Err(error) => Err(error),
    }
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    reading: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let stands = known_reading(context, &actor, reading).await?;
    Ok(Reply::ok(&ShownReading::from(stands)))
}

pub(super) async fn put_photo(
    context: &Context,
    request: &Request,
    reading: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let stands = known_reading(context, &actor, reading).await?;
    managers_only(&actor, &stands.community)?;
    let jpeg = jpeg(request)?;
    let text = STANDARD.encode(jpeg);
    let is_new = tx(&context.db, &actor.tenant, async |tx| {
        sql::put_photo(tx, &stands.id, &text, (&actor, context.now)).await
    })
    .await?;
    if !is_new && sql::photo(&context.db, &actor.tenant, &stands.id).await? != Some(text) {
        return Err(photo_taken().into());
    }
    Ok(Reply::no_content())
}

/// A picture: small, and what it says it is.
fn jpeg(request: &Request) -> Result<&[u8], Problem> {
    let kind = request.headers().get(CONTENT_TYPE);
    let is_jpeg = kind.is_some_and(|kind| kind.as_bytes() == b"image/jpeg");
    let bytes = web::raw_body(request, PHOTO_BYTES_MAX)?;
    if is_jpeg && bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return Ok(bytes);
    }
    let message = Message::new(
        "Send the picture as JPEG, with `content-type: image/jpeg`.",
        "请以 JPEG 格式发送照片，并设置 content-type: image/jpeg。",
    );
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "content_type_unsupported",
        message,
    ))
}

fn photo_taken() -> Refusal {
    Refusal::conflict(
        "photo_stored",
        Message::new(
            "This reading has another picture already; pictures are evidence and are not replaced.",
            "该读数已有照片，照片作为凭证不可替换。",
        ),
    )
}

pub(super) async fn photo(
    context: &Context,
    request: &Request,
    reading: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let stands = known_reading(context, &actor, reading).await?;
    let text = sql::photo(&context.db, &actor.tenant, &stands.id).await?;
    let bytes = STANDARD
        .decode(text.ok_or_else(unknown_photo)?)
        .map_err(|error| anyhow::anyhow!("a stored picture is no base64: {error}"))?;
    let reply = Reply::with_body(StatusCode::OK, "image/jpeg", bytes.into());
    Ok(reply.with_header(CACHE_CONTROL, "private, max-age=86400"))
}

impl From<Stands> for ShownReading {
    fn from(stands: Stands) -> Self {
        Self {
            id: stands.id,
            meter: stands.meter,
            community: stands.community,
            at: stands.at,
            device_at: stands.device_at,
            clock_believed: stands.clock_believed,
            received_at: stands.received_at,
            register_milli: stands.register_milli,
            bands_milli: stands.bands.map(named_bands),
            source: stands.source.as_str(),
            gateway: stands.gateway,
            actor: stands.actor,
            flags: stands.flags,
            verdict: stands.verdict,
            reason: stands.reason,
            counted_register_milli: stands.counted_milli,
            total_milli: stands.total_milli,
            review: stands.review,
            has_photo: stands.has_photo,
        }
    }
}
