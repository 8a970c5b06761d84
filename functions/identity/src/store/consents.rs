//! Texts that people agree to, and how things stand.

use kernel::{ActorId, TenantId};
use store::{Read, Tx};

use crate::domain::{Consent, ConsentPurpose, ConsentText, TextVersion};
use crate::rows::{read_consent, read_consent_text};

const TEXT: &str = "select purpose, version, english, chinese, retention_days, published_at
    from identity_consent_text where tenant = $1 and purpose = $2 and version = $3";

const NEWEST_TEXT: &str = "select purpose, version, english, chinese, retention_days, published_at
    from identity_consent_text where tenant = $1 and purpose = $2
    order by published_at desc, version desc limit 1";

const NEWEST_TEXTS: &str =
    "select t.purpose, t.version, t.english, t.chinese, t.retention_days, t.published_at
    from identity_consent_text t
    where t.tenant = $1 and not exists (select 1 from identity_consent_text n
        where n.tenant = t.tenant and n.purpose = t.purpose
          and (n.published_at > t.published_at or (n.published_at = t.published_at and n.version > t.version)))
    order by t.purpose limit 200";

const INSERT_TEXT: &str = "insert into identity_consent_text
        (tenant, purpose, version, english, chinese, retention_days, published_at)
    values ($1, $2, $3, $4, $5, $6, $7)";

const CONSENT: &str = "select purpose, text_version, given, changed_at
    from identity_consent where tenant = $1 and person = $2 and purpose = $3";

const CONSENTS: &str = "select purpose, text_version, given, changed_at
    from identity_consent where tenant = $1 and person = $2 order by purpose limit 200";

const PUT_CONSENT: &str =
    "insert into identity_consent (tenant, person, purpose, text_version, given, changed_at)
    values ($1, $2, $3, $4, $5, $6)
    on conflict (tenant, person, purpose) do update
    set text_version = excluded.text_version, given = excluded.given, changed_at = excluded.changed_at";

const DELETE_CONSENTS: &str = "delete from identity_consent where tenant = $1 and person = $2";

/// The text of that version.
pub(crate) async fn consent_text(
    db: &impl Read,
    tenant: &TenantId,
    purpose: &ConsentPurpose,
    version: &TextVersion,
) -> anyhow::Result<Option<ConsentText>> {
    let key = [
        tenant.into(),
        purpose.as_str().into(),
        version.as_str().into(),
    ];
    let row = db.row(TEXT, &key).await?;
    row.map(|row| read_consent_text(&row)).transpose()
}

/// The text that is agreed to now.
pub(crate) async fn newest_text(
    db: &impl Read,
    tenant: &TenantId,
    purpose: &ConsentPurpose,
) -> anyhow::Result<Option<ConsentText>> {
    let row = db
        .row(NEWEST_TEXT, &[tenant.into(), purpose.as_str().into()])
        .await?;
    row.map(|row| read_consent_text(&row)).transpose()
}

/// The texts that are agreed to now, one a purpose.
pub(crate) async fn newest_texts(
    db: &impl Read,
    tenant: &TenantId,
) -> anyhow::Result<Vec<ConsentText>> {
    let rows = db.rows(NEWEST_TEXTS, &[tenant.into()]).await?;
    rows.iter().map(read_consent_text).collect()
}

/// Adds a text.
pub(crate) async fn insert_text(tx: &Tx, text: &ConsentText) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        text.purpose.as_str().into(),
        text.version.as_str().into(),
        text.english.as_str().into(),
        text.chinese.as_str().into(),
        text.retention_days.into(),
        text.published_at.into(),
    ];
    tx.execute(INSERT_TEXT, &parameters).await
}

/// How things stand between the person and the purpose.
pub(crate) async fn consent(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
    purpose: &ConsentPurpose,
) -> anyhow::Result<Option<Consent>> {
    let key = [tenant.into(), person.into(), purpose.as_str().into()];
    let row = db.row(CONSENT, &key).await?;
    row.map(|row| read_consent(&row)).transpose()
}

/// How things stand with the person.
pub(crate) async fn consents(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<Vec<Consent>> {
    let rows = db.rows(CONSENTS, &[tenant.into(), person.into()]).await?;
    rows.iter().map(read_consent).collect()
}

/// Stores how things stand from now on.
pub(crate) async fn put_consent(
    tx: &Tx,
    person: &ActorId,
    consent: &Consent,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        person.into(),
        consent.purpose.as_str().into(),
        consent.text_version.as_str().into(),
        consent.given.into(),
        consent.changed_at.into(),
    ];
    tx.execute(PUT_CONSENT, &parameters).await
}

/// Forgets the consents of a person.
pub(crate) async fn delete_consents(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    tx.execute(DELETE_CONSENTS, &[tx.tenant().into(), person.into()])
        .await
}
