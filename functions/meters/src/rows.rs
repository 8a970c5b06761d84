//! Rows become domain values here, and domain values rows, by position. A row that cannot be a value is an error
//! and never a default.

use anyhow::Context as _;
use kernel::{
    ActorId, Commodity, DeviceId, MeterAlarmId, MeterId, ReadingId, TenantId, Timestamp, Zone,
};
use store::{Row, Value};

use crate::domain::counting::Bands;
use crate::domain::{
    Basis, Binding, Count, Decoding, Flow, Item, ItemKind, Judged, Line, Meter, Name, Object,
    Point, Register, Source, Verdict,
};

/// A meter with where its count stands.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// The meter.
    pub meter: Meter,
    /// The moment of the latest reading, counted or not.
    pub seen_at: Timestamp,
    /// Where the count stands.
    pub count: Count,
    /// The 99th percentile of the last 60 days, in thousandths an hour.
    pub p99_milli: i64,
    /// When that was found.
    pub p99_at: Timestamp,
    /// Until when its usage was closed; 1970 when it never was.
    pub closed_at: Timestamp,
    /// The leak that stands.
    pub leak_alarm: Option<MeterAlarmId>,
    /// The alarm that it stands still.
    pub stuck_alarm: Option<MeterAlarmId>,
    /// The clocks of its community.
    pub zone: Zone,
}

impl Known {
    /// What is plausible.
    pub(crate) fn basis(&self) -> Basis {
        Basis {
            limit_milli_per_hour: self.meter.limit_milli_per_hour,
            p99_milli_per_hour: self.p99_milli,
            interval_ms: self.meter.interval_ms,
        }
    }
}

/// What was read, as it is stored for good.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    /// In its place in time.
    pub item: Item,
    /// The meter.
    pub meter: MeterId,
    /// What the device's clock said.
    pub device_at: Timestamp,
    /// Whether it was believed.
    pub clock_believed: bool,
    /// When it came.
    pub received_at: Timestamp,
    /// How it was read.
    pub source: Source,
    /// The gateway that read.
    pub gateway: Option<DeviceId>,
    /// The person who read.
    pub actor: Option<ActorId>,
    /// What is to be known about it, with commas.
    pub flags: Option<String>,
}

/// A reading with its verdict, its meter's count before it, and the clocks it is of.
pub(crate) struct Judgement<'a> {
    /// The meter.
    pub meter: &'a MeterId,
    /// The reading.
    pub judged: &'a Judged,
    /// Where the count stood before, or stands where nothing is known before.
    pub before: &'a Count,
    /// The clocks of the community.
    pub zone: Zone,
}

/// A meter from thirty-seven columns; see the statement `KNOWN`.
pub(crate) fn read_known(row: &Row) -> anyhow::Result<Known> {
    let commodity = row.text(2)?;
    let meter = Meter {
        id: row.id(0)?,
        community: row.id(1)?,
        commodity: Commodity::parse(commodity)
            .with_context(|| format!("a meter's commodity is {commodity:?}"))?,
        name: Name::parse(row.text(3)?)?,
        gateway: row.optional_id(4)?,
        master: row.optional_id(5)?,
        interval_ms: row.integer(6)?,
        limit_milli_per_hour: row.integer(7)?,
        opened_at: row.timestamp(8)?,
        removed_at: row.optional_timestamp(33)?,
        object: read_object(row, 9)?,
        version: row.integer(11)?,
        register: read_register(row, 12)?,
        serial: row.optional_text(15)?.map(Line::parse).transpose()?,
        prepaid: row.boolean(34)?,
        decoding: match (row.optional_integer(35)?, row.optional_integer(36)?) {
            (Some(step_milli), Some(offset_milli)) => Some(Decoding {
                step_milli,
                offset_milli,
            }),
            _ => None,
        },
    };
    Ok(Known {
        meter,
        seen_at: row.timestamp(16)?,
        count: read_count(row, 17)?,
        p99_milli: row.integer(27)?,
        p99_at: row.timestamp(28)?,
        closed_at: row.timestamp(29)?,
        leak_alarm: row.optional_id(30)?,
        stuck_alarm: row.optional_id(31)?,
        zone: Zone::parse(row.text(32)?)?,
    })
}

/// A room or an area from two columns.
pub(crate) fn read_object(row: &Row, first: usize) -> anyhow::Result<Object> {
    match row.optional_id(first)? {
        Some(room) => Ok(Object::Room(room)),
        None => Ok(Object::Area(Name::parse(row.text(first + 1)?)?)),
    }
}

/// A register from three columns.
pub(crate) fn read_register(row: &Row, first: usize) -> anyhow::Result<Register> {
    Ok(Register {
        seq: row.integer(first)?,
        digits: u32::try_from(row.integer(first + 1)?)?,
        multiplier: row.integer(first + 2)?,
    })
}

/// A binding from three columns.
pub(crate) fn read_binding(row: &Row, first: usize) -> anyhow::Result<Binding> {
    Ok(Binding {
        from: row.timestamp(first)?,
        object: read_object(row, first + 1)?,
    })
}

/// A count from ten columns.
pub(crate) fn read_count(row: &Row, first: usize) -> anyhow::Result<Count> {
    Ok(Count {
        at: row.timestamp(first)?,
        register_milli: row.integer(first + 1)?,
        seq: row.integer(first + 2)?,
        total_milli: row.integer(first + 3)?,
        rate_milli_per_hour: row.integer(first + 4)?,
        moved_at: row.timestamp(first + 5)?,
        flow: Flow {
            hours: row.integer(first + 6)?,
            now: row.boolean(first + 7)?,
        },
        band_registers: read_bands(row, first + 8)?,
        band_totals: read_bands(row, first + 9)?.unwrap_or_default(),
    })
}

