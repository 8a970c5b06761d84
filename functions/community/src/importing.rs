//! Taking a file into the register: what is there is loaded in few statements, each row is decided on, and what is new
//! goes in with many rows a statement, all in one transaction. Running a file again changes nothing.

mod parking;
mod residents;
mod rooms;

use std::collections::BTreeMap;

use kernel::{Actor, ActorKind, CommunityId, RoomId};
use serde_json::{Value, json};
use store::Tx;
use wire::event::ImportFinished;

use crate::context::Context;
use crate::domain::place_key;
use crate::domain::sheet::{FAULTS_MAX, Fault, Faults, Kind, Sheet, fault};
use crate::facts;
use crate::store::{self as sql, Import};

/// How many rows are loaded with one statement.
pub(crate) const LOAD_ROWS: i64 = store::ROWS_MAX as i64 - 1;

/// How a file is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mode {
    /// Nothing is stored.
    pub is_dry: bool,
    /// Rows without a fault are taken although others have one.
    pub is_partial: bool,
}

/// What became of a file.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub rows: usize,
    pub created: u32,
    pub changed: Vec<u32>,
    pub unchanged: Vec<u32>,
    pub faults: Faults,
}

/// What a run works with.
pub(super) struct Run<'a> {
    pub context: &'a Context,
    pub tx: &'a Tx,
    pub actor: &'a Actor,
    pub community: &'a CommunityId,
    pub mode: Mode,
    pub report: Report,
}

/// Runs a file; what is stored is all of it, or with `is_partial` the rows without a fault.
///
/// # Errors
/// A failure of the database; what is wrong in the file stands in the report.
pub(crate) async fn run(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (import, sheet): (&Import, &Sheet),
    mode: Mode,
) -> anyhow::Result<(Report, bool)> {
    let mut run = Run {
        context,
        tx,
        actor,
        community: &import.community,
        mode,
        report: Report {
            rows: sheet.rows.len(),
            ..Report::default()
        },
    };
    match import.kind {
        Kind::Rooms => rooms::take(&mut run, sheet).await?,
        Kind::Residents => residents::take(&mut run, sheet).await?,
        Kind::Parking => parking::take(&mut run, sheet).await?,
    }
    let is_done = run.stores();
    let report = run.report;
    if !is_done {
        return Ok((report, false));
    }
    let fact = ImportFinished {
        import: import.id.clone(),
        kind: import.kind.as_str().to_owned(),
        community: import.community.clone(),
        created: report.created,
        changed: u32::try_from(report.changed.len())?,
        actor: actor.id.clone(),
    };
    facts::append(context, tx, &fact).await?;
    Ok((report, true))
}

impl Report {
    /// The report on the wire.
    pub(crate) fn shown(&self, import: &Import, mode: Mode, is_done: bool) -> Value {
        let state = match (is_done, mode.is_dry) {
            (true, _) => "done",
            (false, true) => "checked",
            (false, false) => "refused",
        };
        let first = |rows: &[u32]| rows.iter().take(FAULTS_MAX).copied().collect::<Vec<_>>();
        json!({
            "id": import.id,
            "community": import.community,
            "kind": import.kind.as_str(),
            "state": state,
            "dry_run": mode.is_dry,
            "partial": mode.is_partial,
            "rows": self.rows,
            "created": self.created,
            "changed": self.changed.len(),
            "changed_rows": first(&self.changed),
            "unchanged": self.unchanged.len(),
            "unchanged_rows": first(&self.unchanged),
            "faulty": self.faults.rows(),
            "faults_total": self.faults.total,
            "faults": self.faults.first.iter().map(shown_fault).collect::<Vec<_>>(),
        })
    }
}

fn shown_fault(fault: &Fault) -> Value {
    json!({
        "row": fault.row,
        "column": fault.column,
        "code": fault.code,
        "message": {"en": fault.message.english, "zh": fault.message.chinese},
    })
}

impl Run<'_> {
    /// Somebody who reaches everything: who may run a file was decided before.
    fn everybody(&self) -> Actor {
        Actor {
            kind: ActorKind::Operator,
            ..self.actor.clone()
        }
    }

    /// Whether what was decided is stored: asked once every row has been looked at, so that a file that is refused
    /// has stored nothing.
    fn stores(&self) -> bool {
        !self.mode.is_dry && (self.mode.is_partial || self.report.faults.total == 0)
    }

    /// Notes a fault.
    fn fault(&mut self, row: u32, column: &str, code: &'static str, says: (&str, &str)) {
        self.report.faults.add(fault(row, column, code, says));
    }

    /// The rooms of the community by what they are found by.
    async fn keys(&self) -> anyhow::Result<BTreeMap<String, Vec<RoomId>>> {
        let mut keys: BTreeMap<String, Vec<RoomId>> = BTreeMap::new();
        let mut after = None;
        loop {
            let tenant = self.tx.tenant();
            let page =
                sql::keys(self.tx, tenant, self.community, after.as_ref(), LOAD_ROWS).await?;
            let Some(last) = page.last() else {
                return Ok(keys);
            };
            after = Some(last.clone());
            for (key, room) in page {
                keys.entry(key).or_default().push(room);
            }
        }
    }

    /// The room that goes by this text; a fault when there is none, or are several.
    fn room(
        &mut self,
        keys: &BTreeMap<String, Vec<RoomId>>,
        (row, text): (u32, &str),
    ) -> Option<RoomId> {
        match keys.get(&place_key(text)).map(Vec::as_slice) {
            Some([room]) => return Some(room.clone()),
            None | Some([]) => self.fault(
                row,
                "房屋",
                "room_unknown",
                (
                    "There is no such room. Import the rooms first, or correct this cell.",
                    "没有该房屋，请先导入房屋或更正此单元格。",
                ),
            ),
            Some(_) => self.fault(
                row,
                "房屋",
                "place_ambiguous",
                (
                    "Several rooms go by that name. Write building, entrance and number, for example 1-1-101.",
                    "该名称对应多套房屋，请写明楼栋、单元和房号，例如 1-1-101。",
                ),
            ),
        }
        None
    }
}

/// Everything of a list, page after page.
macro_rules! all {
    ($read:expr, $id:expr) => {{
        let mut all = Vec::new();
        let mut page = web::Page {
            limit: $crate::importing::LOAD_ROWS - 1,
            after: None,
        };
        loop {
            let read = $read(&page).await?;
            let Some(last) = read.last() else {
                break all;
            };
            page.after = Some($id(last));
            all.extend(read);
        }
    }};
}
pub(crate) use all;
