//! One-time codes, when they were sent, and the developer's inbox.

use kernel::{Phone, TenantId, Timestamp};
use store::{Read, Tx};

use crate::domain::{Purpose, SENDINGS_WINDOW_MS, SentCode};

/// The most messages that the inbox shows.
const INBOX_ROWS_MAX: i64 = 100;

const SENDINGS: &str = "select sent_at from identity_sending
    where tenant = $1 and phone_digest = $2 and sent_at > $3 order by sent_at desc limit 100";

const INSERT_SENDING: &str =
    "insert into identity_sending (tenant, phone_digest, id, sent_at) values ($1, $2, $3, $4)";

const REPLACE_CODE: &str =
    "insert into identity_code (tenant, phone_digest, purpose, id, hash, tries, expires_at)
    values ($1, $2, $3, $4, $5, 0, $6)
    on conflict (tenant, phone_digest, purpose) do update
    set id = excluded.id, hash = excluded.hash, tries = 0, expires_at = excluded.expires_at";

const CODE: &str = "select id, hash, tries, expires_at from identity_code
    where tenant = $1 and phone_digest = $2 and purpose = $3";

const COUNT_TRY: &str = "update identity_code set tries = tries + 1
    where tenant = $1 and phone_digest = $2 and purpose = $3";

const DELETE_CODE: &str =
    "delete from identity_code where tenant = $1 and phone_digest = $2 and purpose = $3";

const DELETE_CODES: &str = "delete from identity_code where tenant = $1 and phone_digest = $2";

const INSERT_MESSAGE: &str =
    "insert into identity_inbox (id, tenant, phone, purpose, code, sent_at)
    values ($1, $2, $3, $4, $5, $6)";

const DELETE_MESSAGES: &str = "delete from identity_inbox where tenant = $1 and phone = $2";

const INBOX: &str = "select tenant, phone, purpose, code, sent_at from identity_inbox
    order by sent_at desc, id desc limit $1";

/// A message in the developer's inbox.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct InboxMessage {
    /// Whose.
    pub tenant: String,
    /// To which number.
    pub phone: String,
    /// For what.
    pub purpose: String,
    /// The code.
    pub code: String,
    /// When.
    pub sent_at: Timestamp,
}

/// When codes were sent to the number within the window.
pub(crate) async fn sendings(
    tx: &Tx,
    phone_digest: &str,
    now: Timestamp,
) -> anyhow::Result<Vec<Timestamp>> {
    let since = now.plus_millis(-SENDINGS_WINDOW_MS);
    let rows = tx
        .rows(
            SENDINGS,
            &[tx.tenant().into(), phone_digest.into(), since.into()],
        )
        .await?;
    rows.iter().map(|row| row.timestamp(0)).collect()
}

/// Counts a sending.
pub(crate) async fn insert_sending(
    tx: &Tx,
    phone_digest: &str,
    code: &SentCode,
    now: Timestamp,
) -> anyhow::Result<()> {
    let sending = [
        tx.tenant().into(),
        phone_digest.into(),
        (&code.id).into(),
        now.into(),
    ];
    tx.execute(INSERT_SENDING, &sending).await
}

/// Makes a sent code the one that may be used.
pub(crate) async fn replace_code(
    tx: &Tx,
    (phone_digest, purpose): (&str, Purpose),
    code: &SentCode,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        phone_digest.into(),
        purpose.as_str().into(),
        (&code.id).into(),
        (&code.hash).into(),
        code.expires_at.into(),
    ];
    tx.execute(REPLACE_CODE, &parameters).await
}

/// The code of the number for that purpose.
pub(crate) async fn code(
    tx: &Tx,
    phone_digest: &str,
    purpose: Purpose,
) -> anyhow::Result<Option<SentCode>> {
    let parameters = [
        tx.tenant().into(),
        phone_digest.into(),
        purpose.as_str().into(),
    ];
    let row = tx.row(CODE, &parameters).await?;
    row.map(|row| {
        Ok(SentCode {
            id: row.text(0)?.to_owned(),
            hash: row.text(1)?.to_owned(),
            tries: row.integer(2)?,
            expires_at: row.timestamp(3)?,
        })
    })
    .transpose()
}

/// Counts a wrong try.
pub(crate) async fn count_code_try(
    tx: &Tx,
    phone_digest: &str,
    purpose: Purpose,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        phone_digest.into(),
        purpose.as_str().into(),
    ];
    tx.execute(COUNT_TRY, &parameters).await
}

/// Forgets a code that was used.
pub(crate) async fn delete_code(
    tx: &Tx,
    phone_digest: &str,
    purpose: Purpose,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        phone_digest.into(),
        purpose.as_str().into(),
    ];
    tx.execute(DELETE_CODE, &parameters).await
}

/// Forgets the codes and messages of a number.
pub(crate) async fn delete_codes(tx: &Tx, phone: &str, phone_digest: &str) -> anyhow::Result<()> {
    tx.execute(DELETE_CODES, &[tx.tenant().into(), phone_digest.into()])
        .await?;
    tx.execute(DELETE_MESSAGES, &[tx.tenant().into(), phone.into()])
        .await
}

/// Puts a code into the developer's inbox.
pub(crate) async fn insert_message(
    tx: &Tx,
    id: &str,
    (phone, purpose, code): (&Phone, &str, &str),
    now: Timestamp,
) -> anyhow::Result<()> {
    let tenant: &TenantId = tx.tenant();
    let parameters = [
        id.into(),
        tenant.into(),
        phone.as_str().into(),
        purpose.into(),
        code.into(),
        now.into(),
    ];
    tx.execute(INSERT_MESSAGE, &parameters).await
}

/// The newest messages of the developer's inbox, of all tenants.
pub(crate) async fn inbox(db: &impl Read) -> anyhow::Result<Vec<InboxMessage>> {
    let rows = db.rows(INBOX, &[INBOX_ROWS_MAX.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(InboxMessage {
                tenant: row.text(0)?.to_owned(),
                phone: row.text(1)?.to_owned(),
                purpose: row.text(2)?.to_owned(),
                code: row.text(3)?.to_owned(),
                sent_at: row.timestamp(4)?,
            })
        })
        .collect()
}
