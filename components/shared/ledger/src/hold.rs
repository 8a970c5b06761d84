//! Money set aside before it moves: held, then posted whole or in part, let go, or expired. Once.

use anyhow::Context as _;
use kernel::{Currency, HoldId, Money, TenantId, Timestamp};
use sha2::{Digest as _, Sha256};
use store::{Read, Tx, Value};

use crate::draft::{Draft, check_key, hex};
use crate::guard::{Movement, shift};
use crate::post::{Posted, account_values, id_of, write};
use crate::posting::Posting;
use crate::{Account, refusal, sql};

/// The most holds that one call of [`expire_holds`] ends.
pub const HOLDS_EXPIRED_MAX: i64 = 200;

/// Money to be set aside: from one account for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// What it is for; the transaction that settles it has the same key.
    pub kind: String,
    /// Which one.
    pub reference: String,
    /// What will be debited; of a guarded account, no more is held than is available.
    pub debit: Account,
    /// What will be credited.
    pub credit: Account,
    /// How much.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
    /// From when on it can no longer be posted.
    pub expires_at: Timestamp,
    /// What people read.
    pub memo: String,
}

/// A hold in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub id: HoldId,
    /// Whether this call made it; otherwise it is the earlier one of the same key and content.
    pub fresh: bool,
}

/// Sets money aside.
///
/// # Errors
/// A refusal: not enough is available, the key was used for other content. Or a failure of the database.
pub async fn hold(tx: &Tx, hold: &Hold) -> anyhow::Result<Held> {
    check_key(&hold.kind, &hold.reference, &hold.memo)?;
    if hold.amount.minor() <= 0 || hold.debit == hold.credit {
        return Err(refusal::invalid(
            "ledger_amount",
            "A hold has an amount above zero between two accounts.",
            "冻结金额必须大于零，且借贷账户不同。",
        )
        .into());
    }
    let id = hold_id(&hold.kind, &hold.reference)?;
    let currency = hold.amount.currency();
    let key = [
        tx.tenant().into(),
        (&hold.kind).into(),
        (&hold.reference).into(),
    ];
    if let Some(row) = tx.row(sql::KNOWN_HOLD, &key).await? {
        let same = row.text(1)? == hold.debit.as_str()
            && row.text(2)? == hold.credit.as_str()
            && row.text(3)? == currency.as_str()
            && row.integer(4)? == hold.amount.minor();
        if !same {
            return Err(refusal::key_reused(&hold.kind, &hold.reference).into());
        }
        return Ok(Held { id, fresh: false });
    }
    let posted = sql::with_list(sql::KNOWN, 3, 1);
    if tx.row(&posted, &key).await?.is_some() {
        return Err(refusal::key_reused(&hold.kind, &hold.reference).into());
    }
    let mut accounts = [&hold.debit, &hold.credit];
    accounts.sort();
    let opened: Vec<Vec<Value>> = accounts
        .iter()
        .map(|account| account_values(tx, account, currency, hold.at))
        .collect();
    tx.insert_many(sql::OPEN_ACCOUNTS, &opened).await?;
    tx.execute(sql::INSERT_HOLD, &hold_values(tx, &id, hold))
        .await?;
    set_aside(
        tx,
        (&hold.debit, &hold.credit),
        hold.amount,
        hold.amount.minor(),
    )
    .await?;
    Ok(Held { id, fresh: true })
}

/// Posts what was held, whole without an amount, else that much of it; the rest is available again.
///
/// # Errors
/// A refusal: unknown, ended otherwise or expired, more than was held. Or a failure of the database.
pub async fn settle(
    tx: &Tx,
    id: &HoldId,
    amount: Option<Money>,
    at: Timestamp,
) -> anyhow::Result<Posted> {
    let held = load(tx, id).await?;
    let amount = amount.unwrap_or(held.amount);
    if let State::Posted { seq, posted } = &held.state
        && amount == Money::new(*posted, held.amount.currency())
    {
        return Ok(Posted {
            id: id_of(*seq)?,
            fresh: false,
        });
    }
    held.open(at)?;
    if amount.minor() <= 0
        || amount.minor() > held.amount.minor()
        || amount.currency() != held.amount.currency()
    {
        return Err(refusal::invalid(
            "hold_amount",
            "Post something above zero, and at most what is held.",
            "入账金额必须大于零且不超过冻结金额。",
        )
        .into());
    }
    set_aside(
        tx,
        (&held.debit, &held.credit),
        held.amount,
        -held.amount.minor(),
    )
    .await?;
    let posting = Posting::new(&held.kind, &held.reference, at)
        .memo(&held.memo)
        .debit(held.debit.clone(), amount)
        .credit(held.credit.clone(), amount);
    let posted = write(tx, &[Draft::of(&posting, None)?]).await?;
    let posted = posted.into_iter().next().context("a hold was not posted")?;
    let seq = crate::post::seq_of(&posted.id);
    end(tx, id, ("posted", seq, Some(amount.minor())), at).await?;
    Ok(posted)
}

