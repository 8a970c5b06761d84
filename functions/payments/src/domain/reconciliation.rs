//! A channel's bill of a day against our books, number by number: what matches, what is carried over midnight, and the
//! seven kinds of mistake.

use std::collections::BTreeMap;

use kernel::{Currency, Money, MoneyError, Rounding, Timestamp};

/// How close to midnight something may stand on another day at the other side, in milliseconds.
pub const DRIFT_MS: i64 = 30 * 60 * 1_000;

/// Money in or money back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Movement {
    /// Money in.
    Payment,
    /// Money back.
    Refund,
}

impl Movement {
    /// The name in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
        }
    }

    /// The movement of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Payment, Self::Refund]
            .into_iter()
            .find(|movement| movement.as_str() == text)
    }
}

/// What both sides say of one movement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Our number.
    pub number: String,
    /// In or back.
    pub movement: Movement,
    /// How much, in fen.
    pub amount: i64,
    /// When.
    pub at: Timestamp,
}

/// How a line of a bill stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillStatus {
    /// The money moved.
    Done,
    /// It did not: taken back, closed, failed.
    Undone,
}

/// A line of the channel's bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// What it is about.
    pub entry: Entry,
    /// Whether the money moved.
    pub status: BillStatus,
    /// What the channel charged, in fen; negative where it gave its charge back.
    pub fee: i64,
    /// Whether it was left over from the day before.
    pub carried: bool,
}

/// What our books say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// What it is about.
    pub entry: Entry,
    /// Whether we booked that the money moved.
    pub done: bool,
    /// Whether it belongs to this day or was left over from the day before; else it is only here to be found.
    pub expected: bool,
    /// Whether it was left over from the day before.
    pub carried: bool,
}

/// What a channel charges, in 1/10,000 of the amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(pub i64);

impl Rate {
    /// The charge for an amount, rounded half up once.
    ///
    /// # Errors
    /// Beyond 2^63 fen.
    pub fn fee(self, amount: i64) -> Result<i64, MoneyError> {
        let money = Money::new(amount, Currency::Cny);
        Ok(money.times(self.0, 10_000, Rounding::HalfUp)?.minor())
    }
}

/// The seven kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MistakeKind {
    /// We booked it, the bill has it not.
    MissingAtChannel,
    /// The bill has it, we never heard of it.
    MissingHere,
    /// The channel moved the money, we booked nothing yet.
    StatusShort,
    /// We booked it, the channel did not move the money.
    StatusOver,
    /// We booked less than the channel moved.
    AmountShort,
    /// We booked more than the channel moved.
    AmountOver,
    /// The channel charged something else than agreed.
    FeeMismatch,
}

impl MistakeKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::MissingAtChannel,
        Self::MissingHere,
        Self::StatusShort,
        Self::StatusOver,
        Self::AmountShort,
        Self::AmountOver,
        Self::FeeMismatch,
    ];

    /// The name in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingAtChannel => "missing_at_channel",
            Self::MissingHere => "missing_here",
            Self::StatusShort => "status_short",
            Self::StatusOver => "status_over",
            Self::AmountShort => "amount_short",
            Self::AmountOver => "amount_over",
            Self::FeeMismatch => "fee_mismatch",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// What about it.
    pub kind: MistakeKind,
    /// Our number.
    pub number: String,
    /// In or back.
    pub movement: Movement,
    /// What we say, in fen; the agreed charge for a fee.
    pub ours: Option<i64>,
    /// What the channel says, in fen.
    pub theirs: Option<i64>,
}

/// What came out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// How many agree.
    pub matched: usize,
    /// What does not, in the order of the numbers.
    pub mistakes: Vec<Mistake>,
    /// Lines of the bill that wait for the next day.
    pub carried_bills: Vec<Bill>,
    /// Entries of ours that wait for the next day.
    pub carried_books: Vec<Entry>,
}

/// Holds a bill against the books. `day_end` is the first moment of the next day: what happened shortly before it, and is
/// only on one side, waits for the next day once.
///
/// # Errors
/// A charge beyond 2^63 fen.
pub fn compare(
    bills: Vec<Bill>,
    books: Vec<Booked>,
    rate: Rate,
    day_end: Timestamp,
) -> Result<Compared, MoneyError> {
    let mut compared = Compared::default();
    let drifts = |at: Timestamp| at < day_end && day_end.millis_since(at) <= DRIFT_MS;
    let mut booked: BTreeMap<(String, Movement), Booked> = BTreeMap::new();
    for book in books {
        let key = (book.entry.number.clone(), book.entry.movement);
        let expected = book.expected || booked.get(&key).is_some_and(|other| other.expected);
        let carried = book.carried || booked.get(&key).is_some_and(|other| other.carried);
        booked.insert(
            key,
            Booked {
                expected,
                carried,
                ..book
            },
        );
    }
    for bill in bills {
        let key = (bill.entry.number.clone(), bill.entry.movement);
        match booked.remove(&key) {
            Some(book) => compared.pair(&bill, &book, rate)?,
            None if bill.status == BillStatus::Undone => compared.matched += 1,
            None if !bill.carried && drifts(bill.entry.at) => compared.carried_bills.push(bill),
            None => compared.add(
                MistakeKind::MissingHere,
                &bill.entry,
                (None, Some(bill.entry.amount)),
            ),
        }
    }
    for book in booked
        .into_values()
        .filter(|book| book.expected && book.done)
    {
        if !book.carried && drifts(book.entry.at) {
            compared.carried_books.push(book.entry);
        } else {
            compared.add(
                MistakeKind::MissingAtChannel,
                &book.entry,
                (Some(book.entry.amount), None),
            );
        }
    }
    compared
        .mistakes
        .sort_by(|left, right| (&left.number, left.kind).cmp(&(&right.number, right.kind)));
    Ok(compared)
}

impl Compared {
    fn add(
        &mut self,
        kind: MistakeKind,
        entry: &Entry,
        (ours, theirs): (Option<i64>, Option<i64>),
    ) {
        self.mistakes.push(Mistake {
            kind,
            number: entry.number.clone(),
            movement: entry.movement,
            ours,
            theirs,
        });
    }

    /// Holds one line against one entry.
    fn pair(&mut self, bill: &Bill, book: &Booked, rate: Rate) -> Result<(), MoneyError> {
        let amounts = (Some(book.entry.amount), Some(bill.entry.amount));
        match (book.done, bill.status) {
            (false, BillStatus::Done) => self.add(MistakeKind::StatusShort, &bill.entry, amounts),
            (true, BillStatus::Undone) => self.add(MistakeKind::StatusOver, &bill.entry, amounts),
            (false, BillStatus::Undone) => self.matched += 1,
            (true, BillStatus::Done) => {
                let mut agrees = true;
                if book.entry.amount != bill.entry.amount {
                    agrees = false;
                    let short = book.entry.amount < bill.entry.amount;
                    let kind = if short {
                        MistakeKind::AmountShort
                    } else {
                        MistakeKind::AmountOver
                    };
                    self.add(kind, &bill.entry, amounts);
                }
                let sign = if bill.entry.movement == Movement::Refund {
                    -1
                } else {
                    1
                };
                let agreed = sign * rate.fee(bill.entry.amount)?;
                if agreed != bill.fee {
                    agrees = false;
                    self.add(
                        MistakeKind::FeeMismatch,
                        &bill.entry,
                        (Some(agreed), Some(bill.fee)),
                    );
                }
                self.matched += usize::from(agrees);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "reconciliation_tests.rs"]
mod tests;
