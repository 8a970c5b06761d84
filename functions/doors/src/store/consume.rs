//! What other capabilities said: who lives where, in which zone, who visits, and who people are.

use kernel::{ActorId, CommunityId, PassId, TenantId};
use store::{Read, Tx};
use wire::event::{BindingEnded, BindingStarted, VisitApproved};
use wire::pass::short_handle;

statements! {
    START_MEMBER = "insert into doors_member
            (tenant, binding, person, community, building, unit, room, role, starts_at, ends_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (tenant, binding) do update set person = excluded.person, community = excluded.community,
            building = excluded.building, unit = excluded.unit, room = excluded.room, role = excluded.role,
            starts_at = excluded.starts_at, ends_at = excluded.ends_at";

    END_MEMBER = "update doors_member set ends_at = $3 where tenant = $1 and binding = $2";

    SET_ZONE = "insert into doors_community (tenant, id, zone) values ($1, $2, $3)
        on conflict (tenant, id) do update set zone = excluded.zone";

    PUT_PASS = "insert into doors_pass (tenant, id, visit, community, building, unit, room, host,
            starts_at, ends_at, uses_max, ended, handle)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12)
        on conflict (tenant, id) do update set starts_at = excluded.starts_at, ends_at = excluded.ends_at,
            uses_max = excluded.uses_max";

    END_PASS = "update doors_pass set ended = 1 where tenant = $1 and visit = $2";

    PASS_ENDED = "select ended, uses_max from doors_pass where tenant = $1 and id = $2";

    ALIAS_CARDS = "update doors_card set person = $3 where tenant = $1 and person = $2";

    ALIAS_GRANTS = "update doors_grant set person = $3, version = version + 1
        where tenant = $1 and person = $2 and not exists (select o.id from doors_grant o
            where o.tenant = $1 and o.door = doors_grant.door and o.person = $3 and o.state <> 'revoked')";

    ALIAS_MEMBERS = "insert into doors_group_member (tenant, group_id, person, starts_at, ends_at)
        select m.tenant, m.group_id, cast($3 as text), m.starts_at, m.ends_at from doors_group_member m
            where m.tenant = $1 and m.person = $2
        on conflict (tenant, group_id, person) do nothing";

    ALIAS_SUSPENSIONS = "insert into doors_suspension (tenant, community, person, reason, suspended_by, suspended_at)
        select s.tenant, s.community, cast($3 as text), s.reason, s.suspended_by, s.suspended_at from doors_suspension s
            where s.tenant = $1 and s.person = $2
        on conflict (tenant, community, person) do nothing";

    FORGET_SHORTS = "delete from doors_short where tenant = $1 and person = $2";

    FORGET_MEMBERS = "delete from doors_group_member where tenant = $1 and person = $2";

    FORGET_SUSPENSIONS = "delete from doors_suspension where tenant = $1 and person = $2";

    FORGET_BINDINGS = "delete from doors_member where tenant = $1 and person = $2";

    FORGET_GRANTS = "update doors_grant set state = 'revoked', state_reason = null, state_by = $3, state_at = $4,
            person = 'erased', version = version + 1
        where tenant = $1 and person = $2";

    FORGET_CARDS = "update doors_card set state = 'ended', reason = null, person = 'erased', version = version + 1
        where tenant = $1 and person = $2";

    FORGET_OPENINGS = "update doors_opening set person = 'erased' where tenant = $1 and person = $2";

    FORGET_ACCESS = "update doors_access set person = 'erased' where tenant = $1 and person = $2";

    // Wherever something is kept for the person.
    TOUCHED_BY = "select community from doors_member where tenant = $1 and person = $2
        union select community from doors_card where tenant = $1 and person = $2
        union select community from doors_suspension where tenant = $1 and person = $2
        union select g.community from doors_group_member m join doors_group g on g.tenant = m.tenant and g.id = m.group_id
            where m.tenant = $1 and m.person = $2
        union select d.community from doors_grant g join doors_door d on d.tenant = g.tenant and d.id = g.door
            where g.tenant = $1 and g.person = $2
        limit 900";
}

