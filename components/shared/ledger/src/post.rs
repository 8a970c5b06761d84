//! Posting and reversing.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use kernel::{Currency, TransactionId};
use store::{INSERT_ROWS_MAX, Tx, Value};

use crate::draft::Draft;
use crate::posting::{Key, Leg, Posting};
use crate::{Account, Side, guard, refusal, sql};

/// A transaction in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Its id: its place in the tenant's books.
    pub id: TransactionId,
    /// Whether it was posted by this call; otherwise it is the earlier one of the same key and content.
    pub fresh: bool,
}

/// Posts one transaction. Under the same key again it changes nothing.
///
/// # Errors
/// A refusal: unbalanced, the key was used for other content, a guarded account lacks the money. Or a failure of the
/// database.
pub async fn post(tx: &Tx, posting: &Posting) -> anyhow::Result<Posted> {
    let posted = post_many(tx, std::slice::from_ref(posting)).await?;
    posted
        .into_iter()
        .next()
        .context("a posting was not posted")
}

/// Posts many transactions with few statements, as if one after another: all of them, or none.
///
/// # Errors
/// As [`post`], of the first that is refused.
pub async fn post_many(tx: &Tx, postings: &[Posting]) -> anyhow::Result<Vec<Posted>> {
    let drafts = postings.iter().map(|posting| Draft::of(posting, None));
    let drafts = drafts.collect::<Result<Vec<_>, _>>()?;
    write(tx, &drafts).await
}

/// Takes a transaction back: the same legs on the other sides, under a key of its own. Once.
///
/// # Errors
/// A refusal: unknown, reversed before, a reversal itself, a guarded account lacks the money. Or a failure of the
/// database.
pub async fn reverse(tx: &Tx, id: &TransactionId, key: &Key) -> anyhow::Result<Posted> {
    let posted = reverse_many(tx, &[(id.clone(), key.clone())]).await?;
    posted
        .into_iter()
        .next()
        .context("a reversal was not posted")
}

/// Takes many transactions back, all or none.
///
/// # Errors
/// As [`reverse`], of the first that is refused.
pub async fn reverse_many(
    tx: &Tx,
    reversals: &[(TransactionId, Key)],
) -> anyhow::Result<Vec<Posted>> {
    let mut postings = Vec::with_capacity(reversals.len());
    for (id, key) in reversals {
        let seq = seq_of(id).ok_or_else(refusal::unknown_transaction)?;
        postings.push((seq, mirrored(tx, seq, key).await?));
    }
    let drafts = postings
        .iter()
        .map(|(seq, posting)| Draft::of(posting, Some(*seq)));
    let drafts = drafts.collect::<Result<Vec<_>, _>>()?;
    let known = known(tx, &drafts).await?;
    let mut taken = BTreeSet::new();
    for ((seq, _), draft) in postings.iter().zip(&drafts) {
        if known.contains_key(&owned(draft.key())) {
            continue;
        }
        let reversed = tx
            .row(sql::REVERSAL_OF, &[tx.tenant().into(), (*seq).into()])
            .await?;
        if reversed.is_some() || !taken.insert(*seq) {
            return Err(refusal::already_reversed().into());
        }
    }
    write(tx, &drafts).await
}

/// The posting that takes the transaction back.
async fn mirrored(tx: &Tx, seq: i64, key: &Key) -> anyhow::Result<Posting> {
    let row = tx
        .row(sql::TRANSACTION, &[tx.tenant().into(), seq.into()])
        .await?;
    let row = row.ok_or_else(refusal::unknown_transaction)?;
    if row.optional_integer(5)?.is_some() {
        return Err(refusal::is_reversal().into());
    }
    let limit = i64::try_from(crate::LEGS_MAX)?;
    let parameters = [
        tx.tenant().into(),
        seq.into(),
        Value::from(-1),
        seq.into(),
        limit.into(),
    ];
    let mut legs = Vec::new();
    for row in tx.rows(sql::LEGS, &parameters).await? {
        let leg = read_leg(&row)?;
        legs.push(Leg {
            side: leg.side.other(),
            ..leg
        });
    }
    Ok(Posting {
        kind: key.kind.clone(),
        reference: key.reference.clone(),
        at: key.at,
        memo: key.memo.clone(),
        legs,
    })
}

/// A leg from the columns of the statement `LEGS`.
pub(crate) fn read_leg(row: &store::Row) -> anyhow::Result<Leg> {
    let currency = Currency::parse(row.text(3)?).context("a leg's currency is none")?;
    Ok(Leg {
        account: row.id::<Account>(2)?,
        side: Side::parse(row.text(4)?).context("a leg's side is none")?,
        amount: kernel::Money::new(row.integer(5)?, currency),
    })
}

type OwnedKey = (String, String);

/// A transaction that holds a key already.
struct Known {
    seq: i64,
    content: String,
}

fn owned((kind, reference): (&str, &str)) -> OwnedKey {
    (kind.to_owned(), reference.to_owned())
}

