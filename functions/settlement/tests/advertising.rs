//! What advertising costs: a line of the month in which it was earned, or of the next statement, once.

use kernel::{Currency, MerchantId};
use serde_json::json;
use wire::advertising::{ChargeSource, Ownership};
use wire::event::AdvertisingCharged;

use crate::events::at;
use crate::support::{RUN, WANG, on_each_engine};

fn charged(charge: &str, (month, moment): (&str, &str), amount_minor: i64) -> AdvertisingCharged {
    AdvertisingCharged {
        charge: charge.to_owned(),
        merchant: MerchantId::parse("m1").unwrap(),
        source: ChargeSource::Booking,
        reference: "line-1".to_owned(),
        placement: None,
        ownership: Ownership::Platform,
        community: None,
        month: month.to_owned(),
        amount_minor,
        currency: Currency::Cny,
        at: at(moment),
    }
}

#[tokio::test]
async fn a_charge_is_one_line_of_its_months_statement_and_income_from_advertising() {
    on_each_engine(async |mut world| {
        // Charged after the month is over, and before its statement is made.
        let of_october = charged(
            "booking:line-1:2026-10",
            ("2026-10", "2026-10-31T16:05:00Z"),
            2_500,
        );
        world.record(&of_october).await;
        world.record(&of_october).await;
        world
            .record(&charged(
                "give-back",
                ("2026-10", "2026-10-20T00:00:00Z"),
                -500,
            ))
            .await;
        world
            .record(&charged("n-1", ("2026-11", "2026-11-01T00:00:00Z"), 700))
            .await;
        world.tick_at(RUN).await;
        let statements = world.statements("m1").await;
        assert_eq!(
            (
                statements.len(),
                &statements[0]["month"],
                &statements[0]["lines"]
            ),
            (1, &json!("2026-10"), &json!(2))
        );
        assert_eq!(statements[0]["owed_minor"], 2_000);
        assert_eq!(world.balance("ad_income").await, 2_000);
        assert_eq!(world.balance("merchant_receivable:m1").await, 2_000);
        let path = format!(
            "/api/statements/{}/lines",
            statements[0]["id"].as_str().unwrap()
        );
        let lines = world.get(&path).by(WANG).content().await;
        let line = &lines["items"][0];
        assert_eq!(line["line"], "advertising.booking_3aline-1_3a2026-10");
        assert_eq!(line["reference"], "line-1");
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_charge_that_comes_after_its_months_statement_is_a_line_of_the_next() {
    on_each_engine(async |mut world| {
        world
            .record(&charged("c-1", ("2026-10", "2026-10-31T00:00:00Z"), 100))
            .await;
        world.tick_at(RUN).await;
        world
            .record(&charged("c-2", ("2026-10", "2026-11-03T00:00:00Z"), 300))
            .await;
        world.at("2026-11-30T16:10:00Z");
        world.tick().await;
        let owed: Vec<_> = world
            .statements("m1")
            .await
            .iter()
            .map(|statement| (statement["month"].clone(), statement["owed_minor"].clone()))
            .collect();
        assert_eq!(
            owed,
            [
                (json!("2026-11"), json!(300)),
                (json!("2026-10"), json!(100))
            ]
        );
        world.books_are_right().await;
    })
    .await;
}
