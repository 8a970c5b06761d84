//! Who acts for a merchant.

use kernel::{ActorId, MerchantId, TenantId};
use store::{Read, Row, Tx};

use super::word;
use crate::domain::{Member, Name, Role};

statements! {
    ROLE = "select role from merchants_member where tenant = $1 and merchant = $2 and person = $3";

    MEMBERS = "select person, role, name, phone, added_by, added_at from merchants_member
        where tenant = $1 and merchant = $2 order by person limit $3";

    INSERT_MEMBER = "insert into merchants_member (tenant, merchant, person, role, name, phone, added_by, added_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant, merchant, person) do nothing
        returning person";

    DELETE_MEMBER = "delete from merchants_member where tenant = $1 and merchant = $2 and person = $3 returning role";

    SHOPS_OF = "select merchant from merchants_member where tenant = $1 and person = $2 order by merchant limit $3";

    RENAME_MEMBER = "update merchants_member set person = $4 where tenant = $1 and merchant = $2 and person = $3";
}

/// More rows than a merchant may have members.
const ROWS_MAX: i64 = 1_000;

/// As what the person acts for the merchant.
pub(crate) async fn role(
    db: &impl Read,
    tenant: &TenantId,
    (merchant, person): (&MerchantId, &ActorId),
) -> anyhow::Result<Option<Role>> {
    let whose = [tenant.into(), merchant.into(), person.into()];
    let row = db.row(ROLE, &whose).await?;
    row.map(|row| word(row.text(0)?, Role::parse)).transpose()
}

/// Who acts for the merchant.
pub(crate) async fn members(
    db: &impl Read,
    tenant: &TenantId,
    merchant: &MerchantId,
) -> anyhow::Result<Vec<Member>> {
    let whose = [tenant.into(), merchant.into(), ROWS_MAX.into()];
    let rows = db.rows(MEMBERS, &whose).await?;
    rows.iter().map(read_member).collect()
}

fn read_member(row: &Row) -> anyhow::Result<Member> {
    Ok(Member {
        person: row.id(0)?,
        role: word(row.text(1)?, Role::parse)?,
        name: Name::parse(row.text(2)?)?,
        phone: row.text(3)?.to_owned(),
        added_by: row.id(4)?,
        added_at: row.timestamp(5)?,
    })
}

/// Adds a member, unless the person is one.
pub(crate) async fn insert_member(
    tx: &Tx,
    merchant: &MerchantId,
    member: &Member,
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        merchant.into(),
        (&member.person).into(),
        member.role.as_str().into(),
        member.name.as_str().into(),
        (&member.phone).into(),
        (&member.added_by).into(),
        member.added_at.into(),
    ];
    Ok(tx.row(INSERT_MEMBER, &parameters).await?.is_some())
}

/// Takes a member away; as what the person acted.
pub(crate) async fn delete_member(
    tx: &Tx,
    merchant: &MerchantId,
    person: &ActorId,
) -> anyhow::Result<Option<Role>> {
    let whose = [tx.tenant().into(), merchant.into(), person.into()];
    let row = tx.row(DELETE_MEMBER, &whose).await?;
    row.map(|row| word(row.text(0)?, Role::parse)).transpose()
}

/// The merchants that the person acts for.
pub(crate) async fn shops_of(tx: &Tx, person: &ActorId) -> anyhow::Result<Vec<MerchantId>> {
    let whose = [tx.tenant().into(), person.into(), ROWS_MAX.into()];
    let rows = tx.rows(SHOPS_OF, &whose).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The member goes by another id.
pub(crate) async fn rename(
    tx: &Tx,
    merchant: &MerchantId,
    (alias, person): (&ActorId, &ActorId),
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        merchant.into(),
        alias.into(),
        person.into(),
    ];
    tx.execute(RENAME_MEMBER, &parameters).await
}