/// Lets go what was held. Again changes nothing.
///
/// # Errors
/// A refusal: unknown, or posted. Or a failure of the database.
pub async fn void(tx: &Tx, id: &HoldId, at: Timestamp) -> anyhow::Result<()> {
    let held = load(tx, id).await?;
    match held.state {
        State::Voided => return Ok(()),
        State::Posted { .. } | State::Expired => held.open(at)?,
        State::Held => {}
    }
    set_aside(
        tx,
        (&held.debit, &held.credit),
        held.amount,
        -held.amount.minor(),
    )
    .await?;
    end(tx, id, ("voided", None, None), at).await
}

/// Ends holds of the tenant whose time is over, at most [`HOLDS_EXPIRED_MAX`]; how many.
///
/// # Errors
/// A failure of the database.
pub async fn expire_holds(tx: &Tx, now: Timestamp) -> anyhow::Result<usize> {
    let parameters = [tx.tenant().into(), now.into(), HOLDS_EXPIRED_MAX.into()];
    let due = tx.rows(sql::HOLDS_DUE, &parameters).await?;
    for row in &due {
        let id: HoldId = row.id(0)?;
        let held = load(tx, &id).await?;
        set_aside(
            tx,
            (&held.debit, &held.credit),
            held.amount,
            -held.amount.minor(),
        )
        .await?;
        end(tx, &id, ("expired", None, None), now).await?;
    }
    Ok(due.len())
}

/// Whose holds are to be ended.
///
/// # Errors
/// A failure of the database.
pub async fn tenants_with_expired(db: &impl Read, now: Timestamp) -> anyhow::Result<Vec<TenantId>> {
    let rows = db
        .rows(
            sql::TENANTS_WITH_HOLDS_DUE,
            &[now.into(), HOLDS_EXPIRED_MAX.into()],
        )
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

enum State {
    Held,
    Posted { seq: i64, posted: i64 },
    Voided,
    Expired,
}

struct Loaded {
    kind: String,
    reference: String,
    debit: Account,
    credit: Account,
    amount: Money,
    memo: String,
    expires_at: Timestamp,
    state: State,
}

impl Loaded {
    /// Whether it can still be ended.
    fn open(&self, at: Timestamp) -> Result<(), kernel::Refusal> {
        match self.state {
            State::Held if at < self.expires_at => Ok(()),
            State::Held | State::Expired => Err(refusal::hold_ended("expired")),
            State::Posted { .. } => Err(refusal::hold_ended("posted")),
            State::Voided => Err(refusal::hold_ended("voided")),
        }
    }
}

async fn load(tx: &Tx, id: &HoldId) -> anyhow::Result<Loaded> {
    let row = tx.row(sql::HOLD, &[tx.tenant().into(), id.into()]).await?;
    let row = row.ok_or_else(refusal::unknown_hold)?;
    let currency = Currency::parse(row.text(4)?).context("a hold's currency is none")?;
    Ok(Loaded {
        kind: row.text(0)?.to_owned(),
        reference: row.text(1)?.to_owned(),
        debit: row.id(2)?,
        credit: row.id(3)?,
        amount: Money::new(row.integer(5)?, currency),
        memo: row.text(6)?.to_owned(),
        expires_at: row.timestamp(7)?,
        state: match row.text(8)? {
            "held" => State::Held,
            "posted" => State::Posted {
                seq: row.integer(9)?,
                posted: row.integer(10)?,
            },
            "voided" => State::Voided,
            "expired" => State::Expired,
            other => anyhow::bail!("a hold's state is {other:?}"),
        },
    })
}

/// Moves what is held on both accounts, in the order of their names.
async fn set_aside(
    tx: &Tx,
    (debit, credit): (&Account, &Account),
    amount: Money,
    held: i64,
) -> anyhow::Result<()> {
    let debits = Movement {
        held_debits: held,
        ..Movement::default()
    };
    let credits = Movement {
        held_credits: held,
        ..Movement::default()
    };
    let mut moves = [(debit, debits), (credit, credits)];
    moves.sort_by_key(|(account, _)| *account);
    for (account, movement) in moves {
        shift(tx, account, amount.currency(), movement).await?;
    }
    Ok(())
}

async fn end(
    tx: &Tx,
    id: &HoldId,
    (state, seq, posted): (&str, Option<i64>, Option<i64>),
    at: Timestamp,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        id.into(),
        state.into(),
        seq.into(),
        posted.into(),
        at.into(),
    ];
    let ended = tx.row(sql::END_HOLD, &parameters).await?;
    ended
        .map(|_| ())
        .ok_or_else(|| refusal::hold_ended("over").into())
}

fn hold_values(tx: &Tx, id: &HoldId, hold: &Hold) -> [Value; 11] {
    [
        tx.tenant().into(),
        id.into(),
        (&hold.kind).into(),
        (&hold.reference).into(),
        hold.debit.as_str().into(),
        hold.credit.as_str().into(),
        hold.amount.currency().as_str().into(),
        hold.amount.minor().into(),
        (&hold.memo).into(),
        hold.at.into(),
        hold.expires_at.into(),
    ]
}

/// The id that belongs to the key.
fn hold_id(kind: &str, reference: &str) -> anyhow::Result<HoldId> {
    let digest = hex(&Sha256::digest(format!("{kind}\n{reference}")));
    let id: String = digest.chars().take(32).collect();
    Ok(HoldId::parse(&id)?)
}
