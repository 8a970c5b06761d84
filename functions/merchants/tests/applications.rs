//! From an application to a merchant: what is asked for, who decides, and when an account is made.

use serde_json::{Value, json};

use crate::support::{
    AUDIT, AUDITOR, DAY_MS, LI, MA, PDF, WANG, content, id, on_each_engine, owner_of, paper,
};

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
async fn without_the_papers_that_its_categories_need_nothing_is_submitted_or_approved() {
    on_each_engine(async |world| {
        let begun = world
            .post("/api/merchant-applications")
            .by(LI)
            .json(&content("13800138000"))
            .content()
            .await;
        let path = format!("/api/merchant-applications/{}", id(&begun));
        let submission = format!("{path}/submission");
        let missing = world
            .post(&submission)
            .by(LI)
            .refused(422, "qualification_missing")
            .await;
        assert!(
            missing["detail"]
                .as_str()
                .unwrap()
                .contains("business_licence")
        );
        let papers = format!("{path}/qualifications");
        world
            .post(&papers)
            .by(LI)
            .json(&paper("business_licence", None))
            .content()
            .await;
        world.post(&submission).by(LI).content().await;
        let decision = format!("{path}/decision");
        let approve = json!({"decision": "approve"});
        let missing = world
            .post(&decision)
            .by(AUDIT)
            .json(&approve)
            .refused(422, "qualification_missing")
            .await;
        assert!(missing["detail"].as_str().unwrap().contains("food_licence"));
        // What was not granted needs no paper.
        let tools = json!({"decision": "approve", "categories": ["tools"]});
        let decided = world.post(&decision).by(AUDIT).json(&tools).content().await;
        let shown = world.shown(decided["merchant"].as_str().unwrap()).await;
        assert_eq!(
            (&shown["categories"], &shown["qualified_until"]),
            (&json!(["tools"]), &Value::Null)
        );
    })
    .await;
}

#[tokio::test]
async fn a_paper_is_a_small_file_that_holds() {
    on_each_engine(async |world| {
        let begun = world
            .post("/api/merchant-applications")
            .by(LI)
            .json(&content("13800138000"))
            .content()
            .await;
        let path = format!("/api/merchant-applications/{}/qualifications", id(&begun));
        let with = |name: &str, value: Value| {
            let mut sent = paper("food_licence", Some("2027-01-01"));
            sent[name] = value;
            sent
        };
        let post = |sent: Value| world.post(&path).by(LI).json(&sent);
        post(with("valid_until", Value::Null))
            .refused(422, "validity_required")
            .await;
        post(with("valid_until", json!("2026-11-01")))
            .refused(422, "qualification_over")
            .await;
        post(with("media_type", json!("image/png")))
            .refused(422, "file_kind_wrong")
            .await;
        post(with("media_type", json!("text/html")))
            .refused(422, "wrong_type")
            .await;
        post(with("content", json!("?")))
            .refused(422, "content_not_base64")
            .await;
        post(with("content", json!("")))
            .refused(422, "file_too_large")
            .await;
        post(with("content", json!("JVBERi0x".repeat(100_000))))
            .refused(413, "body_too_large")
            .await;
        let kept = post(with("content", json!(PDF))).content().await;
        assert_eq!(
            (&kept["bytes"], &kept["state"]),
            (&json!(8), &json!("pending"))
        );
        let file = world
            .get(&format!("{path}/{}", id(&kept)))
            .by(AUDITOR)
            .reply()
            .await;
        assert_eq!(
            (
                &file.body[..],
                file.headers["content-type"].to_str().unwrap()
            ),
            (&b"%PDF-1.7"[..], "application/pdf")
        );
        world
            .get(&format!("{path}/{}", id(&kept)))
            .by(MA)
            .refused(404, "merchant_application_unknown")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_wrong_credit_code_an_unknown_place_or_category_begins_nothing() {
    on_each_engine(async |world| {
        let with = |name: &str, value: Value| {
            let mut sent = content("13800138000");
            sent[name] = value;
            sent
        };
        let post = |sent: Value| world.post("/api/merchant-applications").by(LI).json(&sent);
        post(with("credit_code", json!("91350100M000100Y44")))
            .refused(422, "wrong_type")
            .await;
        post(with("community", json!("nowhere")))
            .refused(404, "community_unknown")
            .await;
        post(with("categories", json!(["nothing"])))
            .refused(404, "category_unknown")
            .await;
        post(with("categories", json!([])))
            .refused(422, "categories_invalid")
            .await;
        post(with("phone", json!("12")))
            .refused(422, "wrong_type")
            .await;
        let page = world
            .get("/api/merchant-applications")
            .by(LI)
            .content()
            .await;
        assert_eq!(page["items"], json!([]));
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
async fn a_draft_is_forgotten_after_a_month_and_what_was_submitted_is_not() {
    on_each_engine(async |mut world| {
        let submitted = world.submitted().await;
        let draft = world
            .post("/api/merchant-applications")
            .by(MA)
            .json(&content("13900139000"))
            .content()
            .await;
        let papers = format!("/api/merchant-applications/{}/qualifications", id(&draft));
        world
            .post(&papers)
            .by(MA)
            .json(&paper("business_licence", None))
            .content()
            .await;
        world.pass_ms(29 * DAY_MS);
        world.tick().await;
        world
            .get(&format!("/api/merchant-applications/{}", id(&draft)))
            .by(MA)
            .content()
            .await;
        world.pass_ms(DAY_MS);
        world.tick().await;
        world
            .get(&format!("/api/merchant-applications/{}", id(&draft)))
            .by(MA)
            .refused(404, "merchant_application_unknown")
            .await;
        world
            .get(&format!("/api/merchant-applications/{submitted}"))
            .by(LI)
            .content()
            .await;
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
