//! Bindings and requests for them.

use kernel::{
    Actor, ActorId, BindingId, BindingRequestId, CommunityId, RoomId, TenantId, Timestamp,
};
use store::{Read, Tx};
use web::Page;

use super::{reach, statements};
use crate::domain::{Binding, BindingRequest};
use crate::rows::{binding_values, read_binding, read_request, request_values};

statements! {
    BINDING = "select id, person, role, community, building, unit, room, from_at, until_at, started_by, ended_by,
            end_reason, version
        from community_binding where tenant = $1 and id = $2";

    // Bindings of one place that have not ended at that moment.
    HELD = "select id, person, role, community, building, unit, room, from_at, until_at, started_by, ended_by,
            end_reason, version
        from community_binding
        where tenant = $1 and community = $2 and coalesce(room, '') = coalesce(cast($3 as text), '')
          and (until_at is null or until_at > $4)
        order by id limit $5";

    BINDINGS = "select b.id, b.person, b.role, b.community, b.building, b.unit, b.room, b.from_at, b.until_at,
            b.started_by, b.ended_by, b.end_reason, b.version
        from community_binding b
        where b.tenant = $1
          and (cast($2 as text) is null or replace($2, ',' || b.community || ',', '') <> $2)
          and (cast($3 as text) is null or b.community = $3)
          and (cast($4 as text) is null or b.room = $4)
          and (cast($5 as text) is null or b.person = $5)
          and (cast($6 as bigint) is null or (b.from_at <= $6 and (b.until_at is null or b.until_at > $6)))
          and (cast($7 as text) is null or b.person = $7 or exists (select m.id from community_binding m
            where m.tenant = b.tenant and m.room = b.room and m.person = $7
              and m.from_at <= $8 and (m.until_at is null or m.until_at > $8)
              and (b.until_at is null or b.until_at > $8)))
          and (cast($9 as text) is null or b.id > $9)
        order by b.id limit $10";

    INSERT_BINDING = "insert into community_binding (tenant, id, person, role, community, building, unit, room, from_at,
            until_at, started_by, ended_by, end_reason, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

    END_BINDING = "update community_binding set until_at = $3, ended_by = $4, end_reason = $5, version = $6
        where tenant = $1 and id = $2";

    COMMUNITIES_OF_PERSON = "select distinct community from community_binding where tenant = $1 and person = $2
        order by community limit $3";

    // Whether somebody lives there now.
    IN_HOUSEHOLD = "select id from community_binding
        where tenant = $1 and room = $2 and person = $3 and from_at <= $4 and (until_at is null or until_at > $4)
        limit 1";

    // Whether two people share a room now.
    SHARE_ROOM = "select o.id from community_binding o
        join community_binding m on m.tenant = o.tenant and m.room = o.room
        where o.tenant = $1 and o.person = $2 and m.person = $3
          and o.from_at <= $4 and (o.until_at is null or o.until_at > $4)
          and m.from_at <= $4 and (m.until_at is null or m.until_at > $4)
        limit 1";

    REQUEST = "select id, person, role, community, room, name, phone, asked_at, state, binding, reason, decided_by,
            decided_at, version
        from community_binding_request where tenant = $1 and id = $2";

    PENDING = "select room from community_binding_request
        where tenant = $1 and person = $2 and state = 'pending' order by id limit $3";

    REQUESTS = "select id, person, role, community, room, name, phone, asked_at, state, binding, reason, decided_by,
            decided_at, version
        from community_binding_request
        where tenant = $1
          and (cast($2 as text) is null or replace($2, ',' || community || ',', '') <> $2)
          and (cast($3 as text) is null or community = $3)
          and (cast($4 as text) is null or state = $4)
          and (cast($5 as text) is null or person = $5)
          and (cast($6 as text) is null or id > $6)
        order by id limit $7";

    INSERT_REQUEST = "insert into community_binding_request (tenant, id, person, role, community, room, name, phone,
            asked_at, state, binding, reason, decided_by, decided_at, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

    DECIDE_REQUEST = "update community_binding_request set state = $3, binding = $4, reason = $5, decided_by = $6,
            decided_at = $7, version = $8
        where tenant = $1 and id = $2";

    ERASE_REQUESTS = "update community_binding_request set name = null, phone = null where tenant = $1 and person = $2";

    MOVE_REQUESTS = "update community_binding_request set person = $3 where tenant = $1 and person = $2
        and not (state = 'pending' and exists (select o.id from community_binding_request o
            where o.tenant = $1 and o.person = $3 and o.room = community_binding_request.room
              and o.state = 'pending'))";
}

/// The most bindings of one place at a time.
pub(crate) const HELD_MAX: i64 = 200;

/// Which bindings a list shows; what is absent does not filter.
#[derive(Debug, Clone, Default)]
pub(crate) struct BindingFilter {
    /// Of this community.
    pub community: Option<CommunityId>,
    /// Of this room.
    pub room: Option<RoomId>,
    /// Of this person.
    pub person: Option<ActorId>,
    /// Only those that hold at that moment.
    pub at: Option<Timestamp>,
    /// Only the own of this person, and those of the household at that moment.
    pub household_of: Option<(ActorId, Timestamp)>,
}

/// Which requests a list shows; what is absent does not filter.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestFilter {
    /// Of this community.
    pub community: Option<CommunityId>,
    /// In this state.
    pub state: Option<String>,
    /// Of this person.
    pub person: Option<ActorId>,
}

/// The binding.
pub(crate) async fn binding(
    db: &impl Read,
    tenant: &TenantId,
    id: &BindingId,
) -> anyhow::Result<Option<Binding>> {
    let row = db.row(BINDING, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_binding(&row)).transpose()
}

