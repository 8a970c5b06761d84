//! `/api/meters`: which meters there are, and what they measure for.

use kernel::{
    Actor, Commodity, CommunityId, DeviceId, Message, MeterId, Refusal, RoomId, Timestamp,
};
use serde::{Deserialize, Serialize};
use store::Tx;
use web::{Query, Reply, Request};

use super::decodings::Hints;
use super::fits::{master_fits, room_fits};
use super::{Text, answer, caller, path_id, replied, seen, write};
use crate::context::Context;
use crate::domain::caller::{
    managers_only, managing_kinds, overseers_only, unknown_community, unknown_meter,
};
use crate::domain::meter::{
    interval, limit, ordinary_interval_ms, ordinary_limit_milli_per_hour, shown,
};
use crate::domain::text::Serial;
use crate::domain::{
    Binding, Count, Digits, Item, ItemKind, Judged, Meter, Multiplier, Name, Object, Register,
    Source, Verdict, judge,
};
use crate::rows::{Judgement, Known, Raw};
use crate::store::meters::MeterFilter;
use crate::store::{batch, meters as sql, places};
use crate::{consume, facts};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMeter {
    id: MeterId,
    community: CommunityId,
    commodity: Commodity,
    name: Text<Name>,
    gateway: Option<DeviceId>,
    master: Option<MeterId>,
    interval_ms: Option<i64>,
    limit_milli_per_hour: Option<i64>,
    serial: Option<Text<Serial>>,
    digits: i64,
    multiplier: Option<i64>,
    opened_at: Option<Timestamp>,
    opening_milli: i64,
    room: Option<RoomId>,
    area: Option<Text<Name>>,
    #[serde(default)]
    prepaid: bool,
    decoding: Option<Hints>,
}

#[derive(Serialize)]
pub(super) struct ShownMeter {
    id: MeterId,
    community: CommunityId,
    commodity: Commodity,
    unit: kernel::MeterUnit,
    name: String,
    room: Option<RoomId>,
    area: Option<String>,
    gateway: Option<DeviceId>,
    master: Option<MeterId>,
    interval_ms: i64,
    limit_milli_per_hour: i64,
    serial: Option<String>,
    digits: u32,
    multiplier: i64,
    opened_at: Timestamp,
    removed_at: Option<Timestamp>,
    read_at: Timestamp,
    register_milli: i64,
    alarms: Vec<&'static str>,
    prepaid: bool,
    decoding: Option<Hints>,
    version: i64,
}

#[derive(Serialize)]
struct ShownBinding {
    from: Timestamp,
    room: Option<RoomId>,
    area: Option<String>,
}

pub(super) async fn register(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let new: NewMeter = web::body(request)?;
    managers_only(&actor, &new.community)?;
    let opening_milli = new.opening_milli;
    let meter = meter_of(new, context.now)?;
    shown(&meter.register, opening_milli)?;
    consume::catch_up_whole(context, &actor.tenant).await?;
    let registered = write(context, request, &actor, async |tx| {
        let zone = places::zone(tx, &actor.tenant, &meter.community).await?;
        let zone = zone.ok_or_else(unknown_community)?;
        let existing = batch::known(tx, &actor.tenant, &[&meter.id]).await?;
        if let Some(existing) = existing.into_iter().next() {
            return repeated(&existing, &meter);
        }
        master_fits(tx, &meter).await?;
        room_fits(tx, (&meter.community, &meter.object)).await?;
        open(context, tx, &actor, (&meter, opening_milli, zone)).await?;
        let stands = batch::known(tx, &actor.tenant, &[&meter.id]).await?;
        let stands = stands.into_iter().next().ok_or_else(unknown_meter)?;
        answer(201, &ShownMeter::from(stands))
    })
    .await?;
    let location = format!("/api/meters/{}", meter.id);
    Ok(replied(&registered)?.with_header(::http::header::LOCATION, &location))
}

