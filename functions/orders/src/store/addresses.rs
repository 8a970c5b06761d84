//! Where people want things brought.

use kernel::{ActorId, AddressId, CommunityId, Phone, RoomId, TenantId};
use store::{Read, Row, Tx};

use crate::domain::text::{Name, Summary};

statements! {
    ADDRESS = "select id, community, room, detail, name, phone, is_default, version from orders_address
        where tenant = $1 and person = $2 and id = $3";

    ADDRESSES = "select id, community, room, detail, name, phone, is_default, version from orders_address
        where tenant = $1 and person = $2 order by is_default desc, id limit 50";

    // Of all others none is the default before one is made it.
    CLEAR_DEFAULT = "update orders_address set is_default = 0 where tenant = $1 and person = $2 and is_default = 1";

    PUT_ADDRESS = "insert into orders_address
            (tenant, id, person, community, room, detail, name, phone, is_default, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (tenant, id) do update set community = excluded.community, room = excluded.room,
            detail = excluded.detail, name = excluded.name, phone = excluded.phone,
            is_default = excluded.is_default, version = excluded.version";

    DELETE_ADDRESS = "delete from orders_address where tenant = $1 and person = $2 and id = $3 returning is_default";

    // Who deletes the default gets the oldest of the others for it.
    NEXT_DEFAULT = "update orders_address set is_default = 1
        where tenant = $1 and id = (select min(o.id) from orders_address o where o.tenant = $1 and o.person = $2)";
}

/// Where a person wants things brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Its id.
    pub id: AddressId,
    /// Where.
    pub community: CommunityId,
    /// The room of the register, if it is one.
    pub room: Option<RoomId>,
    /// What the courier reads.
    pub detail: Summary,
    /// Who receives.
    pub name: Name,
    /// The receiver's number.
    pub phone: Phone,
    /// Whether it is proposed first.
    pub is_default: bool,
    /// Counts up with each change.
    pub version: i64,
}

fn read(row: &Row) -> anyhow::Result<Address> {
    Ok(Address {
        id: row.id(0)?,
        community: row.id(1)?,
        room: row.optional_id(2)?,
        detail: Summary::parse(row.text(3)?)?,
        name: Name::parse(row.text(4)?)?,
        phone: Phone::parse(row.text(5)?)?,
        is_default: row.boolean(6)?,
        version: row.integer(7)?,
    })
}

/// The address, if it is this person's.
pub async fn address(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
    id: &AddressId,
) -> anyhow::Result<Option<Address>> {
    let parameters = [tenant.into(), person.into(), id.into()];
    let row = db.row(ADDRESS, &parameters).await?;
    row.map(|row| read(&row)).transpose()
}

/// The addresses of a person, the default one first.
pub(crate) async fn addresses(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<Vec<Address>> {
    let rows = db.rows(ADDRESSES, &[tenant.into(), person.into()]).await?;
    rows.iter().map(read).collect()
}

/// Stores an address; as the default one it takes the place of the one before.
pub(crate) async fn put(tx: &Tx, person: &ActorId, address: &Address) -> anyhow::Result<()> {
    if address.is_default {
        tx.execute(CLEAR_DEFAULT, &[tx.tenant().into(), person.into()])
            .await?;
    }
    let parameters = [
        tx.tenant().into(),
        (&address.id).into(),
        person.into(),
        (&address.community).into(),
        address.room.as_ref().into(),
        address.detail.as_str().into(),
        address.name.as_str().into(),
        address.phone.as_str().into(),
        address.is_default.into(),
        address.version.into(),
    ];
    tx.execute(PUT_ADDRESS, &parameters).await
}

/// Deletes an address; answers whether there was one.
pub(crate) async fn delete(tx: &Tx, person: &ActorId, id: &AddressId) -> anyhow::Result<bool> {
    let parameters = [tx.tenant().into(), person.into(), id.into()];
    let Some(row) = tx.row(DELETE_ADDRESS, &parameters).await? else {
        return Ok(false);
    };
    if row.boolean(0)? {
        tx.execute(NEXT_DEFAULT, &[tx.tenant().into(), person.into()])
            .await?;
    }
    Ok(true)
}