/// A binding holds.
pub(crate) async fn start_member(tx: &Tx, binding: &BindingStarted) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&binding.binding).into(),
        (&binding.person).into(),
        (&binding.community).into(),
        binding.building.as_ref().into(),
        binding.unit.as_ref().into(),
        binding.room.as_ref().into(),
        binding.role.as_str().into(),
        binding.from.into(),
        binding.until.into(),
    ];
    tx.execute(START_MEMBER, &parameters).await
}

/// A binding ends.
pub(crate) async fn end_member(tx: &Tx, binding: &BindingEnded) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&binding.binding).into(),
        binding.until.into(),
    ];
    tx.execute(END_MEMBER, &parameters).await
}

/// A community is in this zone.
pub(crate) async fn set_zone(tx: &Tx, community: &CommunityId, zone: &str) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), community.into(), zone.into()];
    tx.execute(SET_ZONE, &parameters).await
}

/// A visit is expected.
pub(crate) async fn put_pass(tx: &Tx, visit: &VisitApproved) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&visit.pass).into(),
        (&visit.visit).into(),
        (&visit.community).into(),
        (&visit.building).into(),
        (&visit.unit).into(),
        (&visit.room).into(),
        (&visit.host).into(),
        visit.from.into(),
        visit.until.into(),
        visit.uses_max.max(1).into(),
        i64::try_from(short_handle(&visit.pass))?.into(),
    ];
    tx.execute(PUT_PASS, &parameters).await
}

/// A visit is over: its pass opens nothing any more.
pub(crate) async fn end_pass(tx: &Tx, visit: &kernel::VisitId) -> anyhow::Result<()> {
    tx.execute(END_PASS, &[tx.tenant().into(), visit.into()])
        .await
}

/// Whether the visitor's pass was ended, and how often it opens each door; nothing when it is not known here.
pub(crate) async fn pass_ended(
    db: &impl Read,
    tenant: &TenantId,
    pass: &PassId,
) -> anyhow::Result<Option<(bool, u16)>> {
    let row = db.row(PASS_ENDED, &[tenant.into(), pass.into()]).await?;
    row.map(|row| Ok((row.boolean(0)?, u16::try_from(row.integer(1)?)?)))
        .transpose()
}

/// Everything of one id belongs to another from now on. Bindings are bound anew by the capability that owns them.
pub(crate) async fn alias(tx: &Tx, alias: &ActorId, person: &ActorId) -> anyhow::Result<()> {
    for statement in [ALIAS_CARDS, ALIAS_GRANTS, ALIAS_MEMBERS, ALIAS_SUSPENSIONS] {
        let parameters = [tx.tenant().into(), alias.into(), person.into()];
        tx.execute(statement, &parameters).await?;
    }
    for statement in [FORGET_MEMBERS, FORGET_SUSPENSIONS, FORGET_SHORTS] {
        tx.execute(statement, &[tx.tenant().into(), alias.into()])
            .await?;
    }
    Ok(())
}

/// Forgets a person; the log keeps what happened and not to whom.
pub(crate) async fn forget(
    tx: &Tx,
    person: &ActorId,
    by: &ActorId,
    now: kernel::Timestamp,
) -> anyhow::Result<()> {
    for statement in [
        FORGET_MEMBERS,
        FORGET_SUSPENSIONS,
        FORGET_SHORTS,
        FORGET_BINDINGS,
        FORGET_CARDS,
        FORGET_OPENINGS,
        FORGET_ACCESS,
    ] {
        tx.execute(statement, &[tx.tenant().into(), person.into()])
            .await?;
    }
    let parameters = [tx.tenant().into(), person.into(), by.into(), now.into()];
    tx.execute(FORGET_GRANTS, &parameters).await
}

/// The communities in which something is kept for the person.
pub(crate) async fn touched_by(tx: &Tx, person: &ActorId) -> anyhow::Result<Vec<CommunityId>> {
    let rows = tx
        .rows(TOUCHED_BY, &[tx.tenant().into(), person.into()])
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}