/// The four bands, when there are any.
pub(crate) fn read_bands(row: &Row, position: usize) -> anyhow::Result<Option<Bands>> {
    let text = row.optional_text(position)?;
    Ok(text.map(serde_json::from_str).transpose()?)
}

/// The four bands as text.
pub(crate) fn bands_value(bands: Option<&Bands>) -> anyhow::Result<Value> {
    Ok(bands.map(serde_json::to_string).transpose()?.into())
}

/// A reading that counts, from five columns: moment, register, total, bands' registers, bands' totals.
pub(crate) fn read_point(row: &Row, first: usize) -> anyhow::Result<Point> {
    let tells_bands = row.optional_text(first + 3)?.is_some();
    Ok(Point {
        at: row.timestamp(first)?,
        register_milli: row.integer(first + 1)?,
        total_milli: row.integer(first + 2)?,
        bands: read_bands(row, first + 4)?.filter(|_| tells_bands),
    })
}

/// A reading in its place; see the statement `ITEMS_SINCE`.
pub(crate) fn read_item(row: &Row) -> anyhow::Result<Item> {
    let source = read_source(row.text(4)?)?;
    let kind = match (source, row.optional_text(6)?) {
        (Source::Opening, _) => ItemKind::Opening(row.integer(5)?),
        (Source::Closing, _) => ItemKind::Closing,
        (_, None) if row.boolean(8)? => ItemKind::Read,
        (_, None) => ItemKind::Undated,
        (_, Some("rejected")) => ItemKind::Rejected,
        (_, Some(_)) => ItemKind::Decided,
    };
    let edited = row.optional_integer(7)?;
    Ok(Item {
        at: row.timestamp(0)?,
        id: row.id(1)?,
        register_milli: edited.map_or_else(|| row.integer(2), Ok)?,
        bands: read_bands(row, 3)?,
        kind,
    })
}

/// The source of that name.
pub(crate) fn read_source(name: &str) -> anyhow::Result<Source> {
    Source::parse(name).with_context(|| format!("a reading's source is {name:?}"))
}

/// A reading as its row; see the statement `INSERT_READINGS`.
pub(crate) fn raw_values(tenant: &TenantId, raw: &Raw) -> Vec<Value> {
    let opens = match raw.item.kind {
        ItemKind::Opening(seq) => Some(seq),
        _ => None,
    };
    let bands = raw.item.bands.map(|bands| {
        let [sharp, peak, flat, valley] = bands;
        format!("[{sharp},{peak},{flat},{valley}]")
    });
    vec![
        tenant.into(),
        (&raw.item.id).into(),
        (&raw.meter).into(),
        raw.item.at.into(),
        raw.device_at.into(),
        raw.clock_believed.into(),
        raw.received_at.into(),
        raw.item.register_milli.into(),
        bands.into(),
        raw.source.as_str().into(),
        raw.gateway.as_ref().into(),
        raw.actor.as_ref().into(),
        raw.flags.as_ref().into(),
        opens.into(),
    ]
}

/// A verdict as its row; see the statement `INSERT_POINTS`.
pub(crate) fn point_values(tenant: &TenantId, point: &Judgement<'_>) -> anyhow::Result<Vec<Value>> {
    let item = &point.judged.item;
    let (verdict, reason, count) = match &point.judged.verdict {
        Verdict::Counted(count) => ("counted", None, count),
        Verdict::Held(reason) => ("held", Some(reason.as_str()), point.before),
        Verdict::Rejected => ("rejected", None, point.before),
    };
    Ok(vec![
        tenant.into(),
        point.meter.into(),
        item.at.into(),
        (&item.id).into(),
        verdict.into(),
        reason.into(),
        item.register_milli.into(),
        count.seq.into(),
        count.total_milli.into(),
        count.rate_milli_per_hour.into(),
        count.moved_at.into(),
        count.flow.hours.into(),
        count.flow.now.into(),
        bands_value(count.band_registers.as_ref())?,
        bands_value(Some(&count.band_totals))?,
        point.zone.local(item.at).date.to_string().into(),
    ])
}

/// Where a count stands as its row; see the statement `PUT_STATES`.
pub(crate) fn state_values(tenant: &TenantId, known: &Known) -> anyhow::Result<Vec<Value>> {
    let count = &known.count;
    Ok(vec![
        tenant.into(),
        (&known.meter.id).into(),
        known.seen_at.into(),
        count.at.into(),
        count.register_milli.into(),
        count.seq.into(),
        count.total_milli.into(),
        count.rate_milli_per_hour.into(),
        count.moved_at.into(),
        count.flow.hours.into(),
        count.flow.now.into(),
        bands_value(count.band_registers.as_ref())?,
        bands_value(Some(&count.band_totals))?,
        known.p99_milli.into(),
        known.p99_at.into(),
        known.closed_at.into(),
        known.leak_alarm.as_ref().into(),
        known.stuck_alarm.as_ref().into(),
    ])
}

/// The id of a reading that has none of its own: the same whenever the same reading comes.
pub(crate) fn reading_id(parts: &[&str]) -> anyhow::Result<ReadingId> {
    use sha2::{Digest as _, Sha256};
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    let text: String = hash
        .finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(ReadingId::parse(&text)?)
}
