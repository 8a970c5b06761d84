//! What is heard twice, late or out of order, and people who are known by two ids or ask to be forgotten.

use kernel::ActorId;
use serde_json::json;
use wire::event::{ContractChanged, ContractEnded, MerchantChanged, PersonAliased, PersonErased};
use wire::mall::Collection;

use crate::events::{completed, contract_changed, merchant_changed};
use crate::support::{BO, MEI, RUN, WANG, on_each_engine};

fn person(id: &str) -> ActorId {
    ActorId::parse(id).unwrap()
}

#[tokio::test]
async fn what_comes_twice_is_one_line_and_older_news_changes_nothing() {
    on_each_engine(async |mut world| {
        let line = completed(("m1", "l1"), 100, "2026-10-11T00:00:00Z");
        world.record(&line).await;
        world.record(&line).await;
        world
            .record(&MerchantChanged {
                members: vec![person("bo")],
                ..merchant_changed("m1", "bo", 3)
            })
            .await;
        world.record(&merchant_changed("m1", "mei", 2)).await;
        world.tick_at(RUN).await;
        assert_eq!(world.statement("m1").await["lines"], 1);
        world
            .get("/api/deposits/m1")
            .by(MEI)
            .refused(404, "merchant_unknown")
            .await;
        world.get("/api/deposits/m1").by(BO).content().await;
    })
    .await;
}

#[tokio::test]
async fn the_contract_of_a_month_is_the_latest_that_had_begun() {
    on_each_engine(async |mut world| {
        for (version, from, hosting) in [(2, "2026-11", 200), (3, "2026-10", 300)] {
            world
                .record(&ContractChanged {
                    version,
                    from: from.to_owned(),
                    hosting_fee_minor: hosting,
                    ..contract_changed("m1")
                })
                .await;
        }
        world.tick().await;
        world.at("2026-10-31T16:00:00Z");
        world.run("2026-09", false).await;
        world.run("2026-10", false).await;
        let statement = world.statement("m1").await;
        assert_eq!(
            (&statement["contract_version"], &statement["owed_minor"]),
            (&json!(3), &json!(300))
        );
        assert_eq!(world.statements("m1").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_person_by_another_id_acts_on_and_one_who_is_forgotten_is_nowhere() {
    on_each_engine(async |world| {
        world
            .record(&ContractChanged {
                version: 2,
                collection: Collection::Platform,
                ..contract_changed("m1")
            })
            .await;
        world.deposit("m1", 6_000, "deposit").await;
        world
            .sold(("m1", "l1"), 10_000, "2026-10-09T00:00:00Z")
            .await;
        let body = json!({"merchant": "m1", "amount_minor": 10_000, "payee": "x", "account": "1"});
        let made = world
            .post("/api/withdrawals")
            .by(MEI)
            .key("a")
            .json(&body)
            .content()
            .await;
        let path = format!("/api/withdrawals/{}", made["id"].as_str().unwrap());
        world
            .record(&PersonAliased {
                alias: person("mei"),
                person: person("bo"),
            })
            .await;
        world.tick().await;
        let shown = world.get(&path).by(BO).content().await;
        assert_eq!(shown["requested_by"], "bo");
        world
            .get(&path)
            .by(MEI)
            .refused(404, "withdrawal_unknown")
            .await;
        let review = format!("{path}/review");
        let yes = json!({"approve": true, "channel": "bank"});
        world
            .post(&review)
            .by(WANG)
            .key("b")
            .json(&yes)
            .content()
            .await;
        // Whoever asked and whoever decided turn out to be one: both names stay, for all to see.
        world
            .record(&PersonAliased {
                alias: person("bo"),
                person: person("wang"),
            })
            .await;
        world
            .record(&PersonErased {
                person: person("wang"),
                actor: person("wang"),
            })
            .await;
        assert_eq!(world.tick().await["parked"], 0);
        let shown = world.get(&path).by(WANG).content().await;
        assert_eq!(
            (&shown["requested_by"], &shown["reviewed_by"]),
            (&json!("bo"), &json!("erased-reviewer"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_merchant_whose_contract_ended_pays_no_fees_from_the_next_month_on_and_what_was_sold_is_settled()
 {
    on_each_engine(async |mut world| {
        world
            .record(&ContractChanged {
                version: 2,
                hosting_fee_minor: 500,
                ..contract_changed("m1")
            })
            .await;
        let ended = ContractEnded {
            merchant: kernel::MerchantId::parse("m1").unwrap(),
            from: "2026-11".to_owned(),
            at: world.context.now,
        };
        world.record(&ended).await;
        world.record(&ended).await;
        world.tick_at(RUN).await;
        assert_eq!(world.statement("m1").await["owed_minor"], 500);
        world
            .record(&completed(("m1", "l1"), 100, "2026-11-02T00:00:00Z"))
            .await;
        world.at("2026-11-30T16:10:00Z");
        world.tick().await;
        let statements = world.statements("m1").await;
        assert_eq!(
            (&statements[0]["month"], &statements[0]["owed_minor"]),
            (&json!("2026-11"), &json!(100))
        );
        world.books_are_right().await;
    })
    .await;
}
