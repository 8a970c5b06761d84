//! The month: what belongs to it to the millisecond, once; the deadline, refunds that come late, and the run.

use serde_json::json;
use wire::event::ContractChanged;
use wire::mall::Collection;

use crate::events::{completed, contract_changed, refunded};
use crate::support::{DUE, RUN, WANG, on_each_engine};

#[tokio::test]
async fn a_line_belongs_to_the_month_in_which_it_was_completed_to_the_millisecond() {
    on_each_engine(async |mut world| {
        let moments = [
            ("l0", "2026-09-30T15:59:59.999Z"),
            ("l1", "2026-09-30T16:00:00.000Z"),
            ("l2", "2026-10-31T15:59:59.999Z"),
            ("l3", "2026-10-31T16:00:00.000Z"),
        ];
        world.at("2026-10-01T00:00:00Z");
        for (line, at) in &moments[..2] {
            world.record(&completed(("m1", line), 100, at)).await;
        }
        // September was run before October's line was claimed by anything.
        world.run("2026-09", false).await;
        for (line, at) in &moments[2..] {
            world.record(&completed(("m1", line), 100, at)).await;
        }
        world.tick_at(RUN).await;
        world.at("2026-11-30T16:10:00Z");
        world.tick().await;
        let statements = world.statements("m1").await;
        let lines: Vec<_> = statements
            .iter()
            .map(|statement| (statement["month"].clone(), statement["lines"].clone()))
            .collect();
        let expected = [("2026-11", 1), ("2026-10", 2), ("2026-09", 1)];
        assert_eq!(
            lines,
            expected.map(|(month, lines)| (json!(month), json!(lines)))
        );
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn cron_begins_the_month_when_it_is_over_and_once() {
    on_each_engine(async |mut world| {
        world
            .record(&completed(("m1", "l1"), 100, "2026-10-31T15:59:59.999Z"))
            .await;
        assert_eq!(world.tick_at("2026-10-31T16:09:59.999Z").await["runs"], 0);
        assert!(world.statements("m1").await.is_empty());
        assert_eq!(world.tick_at(RUN).await["runs"], 1);
        assert_eq!(world.tick().await["runs"], 0);
        assert_eq!(world.statements("m1").await.len(), 1);
        let issued = world.last_fact("statement.issued").await;
        assert_eq!(
            (&issued["owed_minor"], &issued["late_ms"]),
            (&json!(100), &json!(0))
        );
        assert_eq!(issued["due_at"], "2026-11-15T16:00:00.000Z");
        assert_eq!(world.count("settlement_alarm.raised").await, 0);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn february_ends_after_28_days_and_after_29_in_a_leap_year() {
    on_each_engine(async |mut world| {
        for (end, month) in [("2027-02-28", "2027-02"), ("2028-02-29", "2028-02")] {
            world.at(&format!("{end}T15:59:59.999Z"));
            world
                .post("/api/settlements/runs")
                .by(WANG)
                .json(&json!({"month": month}))
                .refused(409, "month_not_over")
                .await;
            let line = completed(("m1", month), 100, &format!("{end}T15:59:59.999Z"));
            world.record(&line).await;
            let next = completed(
                ("m1", &format!("{month}-x")),
                100,
                &format!("{end}T16:00:00Z"),
            );
            world.record(&next).await;
            world.at(&format!("{end}T16:00:00.000Z"));
            let run = world.run(month, false).await;
            assert_eq!((&run["statements"], &run["lines"]), (&json!(1), &json!(1)));
            world.at(&format!("{}-03-31T16:00:00Z", &month[..4]));
            world.run(&format!("{}-03", &month[..4]), false).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_says_what_a_run_would_and_a_second_run_changes_nothing() {
    on_each_engine(async |mut world| {
        for line in ["l1", "l2", "l3"] {
            world
                .record(&completed(("m1", line), 100, "2026-10-11T00:00:00Z"))
                .await;
        }
        world.at("2026-10-31T16:00:00Z");
        let dry = world.run("2026-10", true).await;
        assert_eq!(
            (&dry["statements"], &dry["lines"], &dry["owed_minor"]),
            (&json!(1), &json!(3), &json!(300))
        );
        assert!(world.statements("m1").await.is_empty());
        assert_eq!(world.balance("merchant_receivable:m1").await, 0);
        let run = world.run("2026-10", false).await;
        for field in [
            "statements",
            "lines",
            "amount_minor",
            "owed_minor",
            "skipped",
        ] {
            assert_eq!(dry[field], run[field], "{field}");
        }
        let first = world.statement("m1").await;
        // A line that is heard late, and a second run: the statement stays as it was sent.
        world
            .record(&completed(("m1", "late"), 100, "2026-10-12T00:00:00Z"))
            .await;
        let again = world.run("2026-10", false).await;
        assert_eq!(again["statements"], 0);
        assert_eq!(again["skipped"]["already_made"]["count"], 1);
        assert_eq!(world.statements("m1").await, [first]);
        assert_eq!(world.balance("platform_commission").await, 300);
        // It is a line of the next one.
        world.at("2026-11-30T16:00:00Z");
        world.run("2026-11", false).await;
        assert_eq!(world.statement("m1").await["owed_minor"], 100);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn the_end_of_the_fourth_is_in_time_and_later_moves_the_due_moment_and_alarms() {
    on_each_engine(async |mut world| {
        for merchant in ["m1", "m2"] {
            let line = format!("l-{merchant}");
            world
                .record(&completed((merchant, &line), 100, "2026-10-11T00:00:00Z"))
                .await;
        }
        // Nothing ran until two days after the deadline.
        world.tick_at("2026-11-06T16:00:00.000Z").await;
        let statement = world.statement("m1").await;
        assert_eq!(statement["late_ms"], 2 * 86_400_000);
        assert_eq!(statement["due_at"], "2026-11-17T16:00:00.000Z");
        let alarms = world
            .get("/api/settlements/alarms")
            .by(WANG)
            .content()
            .await;
        let mut kinds: Vec<_> = alarms["items"].as_array().unwrap().clone();
        kinds.sort_by_key(|alarm| alarm["kind"].to_string());
        let kinds: Vec<_> = kinds
            .iter()
            .map(|alarm| alarm["kind"].as_str().unwrap())
            .collect();
        assert_eq!(
            kinds,
            ["issue_deadline_missed", "statement_late", "statement_late"]
        );
        assert_eq!(world.count("settlement_alarm.raised").await, 3);
        assert_eq!(world.tick_at(DUE).await["overdue"], 0);
        assert_eq!(
            world.tick_at("2026-11-17T15:59:59.999Z").await["overdue"],
            0
        );
        assert_eq!(
            world.tick_at("2026-11-17T16:00:00.000Z").await["overdue"],
            2
        );
        assert_eq!(world.count("settlement_alarm.raised").await, 5);
    })
    .await;
}

#[tokio::test]
async fn a_refund_after_the_statement_is_a_negative_line_of_the_next_and_what_is_left_is_carried_over()
 {
    on_each_engine(async |mut world| {
        world
            .record(&completed(("m1", "l1"), 1_000, "2026-10-11T00:00:00Z"))
            .await;
        world.tick_at(RUN).await;
        world.pay((WANG, "m1"), 1_000, "pay").await;
        world
            .record(&refunded(("m1", "l1"), (1_000, 0), "2026-11-20T00:00:00Z"))
            .await;
        world
            .record(&completed(("m1", "l2"), 300, "2026-11-21T00:00:00Z"))
            .await;
        world.tick_at("2026-11-30T16:10:00Z").await;
        let november = world.statement("m1").await;
        assert_eq!(
            (
                &november["total_minor"],
                &november["owed_minor"],
                &november["state"]
            ),
            (&json!(-700), &json!(0), &json!("paid"))
        );
        world.books_are_right().await;
        world
            .record(&completed(("m1", "l3"), 1_200, "2026-12-05T00:00:00Z"))
            .await;
        world.tick_at("2026-12-31T16:10:00Z").await;
        let december = world.statement("m1").await;
        assert_eq!(
            (&december["lines"], &december["owed_minor"]),
            (&json!(2), &json!(500))
        );
        // Commission lines less reversals are commission income.
        assert_eq!(world.balance("platform_commission").await, 1_500);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn five_kinds_of_revenue_stand_on_one_statement_and_in_the_report() {
    on_each_engine(async |mut world| {
        world
            .record(&ContractChanged {
                version: 2,
                collection: Collection::Platform,
                hosting_fee_minor: 500,
                maintenance_fee_minor: 300,
                platform_fee_minor: 200,
                ..contract_changed("m1")
            })
            .await;
        world.sold(("m1", "l1"), 1_000, "2026-10-11T00:00:00Z").await;
        let advertising = json!({"merchant": "m1", "revenue": "advertising", "amount_minor": 700, "reason": "横幅广告"});
        world
            .post("/api/settlements/adjustments")
            .by(WANG)
            .key("ad")
            .json(&advertising)
            .content()
            .await;
        world.tick_at(RUN).await;
        let statement = world.statement("m1").await;
        // The commission was taken from the sale, the rest is taken from what may be drawn.
        assert_eq!(
            (&statement["revenue_minor"], &statement["settled_minor"], &statement["owed_minor"]),
            (&json!(2_700), &json!(1_000), &json!(1_700))
        );
        assert_eq!(
            (&statement["netted_minor"], &statement["state"]),
            (&json!(1_700), &json!("paid"))
        );
        assert_eq!(world.balance("merchant_payable:m1").await, 9_000 - 1_700);
        assert_eq!(world.balance("platform_fee_income").await, 1_000);
        assert_eq!(world.balance("ad_income").await, 700);
        let report = world
            .get("/api/settlements/revenue?from=2026-10&to=2026-10")
            .by(WANG)
            .content()
            .await;
        let kinds = &report["months"][0]["kinds"];
        for (kind, minor) in [
            ("commission", 1_000),
            ("hosting", 500),
            ("maintenance", 300),
            ("platform", 200),
            ("advertising", 700),
        ] {
            assert_eq!(kinds[kind]["amount_minor"], minor, "{report}");
        }
        assert_eq!(report["total_minor"], 2_700);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_refund_that_the_merchant_could_not_bear_is_owed_by_the_next_statement() {
    on_each_engine(async |mut world| {
        world
            .record(&ContractChanged {
                version: 2,
                collection: Collection::Platform,
                ..contract_changed("m1")
            })
            .await;
        world
            .sold(("m1", "l1"), 1_000, "2026-10-11T00:00:00Z")
            .await;
        world
            .gave_back(("m1", "l1"), (1_000, 0), "2026-10-12T00:00:00Z")
            .await;
        world.sold(("m1", "l2"), 100, "2026-10-13T00:00:00Z").await;
        // Meanwhile 9.00 had been drawn; the refund finds nothing, and the merchant owes its part.
        world
            .post_books(
                "withdrawal",
                "w",
                &[("merchant_payable:m1", 900), ("bank", -900)],
            )
            .await;
        world
            .gave_back(("m1", "l2"), (100, 900), "2026-10-14T00:00:00Z")
            .await;
        world.tick().await;
        world.books_are_right().await;
        world.tick_at(RUN).await;
        let statement = world.statement("m1").await;
        assert_eq!(
            (
                &statement["revenue_minor"],
                &statement["debt_minor"],
                &statement["unpaid_minor"]
            ),
            (&json!(0), &json!(900), &json!(900))
        );
        assert_eq!(world.balance("platform_commission").await, 0);
        world.books_are_right().await;
    })
    .await;
}

#[tokio::test]
async fn a_merchant_without_a_contract_is_skipped_with_its_reason() {
    on_each_engine(async |mut world| {
        world
            .record(&crate::events::merchant_changed("m3", "fei", 1))
            .await;
        world
            .record(&completed(("m3", "l1"), 100, "2026-10-11T00:00:00Z"))
            .await;
        world.at("2026-10-31T16:00:00Z");
        let run = world.run("2026-10", false).await;
        assert_eq!(
            run["skipped"]["no_contract"],
            json!({"count": 1, "samples": ["m3"]})
        );
        assert_eq!(run["skipped"]["nothing_to_settle"]["count"], 2);
    })
    .await;
}
