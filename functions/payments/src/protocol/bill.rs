//! WeChat Pay's bill of a day: lines of values that each begin with a back quote, with sums at the end.

use anyhow::Context as _;
use chrono::{NaiveDate, NaiveDateTime};
use kernel::{Timestamp, Zone};

use super::yuan;
use crate::domain::{Bill, BillStatus, Entry, Movement};

/// The columns of a bill of all transactions.
const COLUMNS: [&str; 27] = [
    "交易时间",
    "公众账号ID",
    "商户号",
    "特约商户号",
    "设备号",
    "微信订单号",
    "商户订单号",
    "用户标识",
    "交易类型",
    "交易状态",
    "付款银行",
    "货币种类",
    "应结订单金额",
    "代金券金额",
    "微信退款单号",
    "商户退款单号",
    "退款金额",
    "充值券退款金额",
    "退款类型",
    "退款状态",
    "商品名称",
    "商户数据包",
    "手续费",
    "费率",
    "订单金额",
    "申请退款金额",
    "费率备注",
];

/// China's clocks, in milliseconds before UTC.
const CHINA_MS: i64 = 8 * 60 * 60 * 1_000;

/// A line as the channel knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// The app.
    pub app: String,
    /// The merchant.
    pub merchant: String,
    /// The platform's number of the payment.
    pub transaction: String,
    /// Our number of the payment.
    pub number: String,
    /// `SUCCESS`, `REFUND` or `REVOKED`.
    pub state: String,
    /// What the payment was, in fen.
    pub amount: i64,
    /// Of a refund: our number, how much, and how it stands.
    pub refund: Option<(String, i64, String)>,
    /// What we gave along.
    pub attach: String,
    /// The charge in fen, which is written with five places; negative where it is given back.
    pub fee: i64,
}

impl Line {
    /// The line for reconciliation.
    #[must_use]
    pub fn into_bill(self) -> Bill {
        let (number, movement, amount, done) = match self.refund {
            Some((number, amount, state)) => (number, Movement::Refund, amount, state == "SUCCESS"),
            None => (
                self.number,
                Movement::Payment,
                self.amount,
                self.state != "REVOKED",
            ),
        };
        Bill {
            entry: Entry {
                number,
                movement,
                amount,
                at: self.at,
            },
            status: if done {
                BillStatus::Done
            } else {
                BillStatus::Undone
            },
            fee: self.fee,
            carried: false,
        }
    }

    fn write(&self) -> anyhow::Result<String> {
        let local = chrono::DateTime::from_timestamp_millis(self.at.millis() + CHINA_MS)
            .context("writing a time")?;
        let (refund, refunded, state) = match &self.refund {
            Some((number, amount, state)) => (number.as_str(), *amount, state.as_str()),
            None => ("0", 0, ""),
        };
        let [amount, refunded] = [self.amount, refunded].map(yuan::from_fen);
        let fee = format!("{}000", yuan::from_fen(self.fee));
        let time = local.format("%Y-%m-%d %H:%M:%S").to_string();
        let zero = "0.00";
        let values: [&str; 27] = [
            &time,
            &self.app,
            &self.merchant,
            "0",
            "",
            &self.transaction,
            &self.number,
            "",
            "NATIVE",
            &self.state,
            "OTHERS",
            "CNY",
            &amount,
            zero,
            "0",
            refund,
            &refunded,
            zero,
            "",
            state,
            "",
            &self.attach,
            &fee,
            "0.60%",
            &amount,
            &refunded,
            "",
        ];
        let quoted: Vec<String> = values.iter().map(|value| format!("`{value}")).collect();
        Ok(quoted.join(","))
    }
}

/// A whole bill.
///
/// # Errors
/// Never in practice: every moment has a date.
pub fn write(lines: &[Line]) -> anyhow::Result<String> {
    let mut text = COLUMNS.join(",");
    for line in lines {
        text.push_str("\r\n");
        text.push_str(&line.write()?);
    }
    let paid: i64 = lines
        .iter()
        .filter(|line| line.refund.is_none())
        .map(|line| line.amount)
        .sum();
    let back: i64 = lines
        .iter()
        .filter_map(|line| line.refund.as_ref())
        .map(|refund| refund.1)
        .sum();
    let fees: i64 = lines.iter().map(|line| line.fee).sum();
    let [paid, back, fees] = [paid, back, fees].map(yuan::from_fen);
    let count = lines.len();
    text.push_str("\r\n总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n");
    text.push_str(&format!(
        "`{count},`{paid},`{back},`0.00,`{fees},`{paid},`{back}\r\n"
    ));
    Ok(text)
}

