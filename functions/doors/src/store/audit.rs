//! The audit of gates: each entry once, in order of its sequence, with what is wrong about the chain.

use kernel::{DeviceId, TenantId, Timestamp};
use store::{Read, Tx};
use wire::audit::{Break, Line, follows};

statements! {
    INSERT_ENTRY = "insert into doors_audit
            (tenant, gateway, sequence, door, entry, hash, previous_hash, fault, gap, received_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (tenant, gateway, sequence) do nothing returning sequence";

    ENTRY = "select door, entry, hash from doors_audit where tenant = $1 and gateway = $2 and sequence = $3";

    MARK_ENTRY = "update doors_audit set fault = $4, gap = $5 where tenant = $1 and gateway = $2 and sequence = $3";

    ENTRIES = "select door, entry, fault, gap from doors_audit
        where tenant = $1 and gateway = $2 and sequence > $3 order by sequence limit $4";
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    /// It is new.
    New,
    /// It was stored before.
    Again,
    /// Another entry has its sequence.
    Other,
}

/// A line of the export, with what is wrong about it.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Exported {
    /// The line as the gateway sent it.
    #[serde(flatten)]
    pub line: Line,
    /// `changed` or `torn`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Whether the entry before it is missing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gap: bool,
}

/// Stores an entry, and looks anew at the one after it, which may have come earlier.
pub(crate) async fn store(tx: &Tx, line: &Line, now: Timestamp) -> anyhow::Result<Stored> {
    let sequence = line.entry.sequence;
    let (fault, gap) = judge(line, before(tx, &line.gateway, sequence).await?.as_ref());
    let parameters = [
        tx.tenant().into(),
        (&line.gateway).into(),
        i64::try_from(sequence)?.into(),
        (&line.door).into(),
        serde_json::to_string(&line.entry)?.into(),
        line.entry.hash.as_str().into(),
        line.entry.previous_hash.as_str().into(),
        fault.into(),
        gap.into(),
        now.into(),
    ];
    if tx.row(INSERT_ENTRY, &parameters).await?.is_none() {
        let known = entry(tx, &line.gateway, sequence).await?;
        let same = known.is_some_and(|known| known == *line);
        return Ok(if same { Stored::Again } else { Stored::Other });
    }
    if let Some(next) = entry(tx, &line.gateway, sequence.saturating_add(1)).await? {
        let (fault, gap) = judge(&next, Some(line));
        let parameters = [
            tx.tenant().into(),
            (&line.gateway).into(),
            i64::try_from(next.entry.sequence)?.into(),
            fault.into(),
            gap.into(),
        ];
        tx.execute(MARK_ENTRY, &parameters).await?;
    }
    Ok(Stored::New)
}

/// The entries of a gateway after that sequence, in order.
pub(crate) async fn entries(
    db: &impl Read,
    tenant: &TenantId,
    gateway: &DeviceId,
    (after, limit): (i64, i64),
) -> anyhow::Result<Vec<Exported>> {
    let parameters = [tenant.into(), gateway.into(), after.into(), limit.into()];
    let rows = db.rows(ENTRIES, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Exported {
                line: Line {
                    gateway: gateway.clone(),
                    door: row.id(0)?,
                    entry: serde_json::from_str(row.text(1)?)?,
                },
                fault: row.optional_text(2)?.map(str::to_owned),
                gap: row.boolean(3)?,
            })
        })
        .collect()
}

async fn before(tx: &Tx, gateway: &DeviceId, sequence: u64) -> anyhow::Result<Option<Line>> {
    match sequence.checked_sub(1) {
        None | Some(0) => Ok(None),
        Some(before) => entry(tx, gateway, before).await,
    }
}

async fn entry(tx: &Tx, gateway: &DeviceId, sequence: u64) -> anyhow::Result<Option<Line>> {
    let sequence = i64::try_from(sequence)?;
    let parameters = [tx.tenant().into(), gateway.into(), sequence.into()];
    let row = tx.row(ENTRY, &parameters).await?;
    row.map(|row| {
        Ok(Line {
            gateway: gateway.clone(),
            door: row.id(0)?,
            entry: serde_json::from_str(row.text(1)?)?,
        })
    })
    .transpose()
}

/// What is wrong about an entry behind the one before it, and whether that one is missing.
fn judge(line: &Line, before: Option<&Line>) -> (Option<&'static str>, bool) {
    let before = before.map(|line| (line.entry.sequence, line.entry.hash.as_str()));
    match follows(before, line) {
        Ok(()) => (None, false),
        Err(Break::Changed { .. }) => {
            (Some("changed"), before.is_none() && line.entry.sequence > 1)
        }
        Err(Break::Torn { .. }) => (Some("torn"), false),
        Err(Break::Gap { .. }) => (None, true),
    }
}
