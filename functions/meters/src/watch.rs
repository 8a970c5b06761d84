//! The alarms that a meter's count stands for: raised, cleared, and ended with the meter.

use kernel::MeterAlarmId;
use store::Tx;

use crate::context::Context;
use crate::domain::{AlarmKind, alarms_of};
use crate::facts;
use crate::rows::Known;
use crate::store::{alarms, batch};

/// A meter that was taken down has no alarms any more.
pub(crate) async fn end(context: &Context, tx: &Tx, known: &mut Known) -> anyhow::Result<()> {
    let standing = [
        (AlarmKind::Leak, known.leak_alarm.take()),
        (AlarmKind::Stuck, known.stuck_alarm.take()),
    ];
    for (kind, alarm) in standing {
        let Some(alarm) = alarm else { continue };
        alarms::clear(tx, &alarm, context.now).await?;
        facts::alarm_cleared(context, tx, &known.meter, (&alarm, kind, None)).await?;
    }
    batch::put_states(tx, &[known]).await
}

/// Raises and clears the alarms that the count stands for.
pub(crate) async fn keep(context: &Context, tx: &Tx, known: &mut Known) -> anyhow::Result<()> {
    for (kind, stands) in alarms_of(&known.count, known.meter.commodity) {
        let present = match kind {
            AlarmKind::Leak => known.leak_alarm.take(),
            _ => known.stuck_alarm.take(),
        };
        let next = match (present, stands) {
            (None, true) => Some(raise(context, tx, known, kind).await?),
            (Some(alarm), false) => {
                alarms::clear(tx, &alarm, context.now).await?;
                facts::alarm_cleared(context, tx, &known.meter, (&alarm, kind, None)).await?;
                None
            }
            (present, _) => present,
        };
        match kind {
            AlarmKind::Leak => known.leak_alarm = next,
            _ => known.stuck_alarm = next,
        }
    }
    Ok(())
}

async fn raise(
    context: &Context,
    tx: &Tx,
    known: &Known,
    kind: AlarmKind,
) -> anyhow::Result<MeterAlarmId> {
    const HOUR_MS: i64 = 60 * 60 * 1_000;
    let alarm: MeterAlarmId = context.new_id()?;
    let since = match kind {
        AlarmKind::Leak => known
            .count
            .at
            .plus_millis(-known.count.flow.hours.saturating_mul(HOUR_MS)),
        _ => known.count.moved_at,
    };
    alarms::insert(tx, &known.meter, (&alarm, kind, since), context.now).await?;
    facts::alarm_raised(context, tx, &known.meter, (&alarm, kind, since)).await?;
    Ok(alarm)
}
