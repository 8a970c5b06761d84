//! Companies, communities, buildings and entrances.

use kernel::{Actor, ActorId, BuildingId, CommunityId, CompanyId, TenantId, Timestamp, UnitId};
use store::{Read, Tx};
use web::Page;

use super::{reach, statements};
use crate::domain::{Building, Community, Company, Unit, place_key};
use crate::rows::{
    building_values, community_values, company_values, read_building, read_community, read_company,
    read_unit, unit_values,
};

statements! {
    COMPANY = "select id, name, phone, address, version from community_company where tenant = $1 and id = $2";

    COMPANIES = "select id, name, phone, address, version from community_company
        where tenant = $1 and (cast($2 as text) is null or id > $2)
        order by id limit $3";

    INSERT_COMPANY = "insert into community_company (tenant, id, name, phone, address, version)
        values ($1, $2, $3, $4, $5, $6)";

    UPDATE_COMPANY = "update community_company set name = $3, phone = $4, address = $5, version = $6
        where tenant = $1 and id = $2";

    COMMUNITY = "select id, name, address, time_zone, company, version from community_community
        where tenant = $1 and id = $2";

    // Those of all, or only those that the token names or that the person is bound to now.
    COMMUNITIES = "select c.id, c.name, c.address, c.time_zone, c.company, c.version from community_community c
        where c.tenant = $1
          and (cast($2 as text) is null or replace($2, ',' || c.id || ',', '') <> $2
            or exists (select b.id from community_binding b where b.tenant = c.tenant and b.community = c.id
                and b.person = $3 and b.from_at <= $4 and (b.until_at is null or b.until_at > $4)))
          and (cast($5 as text) is null or c.id > $5)
        order by c.id limit $6";

    INSERT_COMMUNITY = "insert into community_community (tenant, id, name, address, time_zone, company, version)
        values ($1, $2, $3, $4, $5, $6, $7)";

    UPDATE_COMMUNITY = "update community_community set name = $3, address = $4, time_zone = $5, company = $6, version = $7
        where tenant = $1 and id = $2";

    BUILDING = "select id, community, name, version from community_building where tenant = $1 and id = $2";

    BUILDING_NAMED = "select id, community, name, version from community_building
        where tenant = $1 and community = $2 and place_key = $3";

    BUILDINGS = "select id, community, name, version from community_building
        where tenant = $1 and community = $2 and (cast($3 as text) is null or id > $3)
        order by id limit $4";

    INSERT_BUILDING = "insert into community_building (tenant, id, community, name, place_key, version)
        values ($1, $2, $3, $4, $5, $6)";

    UPDATE_BUILDING = "update community_building set community = $3, name = $4, place_key = $5, version = $6
        where tenant = $1 and id = $2";

    UNIT = "select id, building, community, name, version from community_unit where tenant = $1 and id = $2";

    UNIT_NAMED = "select id, building, community, name, version from community_unit
        where tenant = $1 and building = $2 and place_key = $3";

    UNITS = "select id, building, community, name, version from community_unit
        where tenant = $1 and building = $2 and (cast($3 as text) is null or id > $3)
        order by id limit $4";

    UNITS_OF_COMMUNITY = "select id, building, community, name, version from community_unit
        where tenant = $1 and community = $2 and (cast($3 as text) is null or id > $3)
        order by id limit $4";

    INSERT_UNIT = "insert into community_unit (tenant, id, building, community, name, place_key, version)
        values ($1, $2, $3, $4, $5, $6, $7)";

    UPDATE_UNIT = "update community_unit set building = $3, community = $4, name = $5, place_key = $6, version = $7
        where tenant = $1 and id = $2";
}

/// The company.
pub(crate) async fn company(
    db: &impl Read,
    tenant: &TenantId,
    id: &CompanyId,
) -> anyhow::Result<Option<Company>> {
    let row = db.row(COMPANY, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_company(&row)).transpose()
}

