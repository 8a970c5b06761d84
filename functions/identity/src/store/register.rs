//! What the register of communities tells: bindings, and residents who are known before they have an account.

use kernel::{ActorId, CommunityId, TenantId, Timestamp};
use store::{Read, Tx};

const PUT_BINDING: &str =
    "insert into identity_binding (tenant, binding, person, community, from_at, until_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (tenant, binding) do update set person = excluded.person,
        community = excluded.community, from_at = excluded.from_at, until_at = excluded.until_at";

const END_BINDING: &str =
    "update identity_binding set until_at = $3 where tenant = $1 and binding = $2";

const BINDINGS_OF: &str = "select binding, community, from_at, until_at from identity_binding
    where tenant = $1 and person = $2 order by binding limit 500";

const DELETE_BINDINGS_OF: &str = "delete from identity_binding where tenant = $1 and person = $2";

const PHONE_OF: &str =
    "select phone, phone_digest from identity_person where tenant = $1 and id = $2";

const SET_DIGEST: &str =
    "update identity_person set phone_digest = $3 where tenant = $1 and id = $2 and phone is null";

const ERASE_PERSON: &str = "update identity_person
    set username = $3, name = $4, password_hash = '', password_temporary = 0, phone = null, phone_digest = null,
        disabled = 1, version = $5, erased_at = $6
    where tenant = $1 and id = $2";

const IS_ERASED: &str =
    "select 1 from identity_person where tenant = $1 and id = $2 and erased_at is not null";

/// A binding as it was told.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Binding {
    /// Which one.
    pub binding: String,
    /// The community.
    pub community: CommunityId,
    /// From when on it holds.
    pub from: Timestamp,
    /// The first moment at which it no longer holds.
    pub until: Option<Timestamp>,
}

/// The number of a person, as far as it is known.
pub(crate) struct KnownPhone {
    /// The number.
    pub phone: Option<String>,
    /// Its digest.
    pub digest: Option<String>,
}

/// Stores a binding.
pub(crate) async fn put_binding(
    tx: &Tx,
    person: &ActorId,
    binding: &Binding,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&binding.binding).into(),
        person.into(),
        (&binding.community).into(),
        binding.from.into(),
        binding.until.into(),
    ];
    tx.execute(PUT_BINDING, &parameters).await
}

/// Stores when a binding ends.
pub(crate) async fn end_binding(
    tx: &Tx,
    binding: &str,
    until: Option<Timestamp>,
) -> anyhow::Result<()> {
    tx.execute(
        END_BINDING,
        &[tx.tenant().into(), binding.into(), until.into()],
    )
    .await
}

/// The bindings of a person.
pub(crate) async fn bindings_of(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<Vec<Binding>> {
    let rows = db
        .rows(BINDINGS_OF, &[tenant.into(), person.into()])
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Binding {
                binding: row.text(0)?.to_owned(),
                community: row.id(1)?,
                from: row.timestamp(2)?,
                until: row.optional_timestamp(3)?,
            })
        })
        .collect()
}

/// Forgets the bindings of a person.
pub(crate) async fn delete_bindings_of(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    tx.execute(DELETE_BINDINGS_OF, &[tx.tenant().into(), person.into()])
        .await
}

/// The person's number, if there is such a person.
pub(crate) async fn phone_of(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<Option<KnownPhone>> {
    let row = db.row(PHONE_OF, &[tenant.into(), person.into()]).await?;
    row.map(|row| {
        Ok(KnownPhone {
            phone: row.optional_text(0)?.map(str::to_owned),
            digest: row.optional_text(1)?.map(str::to_owned),
        })
    })
    .transpose()
}

/// Stores the digest of the number of an account that nobody has signed in to by phone.
pub(crate) async fn set_digest(tx: &Tx, person: &ActorId, digest: &str) -> anyhow::Result<()> {
    tx.execute(
        SET_DIGEST,
        &[tx.tenant().into(), person.into(), digest.into()],
    )
    .await
}

/// Stores what is left of a person who was forgotten.
pub(crate) async fn erase_person(
    tx: &Tx,
    rest: &crate::domain::Person,
    now: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&rest.id).into(),
        rest.username.as_str().into(),
        rest.name.as_str().into(),
        rest.version.into(),
        now.into(),
    ];
    tx.execute(ERASE_PERSON, &parameters).await
}

/// Whether the person was forgotten.
pub(crate) async fn is_erased(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<bool> {
    let row = db.row(IS_ERASED, &[tenant.into(), person.into()]).await?;
    Ok(row.is_some())
}
