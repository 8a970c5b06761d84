//! What is done to everything that is held of one person.

use std::collections::BTreeSet;

use kernel::{ActorId, Timestamp};
use store::{Batch, Db, Read as _, Tx, Value, bulk};

use super::troubles;

statements! {
    JOIN_PERSON = "insert into push_person (tenant, id, language, time_zone, minor, segments, rfm, last_active_at)
        select tenant, cast($3 as text), language, time_zone, minor, segments, rfm, last_active_at
            from push_person where tenant = $1 and id = $2
        on conflict (tenant, id) do nothing";
    LEAVE_PERSON = "delete from push_person where tenant = $1 and id = $2";

    MOVE_MEMBERSHIPS = "update push_membership set person = $3 where tenant = $1 and person = $2";
    LEAVE_MEMBERSHIPS = "delete from push_membership where tenant = $1 and person = $2";

    JOIN_TAGS = "insert into push_tag (tenant, person, tag, source)
        select tenant, cast($3 as text), tag, source from push_tag where tenant = $1 and person = $2
        on conflict (tenant, person, tag, source) do nothing";
    LEAVE_TAGS = "delete from push_tag where tenant = $1 and person = $2";

    JOIN_MEMBERS = "insert into push_member (tenant, merchant, person)
        select tenant, merchant, cast($3 as text) from push_member where tenant = $1 and person = $2
        on conflict (tenant, merchant, person) do nothing";
    LEAVE_MEMBERS = "delete from push_member where tenant = $1 and person = $2";

    MOVE_DEVICES = "update push_subscription set person = $3 where tenant = $1 and person = $2";
    LEAVE_DEVICES = "delete from push_subscription where tenant = $1 and person = $2";

    MOVE_CONSENTS = "update push_consent set person = $3 where tenant = $1 and person = $2";
    BLANK_CONSENTS = "update push_consent set evidence = '{}' where tenant = $1 and person = $2";
    JOIN_AGREEMENTS = "insert into push_agreement (tenant, person, purpose, channel, given, at)
        select tenant, cast($3 as text), purpose, channel, given, at from push_agreement where tenant = $1 and person = $2
        on conflict (tenant, person, purpose, channel) do update set
            given = case when push_agreement.at < excluded.at then excluded.given
                when push_agreement.at = excluded.at and excluded.given = 0 then 0 else push_agreement.given end,
            at = case when push_agreement.at < excluded.at then excluded.at else push_agreement.at end";
    LEAVE_AGREEMENTS = "delete from push_agreement where tenant = $1 and person = $2";

    DROP_DOUBLES = "delete from push_delivery where tenant = $1 and person = $2 and exists (
            select 1 from push_delivery o where o.tenant = $1 and o.person = $3 and o.message = push_delivery.message
                and o.device = push_delivery.device)";
    MOVE_DELIVERIES = "update push_delivery set person = $3 where tenant = $1 and person = $2";
    LEAVE_DELIVERIES = "delete from push_delivery where tenant = $1 and person = $2";

    JOIN_MARKETING = "insert into push_marketing (tenant, person, message, at)
        select tenant, cast($3 as text), message, at from push_marketing where tenant = $1 and person = $2
        on conflict (tenant, person, message) do nothing";
    LEAVE_MARKETING = "delete from push_marketing where tenant = $1 and person = $2";

    MOVE_TOPICS = "update push_topic set owner = $3 where tenant = $1 and owner = $2";
    LEAVE_NOTES = "delete from push_note where tenant = $1 and topic in
        (select id from push_topic where tenant = $1 and owner = $2)";
    LEAVE_TOPICS = "delete from push_topic where tenant = $1 and owner = $2";

    RENAME_IN_ORDERS = "update push_order set
            created_by = case when created_by = $2 and coalesce(reviewed_by, '') <> $3 then cast($3 as text)
                else created_by end,
            reviewed_by = case when reviewed_by = $2 and created_by <> $4 then cast($4 as text) else reviewed_by end
        where tenant = $1 and (created_by = $2 or reviewed_by = $2)";
    RENAME_IN_PLANS = "update push_plan set created_by = $3 where tenant = $1 and created_by = $2";
    RENAME_IN_MESSAGES = "update push_message set created_by = $3 where tenant = $1 and created_by = $2";

    FORGET_DELIVERIES = "delete from push_delivery where (tenant, id) in
            (select d.tenant, d.id from push_delivery d where d.created_at <= $1 and d.due_at is null
                order by d.created_at limit $2)
        returning id";

    FORGET_MESSAGES = "delete from push_message where (tenant, id) in
            (select m.tenant, m.id from push_message m where m.created_at <= $1 and m.work_at is null
                and not exists (select 1 from push_delivery d where d.tenant = m.tenant and d.message = m.id)
                order by m.created_at limit $2)
        returning id";

    // Who was told of it under another name may be told once more.
    LEAVE_TROUBLES = "delete from push_trouble where tenant = $1 and person = $2";

    KNOWN = "with push_asked as (values ($1, $2))
        select p.id from push_asked v join push_person p on p.tenant = v.column1 and p.id = v.column2";
}

