//! Bill runs, and how far they have come.

use std::collections::BTreeMap;

use kernel::{ActorId, BillRunId, CommunityId, FeeRuleId, RoomId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Read, Row, Tx};
use web::Page;

use crate::domain::Month;

statements! {
    RUN = "select id, community, period, dry_run, state, after_rule, after_room, bills, amount_minor, skipped, created_by,
            created_at
        from fees_run where tenant = $1 and id = $2";

    RUNS = "select id, community, period, dry_run, state, after_rule, after_room, bills, amount_minor, skipped,
            created_by, created_at
        from fees_run
        where tenant = $1 and community = $2 and (cast($3 as text) is null or id < $3)
        order by id desc limit $4";

    INSERT_RUN = "insert into fees_run (tenant, id, community, period, dry_run, state, after_rule, after_room, bills,
            amount_minor, skipped, created_by, created_at, changed_at)
        values ($1, $2, $3, $4, $5, 'running', null, null, 0, 0, '{}', $6, $7, $7)";

    UPDATE_RUN = "update fees_run set state = $3, after_rule = $4, after_room = $5, bills = $6, amount_minor = $7,
            skipped = $8, changed_at = $9
        where tenant = $1 and id = $2";

    OPEN_RUNS = "select tenant, id from fees_run where state in ('running', 'publishing') order by changed_at limit $1";
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunState {
    Running,
    Done,
    Publishing,
    Published,
    Discarded,
}

impl RunState {
    const ALL: [Self; 5] = [
        Self::Running,
        Self::Done,
        Self::Publishing,
        Self::Published,
        Self::Discarded,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Publishing => "publishing",
            Self::Published => "published",
            Self::Discarded => "discarded",
        }
    }
}

/// What was skipped for one reason: how often, and some of the rooms.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Skipped {
    pub(crate) count: i64,
    pub(crate) samples: Vec<Sample>,
}

/// A room that was skipped, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) rule: FeeRuleId,
    /// Absent when the rule was skipped as a whole.
    pub(crate) room: Option<RoomId>,
}

/// A run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) id: BillRunId,
    pub(crate) community: CommunityId,
    pub(crate) period: Month,
    pub(crate) dry_run: bool,
    pub(crate) state: RunState,
    pub(crate) after_rule: Option<FeeRuleId>,
    pub(crate) after_room: Option<RoomId>,
    pub(crate) bills: i64,
    pub(crate) amount_minor: i64,
    pub(crate) skipped: BTreeMap<String, Skipped>,
    pub(crate) created_by: ActorId,
    pub(crate) created_at: Timestamp,
}

/// The run.
pub(crate) async fn run(
    db: &impl Read,
    tenant: &TenantId,
    id: &BillRunId,
) -> anyhow::Result<Option<Run>> {
    let row = db.row(RUN, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The runs of a community, the latest first.
pub(crate) async fn runs(
    db: &impl Read,
    (tenant, community): (&TenantId, &CommunityId),
    page: &Page<BillRunId>,
) -> anyhow::Result<Vec<Run>> {
    let parameters = [
        tenant.into(),
        community.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(RUNS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// Adds a run.
pub(crate) async fn insert_run(tx: &Tx, run: &Run) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&run.id).into(),
        (&run.community).into(),
        run.period.to_string().into(),
        run.dry_run.into(),
        (&run.created_by).into(),
        run.created_at.into(),
    ];
    tx.execute(INSERT_RUN, &parameters).await
}

/// Stores how far a run has come.
pub(crate) async fn update_run(tx: &Tx, run: &Run, now: Timestamp) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&run.id).into(),
        run.state.as_str().into(),
        run.after_rule.as_ref().into(),
        run.after_room.as_ref().into(),
        run.bills.into(),
        run.amount_minor.into(),
        serde_json::to_string(&run.skipped)?.into(),
        now.into(),
    ];
    tx.execute(UPDATE_RUN, &parameters).await
}

/// The runs that are under way, at most `limit`, those that waited longest first.
pub(crate) async fn open_runs(
    db: &impl Read,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, BillRunId)>> {
    let rows = db.rows(OPEN_RUNS, &[limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

fn read(row: &Row) -> anyhow::Result<Run> {
    let state = row.text(4)?;
    let known = RunState::ALL
        .into_iter()
        .find(|known| known.as_str() == state);
    Ok(Run {
        id: row.id(0)?,
        community: row.id(1)?,
        period: Month::parse(row.text(2)?)?,
        dry_run: row.boolean(3)?,
        state: known.ok_or_else(|| anyhow::anyhow!("a run is {state:?}"))?,
        after_rule: row.optional_id(5)?,
        after_room: row.optional_id(6)?,
        bills: row.integer(7)?,
        amount_minor: row.integer(8)?,
        skipped: serde_json::from_str(row.text(9)?)?,
        created_by: row.id(10)?,
        created_at: row.timestamp(11)?,
    })
}
