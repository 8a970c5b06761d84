//! From an application to a merchant: what is asked for, who decides, and when an account is made.

use serde_json::{Value, json};

use crate::support::{AUDIT, AUDITOR, LI, MA, WANG, content, id, on_each_engine, owner_of, paper};

#[tokio::test]
async fn an_account_is_asked_for_only_when_somebody_else_has_approved() {
    on_each_engine(async |world| {
        let application = world.submitted().await;
        let path = format!("/api/merchant-applications/{application}");
        assert!(
            !world
                .facts()
                .await
                .contains(&"account.requested".to_owned())
        );
        let decision = format!("{path}/decision");
        let approve = json!({"decision": "approve"});
        let decided = world
            .post(&decision)
            .by(AUDIT)
            .key("a")
            .json(&approve)
            .content()
            .await;
        assert_eq!(decided["state"], "approved");
        let again = world
            .post(&decision)
            .by(AUDIT)
            .key("a")
            .json(&approve)
            .content()
            .await;
        assert_eq!(again, decided);
        let facts = world.facts().await;
        assert_eq!(
            facts
                .iter()
                .filter(|kind| *kind == "account.requested")
                .count(),
            1
        );
        let account = world.last_fact("account.requested").await;
        assert_eq!(
            (&account["person"], &account["kind"]),
            (&decided["account"], &json!("merchant"))
        );
        assert!(!account.to_string().contains("13800138000"));
        let changed = world.last_fact("merchant.changed").await;
        assert_eq!(changed["members"], json!([decided["account"]]));
        assert_eq!(
            (&changed["open"], &changed["categories"]),
            (&json!(false), &json!(["fruit"]))
        );
        world
            .post(&decision)
            .by(WANG)
            .json(&approve)
            .refused(409, "merchant_application_state")
            .await;
        let own = world
            .get("/api/merchants?mine=true")
            .by(owner_of(decided["account"].as_str().unwrap()))
            .content()
            .await;
        assert_eq!(own["items"][0]["id"], decided["merchant"]);
    })
    .await;
}

#[tokio::test]
async fn changes_that_are_asked_for_come_back_as_another_round() {
    on_each_engine(async |world| {
        let application = world.submitted().await;
        let path = format!("/api/merchant-applications/{application}");
        let decision = format!("{path}/decision");
        world
            .post(&decision)
            .by(AUDIT)
            .json(&json!({"decision": "request_changes"}))
            .refused(422, "reason_required")
            .await;
        let asked = json!({"decision": "request_changes", "reason": "执照不清晰"});
        let back = world.post(&decision).by(AUDIT).json(&asked).content().await;
        assert_eq!(
            (&back["state"], &back["reason"]),
            (&json!("changes_requested"), &json!("执照不清晰"))
        );
        let renewed = paper("business_licence", Some("2030-01-01"));
        world
            .post(&format!("{path}/qualifications"))
            .by(LI)
            .json(&renewed)
            .content()
            .await;
        let shown = world.get(&path).by(LI).content().await;
        assert_eq!(shown["phone"], "+8613800138000");
        let read = world.get(&path).by(AUDITOR).content().await;
        assert_eq!(read["phone"], "+86138****8000");
        let kinds: Vec<&Value> = shown["qualifications"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["kind"])
            .collect();
        assert_eq!(
            kinds.len(),
            2,
            "the new licence takes the place of the old one: {kinds:?}"
        );
        let again = world
            .post(&format!("{path}/submission"))
            .by(LI)
            .content()
            .await;
        assert_eq!(
            (&again["state"], &again["round"]),
            (&json!("submitted"), &json!(2))
        );
        let refused = json!({"decision": "reject", "reason": "不在经营范围"});
        let over = world
            .post(&decision)
            .by(WANG)
            .json(&refused)
            .content()
            .await;
        assert_eq!(over["state"], "rejected");
        world
            .post(&format!("{path}/submission"))
            .by(LI)
            .refused(409, "merchant_application_state")
            .await;
        assert!(
            !world
                .facts()
                .await
                .contains(&"account.requested".to_owned())
        );
    })
    .await;
}