/// Which of these keys are in the books.
async fn known(tx: &Tx, drafts: &[Draft<'_>]) -> anyhow::Result<BTreeMap<OwnedKey, Known>> {
    let mut by_kind: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for draft in drafts {
        let (kind, reference) = draft.key();
        by_kind.entry(kind).or_default().push(reference);
    }
    let mut found = BTreeMap::new();
    for (kind, references) in by_kind {
        for chunk in references.chunks(INSERT_ROWS_MAX) {
            let mut parameters: Vec<Value> = vec![tx.tenant().into(), kind.into()];
            parameters.extend(chunk.iter().map(|reference| Value::from(*reference)));
            let statement = sql::with_list(sql::KNOWN, 3, chunk.len());
            for row in tx.rows(&statement, &parameters).await? {
                let known = Known {
                    seq: row.integer(2)?,
                    content: row.text(3)?.to_owned(),
                };
                found.insert((row.text(0)?.to_owned(), row.text(1)?.to_owned()), known);
            }
        }
    }
    Ok(found)
}

/// Writes what is new among the drafts.
pub(crate) async fn write(tx: &Tx, drafts: &[Draft<'_>]) -> anyhow::Result<Vec<Posted>> {
    let mut taken = known(tx, drafts).await?;
    let head = tx.row(sql::HEAD, &[tx.tenant().into()]).await?;
    let before = head.map_or(Ok(0), |row| row.integer(0))?;
    let mut fresh: Vec<(i64, &Draft<'_>)> = Vec::new();
    let mut answers = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let (kind, reference) = draft.key();
        let (seq, is_fresh) = match taken.get(&owned((kind, reference))) {
            Some(known) if known.content == draft.content => (known.seq, false),
            Some(_) => return Err(refusal::key_reused(kind, reference).into()),
            None => {
                let seq = before + i64::try_from(fresh.len())? + 1;
                let content = draft.content.clone();
                taken.insert(owned((kind, reference)), Known { seq, content });
                fresh.push((seq, draft));
                (seq, true)
            }
        };
        answers.push(Posted {
            id: id_of(seq)?,
            fresh: is_fresh,
        });
    }
    if !fresh.is_empty() {
        insert(tx, before, &fresh).await?;
    }
    Ok(answers)
}

async fn insert(tx: &Tx, before: i64, fresh: &[(i64, &Draft<'_>)]) -> anyhow::Result<()> {
    let count = i64::try_from(fresh.len())?;
    let reserved = tx
        .row(sql::RESERVE, &[tx.tenant().into(), count.into()])
        .await?;
    let head = reserved
        .context("the ledger's head answered nothing")?
        .integer(0)?;
    // The tenant's lock is held, so nobody posted in between.
    anyhow::ensure!(
        head == before + count,
        "the ledger's head moved inside a transaction"
    );
    open_accounts(tx, fresh).await?;
    let transactions: Vec<Vec<Value>> = fresh
        .iter()
        .map(|(seq, draft)| transaction_values(tx, *seq, draft))
        .collect();
    tx.insert_many(sql::INSERT_TRANSACTIONS, &transactions)
        .await?;
    let mut legs = Vec::with_capacity(fresh.len() * 2);
    for (seq, draft) in fresh {
        for (number, leg) in (0_i64..).zip(&draft.posting.legs) {
            legs.push(leg_values(tx, (*seq, number), leg));
        }
    }
    tx.insert_many(sql::INSERT_LEGS, &legs).await?;
    let legs = fresh.iter().map(|(_, draft)| draft.posting.legs.as_slice());
    guard::post(tx, &legs.collect::<Vec<_>>()).await
}

fn transaction_values(tx: &Tx, seq: i64, draft: &Draft<'_>) -> Vec<Value> {
    let posting = draft.posting;
    vec![
        tx.tenant().into(),
        seq.into(),
        (&posting.kind).into(),
        (&posting.reference).into(),
        posting.at.into(),
        (&posting.memo).into(),
        draft.reverses.into(),
        (&draft.content).into(),
    ]
}

fn leg_values(tx: &Tx, (seq, number): (i64, i64), leg: &Leg) -> Vec<Value> {
    vec![
        tx.tenant().into(),
        seq.into(),
        number.into(),
        leg.account.as_str().into(),
        leg.amount.currency().as_str().into(),
        leg.side.as_str().into(),
        leg.amount.minor().into(),
    ]
}

/// Makes the accounts that are used for the first time, in the order of their names.
async fn open_accounts(tx: &Tx, fresh: &[(i64, &Draft<'_>)]) -> anyhow::Result<()> {
    let mut used = BTreeMap::new();
    for (_, draft) in fresh {
        for leg in &draft.posting.legs {
            used.entry((&leg.account, leg.amount.currency()))
                .or_insert(draft.posting.at);
        }
    }
    let rows: Vec<Vec<Value>> = used
        .into_iter()
        .map(|((account, currency), at)| account_values(tx, account, currency, at))
        .collect();
    tx.insert_many(sql::OPEN_ACCOUNTS, &rows).await
}

/// A new account, on which nothing stands.
pub(crate) fn account_values(
    tx: &Tx,
    account: &Account,
    currency: Currency,
    at: kernel::Timestamp,
) -> Vec<Value> {
    let kind = account.kind();
    let zero = || Value::from(0);
    vec![
        tx.tenant().into(),
        account.as_str().into(),
        currency.as_str().into(),
        kind.as_str().into(),
        kind.normal().as_str().into(),
        kind.is_guarded().into(),
        zero(),
        zero(),
        zero(),
        zero(),
        at.into(),
    ]
}

/// The id of the transaction at that place.
pub(crate) fn id_of(seq: i64) -> anyhow::Result<TransactionId> {
    Ok(TransactionId::parse(&seq.to_string())?)
}

/// The place of the transaction of that id; nothing when it is none of ours.
pub(crate) fn seq_of(id: &TransactionId) -> Option<i64> {
    let seq: i64 = id.as_str().parse().ok()?;
    (seq > 0 && seq.to_string() == id.as_str()).then_some(seq)
}
