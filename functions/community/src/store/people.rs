//! The register of people, their numbers, and the accounts that identity told of.

use kernel::{Actor, ActorId, CommunityId, Phone, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

use super::{reach, statements};
use crate::domain::Resident;
use crate::rows::{read_resident, resident_values};

statements! {
    RESIDENT = "select id, community, name, company, notes, erased_at, version from community_resident
        where tenant = $1 and id = $2 and alias_of is null";

    PHONES = "select phone from community_phone where tenant = $1 and person = $2 order by place limit $3";

    PHONES_OF = "select p.person, p.phone from community_phone p
        join community_resident r on r.tenant = p.tenant and r.id = p.person
        where p.tenant = $1
          and (r.community = $2 or exists (select b.id from community_binding b
            where b.tenant = r.tenant and b.person = r.id and b.community = $2))
          and (cast($3 as text) is null or p.phone > $3)
        order by p.phone limit $4";

    PERSON_OF_PHONE = "select person from community_phone where tenant = $1 and phone = $2";

    INSERT_PHONE = "insert into community_phone (tenant, person, phone, place) values ($1, $2, $3, $4)";

    DELETE_PHONES = "delete from community_phone where tenant = $1 and person = $2";

    MOVE_PHONES = "update community_phone set person = $3 where tenant = $1 and person = $2";

    // Whoever was entered there, or is or was bound there; a text is found in the name, or is a whole number.
    RESIDENTS = "select r.id, r.community, r.name, r.company, r.notes, r.erased_at, r.version from community_resident r
        where r.tenant = $1 and r.alias_of is null
          and (cast($2 as text) is null or replace($2, ',' || r.community || ',', '') <> $2
            or exists (select b.id from community_binding b where b.tenant = r.tenant and b.person = r.id
                and replace($2, ',' || b.community || ',', '') <> $2))
          and (cast($3 as text) is null or r.community = $3 or exists (select b.id from community_binding b
            where b.tenant = r.tenant and b.person = r.id and b.community = $3))
          and (cast($4 as text) is null or replace(coalesce(r.name, ''), $4, '') <> coalesce(r.name, '')
            or exists (select p.phone from community_phone p
                where p.tenant = r.tenant and p.person = r.id and p.phone = $5))
          and (cast($6 as text) is null or r.id = $6 or exists (select o.id from community_binding o
            join community_binding m on m.tenant = o.tenant and m.room = o.room
            where o.tenant = r.tenant and o.person = r.id and m.person = $6
              and o.from_at <= $7 and (o.until_at is null or o.until_at > $7)
              and m.from_at <= $7 and (m.until_at is null or m.until_at > $7)))
          and (cast($8 as text) is null or r.id > $8)
        order by r.id limit $9";

    INSERT_RESIDENT = "insert into community_resident (tenant, id, community, name, company, notes, erased_at, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";

    UPDATE_RESIDENT = "update community_resident set community = $3, name = $4, company = $5, notes = $6,
            erased_at = $7, version = $8
        where tenant = $1 and id = $2";

    ALIAS_RESIDENT = "update community_resident set alias_of = $3, name = null, company = null, notes = null,
            version = version + 1
        where tenant = $1 and id = $2";

    ACCOUNT_OF_DIGEST = "select person from community_account where tenant = $1 and phone_digest = $2
        order by person limit 1";

    INSERT_ACCOUNT = "insert into community_account (tenant, person, phone_digest) values ($1, $2, $3)
        on conflict (tenant, person) do update set phone_digest = excluded.phone_digest";

    DELETE_ACCOUNT = "delete from community_account where tenant = $1 and person = $2";
}

/// Which people a list shows; what is absent does not filter.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResidentFilter {
    /// Of this community.
    pub community: Option<CommunityId>,
    /// Part of the name, or a whole number.
    pub text: Option<String>,
    /// Only the household of this person at that moment.
    pub household_of: Option<(ActorId, Timestamp)>,
}

/// The entry of that person.
pub(crate) async fn resident(
    db: &impl Read,
    tenant: &TenantId,
    id: &ActorId,
) -> anyhow::Result<Option<Resident>> {
    let Some(row) = db.row(RESIDENT, &[tenant.into(), id.into()]).await? else {
        return Ok(None);
    };
    with_phones(db, tenant, &row).await.map(Some)
}

async fn with_phones(db: &impl Read, tenant: &TenantId, row: &Row) -> anyhow::Result<Resident> {
    let mut resident = read_resident(row)?;
    let most = i64::try_from(crate::domain::PHONES_MAX)?;
    let phones = db
        .rows(PHONES, &[tenant.into(), (&resident.id).into(), most.into()])
        .await?;
    for phone in &phones {
        resident.phones.push(phone.id(0)?);
    }
    Ok(resident)
}