/// The lines of a bill.
///
/// # Errors
/// A line of another shape, an amount or a time that is none, or another number of lines than the sums say.
pub fn read(text: &str) -> anyhow::Result<Vec<Line>> {
    let mut rows = text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(|row| row.trim_end_matches('\r'));
    let head = rows.next().context("an empty bill")?;
    let columns: Vec<&str> = head.split(',').collect();
    let place = |name: &str| {
        let found = columns.iter().position(|column| *column == name);
        found.with_context(|| format!("the bill has no column {name}"))
    };
    let places = [
        "交易时间",
        "公众账号ID",
        "商户号",
        "微信订单号",
        "商户订单号",
        "交易状态",
        "应结订单金额",
        "商户退款单号",
        "退款金额",
        "退款状态",
        "商户数据包",
        "手续费",
    ]
    .map(place);
    let mut lines = Vec::new();
    for row in rows.by_ref() {
        let Some(row) = row.strip_prefix('`') else {
            break;
        };
        let values: Vec<&str> = row.split(",`").collect();
        let mut found = Vec::with_capacity(places.len());
        for place in &places {
            let place = place.as_ref().map_err(|error| anyhow::anyhow!("{error}"))?;
            found.push(
                *values
                    .get(*place)
                    .context("a line of the bill is too short")?,
            );
        }
        lines.push(line(&found)?);
    }
    let sums = rows.next().context("the bill has no sums")?;
    let count = sums
        .trim_start_matches('`')
        .split(',')
        .next()
        .unwrap_or_default();
    anyhow::ensure!(
        count.parse::<usize>() == Ok(lines.len()),
        "the bill says {count} lines and has {}",
        lines.len()
    );
    Ok(lines)
}

fn line(values: &[&str]) -> anyhow::Result<Line> {
    let [
        time,
        app,
        merchant,
        transaction,
        number,
        state,
        amount,
        refund,
        refunded,
        refund_state,
        attach,
        fee,
    ] = values
    else {
        anyhow::bail!("a line of the bill is too short");
    };
    let fen = |text: &str| yuan::to_fen(text).with_context(|| format!("{text:?} is no amount"));
    let local = NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S")
        .context("reading a time of the bill")?;
    let is_refund = !refund.is_empty() && *refund != "0";
    Ok(Line {
        at: Timestamp::from_millis(local.and_utc().timestamp_millis() - CHINA_MS)?,
        app: (*app).to_owned(),
        merchant: (*merchant).to_owned(),
        transaction: (*transaction).to_owned(),
        number: (*number).to_owned(),
        state: (*state).to_owned(),
        amount: fen(amount)?,
        refund: match is_refund {
            true => Some((
                (*refund).to_owned(),
                fen(refunded)?,
                (*refund_state).to_owned(),
            )),
            false => None,
        },
        attach: (*attach).to_owned(),
        fee: yuan::charge_to_fen(fee).with_context(|| format!("{fee:?} is no charge"))?,
    })
}

/// A day on China's clocks: its first moment, and that of the next.
///
/// # Errors
/// When it is no day.
pub fn bounds(day: &str) -> anyhow::Result<(Timestamp, Timestamp)> {
    let date: NaiveDate = day.parse().context("reading a day")?;
    Ok((
        Zone::SHANGHAI.moment(date, 0),
        Zone::SHANGHAI.moment(date, 1_440),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<Line> {
        let payment = Line {
            at: Timestamp::parse("2026-10-31T00:00:00Z").unwrap(),
            app: "wx1".to_owned(),
            merchant: "1900000001".to_owned(),
            transaction: "4200".to_owned(),
            number: "a1".to_owned(),
            state: "SUCCESS".to_owned(),
            amount: 10_001,
            refund: None,
            attach: "demo".to_owned(),
            fee: 60,
        };
        let refund = Line {
            refund: Some(("r1".to_owned(), 1, "SUCCESS".to_owned())),
            state: "REFUND".to_owned(),
            fee: 0,
            ..payment.clone()
        };
        vec![payment, refund]
    }

    #[test]
    fn a_bill_is_read_as_it_was_written() {
        let text = write(&lines()).unwrap();
        assert!(
            text.contains("`2026-10-31 08:00:00,`wx1,`1900000001,"),
            "{text}"
        );
        assert!(text.contains("`0.60000,`0.60%"), "{text}");
        assert_eq!(read(&text).unwrap(), lines());
        assert_eq!(read(&write(&[]).unwrap()).unwrap(), []);
        let refund = lines().remove(1).into_bill();
        assert_eq!(
            (refund.entry.number.as_str(), refund.entry.amount),
            ("r1", 1)
        );
    }

    #[test]
    fn a_bill_that_is_cut_off_or_garbled_is_no_bill() {
        let text = write(&lines()).unwrap();
        let cut: String = text.chars().take(text.chars().count() - 80).collect();
        for wrong in [
            "",
            "a,b\r\n`1",
            &text.replace("100.01", "1e2"),
            &cut,
            &text.replace("商户订单号", "x"),
            &text.replace("`2,", "`3,"),
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