fn meter_of(new: NewMeter, now: Timestamp) -> Result<Meter, Refusal> {
    let ordinary = ordinary_limit_milli_per_hour(new.commodity);
    let multiplier = Multiplier::new(new.multiplier.unwrap_or(1))?;
    let given = new.limit_milli_per_hour;
    let opened_at = new.opened_at.unwrap_or(now);
    not_in_future(opened_at, now)?;
    Ok(Meter {
        id: new.id,
        community: new.community,
        commodity: new.commodity,
        name: new.name.0,
        master: new.master,
        interval_ms: interval(
            new.interval_ms
                .unwrap_or_else(|| ordinary_interval_ms(new.gateway.is_some())),
        )?,
        gateway: new.gateway,
        limit_milli_per_hour: limit(
            given.unwrap_or_else(|| ordinary.saturating_mul(multiplier.ratio())),
        )?,
        register: Register {
            seq: 1,
            digits: Digits::new(new.digits)?.count(),
            multiplier: multiplier.ratio(),
        },
        serial: new.serial.map(|serial| serial.0),
        opened_at,
        removed_at: None,
        object: Object::new(new.room, new.area.map(|area| area.0))?,
        prepaid: new.prepaid,
        decoding: new.decoding.map(Hints::checked).transpose()?,
        version: 1,
    })
}

/// What has not happened yet cannot be recorded.
pub(super) fn not_in_future(at: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    if at <= now {
        return Ok(());
    }
    Err(Refusal::invalid(
        "in_future",
        Message::new(
            "This moment has not come yet. Send the moment at which it happened.",
            "该时间尚未到来，请填写实际发生的时间。",
        ),
    ))
}

/// The same registration again is answered with the meter; another meter under its id is refused.
fn repeated(existing: &Known, meter: &Meter) -> anyhow::Result<store::Answer> {
    let there = &existing.meter;
    if there.community == meter.community && there.commodity == meter.commodity {
        return answer(200, &ShownMeter::from(existing.clone()));
    }
    Err(Refusal::conflict(
        "meter_id_taken",
        Message::new(
            "Another meter has this id. Choose another id.",
            "该编号已被其他表计使用，请更换编号。",
        ),
    )
    .into())
}

/// Stores a meter with its first register, which is its first reading.
async fn open(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (meter, opening_milli, zone): (&Meter, i64, kernel::Zone),
) -> anyhow::Result<()> {
    sql::insert_meter(tx, meter).await?;
    sql::insert_register(tx, meter, (meter.opened_at, opening_milli)).await?;
    sql::insert_binding(tx, &meter.id, (meter.opened_at, &meter.object)).await?;
    let raw = Raw {
        item: Item {
            at: meter.opened_at,
            id: context.new_id()?,
            register_milli: opening_milli,
            bands: None,
            kind: ItemKind::Opening(meter.register.seq),
        },
        meter: meter.id.clone(),
        device_at: meter.opened_at,
        clock_believed: true,
        received_at: context.now,
        source: Source::Opening,
        gateway: None,
        actor: Some(actor.id.clone()),
        flags: None,
    };
    batch::insert_readings(tx, std::slice::from_ref(&raw)).await?;
    let known = first_state(meter, &raw.item, zone)?;
    let judged = Judged {
        item: raw.item,
        verdict: Verdict::Counted(known.count.clone()),
    };
    let point = Judgement {
        meter: &meter.id,
        judged: &judged,
        before: &known.count,
        zone: known.zone,
    };
    batch::put_points(tx, &[point]).await?;
    batch::put_states(tx, &[&known]).await?;
    facts::registered(context, tx, actor, meter).await?;
    facts::bound(context, tx, actor, (meter, &meter.object, meter.opened_at)).await
}