#[tokio::test]
async fn nobody_decides_on_their_own_application() {
    on_each_engine(async |world| {
        let begun = world
            .post("/api/merchant-applications")
            .by(WANG)
            .json(&content("13900139000"))
            .content()
            .await;
        let path = format!("/api/merchant-applications/{}", id(&begun));
        for kind in ["business_licence", "food_licence"] {
            world
                .post(&format!("{path}/qualifications"))
                .by(WANG)
                .json(&paper(kind, Some("2027-01-01")))
                .content()
                .await;
        }
        world
            .post(&format!("{path}/submission"))
            .by(WANG)
            .content()
            .await;
        let decision = format!("{path}/decision");
        let approve = json!({"decision": "approve"});
        world
            .post(&decision)
            .by(WANG)
            .json(&approve)
            .refused(403, "own_application")
            .await;
        world
            .post(&decision)
            .by(AUDIT)
            .json(&approve)
            .content()
            .await;
    })
    .await;
}

#[tokio::test]
async fn an_applicant_without_an_account_comes_back_with_a_token_and_is_limited() {
    on_each_engine(async |world| {
        let mut sent = content("13700137000");
        sent["tenant"] = json!("demo");
        let begin = |sent: &Value| world.post("/api/merchant-registrations").json(sent);
        let begun = begin(&sent).content().await;
        let path = format!(
            "/api/merchant-registrations/{}",
            begun["token"].as_str().unwrap()
        );
        for kind in ["business_licence", "food_licence"] {
            let papers = format!("{path}/qualifications");
            world
                .post(&papers)
                .json(&paper(kind, Some("2027-01-01")))
                .content()
                .await;
        }
        let mut other = content("13700137000");
        other["shop"] = json!("新林记");
        world.put(&path).json(&other).content().await;
        let submitted = world.post(&format!("{path}/submission")).content().await;
        assert_eq!(
            (&submitted["state"], &submitted["content"]["shop"]),
            (&json!("submitted"), &json!("新林记"))
        );
        let decision = format!("/api/merchant-applications/{}/decision", id(&begun));
        world
            .post(&decision)
            .by(AUDIT)
            .json(&json!({"decision": "approve"}))
            .content()
            .await;
        let shown = world.get(&path).content().await;
        assert!(
            shown["account"].is_string() && shown["merchant"].is_string(),
            "{shown}"
        );
        world
            .get(&format!("{path}x"))
            .refused(404, "merchant_application_unknown")
            .await;

        begin(&sent).content().await;
        begin(&sent).content().await;
        begin(&sent).refused(429, "too_many_applications").await;
        sent["tenant"] = json!("nowhere");
        begin(&sent).refused(404, "community_unknown").await;
    })
    .await;
}

#[tokio::test]
async fn an_application_can_be_taken_back_until_it_is_decided() {
    on_each_engine(async |world| {
        let application = world.submitted().await;
        let path = format!("/api/merchant-applications/{application}");
        let withdrawal = format!("{path}/withdrawal");
        world
            .post(&withdrawal)
            .by(AUDIT)
            .refused(403, "applicant_only")
            .await;
        world
            .post(&withdrawal)
            .by(MA)
            .refused(404, "merchant_application_unknown")
            .await;
        assert_eq!(
            world.post(&withdrawal).by(LI).content().await["state"],
            "withdrawn"
        );
        assert_eq!(
            world.last_fact("merchant.application_decided").await["decision"],
            "withdrawn"
        );
        world
            .post(&withdrawal)
            .by(LI)
            .refused(409, "merchant_application_state")
            .await;
        world
            .put(&path)
            .by(LI)
            .json(&content("13800138000"))
            .refused(409, "merchant_application_state")
            .await;
    })
    .await;
}