/// The tenant's companies, by id.
pub(crate) async fn companies(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<CompanyId>,
) -> anyhow::Result<Vec<Company>> {
    let parameters = [
        tenant.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(COMPANIES, &parameters).await?;
    rows.iter().map(read_company).collect()
}

/// Adds a company.
pub(crate) async fn insert_company(tx: &Tx, company: &Company) -> anyhow::Result<()> {
    tx.execute(INSERT_COMPANY, &company_values(tx.tenant(), company))
        .await
}

/// Stores the changes of a company.
pub(crate) async fn update_company(tx: &Tx, company: &Company) -> anyhow::Result<()> {
    tx.execute(UPDATE_COMPANY, &company_values(tx.tenant(), company))
        .await
}

/// The community.
pub(crate) async fn community(
    db: &impl Read,
    tenant: &TenantId,
    id: &CommunityId,
) -> anyhow::Result<Option<Community>> {
    let row = db.row(COMMUNITY, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_community(&row)).transpose()
}

/// The tenant's communities by id: all, or those of this person at that moment.
pub(crate) async fn communities(
    db: &impl Read,
    actor: &Actor,
    mine: Option<(&ActorId, Timestamp)>,
    page: &Page<CommunityId>,
) -> anyhow::Result<Vec<Community>> {
    let (person, now) = mine.unzip();
    let parameters = [
        (&actor.tenant).into(),
        person.and_then(|_| reach(actor)).into(),
        person.into(),
        now.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(COMMUNITIES, &parameters).await?;
    rows.iter().map(read_community).collect()
}

/// Adds a community.
pub(crate) async fn insert_community(tx: &Tx, community: &Community) -> anyhow::Result<()> {
    tx.execute(INSERT_COMMUNITY, &community_values(tx.tenant(), community))
        .await
}

/// Stores the changes of a community.
pub(crate) async fn update_community(tx: &Tx, community: &Community) -> anyhow::Result<()> {
    tx.execute(UPDATE_COMMUNITY, &community_values(tx.tenant(), community))
        .await
}

/// The building.
pub(crate) async fn building(
    db: &impl Read,
    tenant: &TenantId,
    id: &BuildingId,
) -> anyhow::Result<Option<Building>> {
    let row = db.row(BUILDING, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_building(&row)).transpose()
}

/// The building that goes by this name.
pub(crate) async fn building_named(
    tx: &Tx,
    community: &CommunityId,
    name: &str,
) -> anyhow::Result<Option<Building>> {
    let key = [tx.tenant().into(), community.into(), place_key(name).into()];
    let row = tx.row(BUILDING_NAMED, &key).await?;
    row.map(|row| read_building(&row)).transpose()
}

/// The buildings of a community, by id.
pub(crate) async fn buildings(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
    page: &Page<BuildingId>,
) -> anyhow::Result<Vec<Building>> {
    let parameters = [
        tenant.into(),
        community.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(BUILDINGS, &parameters).await?;
    rows.iter().map(read_building).collect()
}

/// Adds buildings.
pub(crate) async fn insert_buildings(tx: &Tx, buildings: &[Building]) -> anyhow::Result<()> {
    let rows: Vec<_> = buildings
        .iter()
        .map(|building| building_values(tx.tenant(), building).to_vec())
        .collect();
    tx.insert_many(INSERT_BUILDING, &rows).await
}

/// Stores the changes of a building.
pub(crate) async fn update_building(tx: &Tx, building: &Building) -> anyhow::Result<()> {
    tx.execute(UPDATE_BUILDING, &building_values(tx.tenant(), building))
        .await
}

/// The entrance.
pub(crate) async fn unit(
    db: &impl Read,
    tenant: &TenantId,
    id: &UnitId,
) -> anyhow::Result<Option<Unit>> {
    let row = db.row(UNIT, &[tenant.into(), id.into()]).await?;
    row.map(|row| read_unit(&row)).transpose()
}

/// The entrance of the building that goes by this name.
pub(crate) async fn unit_named(
    tx: &Tx,
    building: &BuildingId,
    name: &str,
) -> anyhow::Result<Option<Unit>> {
    let key = [tx.tenant().into(), building.into(), place_key(name).into()];
    let row = tx.row(UNIT_NAMED, &key).await?;
    row.map(|row| read_unit(&row)).transpose()
}

/// The entrances of a building, by id.
pub(crate) async fn units(
    db: &impl Read,
    tenant: &TenantId,
    building: &BuildingId,
    page: &Page<UnitId>,
) -> anyhow::Result<Vec<Unit>> {
    let parameters = [
        tenant.into(),
        building.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(UNITS, &parameters).await?;
    rows.iter().map(read_unit).collect()
}

/// The entrances of a community, by id.
pub(crate) async fn units_of_community(
    db: &impl Read,
    tenant: &TenantId,
    community: &CommunityId,
    page: &Page<UnitId>,
) -> anyhow::Result<Vec<Unit>> {
    let parameters = [
        tenant.into(),
        community.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(UNITS_OF_COMMUNITY, &parameters).await?;
    rows.iter().map(read_unit).collect()
}

/// Adds entrances.
pub(crate) async fn insert_units(tx: &Tx, units: &[Unit]) -> anyhow::Result<()> {
    let rows: Vec<_> = units
        .iter()
        .map(|unit| unit_values(tx.tenant(), unit).to_vec())
        .collect();
    tx.insert_many(INSERT_UNIT, &rows).await
}

/// Stores the changes of an entrance.
pub(crate) async fn update_unit(tx: &Tx, unit: &Unit) -> anyhow::Result<()> {
    tx.execute(UPDATE_UNIT, &unit_values(tx.tenant(), unit))
        .await
}
