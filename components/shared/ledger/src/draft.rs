//! A posting that was checked: what keeps every law that needs no database.

use std::collections::BTreeMap;

use kernel::{Currency, Refusal};
use sha2::{Digest as _, Sha256};

use crate::Side;
use crate::posting::{LEGS_MAX, Leg, Posting};
use crate::refusal::invalid;

const KIND_CHARACTERS_MAX: usize = 64;
const REFERENCE_CHARACTERS_MAX: usize = 200;
const MEMO_CHARACTERS_MAX: usize = 200;

/// A posting with the digest of its content.
pub(crate) struct Draft<'a> {
    pub(crate) posting: &'a Posting,
    /// The transaction that it takes back.
    pub(crate) reverses: Option<i64>,
    pub(crate) content: String,
}

impl<'a> Draft<'a> {
    /// Checks a posting.
    ///
    /// # Errors
    /// A misshaped key, less than two legs, an amount that is not above zero, sides that do not balance.
    pub(crate) fn of(posting: &'a Posting, reverses: Option<i64>) -> Result<Self, Refusal> {
        check_key(&posting.kind, &posting.reference, &posting.memo)?;
        if posting.legs.len() < 2 || posting.legs.len() > LEGS_MAX {
            return Err(invalid(
                "ledger_legs",
                "A transaction has 2 to 400 legs.",
                "一笔交易应有 2 到 400 个分录。",
            ));
        }
        if posting.legs.iter().any(|leg| leg.amount.minor() <= 0) {
            return Err(invalid(
                "ledger_amount",
                "Every leg has an amount above zero; the side says the direction.",
                "每个分录的金额必须大于零，方向由借贷表示。",
            ));
        }
        if !is_balanced(&posting.legs) {
            return Err(invalid(
                "ledger_unbalanced",
                "Debits and credits differ in a currency.",
                "借贷不平衡。",
            ));
        }
        let lines = posting.legs.iter().map(line).collect();
        Ok(Self {
            posting,
            reverses,
            content: content((&posting.kind, &posting.reference), reverses, lines),
        })
    }

    /// The business key.
    pub(crate) fn key(&self) -> (&str, &str) {
        (&self.posting.kind, &self.posting.reference)
    }
}

/// Checks the words of a key.
///
/// # Errors
/// A kind or a reference that is none, a memo that is too long.
pub(crate) fn check_key(kind: &str, reference: &str, memo: &str) -> Result<(), Refusal> {
    let is_kind = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
    };
    let fine = !kind.is_empty()
        && kind.len() <= KIND_CHARACTERS_MAX
        && kind.bytes().all(is_kind)
        && !reference.is_empty()
        && reference.chars().count() <= REFERENCE_CHARACTERS_MAX
        && !reference.chars().any(char::is_control)
        && memo.chars().count() <= MEMO_CHARACTERS_MAX
        && !memo.chars().any(char::is_control);
    if fine {
        return Ok(());
    }
    Err(invalid(
        "ledger_key",
        "A key is a kind of lower-case letters and a reference of at most 200 characters on one line.",
        "业务键由小写类型和不超过 200 个字符的单行编号组成。",
    ))
}

/// The digest of a key and its legs, in whatever order they stand.
pub(crate) fn content(
    (kind, reference): (&str, &str),
    reverses: Option<i64>,
    mut lines: Vec<String>,
) -> String {
    lines.sort_unstable();
    let mut hash = Sha256::new();
    hash.update(format!("{kind}\n{reference}\n"));
    hash.update(format!("{}\n", reverses.unwrap_or_default()));
    for line in lines {
        hash.update(line);
        hash.update("\n");
    }
    hex(&hash.finalize())
}

/// A leg as it stands in the content.
pub(crate) fn leg_line(account: &str, currency: &str, side: Side, amount: i64) -> String {
    format!("{account} {currency} {} {amount}", side.as_str())
}

fn line(leg: &Leg) -> String {
    leg_line(
        leg.account.as_str(),
        leg.amount.currency().as_str(),
        leg.side,
        leg.amount.minor(),
    )
}

fn is_balanced(legs: &[Leg]) -> bool {
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for leg in legs {
        let amount = i128::from(leg.amount.minor());
        let signed = match leg.side {
            Side::Debit => amount,
            Side::Credit => -amount,
        };
        *sums.entry(leg.amount.currency()).or_default() += signed;
    }
    sums.values().all(|sum| *sum == 0)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Account;
    use kernel::{Money, Timestamp};

    fn fen(minor: i64) -> Money {
        Money::new(minor, Currency::Cny)
    }

    fn posting(debit: i64, credit: i64) -> Posting {
        Posting::new("test", "1", Timestamp::EPOCH)
            .debit(Account::bank(), fen(debit))
            .credit(Account::suspense(), fen(credit))
    }

    fn check(posting: &Posting, code: &str) {
        assert_eq!(
            Draft::of(posting, None).err().map(|refusal| refusal.code),
            Some(code)
        );
    }

    #[test]
    fn what_is_no_transaction_is_refused() {
        check(&posting(1, 2), "ledger_unbalanced");
        check(&posting(0, 0), "ledger_amount");
        check(&posting(-1, -1), "ledger_amount");
        check(&Posting::new("test", "1", Timestamp::EPOCH), "ledger_legs");
        let mut misnamed = posting(1, 1);
        misnamed.kind = "Bill".to_owned();
        check(&misnamed, "ledger_key");
        // The sum wraps around in 64 bits and is still no balance.
        let wrapped = posting(i64::MAX, 1)
            .debit(Account::bank(), fen(i64::MAX))
            .debit(Account::bank(), fen(3));
        check(&wrapped, "ledger_unbalanced");
    }

    #[test]
    fn the_order_of_legs_and_the_moment_are_not_content() {
        let forward = posting(5, 5);
        let mut backward = forward.clone();
        backward.legs.reverse();
        backward.at = Timestamp::from_millis(9).unwrap();
        let content = |posting: &Posting| Draft::of(posting, None).ok().map(|draft| draft.content);
        assert_eq!(content(&forward), content(&backward));
        assert_ne!(content(&forward), content(&posting(6, 6)));
    }
}