/// People that the caller reaches, by id.
pub(crate) async fn residents(
    db: &impl Read,
    actor: &Actor,
    filter: &ResidentFilter,
    page: &Page<ActorId>,
) -> anyhow::Result<Vec<Resident>> {
    let reach = reach(actor).filter(|_| filter.household_of.is_none());
    let number = filter
        .text
        .as_deref()
        .and_then(|text| Phone::parse(text).ok());
    let (person, now) = filter
        .household_of
        .as_ref()
        .map(|(person, now)| (person, *now))
        .unzip();
    let parameters = [
        (&actor.tenant).into(),
        reach.into(),
        filter.community.as_ref().into(),
        filter.text.as_deref().into(),
        number.as_ref().map(Phone::as_str).into(),
        person.into(),
        now.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(RESIDENTS, &parameters).await?;
    let mut residents = Vec::with_capacity(rows.len());
    for row in &rows {
        residents.push(with_phones(db, &actor.tenant, row).await?);
    }
    Ok(residents)
}

/// People of a community without their numbers, by id: for files.
pub(crate) async fn residents_plain(
    db: &impl Read,
    actor: &Actor,
    community: &CommunityId,
    page: &Page<ActorId>,
) -> anyhow::Result<Vec<Resident>> {
    let nothing = store::Value::Null;
    let parameters = [
        (&actor.tenant).into(),
        nothing.clone(),
        community.into(),
        nothing.clone(),
        nothing.clone(),
        nothing.clone(),
        nothing,
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(RESIDENTS, &parameters).await?;
    rows.iter().map(read_resident).collect()
}

/// The numbers of people of a community, in their order, after that one.
pub(crate) async fn phones_of(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
    after: Option<&Phone>,
    limit: i64,
) -> anyhow::Result<Vec<(ActorId, Phone)>> {
    let after = after.map(Phone::as_str);
    let rows = db
        .rows(
            PHONES_OF,
            &[tenant.into(), community.into(), after.into(), limit.into()],
        )
        .await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// Whose number that is.
pub(crate) async fn person_of_phone(
    db: &impl Read,
    tenant: &TenantId,
    phone: &Phone,
) -> anyhow::Result<Option<ActorId>> {
    let row = db
        .row(PERSON_OF_PHONE, &[tenant.into(), phone.as_str().into()])
        .await?;
    row.map(|row| row.id(0)).transpose()
}

/// Adds people with their numbers.
pub(crate) async fn insert_residents(tx: &Tx, residents: &[Resident]) -> anyhow::Result<()> {
    let rows: Vec<_> = residents
        .iter()
        .map(|resident| resident_values(tx.tenant(), resident).to_vec())
        .collect();
    tx.insert_many(INSERT_RESIDENT, &rows).await?;
    insert_phones(tx, residents).await
}

/// Stores the changes of an entry and of its numbers.
pub(crate) async fn update_resident(tx: &Tx, resident: &Resident) -> anyhow::Result<()> {
    tx.execute(UPDATE_RESIDENT, &resident_values(tx.tenant(), resident))
        .await?;
    tx.execute(DELETE_PHONES, &[tx.tenant().into(), (&resident.id).into()])
        .await?;
    insert_phones(tx, std::slice::from_ref(resident)).await
}

async fn insert_phones(tx: &Tx, residents: &[Resident]) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for resident in residents {
        for (place, phone) in (0_i64..).zip(&resident.phones) {
            rows.push(vec![
                tx.tenant().into(),
                (&resident.id).into(),
                phone.as_str().into(),
                place.into(),
            ]);
        }
    }
    tx.insert_many(INSERT_PHONE, &rows).await
}

/// The entry of a person who turned out to be another one: its numbers go over, and it is empty from now on.
pub(crate) async fn alias_resident(
    tx: &Tx,
    alias: &ActorId,
    person: &ActorId,
) -> anyhow::Result<()> {
    let key = [tx.tenant().into(), alias.into(), person.into()];
    tx.execute(MOVE_PHONES, &key).await?;
    tx.execute(ALIAS_RESIDENT, &key).await
}

/// The account with the number of that digest.
pub(crate) async fn account_of_digest(
    db: &impl Read,
    tenant: &TenantId,
    digest: &str,
) -> anyhow::Result<Option<ActorId>> {
    let row = db
        .row(ACCOUNT_OF_DIGEST, &[tenant.into(), digest.into()])
        .await?;
    row.map(|row| row.id(0)).transpose()
}

/// Keeps which number an account has.
pub(crate) async fn insert_account(tx: &Tx, person: &ActorId, digest: &str) -> anyhow::Result<()> {
    tx.execute(
        INSERT_ACCOUNT,
        &[tx.tenant().into(), person.into(), digest.into()],
    )
    .await
}

/// Forgets an account.
pub(crate) async fn delete_account(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    tx.execute(DELETE_ACCOUNT, &[tx.tenant().into(), person.into()])
        .await
}
