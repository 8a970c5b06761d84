//! How a consumer finds the facts of its kinds: many with one statement, and those far ahead through the index.

use crate::events::{Consumer, Recorded};
use crate::{Tx, Value};

/// How far one statement looks ahead for facts of a consumer's kinds; where it finds none the first one behind is sought
/// for in the index of each kind.
const AHEAD_EVENTS_MAX: i64 = 512;

/// Where the first fact of a kind after a place stands.
const FIRST_OF_KIND: &str =
    "select min(e.seq) as seq from event e where e.tenant = $1 and e.kind = $3 and e.seq > $2";

/// The first fact of some kinds after a place, with [`FIRST_OF_KIND`] for each of them.
const FIRST_OF_KINDS: &str = "select seq, id, kind, at, data from event
    where tenant = $1 and seq = (select min(n.seq) from (select min(e.seq) as seq from event e where e.tenant = $1 and e.kind = $3 and e.seq > $2) n)";

impl Consumer<'_> {
    /// The statement that finds the next fact for it after a place, and the kinds as its last parameters: the first of
    /// each kind is found in the index, and the first of those is read.
    fn next(&self) -> (String, Vec<Value>) {
        if self.kinds.is_empty() {
            let first = "select seq, id, kind, at, data from event where tenant = $1 and seq > $2 order by seq limit 1";
            return (first.to_owned(), Vec::new());
        }
        let firsts: Vec<String> = (3..self.kinds.len() + 3)
            .map(|place| FIRST_OF_KIND.replace("$3", &format!("${place}")))
            .collect();
        let sql = FIRST_OF_KINDS.replace(FIRST_OF_KIND, &firsts.join(" union all "));
        (sql, self.kinds.iter().map(|kind| (*kind).into()).collect())
    }
}

/// The next facts of its kinds after a place, at most so many, and up to where there are no others.
pub(super) async fn following(
    tx: &Tx,
    consumer: Consumer<'_>,
    (from, head): (i64, i64),
    most: usize,
) -> anyhow::Result<(Vec<Recorded>, i64)> {
    let mut after = from;
    loop {
        let until = head.min(after + AHEAD_EVENTS_MAX);
        let events = between(tx, consumer, (after, until), most).await?;
        if let Some(last) = events.last() {
            let place = if events.len() < most { until } else { last.seq };
            return Ok((events, place));
        }
        if until >= head {
            return Ok((events, head.max(from)));
        }
        match next(tx, consumer, until).await? {
            Some(event) => after = event.seq - 1,
            None => return Ok((events, head)),
        }
    }
}

/// The facts of its kinds between two places, at most so many.
async fn between(
    tx: &Tx,
    consumer: Consumer<'_>,
    (after, until): (i64, i64),
    most: usize,
) -> anyhow::Result<Vec<Recorded>> {
    if until <= after {
        return Ok(Vec::new());
    }
    let mut parameters = vec![
        tx.tenant().into(),
        after.into(),
        until.into(),
        i64::try_from(most)?.into(),
    ];
    let kinds: Vec<String> = (5..consumer.kinds.len() + 5)
        .map(|place| format!("${place}"))
        .collect();
    let every = "select e.seq, e.id, e.kind, e.at, e.data from event e
         where e.tenant = $1 and e.seq > $2 and e.seq <= $3 order by e.seq limit $4";
    let of_kinds = "select e.seq, e.id, e.kind, e.at, e.data from event e
         where e.tenant = $1 and e.seq > $2 and e.seq <= $3 and e.kind in ($5) order by e.seq limit $4";
    let sql = match kinds.is_empty() {
        true => every.to_owned(),
        false => of_kinds.replace("$5", &kinds.join(", ")),
    };
    parameters.extend(consumer.kinds.iter().map(|kind| Value::from(*kind)));
    let rows = tx.rows(&sql, &parameters).await?;
    rows.iter().map(Recorded::from_row).collect()
}

/// The next fact of one of the kinds after that place.
pub(super) async fn next(
    tx: &Tx,
    consumer: Consumer<'_>,
    after: i64,
) -> anyhow::Result<Option<Recorded>> {
    let (sql, kinds) = consumer.next();
    let mut parameters = vec![tx.tenant().into(), after.into()];
    parameters.extend(kinds);
    let row = tx.row(&sql, &parameters).await?;
    row.as_ref().map(Recorded::from_row).transpose()
}

/// How far the consumer has come, and where the log's last fact stands.
pub(super) async fn places(tx: &Tx, consumer: &str) -> anyhow::Result<(i64, i64)> {
    let row = tx
        .row(
            "select coalesce((select c.seq from event_cursor c where c.tenant = $1 and c.consumer = $2), 0),
                coalesce((select max(e.seq) from event e where e.tenant = $1), 0)",
            &[tx.tenant().into(), consumer.into()],
        )
        .await?;
    row.map_or(Ok((0, 0)), |row| Ok((row.integer(0)?, row.integer(1)?)))
}

/// How far the consumer has come.
pub(super) async fn cursor(tx: &Tx, consumer: &str) -> anyhow::Result<i64> {
    let row = tx
        .row(
            "select seq from event_cursor where tenant = $1 and consumer = $2",
            &[tx.tenant().into(), consumer.into()],
        )
        .await?;
    row.map_or(Ok(0), |row| row.integer(0))
}
