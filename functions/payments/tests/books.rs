//! The books over HTTP.

use serde_json::json;

use crate::support::{AUDITOR, WANG, on_each_engine};

#[tokio::test]
async fn the_books_are_read_by_kind_by_account_line_by_line_and_verified() {
    on_each_engine(async |world| {
        world.paid("p1", 1_000).await;
        world.paid("p2", 500).await;
        let trial = world.get("/api/ledger/trial-balance").by(AUDITOR).content().await;
        assert_eq!(trial["totals"], json!([{"currency": "CNY", "debits_minor": 1_500, "credits_minor": 1_500, "balanced": true}]));
        let accounts = world.get("/api/ledger/accounts?limit=1").by(WANG).content().await;
        assert_eq!(accounts["items"][0]["account"], "channel_clearing:simulated");
        assert_eq!(accounts["next"], "channel_clearing:simulated");
        let path = "/api/ledger/accounts/suspense/statement";
        let first = world.get(&format!("{path}?limit=1")).by(AUDITOR).content().await;
        assert_eq!((&first["items"][0]["reference"], &first["items"][0]["balance"]["minor"]), (&json!("p1"), &json!(1_000)));
        let next = first["next"].as_str().unwrap();
        let second = world.get(&format!("{path}?after={next}")).by(AUDITOR).content().await;
        assert_eq!((&second["items"][0]["balance"]["minor"], &second["next"]), (&json!(1_500), &json!(null)));
        let shown = world.get("/api/ledger/transactions/1").by(AUDITOR).content().await;
        assert_eq!((shown["kind"].as_str(), shown["legs"].as_array().unwrap().len()), (Some("payment"), 2));
        let report = world.get("/api/ledger/verification").by(AUDITOR).content().await;
        assert_eq!((&report["transactions"], &report["wrong"]), (&json!(2), &json!(0)));
        for unknown in ["/api/ledger/accounts/cash/statement", "/api/ledger/accounts/bank/statement"] {
            world.get(unknown).by(AUDITOR).refused(404, "account_unknown").await;
        }
        world.get("/api/ledger/transactions/9").by(AUDITOR).refused(404, "transaction_unknown").await;
    })
    .await;
}
