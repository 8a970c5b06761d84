//! Alipay: RSA2 over sorted fields, and amounts in decimal yuan.
//!
//! Requests are signed over every field but `sign`; notices over every field but `sign` and `sign_type`.

use std::collections::BTreeMap;

use anyhow::Context as _;
use chrono::NaiveDateTime;
use kernel::Timestamp;

use super::keys::{PrivateKey, PublicKey};
use super::yuan;

/// Fields in the order of their names.
pub type Fields = BTreeMap<String, String>;

/// China's clocks, which every time of the interface is of, in milliseconds before UTC.
const CHINA_MS: i64 = 8 * 60 * 60 * 1_000;

/// The text of a request that is signed: every field that has a value, but the signature itself.
#[must_use]
pub fn request_message(fields: &Fields) -> String {
    joined(fields, &["sign"])
}

/// The text of a notice that is signed.
#[must_use]
pub fn notice_message(fields: &Fields) -> String {
    joined(fields, &["sign", "sign_type"])
}

fn joined(fields: &Fields, without: &[&str]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .filter(|(name, value)| !without.contains(&name.as_str()) && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// A request with its signature, as a form.
///
/// # Errors
/// When the key cannot sign.
pub fn signed_form(mut fields: Fields, key: &PrivateKey) -> anyhow::Result<String> {
    let signature = key.sign(request_message(&fields).as_bytes())?;
    fields.insert("sign".to_owned(), signature);
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    Ok(pairs.join("&"))
}

/// The fields of a form; nothing when an escape is wrong or a name stands twice.
#[must_use]
pub fn fields_of(form: &str) -> Option<Fields> {
    let mut fields = Fields::new();
    for pair in form.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        if fields.insert(decoded(name)?, decoded(value)?).is_some() {
            return None;
        }
    }
    Some(fields)
}

/// Whether Alipay signed the notice.
#[must_use]
pub fn is_signed(fields: &Fields, key: &PublicKey) -> bool {
    let rsa2 = fields.get("sign_type").is_none_or(|kind| kind == "RSA2");
    let signature = fields.get("sign").map_or("", String::as_str);
    rsa2 && key.verifies(notice_message(fields).as_bytes(), signature)
}

/// The node of an answer, when Alipay signed it: the signature is over the node's own bytes.
#[must_use]
pub fn signed_node<'a>(answer: &'a str, name: &str, key: &PublicKey) -> Option<&'a str> {
    let start = answer.find(&format!("\"{name}\""))?;
    let from = start + answer.get(start..)?.find('{')?;
    let rest = answer.get(from..)?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>();
    values.next()?.ok()?;
    let node = rest.get(..values.byte_offset())?;
    #[derive(serde::Deserialize)]
    struct Signature {
        sign: String,
    }
    let signature: Signature = serde_json::from_str(answer).ok()?;
    key.verifies(node.as_bytes(), &signature.sign)
        .then_some(node)
}

/// What a notice says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The notice's own id.
    pub id: String,
    /// The app.
    pub app: String,
    /// The merchant; absent in some notices.
    pub seller: Option<String>,
    /// Our number.
    pub number: String,
    /// Alipay's number.
    pub trade: String,
    /// `TRADE_SUCCESS`, `TRADE_FINISHED`, `TRADE_CLOSED`, `WAIT_BUYER_PAY`.
    pub status: String,
    /// How much, in fen.
    pub amount: i64,
    /// What we gave along.
    pub passback: String,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
}

impl Notice {
    /// Reads the fields of a notice whose signature was checked.
    ///
    /// # Errors
    /// A field that is missing or wrong.
    pub fn read(fields: &Fields) -> anyhow::Result<Self> {
        let field = |name: &str| {
            fields
                .get(name)
                .cloned()
                .with_context(|| format!("no {name}"))
        };
        let total = field("total_amount")?;
        let passback = fields.get("passback_params").map_or("", String::as_str);
        Ok(Self {
            id: field("notify_id")?,
            app: field("app_id")?,
            seller: fields.get("seller_id").cloned(),
            number: field("out_trade_no")?,
            trade: field("trade_no")?,
            status: field("trade_status")?,
            amount: yuan::to_fen(&total).context("an amount that is none")?,
            passback: decoded(passback).context("passback_params with a wrong escape")?,
            paid_at: fields
                .get("gmt_payment")
                .map(|text| moment(text))
                .transpose()?,
        })
    }
}

