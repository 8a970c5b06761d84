//! Contracts: from a month on, in versions, and the past stays what it was.

use serde_json::json;

use crate::support::{LI, WANG, on_each_engine, owner_of, terms};

#[tokio::test]
async fn a_contract_counts_from_its_month_and_its_history_is_kept() {
    on_each_engine(async |mut world| {
        let (merchant, owner) = world.merchant().await;
        let path = format!("/api/merchant-contracts/{merchant}");
        world
            .get(&path)
            .by(owner_of(&owner))
            .refused(404, "merchant_contract_unknown")
            .await;
        let agree = |from: &str, deposit: i64| {
            let sent = json!({"merchant": merchant, "from": from, "terms": terms(deposit)});
            world.post("/api/merchant-contracts").by(WANG).json(&sent)
        };
        agree("2026-10", 0)
            .refused(409, "merchant_contract_too_early")
            .await;
        agree("2026-11", 100_000).content().await;
        agree("2026-11", 200_000)
            .refused(409, "merchant_contract_too_early")
            .await;
        agree("2026-13", 0).refused(422, "wrong_type").await;
        agree("2027-01", -1)
            .refused(422, "merchant_contract_invalid")
            .await;
        agree("2027-01", 300_000).content().await;
        let told = world.last_fact("contract.changed").await;
        assert_eq!(
            (&told["from"], &told["version"], &told["deposit_minor"]),
            (&json!("2027-01"), &json!(2), &json!(300_000))
        );
        assert_eq!(
            (&told["platform_fee_minor"], &told["reopening_percent"]),
            (&json!(2_000), &json!(200))
        );
        let shown = world.get(&path).by(owner_of(&owner)).content().await;
        assert_eq!(
            (
                &shown["counting"]["version"],
                shown["items"].as_array().unwrap().len()
            ),
            (&json!(1), 2)
        );
        world.context.now = kernel::Timestamp::parse("2026-12-31T16:00:00Z").unwrap();
        let shown = world.get(&path).by(WANG).content().await;
        assert_eq!(shown["counting"]["version"], 2);
        let all = world
            .get("/api/merchant-contracts")
            .by(WANG)
            .content()
            .await;
        assert_eq!(
            (
                &all["items"][0]["version"],
                all["items"].as_array().unwrap().len()
            ),
            (&json!(2), 1)
        );
        world
            .get(&path)
            .by(LI)
            .refused(404, "merchant_unknown")
            .await;
    })
    .await;
}
