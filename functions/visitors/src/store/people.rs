//! What is done to everything that is held of one person, or of visitors of long ago.

use chrono::NaiveDate;
use kernel::{ActorId, TenantId, Timestamp};
use store::{Read, Tx};

/// What stands where a person stood who was forgotten.
pub(crate) const ERASED: &str = "erased";

statements! {
    RENAME_IN_HOUSEHOLDS = "update visitors_household set person = $3 where tenant = $1 and person = $2";

    RENAME_IN_VISITS = "update visitors_visit set
            host = case when host = $2 then cast($3 as text) else host end,
            requested_by = case when requested_by = $2 then cast($3 as text) else requested_by end,
            ended_by = case when ended_by = $2 then cast($3 as text) else ended_by end
        where tenant = $1 and (host = $2 or requested_by = $2 or ended_by = $2)";

    RENAME_IN_RECURRING = "update visitors_recurring set
            host = case when host = $2 then cast($3 as text) else host end,
            ended_by = case when ended_by = $2 then cast($3 as text) else ended_by end
        where tenant = $1 and (host = $2 or ended_by = $2)";

    RENAME_IN_BLACKLIST = "update visitors_blacklist set
            created_by = case when created_by = $2 then cast($3 as text) else created_by end,
            ended_by = case when ended_by = $2 then cast($3 as text) else ended_by end
        where tenant = $1 and (created_by = $2 or ended_by = $2)";

    LEAVE_HOUSEHOLDS = "delete from visitors_household where tenant = $1 and person = $2";

    // Whom a household expects tells of the household; what staff do for it stays.
    FORGET_GUESTS_OF = "update visitors_visit
        set name = null, phone = null, phone_digest = null, plate = null, purpose = null
        where tenant = $1 and host = $2 and host_reason is null";

    FORGET_REGULARS_OF = "update visitors_recurring
        set name = null, phone = null, phone_digest = null, plate = null, purpose = null
        where tenant = $1 and host = $2 and host_reason is null";

    TENANTS_WITH_OLD = "select tenant from visitors_visit where name is not null and ended_at <= $1
        union select tenant from visitors_recurring where name is not null and (last_day <= $2 or ended_at <= $1)
        order by tenant limit $3";

    FORGET_OLD_VISITS = "update visitors_visit
        set name = null, phone = null, phone_digest = null, plate = null, purpose = null,
            room_text = case when room_text is null then null else '-' end
        where tenant = $1 and id in (select o.id from visitors_visit o
            where o.tenant = $1 and o.name is not null and o.ended_at <= $2 order by o.ended_at limit $3)
        returning id";

    FORGET_OLD_RECURRING = "update visitors_recurring
        set name = null, phone = null, phone_digest = null, plate = null, purpose = null
        where tenant = $1 and id in (select o.id from visitors_recurring o
            where o.tenant = $1 and o.name is not null and (o.last_day <= $2 or o.ended_at <= $4)
            order by o.last_day limit $3)
        returning id";
}

/// Puts another id wherever this person stands.
pub(crate) async fn rename(tx: &Tx, person: &ActorId, new: &str) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), person.into(), new.into()];
    for statement in [
        RENAME_IN_HOUSEHOLDS,
        RENAME_IN_VISITS,
        RENAME_IN_RECURRING,
        RENAME_IN_BLACKLIST,
    ] {
        tx.execute(statement, &parameters).await?;
    }
    Ok(())
}

/// Forgets a person: where they lived, whom they expected, and that it was they who decided.
pub(crate) async fn erase(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), person.into()];
    for statement in [LEAVE_HOUSEHOLDS, FORGET_GUESTS_OF, FORGET_REGULARS_OF] {
        tx.execute(statement, &parameters).await?;
    }
    rename(tx, person, ERASED).await
}

/// The tenants that hold personal data of visits that ended by then, at most `limit`.
pub(crate) async fn tenants_with_old(
    db: &impl Read,
    (ended_by, last_day): (Timestamp, NaiveDate),
    limit: i64,
) -> anyhow::Result<Vec<TenantId>> {
    let parameters = [ended_by.into(), last_day.to_string().into(), limit.into()];
    let rows = db.rows(TENANTS_WITH_OLD, &parameters).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Deletes the personal data of visits that ended by then, at most `limit` of each sort; of how many.
pub(crate) async fn forget_old(
    tx: &Tx,
    (ended_by, last_day): (Timestamp, NaiveDate),
    limit: i64,
) -> anyhow::Result<usize> {
    let of_visits = [tx.tenant().into(), ended_by.into(), limit.into()];
    let visits = tx.rows(FORGET_OLD_VISITS, &of_visits).await?;
    let of_recurring = [
        tx.tenant().into(),
        last_day.to_string().into(),
        limit.into(),
        ended_by.into(),
    ];
    let recurring = tx.rows(FORGET_OLD_RECURRING, &of_recurring).await?;
    Ok(visits.len() + recurring.len())
}