/// A moment as Alipay writes it: `2026-10-31 12:00:00` on China's clocks.
///
/// # Errors
/// When it is written otherwise.
pub fn moment(text: &str) -> anyhow::Result<Timestamp> {
    let local =
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").context("reading a time")?;
    Ok(Timestamp::from_millis(
        local.and_utc().timestamp_millis() - CHINA_MS,
    )?)
}

/// How Alipay writes a moment.
///
/// # Errors
/// Never in practice: every moment has a date.
pub fn written(at: Timestamp) -> anyhow::Result<String> {
    let local = chrono::DateTime::from_timestamp_millis(at.millis() + CHINA_MS)
        .context("writing a time")?;
    Ok(local.format("%Y-%m-%d %H:%M:%S").to_string())
}

fn encoded(text: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let pair = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::keys::generate;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    }

    fn paid() -> Fields {
        fields(&[
            ("total_amount", "88.88"),
            ("notify_id", "n1"),
            ("app_id", "2021000000000001"),
            ("seller_id", "2088000000000001"),
            ("out_trade_no", "A1"),
            ("trade_no", "2026103122001"),
            ("trade_status", "TRADE_SUCCESS"),
            ("gmt_payment", "2026-10-31 08:00:00"),
            ("subject", "物业费"),
            ("empty", ""),
            ("sign_type", "RSA2"),
        ])
    }

    #[test]
    fn fields_are_signed_in_the_order_of_their_names_without_sign_and_empty_ones() {
        let all = fields(&[
            ("b", "2"),
            ("a", "1"),
            ("sign", "x"),
            ("sign_type", "RSA2"),
            ("c", ""),
        ]);
        assert_eq!(notice_message(&all), "a=1&b=2");
        assert_eq!(request_message(&all), "a=1&b=2&sign_type=RSA2");
    }

    #[test]
    fn a_notice_is_believed_only_as_it_was_signed() {
        let key = PrivateKey::from_pem(&generate().unwrap()).unwrap();
        let mut notice = paid();
        notice.insert(
            "sign".to_owned(),
            key.sign(notice_message(&notice).as_bytes()).unwrap(),
        );
        assert!(is_signed(&notice, &key.public()));
        let read = Notice::read(&notice).unwrap();
        assert_eq!((read.amount, read.number.as_str()), (8_888, "A1"));
        assert_eq!(
            read.paid_at.unwrap().to_string(),
            "2026-10-31T00:00:00.000Z"
        );
        for (name, value) in [
            ("total_amount", "88.89"),
            ("out_trade_no", "A2"),
            ("sign_type", "RSA"),
            ("sign", ""),
        ] {
            let mut changed = notice.clone();
            changed.insert(name.to_owned(), value.to_owned());
            assert!(!is_signed(&changed, &key.public()), "{name}");
        }
        let mut more = notice;
        more.insert("extra".to_owned(), "1".to_owned());
        assert!(!is_signed(&more, &key.public()));
    }

    #[test]
    fn a_form_carries_any_text_there_and_back() {
        let key = PrivateKey::from_pem(&generate().unwrap()).unwrap();
        let form = signed_form(
            fields(&[("biz_content", "{\"subject\":\"物业费 +1&=\"}")]),
            &key,
        )
        .unwrap();
        let back = fields_of(&form).unwrap();
        assert_eq!(back["biz_content"], "{\"subject\":\"物业费 +1&=\"}");
        assert!(
            key.public()
                .verifies(request_message(&back).as_bytes(), &back["sign"])
        );
        for wrong in ["a", "a=%", "a=%zz", "a=1&a=2", "a=%ff"] {
            assert_eq!(fields_of(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_answer_is_believed_over_the_bytes_of_its_node() {
        let key = PrivateKey::from_pem(&generate().unwrap()).unwrap();
        let node =
            r#"{"code":"10000","msg":"Success {\"x\"}","qr_code":"https:\/\/qr.alipay.com\/x"}"#;
        let sign = key.sign(node.as_bytes()).unwrap();
        let answer = format!(r#"{{"alipay_trade_precreate_response":{node},"sign":"{sign}"}}"#);
        let name = "alipay_trade_precreate_response";
        assert_eq!(signed_node(&answer, name, &key.public()), Some(node));
        assert_eq!(
            signed_node(&answer.replace("10000", "10001"), name, &key.public()),
            None
        );
        assert_eq!(signed_node("{}", name, &key.public()), None);
    }

    #[test]
    fn amounts_that_are_none_make_no_notice() {
        for wrong in ["88.888", "1e2", "", "88,88"] {
            let mut notice = paid();
            notice.insert("total_amount".to_owned(), wrong.to_owned());
            assert!(Notice::read(&notice).is_err(), "{wrong:?}");
        }
    }
}