/// What stands where a person stood who was forgotten. Four eyes stay four: each of the two has a name of its own.
const ERASED: &str = "erased";
const ERASED_REVIEWER: &str = "erased-reviewer";

/// How many of those people push has met.
pub(crate) async fn count_known(tx: &Tx, people: &BTreeSet<&ActorId>) -> anyhow::Result<usize> {
    let about: Vec<Vec<Value>> = people
        .iter()
        .map(|person| vec![tx.tenant().into(), (*person).into()])
        .collect();
    Ok(tx.rows_about(KNOWN, &about).await?.len())
}

/// One person was known by two ids.
pub(crate) async fn alias(tx: &Tx, alias: &ActorId, person: &ActorId) -> anyhow::Result<()> {
    let three = [tx.tenant().into(), alias.into(), person.into()];
    let two = [tx.tenant().into(), alias.into()];
    for (join, leave) in [
        (JOIN_PERSON, LEAVE_PERSON),
        (JOIN_TAGS, LEAVE_TAGS),
        (JOIN_MEMBERS, LEAVE_MEMBERS),
        (JOIN_AGREEMENTS, LEAVE_AGREEMENTS),
        (JOIN_MARKETING, LEAVE_MARKETING),
    ] {
        tx.execute(join, &three).await?;
        tx.execute(leave, &two).await?;
    }
    for statement in [
        MOVE_MEMBERSHIPS,
        MOVE_DEVICES,
        MOVE_CONSENTS,
        DROP_DOUBLES,
        MOVE_DELIVERIES,
        MOVE_TOPICS,
    ] {
        tx.execute(statement, &three).await?;
    }
    tx.execute(LEAVE_TROUBLES, &two).await?;
    rename(tx, alias, (person.as_str(), person.as_str())).await
}

/// Forgets a person: their ways, their messages, what is known of them. That they agreed and took back stays, without
/// what showed it.
pub(crate) async fn erase(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    let two = [tx.tenant().into(), person.into()];
    for statement in [
        LEAVE_PERSON,
        LEAVE_MEMBERSHIPS,
        LEAVE_TAGS,
        LEAVE_MEMBERS,
        LEAVE_DEVICES,
        BLANK_CONSENTS,
        LEAVE_AGREEMENTS,
        LEAVE_DELIVERIES,
        LEAVE_MARKETING,
        LEAVE_TROUBLES,
        LEAVE_NOTES,
        LEAVE_TOPICS,
    ] {
        tx.execute(statement, &two).await?;
    }
    rename(tx, person, (ERASED, ERASED_REVIEWER)).await
}

async fn rename(tx: &Tx, person: &ActorId, (new, reviewer): (&str, &str)) -> anyhow::Result<()> {
    let four = [
        tx.tenant().into(),
        person.into(),
        new.into(),
        reviewer.into(),
    ];
    tx.execute(RENAME_IN_ORDERS, &four).await?;
    let three = [tx.tenant().into(), person.into(), new.into()];
    tx.execute(RENAME_IN_PLANS, &three).await?;
    tx.execute(RENAME_IN_MESSAGES, &three).await
}

/// Forgets what was told before a moment and is over, and troubles of long ago; how many records.
pub(crate) async fn forget(
    db: &Db,
    (before, now): (Timestamp, Timestamp),
    limit: i64,
) -> anyhow::Result<usize> {
    bulk(db, async |batch: &mut Batch| {
        let parameters = [before.into(), limit.into()];
        let deliveries = batch.rows(FORGET_DELIVERIES, &parameters).await?;
        let messages = batch.rows(FORGET_MESSAGES, &parameters).await?;
        let troubles = troubles::forget(batch, now, limit).await?;
        Ok(deliveries.len() + messages.len() + troubles)
    })
    .await
}