/// What holds, or will, in a room, or as staff of the community, from that moment on.
pub(crate) async fn held(
    db: &impl Read,
    tenant: &TenantId,
    (community, room): (&CommunityId, Option<&RoomId>),
    since: Timestamp,
) -> anyhow::Result<Vec<Binding>> {
    let parameters = [
        tenant.into(),
        community.into(),
        room.into(),
        since.into(),
        HELD_MAX.into(),
    ];
    let rows = db.rows(HELD, &parameters).await?;
    rows.iter().map(read_binding).collect()
}

/// Bindings that the caller reaches, by id.
pub(crate) async fn bindings(
    db: &impl Read,
    actor: &Actor,
    filter: &BindingFilter,
    page: &Page<BindingId>,
) -> anyhow::Result<Vec<Binding>> {
    let reach = reach(actor).filter(|_| filter.household_of.is_none());
    let (person, now) = filter
        .household_of
        .as_ref()
        .map(|(person, now)| (person, *now))
        .unzip();
    let parameters = [
        (&actor.tenant).into(),
        reach.into(),
        filter.community.as_ref().into(),
        filter.room.as_ref().into(),
        filter.person.as_ref().into(),
        filter.at.into(),
        person.into(),
        now.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(BINDINGS, &parameters).await?;
    rows.iter().map(read_binding).collect()
}

/// Adds bindings.
pub(crate) async fn insert_bindings(tx: &Tx, bindings: &[Binding]) -> anyhow::Result<()> {
    let rows: Vec<_> = bindings
        .iter()
        .map(|binding| binding_values(tx.tenant(), binding).to_vec())
        .collect();
    tx.insert_many(INSERT_BINDING, &rows).await
}

/// Stores the end of a binding.
pub(crate) async fn end_binding(tx: &Tx, binding: &Binding) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&binding.id).into(),
        binding.term.until.into(),
        binding.ended_by.as_ref().into(),
        binding
            .end_reason
            .as_ref()
            .map(|reason| reason.as_str())
            .into(),
        binding.version.into(),
    ];
    tx.execute(END_BINDING, &parameters).await
}

/// Where a person is or was bound.
pub(crate) async fn communities_of_person(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<Vec<CommunityId>> {
    let rows = db
        .rows(
            COMMUNITIES_OF_PERSON,
            &[tenant.into(), person.into(), HELD_MAX.into()],
        )
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Whether the person is bound to the room at that moment.
pub(crate) async fn is_in_household(
    db: &impl Read,
    actor: &Actor,
    room: &RoomId,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let key = [
        (&actor.tenant).into(),
        room.into(),
        (&actor.id).into(),
        now.into(),
    ];
    Ok(crate::domain::is_people(actor) && db.row(IN_HOUSEHOLD, &key).await?.is_some())
}

/// Whether the caller shares a room with that person at that moment.
pub(crate) async fn shares_room(
    db: &impl Read,
    actor: &Actor,
    person: &ActorId,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let key = [
        (&actor.tenant).into(),
        person.into(),
        (&actor.id).into(),
        now.into(),
    ];
    Ok(crate::domain::is_people(actor) && db.row(SHARE_ROOM, &key).await?.is_some())
}

/// The request.
pub(crate) async fn request(
    db: &impl Read,
    tenant: &TenantId,
    id: &BindingRequestId,
) -> anyhow::Result<Option<BindingRequest>> {
    let row = db.row(REQUEST, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_request(&row)).transpose()
}

/// The rooms that the person asks for, at most `limit`.
pub(crate) async fn pending(tx: &Tx, person: &ActorId, limit: i64) -> anyhow::Result<Vec<RoomId>> {
    let key = [tx.tenant().into(), person.into(), limit.into()];
    let rows = tx.rows(PENDING, &key).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Requests that the caller reaches, by id; those of one person wherever they are.
pub(crate) async fn requests(
    db: &impl Read,
    actor: &Actor,
    filter: &RequestFilter,
    page: &Page<BindingRequestId>,
) -> anyhow::Result<Vec<BindingRequest>> {
    let is_own = filter.person.as_ref() == Some(&actor.id);
    let parameters = [
        (&actor.tenant).into(),
        reach(actor).filter(|_| !is_own).into(),
        filter.community.as_ref().into(),
        filter.state.as_deref().into(),
        filter.person.as_ref().into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(REQUESTS, &parameters).await?;
    rows.iter().map(read_request).collect()
}

/// Adds a request.
pub(crate) async fn insert_request(tx: &Tx, request: &BindingRequest) -> anyhow::Result<()> {
    tx.execute(INSERT_REQUEST, &request_values(tx.tenant(), request))
        .await
}

/// Stores what was decided about a request.
pub(crate) async fn decide_request(tx: &Tx, request: &BindingRequest) -> anyhow::Result<()> {
    let [
        tenant,
        id,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        state,
        binding,
        reason,
        by,
        at,
        version,
    ] = request_values(tx.tenant(), request);
    tx.execute(
        DECIDE_REQUEST,
        &[tenant, id, state, binding, reason, by, at, version],
    )
    .await
}

/// Takes the name and the number out of a person's requests.
pub(crate) async fn erase_requests(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    tx.execute(ERASE_REQUESTS, &[tx.tenant().into(), person.into()])
        .await
}

/// The requests of a person become those of another id of the same person.
pub(crate) async fn move_requests(tx: &Tx, from: &ActorId, to: &ActorId) -> anyhow::Result<()> {
    tx.execute(MOVE_REQUESTS, &[tx.tenant().into(), from.into(), to.into()])
        .await
}
