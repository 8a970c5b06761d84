//! Statements and receipts as pages that print: both languages, no script, nothing from elsewhere.

use crate::domain::{Bill, Month};
use crate::store::payments::{Line, Method, Payment};

/// A page of rows under a title.
struct Sheet {
    title: &'static str,
    facts: Vec<(&'static str, String)>,
    columns: &'static [&'static str],
    rows: Vec<Vec<String>>,
    totals: Vec<(&'static str, i64)>,
}

/// The statement of a room's bills, from a month to another.
pub(crate) fn statement(
    (community, room): (&str, &str),
    (from, to): (Month, Month),
    bills: &[(Bill, i64)],
) -> String {
    let sum = |amount: fn(&Bill) -> i64| bills.iter().map(|(bill, _)| amount(bill)).sum::<i64>();
    let late: i64 = bills.iter().map(|(_, late)| late).sum();
    page(&Sheet {
        title: "对账单 Statement",
        facts: vec![
            ("小区 Community", community.to_owned()),
            ("房屋 Room", room.to_owned()),
            ("账期 Period", format!("{from} – {to}")),
        ],
        columns: &[
            "账期 Period",
            "项目 Item",
            "应收 Amount",
            "减免 Discount",
            "已收 Paid",
            "待付 Unpaid",
            "滞纳金 Late fee",
            "到期日 Due",
        ],
        rows: bills
            .iter()
            .map(|(bill, late)| {
                vec![
                    bill.span().to_string(),
                    bill.title.clone(),
                    yuan(bill.amount_fen),
                    yuan(bill.discount_fen),
                    yuan(bill.paid_fen),
                    yuan(bill.unpaid_fen()),
                    yuan(*late),
                    bill.due_on.map(|day| day.to_string()).unwrap_or_default(),
                ]
            })
            .collect(),
        totals: vec![
            ("应收合计 Total", sum(|bill| bill.amount_fen)),
            ("已收合计 Paid", sum(|bill| bill.paid_fen)),
            ("待付合计 Unpaid", sum(Bill::unpaid_fen)),
            ("滞纳金合计 Late fees", late),
        ],
    })
}

/// The receipt of a payment.
pub(crate) fn receipt(
    (community, paid_on): (&str, &str),
    payment: &Payment,
    lines: &[(Line, Option<Bill>)],
) -> String {
    page(&Sheet {
        title: "收据 Receipt",
        facts: vec![
            ("编号 Number", payment.id.to_string()),
            ("小区 Community", community.to_owned()),
            ("付款人 Payer", payment.payer.to_string()),
            ("日期 Date", paid_on.to_owned()),
        ],
        columns: &[
            "房屋 Room",
            "账期 Period",
            "项目 Item",
            "本金 Principal",
            "滞纳金 Late fee",
            "备注 Note",
        ],
        rows: lines
            .iter()
            .map(|(line, bill)| {
                let text = |of: fn(&Bill) -> String| bill.as_ref().map(of).unwrap_or_default();
                let note = line.refund.as_ref().map(|_| "已退 Refunded");
                vec![
                    text(|bill| bill.room.to_string()),
                    text(|bill| bill.span().to_string()),
                    text(|bill| bill.title.clone()),
                    yuan(line.principal_minor),
                    yuan(line.late_minor),
                    note.unwrap_or_default().to_owned(),
                ]
            })
            .collect(),
        totals: vec![
            (method(payment), payment.channel_minor),
            ("优惠券 Coupon", payment.coupon_minor),
            ("积分抵扣 Points", payment.points * payment.point_minor),
            ("余额支付 Credit", payment.credit_minor),
            ("转入余额 To credit", payment.over_minor),
        ],
    })
}

fn method(payment: &Payment) -> &'static str {
    match payment.method {
        Method::Channel => "渠道支付 Channel",
        Method::Cash => "现金 Cash",
        Method::BankTransfer => "银行转账 Bank transfer",
    }
}

fn page(sheet: &Sheet) -> String {
    let cells = |tag: &str, texts: &mut dyn Iterator<Item = String>| -> String {
        texts
            .map(|text| format!("<{tag}>{}</{tag}>", escaped(&text)))
            .collect()
    };
    let facts: String = sheet
        .facts
        .iter()
        .map(|(name, value)| format!("<p><b>{name}</b> {}</p>", escaped(value)))
        .collect();
    let head = cells(
        "th",
        &mut sheet.columns.iter().map(|column| (*column).to_owned()),
    );
    let rows: String = sheet
        .rows
        .iter()
        .map(|row| format!("<tr>{}</tr>\n", cells("td", &mut row.iter().cloned())))
        .collect();
    let totals: String = sheet
        .totals
        .iter()
        .map(|(name, amount)| format!("<p><b>{name}</b> {}</p>", yuan(*amount)))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>{title}</title><style>\
         body{{font:14px sans-serif;margin:2em}}table{{border-collapse:collapse;width:100%}}\
         td,th{{border:1px solid #999;padding:.3em .5em;text-align:left}}@page{{size:A4}}</style></head>\n\
         <body><h1>{title}</h1>\n{facts}\n<table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table>\n\
         {totals}</body></html>\n",
        title = sheet.title,
    )
}

/// Fen as yuan: `-12.05`.
fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fen_are_shown_as_yuan() {
        for (fen, text) in [
            (0, "0.00"),
            (5, "0.05"),
            (-1_205, "-12.05"),
            (i64::MIN, "-92233720368547758.08"),
        ] {
            assert_eq!(yuan(fen), text);
        }
    }

    #[test]
    fn what_people_wrote_is_text_and_never_markup() {
        assert_eq!(escaped("<b>\"&"), "&lt;b&gt;&quot;&amp;");
    }
}