fn first_state(meter: &Meter, item: &Item, zone: kernel::Zone) -> anyhow::Result<Known> {
    let basis = crate::domain::Basis {
        limit_milli_per_hour: meter.limit_milli_per_hour,
        p99_milli_per_hour: 0,
        interval_ms: meter.interval_ms,
    };
    let count: Count = match judge(None, item, &[meter.register], &basis) {
        Verdict::Counted(count) => count,
        other => anyhow::bail!("an opening is {other:?}"),
    };
    Ok(Known {
        meter: meter.clone(),
        seen_at: item.at,
        count,
        p99_milli: 0,
        p99_at: Timestamp::EPOCH,
        closed_at: Timestamp::EPOCH,
        leak_alarm: None,
        stuck_alarm: None,
        zone,
    })
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    lists_meters(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(MeterId::parse)?;
    let commodity = query.take("commodity", commodity)?;
    let filter = MeterFilter {
        community: query.take("community", CommunityId::parse)?,
        room: query.take("room", RoomId::parse)?,
        commodity,
    };
    query.finish()?;
    consume::catch_up(context, &actor.tenant).await?;
    let found = sql::meters(&context.db, &actor, &filter, (&page, context.now)).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |known| known.meter.id.to_string(),
        ShownMeter::from,
    )))
}

/// Devices read no lists, and applications only with their permission.
pub(super) fn lists_meters(actor: &Actor) -> Result<(), Refusal> {
    use kernel::ActorKind::{Application, Device};
    match actor.kind {
        Device | Application => crate::domain::caller::overseeing_kinds(actor),
        _ => Ok(()),
    }
}

/// The commodity of that name.
pub(super) fn commodity(text: &str) -> Result<Commodity, String> {
    Commodity::parse(text)
        .ok_or_else(|| "it is one of electricity, water, hot_water, heat, gas".to_owned())
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    meter: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(meter, unknown_meter)?;
    let (known, _) = seen(context, &actor, &id).await?;
    let version = known.meter.version;
    Ok(Reply::ok(&ShownMeter::from(known)).with_etag(version))
}

pub(super) async fn bindings(
    context: &Context,
    request: &Request,
    meter: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(meter, unknown_meter)?;
    let (known, _) = seen(context, &actor, &id).await?;
    overseers_only(&actor, &known.meter.community)?;
    let found = sql::bindings(&context.db, &actor.tenant, &id).await?;
    let items: Vec<ShownBinding> = found.into_iter().map(ShownBinding::from).collect();
    Ok(Reply::ok(&web::Listing { items, next: None }))
}

impl From<Binding> for ShownBinding {
    fn from(binding: Binding) -> Self {
        Self {
            from: binding.from,
            room: binding.object.room().cloned(),
            area: binding.object.area().map(str::to_owned),
        }
    }
}

impl From<Known> for ShownMeter {
    fn from(known: Known) -> Self {
        let alarms = [
            known.leak_alarm.as_ref().map(|_| "leak"),
            known.stuck_alarm.as_ref().map(|_| "stuck"),
        ];
        let meter = known.meter;
        Self {
            unit: meter.commodity.unit(),
            name: meter.name.as_str().to_owned(),
            room: meter.object.room().cloned(),
            area: meter.object.area().map(str::to_owned),
            serial: meter.serial.map(|serial| serial.as_str().to_owned()),
            digits: meter.register.digits,
            multiplier: meter.register.multiplier,
            read_at: known.count.at,
            register_milli: known.count.register_milli,
            alarms: alarms.into_iter().flatten().collect(),
            id: meter.id,
            community: meter.community,
            commodity: meter.commodity,
            gateway: meter.gateway,
            master: meter.master,
            interval_ms: meter.interval_ms,
            limit_milli_per_hour: meter.limit_milli_per_hour,
            opened_at: meter.opened_at,
            removed_at: meter.removed_at,
            prepaid: meter.prepaid,
            decoding: meter.decoding.map(Hints::from),
            version: meter.version,
        }
    }
}
