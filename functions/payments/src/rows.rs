//! Rows become domain values here, by position. A row that cannot be a value is an error and never a default.

use anyhow::Context as _;
use kernel::{Currency, Money};
use store::Row;

use crate::domain::{
    Attempt, AttemptState, Channel, Closed, Entry, Movement, Payment, PaymentState, Refund,
    RefundState,
};

/// A payment from its seventeen columns; see the statement `PAYMENT`.
pub(crate) fn read_payment(row: &Row) -> anyhow::Result<Payment> {
    Ok(Payment {
        id: row.id(0)?,
        purpose: row.text(1)?.to_owned(),
        payer: row.id(2)?,
        community: row.id(3)?,
        amount: money(row, 4)?,
        subject: row.text(6)?.to_owned(),
        reference: row.text(7)?.to_owned(),
        created_at: row.timestamp(8)?,
        expires_at: row.timestamp(9)?,
        state: match row.text(10)? {
            "open" => PaymentState::Open,
            "succeeded" => PaymentState::Succeeded {
                attempt: row.text(12)?.to_owned(),
                paid_at: row.timestamp(13)?,
                transaction: row.id(14)?,
            },
            "closed" => PaymentState::Closed(match row.text(11)? {
                "expired" => Closed::Expired,
                "cancelled" => Closed::Cancelled,
                other => anyhow::bail!("a payment is closed for {other:?}"),
            }),
            other => anyhow::bail!("a payment's state is {other:?}"),
        },
        refunded: row.integer(15)?,
        direct: row.integer(16)?,
    })
}

/// An attempt from its thirteen columns; see the statement `ATTEMPT`.
pub(crate) fn read_attempt(row: &Row) -> anyhow::Result<Attempt> {
    Ok(Attempt {
        id: row.text(0)?.to_owned(),
        payment: row.id(1)?,
        channel: channel(row, 2)?,
        number: row.text(3)?.to_owned(),
        amount: fen(row, 4)?,
        created_at: row.timestamp(5)?,
        state: AttemptState::parse(row.text(6)?).context("an attempt's state is none")?,
        code_url: row.optional_text(7)?.map(str::to_owned),
        reason: row.optional_text(8)?.map(str::to_owned),
        channel_transaction: row.optional_text(9)?.map(str::to_owned),
        paid_at: row.optional_timestamp(10)?,
        due_at: row.optional_timestamp(11)?,
        polls: u32::try_from(row.integer(12)?)?,
    })
}

/// A refund from its eighteen columns; see the statement `REFUND`.
pub(crate) fn read_refund(row: &Row) -> anyhow::Result<Refund> {
    Ok(Refund {
        id: row.id(0)?,
        payment: row.id(1)?,
        attempt: row.text(2)?.to_owned(),
        channel: channel(row, 3)?,
        number: row.text(4)?.to_owned(),
        attempt_number: row.text(5)?.to_owned(),
        attempt_amount: fen(row, 6)?,
        amount: fen(row, 7)?,
        reason: row.text(8)?.to_owned(),
        automatic: row.boolean(9)?,
        created_at: row.timestamp(10)?,
        state: match row.text(11)? {
            "requested" => RefundState::Requested,
            "sent" => RefundState::Sent,
            "succeeded" => RefundState::Succeeded {
                channel_refund: row.text(13)?.to_owned(),
                at: row.timestamp(14)?,
            },
            "failed" => RefundState::Failed(row.text(12)?.to_owned()),
            other => anyhow::bail!("a refund's state is {other:?}"),
        },
        due_at: row.optional_timestamp(15)?,
        tries: u32::try_from(row.integer(16)?)?,
        direct: row.integer(17)?,
    })
}

/// What stands at `number, movement, amount, at`, from that position on.
pub(crate) fn read_entry(row: &Row, from: usize) -> anyhow::Result<Entry> {
    Ok(Entry {
        number: row.text(from)?.to_owned(),
        movement: Movement::parse(row.text(from + 1)?).context("a movement is none")?,
        amount: row.integer(from + 2)?,
        at: row.timestamp(from + 3)?,
    })
}

pub(crate) fn channel(row: &Row, position: usize) -> anyhow::Result<Channel> {
    Channel::parse(row.text(position)?).context("a channel is none")
}

fn fen(row: &Row, position: usize) -> anyhow::Result<Money> {
    Ok(Money::new(row.integer(position)?, Currency::Cny))
}

fn money(row: &Row, position: usize) -> anyhow::Result<Money> {
    let currency = Currency::parse(row.text(position + 1)?).context("a currency is none")?;
    Ok(Money::new(row.integer(position)?, currency))
}
