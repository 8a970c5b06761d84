//! Rows become domain values here, and domain values rows, by position. A row that cannot be a value is an error and
//! never a default.

use anyhow::Context as _;
use chrono::NaiveDate;
use kernel::{TenantId, Timestamp, Zone};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Row, Value};
use tariff::Band;
use wire::event::BandUsage;

use crate::domain::{
    Bill, BillState, Billing, CouponValue, Every, Late, LateTerms, Month, Owed, Rule, UsageOf,
};

/// A community's terms from four columns.
pub(crate) fn read_terms(row: &Row, first: usize) -> anyhow::Result<LateTerms> {
    Ok(LateTerms {
        rate_per_100k: row.integer(first)?,
        grace_days: u32::try_from(row.integer(first + 1)?)?,
        cap_percent: row.integer(first + 2)?,
        due_days: u32::try_from(row.integer(first + 3)?)?,
    })
}

/// The day on which the first of a household came, by the community's clocks.
pub(crate) fn moved_in(millis: Option<i64>, zone: Zone) -> Option<NaiveDate> {
    let at = Timestamp::from_millis(millis?).ok()?;
    Some(zone.local(at).date)
}

/// Bands as the database keeps them.
pub(crate) fn bands_text(bands: &[BandUsage]) -> anyhow::Result<String> {
    let bands: Vec<Band> = bands
        .iter()
        .map(|band| Band {
            name: band.name.as_str().to_owned(),
            quantity_milli: band.quantity_milli,
        })
        .collect();
    Ok(serde_json::to_string(&bands)?)
}

/// A usage from the columns after the room or area.
pub(crate) fn read_usage(row: &Row) -> anyhow::Result<UsageOf> {
    Ok(UsageOf {
        quantity_milli: row.integer(1)?,
        bands: serde_json::from_str(row.text(2)?)?,
        mark: format!("{}.{}", row.text(3)?, row.integer(4)?),
        estimated: row.boolean(5)?,
        used_milli: 0,
    })
}

/// Every how many months a rule bills, from three columns.
fn read_billing(row: &Row, first: usize) -> anyhow::Result<Billing> {
    let months = row.integer(first)?;
    let every = Every::ALL
        .into_iter()
        .find(|every| i64::from(every.months()) == months);
    Ok(Billing {
        every: every.with_context(|| format!("a rule bills every {months} months"))?,
        from_month: u32::try_from(row.integer(first + 1)?)?,
        in_advance: row.boolean(first + 2)?,
    })
}

/// A rule from its columns; see the statement `RULE`.
pub(crate) fn read_rule(row: &Row) -> anyhow::Result<Rule> {
    Ok(Rule {
        id: row.id(0)?,
        community: row.id(1)?,
        name: row.text(2)?.to_owned(),
        charge: serde_json::from_str(row.text(3)?).context("reading the charge of a rule")?,
        scope: serde_json::from_str(row.text(4)?).context("reading the scope of a rule")?,
        rounding: serde_json::from_str(row.text(5)?).context("reading the rounding of a rule")?,
        first_day: date(row, 6)?,
        until_day: optional_date(row, 7)?,
        version: row.integer(8)?,
        billing: read_billing(row, 11)?,
    })
}

/// A bill from its twenty-two columns; see the statement `BILL`.
pub(crate) fn read_bill(row: &Row) -> anyhow::Result<Bill> {
    let state = row.text(9)?;
    Ok(Bill {
        id: row.id(0)?,
        community: row.id(1)?,
        room: row.id(2)?,
        rule: row.text(3)?.to_owned(),
        rule_version: row.integer(4)?,
        title: row.text(5)?.to_owned(),
        period: Month::parse(row.text(6)?)?,
        version: row.integer(7)?,
        run: row.optional_id(8)?,
        state: BillState::parse(state).with_context(|| format!("a bill is {state:?}"))?,
        amount_fen: row.integer(10)?,
        basis: serde_json::from_str(row.text(11)?).context("reading what a bill is made of")?,
        mark: row.text(12)?.to_owned(),
        discount_fen: row.integer(13)?,
        paid_fen: row.integer(14)?,
        late: Late {
            fixed_fen: row.integer(15)?,
            paid_fen: row.integer(16)?,
            waived_fen: row.integer(17)?,
            since: optional_date(row, 18)?,
        },
        due_on: optional_date(row, 19)?,
        published_at: row.optional_timestamp(20)?,
        months: u32::try_from(row.integer(21)?)?,
    })
}

/// The columns of a new bill, in the order of the statement `INSERT_BILL`.
pub(crate) fn bill_values(tenant: &TenantId, bill: &Bill) -> Vec<Value> {
    vec![
        tenant.into(),
        (&bill.id).into(),
        (&bill.community).into(),
        (&bill.room).into(),
        (&bill.rule).into(),
        bill.rule_version.into(),
        (&bill.title).into(),
        bill.period.to_string().into(),
        bill.version.into(),
        bill.run.as_ref().into(),
        bill.state.as_str().into(),
        bill.amount_fen.into(),
        bill.basis.to_string().into(),
        (&bill.mark).into(),
        0.into(),
        0.into(),
        0.into(),
        0.into(),
        0.into(),
        text(bill.due_on).into(),
        bill.published_at.into(),
        i64::from(bill.months).into(),
    ]
}

/// What a coupon is worth, as the database keeps it and as it is shown.
pub(crate) fn worth(value: CouponValue) -> serde_json::Value {
    match value {
        CouponValue::AmountMinor(amount_minor) => json!({"amount_minor": amount_minor}),
        CouponValue::Percent { percent, cap_minor } => {
            json!({"percent": {"percent": percent, "cap_minor": cap_minor}})
        }
    }
}

/// A date as text, or nothing.
pub(crate) fn text(date: Option<NaiveDate>) -> Option<String> {
    date.map(|date| date.to_string())
}

/// The date at that position.
pub(crate) fn date(row: &Row, position: usize) -> anyhow::Result<NaiveDate> {
    let text = row.text(position)?;
    text.parse()
        .with_context(|| format!("column {position} is {text:?}, expected a date"))
}

fn optional_date(row: &Row, position: usize) -> anyhow::Result<Option<NaiveDate>> {
    match row.optional_text(position)? {
        None => Ok(None),
        Some(_) => date(row, position).map(Some),
    }
}

/// One line of a quote as the database keeps it.
#[derive(Serialize, Deserialize)]
struct QuotedLine {
    bill: kernel::BillId,
    principal_minor: i64,
    late_minor: i64,
}

/// A quote as the database keeps it.
pub(crate) fn quote_text(quoted: &[Owed]) -> anyhow::Result<String> {
    let lines: Vec<QuotedLine> = quoted
        .iter()
        .map(|owed| QuotedLine {
            bill: owed.bill.clone(),
            principal_minor: owed.principal_fen,
            late_minor: owed.late_fen,
        })
        .collect();
    Ok(serde_json::to_string(&lines)?)
}

/// A quote out of the database.
pub(crate) fn read_quote(text: &str) -> anyhow::Result<Vec<Owed>> {
    let lines: Vec<QuotedLine> = serde_json::from_str(text)?;
    Ok(lines
        .into_iter()
        .map(|line| Owed {
            bill: line.bill,
            principal_fen: line.principal_minor,
            late_fen: line.late_minor,
        })
        .collect())
}
