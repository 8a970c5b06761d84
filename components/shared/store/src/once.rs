//! The second time, the same answer: a request that carries an idempotency key has its effect once, and its record
//! lives in the transaction of the effect.

use kernel::{Message, Refusal, TenantId, Timestamp};
use sha2::{Digest, Sha256};

use crate::{Db, Error, Read, Tx, bulk, tx};

/// How long an answer is kept, in milliseconds: 48 hours.
pub const RETENTION_MS: i64 = 48 * 60 * 60 * 1_000;

/// The longest key, in characters.
pub const KEY_CHARACTERS_MAX: usize = 255;

/// The most records one sweep removes; the next sweep goes on.
pub const SWEEP_ROWS_MAX: i64 = 500;

/// A request under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    caller: String,
    key: String,
    hash: String,
}

impl Ask {
    /// The request of `caller` under `key`; `content` is everything that makes it this request: method, path, body.
    ///
    /// # Errors
    /// When the key is empty, too long, or not visible ASCII.
    pub fn new(caller: &str, key: &str, content: &[&[u8]]) -> Result<Self, Refusal> {
        if key.is_empty()
            || key.len() > KEY_CHARACTERS_MAX
            || !key.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(Refusal::invalid(
                "idempotency_key_invalid",
                Message::new(
                    format!(
                        "Send an Idempotency-Key of 1 to {KEY_CHARACTERS_MAX} visible ASCII characters, for example a UUID."
                    ),
                    format!(
                        "请使用 1 到 {KEY_CHARACTERS_MAX} 个可见 ASCII 字符作为 Idempotency-Key，例如 UUID。"
                    ),
                ),
            ));
        }
        let mut hash = Sha256::new();
        for part in content {
            // The length keeps ("ab", "c") apart from ("a", "bc").
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        let hash = hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Self {
            caller: caller.to_owned(),
            key: key.to_owned(),
            hash,
        })
    }
}

/// An answer that can be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as it was sent.
    pub body: String,
}

/// Does the work in a transaction and keeps its answer with its effect; or gives the answer that this request had before.
///
/// A request seldom comes twice, so the work is done first, and taken back when there is an answer already. So `work` may
/// be called for a request that was answered before; what it does or refuses then has no effect. When `work` refuses a
/// first request, nothing is stored and it may be tried again. Without a key it is [`tx`].
///
/// # Errors
/// A refusal `idempotency_key_reused` when the key came with another content; the error of `work`; or a failure of
/// the database.
pub async fn once<Work>(
    db: &Db,
    tenant: &TenantId,
    (ask, now): (Option<&Ask>, Timestamp),
    work: Work,
) -> anyhow::Result<Answer>
where
    Work: AsyncFn(&mut Tx) -> anyhow::Result<Answer>,
{
    let done = tx(db, tenant, async |tx| {
        let answer = work(tx).await?;
        if let Some(ask) = ask {
            let is_kept = keep(tx, ask, &answer, now).await?;
            anyhow::ensure!(is_kept, "the request was answered before");
        }
        Ok(answer)
    })
    .await;
    match (done, ask) {
        (Err(error), Some(ask)) if !Error::is_transient(&error) => {
            stored(db, tenant, ask, now).await?.ok_or(error)
        }
        (done, _) => done,
    }
}

/// The stored answer to this request, if there is one.
async fn stored(
    db: &impl Read,
    tenant: &TenantId,
    ask: &Ask,
    now: Timestamp,
) -> anyhow::Result<Option<Answer>> {
    let row = db
        .row(
            "select hash, status, body from once where scope = $1 and request_key = $2 and created_at > $3",
            &[
                scope(tenant, ask).into(),
                (&ask.key).into(),
                now.plus_millis(-RETENTION_MS).into(),
            ],
        )
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    if row.text(0)? != ask.hash {
        return Err(reused().into());
    }
    Ok(Some(Answer {
        status: u16::try_from(row.integer(1)?)?,
        body: row.text(2)?.to_owned(),
    }))
}

/// Stores the answer to this request, unless there is one; whether it was stored.
async fn keep(tx: &Tx, ask: &Ask, answer: &Answer, now: Timestamp) -> anyhow::Result<bool> {
    let row = tx
        .row(
            "insert into once (scope, request_key, hash, status, body, created_at) values ($1, $2, $3, $4, $5, $6)
             on conflict (scope, request_key) do update
             set hash = excluded.hash, status = excluded.status, body = excluded.body, created_at = excluded.created_at
             where once.created_at <= $7
             returning status",
            &[
                scope(tx.tenant(), ask).into(),
                (&ask.key).into(),
                (&ask.hash).into(),
                i64::from(answer.status).into(),
                (&answer.body).into(),
                now.into(),
                now.plus_millis(-RETENTION_MS).into(),
            ],
        )
        .await?;
    Ok(row.is_some())
}

fn scope(tenant: &TenantId, ask: &Ask) -> String {
    format!("{tenant}/{}", ask.caller)
}

/// Removes at most [`SWEEP_ROWS_MAX`] answers that are older than [`RETENTION_MS`]; how many.
///
/// # Errors
/// A failure of the database.
pub async fn sweep(db: &Db, now: Timestamp) -> anyhow::Result<usize> {
    let stale_until = now.plus_millis(-RETENTION_MS);
    bulk(db, async |batch| {
        let removed = batch
            .rows(
                "delete from once where (scope, request_key) in
                    (select o.scope, o.request_key from once o where o.created_at <= $1 order by o.created_at limit $2)
                 returning scope",
                &[stale_until.into(), SWEEP_ROWS_MAX.into()],
            )
            .await?;
        Ok(removed.len())
    })
    .await
}

fn reused() -> Refusal {
    Refusal::invalid(
        "idempotency_key_reused",
        Message::new(
            "This Idempotency-Key was already used for another request: use a new key.",
            "该 Idempotency-Key 已用于其他请求，请使用新的键。",
        ),
    )
}
