//! Alipay's bill of a day against the books.

use payments::exchange::Answered;
use payments::protocol::alipay::fields_of;
use payments::protocol::keys::PrivateKey;
use serde_json::{Value, json};

use crate::channels::{alipay_notice, configured, started_at_alipay};
use crate::support::{DAY_MS, PLATFORM_KEY, WANG, with_settings};

/// Alipay's bill of a day with one payment and its charge, and a line of another tenant's.
fn alipay_bill(number: &str) -> Vec<u8> {
    use std::io::Write as _;
    // 商户订单号,业务类型,完成时间,操作员,订单金额（元）,退款批次号/请求号,服务费（元）
    let mut table = b"#\r\n\xc9\xcc\xbb\xa7\xb6\xa9\xb5\xa5\xba\xc5,\xd2\xb5\xce\xf1\xc0\xe0\xd0\xcd,\xcd\xea\xb3\xc9\xca\xb1\xbc\xe4,\xb2\xd9\xd7\xf7\xd4\xb1,\xb6\xa9\xb5\xa5\xbd\xf0\xb6\xee\xa3\xa8\xd4\xaa\xa3\xa9,\xcd\xcb\xbf\xee\xc5\xfa\xb4\xce\xba\xc5/\xc7\xeb\xc7\xf3\xba\xc5,\xb7\xfe\xce\xf1\xb7\xd1\xa3\xa8\xd4\xaa\xa3\xa9\r\n".to_vec();
    for (number, operator) in [(number, "demo"), ("other", "elsewhere")] {
        table.extend(format!("{number}\t,").bytes());
        table.extend(b"\xbd\xbb\xd2\xd7");
        table.extend(format!(",2027-01-15 16:00:00,{operator},88.88,,-0.53\r\n").bytes());
    }
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file("x.csv", options).unwrap();
    archive.write_all(&table).unwrap();
    archive.finish().unwrap().into_inner()
}

#[tokio::test]
async fn alipays_bill_is_held_against_the_books_and_its_money_goes_to_the_bank() {
    with_settings(configured, async |mut world| {
        let number = started_at_alipay(&world).await;
        let sent = fields_of(&world.context.exchange.take()[0].body).unwrap();
        let asked: Value = serde_json::from_str(&sent["biz_content"]).unwrap();
        assert_eq!(asked["operator_id"], "demo");
        let told = alipay_notice(&number, ("subject", "x"));
        world
            .post("/api/payment-notices/alipay")
            .plain(told)
            .reply()
            .await;
        world.pass_ms(DAY_MS);
        let platform = PrivateKey::from_pem(PLATFORM_KEY).unwrap();
        let node = r#"{"code":"10000","bill_download_url":"http://bills.invalid/x?y=1"}"#;
        let sign = platform.sign(node.as_bytes()).unwrap();
        let name = "alipay_data_dataservice_bill_downloadurl_query_response";
        let offered = format!(r#"{{"{name}":{node},"sign":"{sign}"}}"#).into_bytes();
        for body in [offered, alipay_bill(&number)] {
            world.context.exchange.answer(Answered {
                status: 200,
                headers: vec![],
                body,
            });
        }
        let ask = json!({"channel": "alipay", "day": "2027-01-15"});
        let run = world
            .post("/api/reconciliations")
            .by(WANG)
            .json(&ask)
            .content()
            .await;
        assert_eq!(
            (&run["matched"], &run["mistakes"], &run["bank_minor"]),
            (&json!(1), &json!(0), &json!(8_835)),
            "{run}"
        );
        assert_eq!(
            world.context.exchange.take()[1].url,
            "https://bills.invalid/x?y=1"
        );
        assert_eq!(world.stands("channel_clearing:alipay").await, 0);
        assert_eq!(world.stands("channel_fee_expense").await, 53);
        world.books_are_clean().await;
    })
    .await;
}
