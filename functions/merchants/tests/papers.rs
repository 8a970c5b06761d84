//! What an application has to hold: a right credit code, known places, and papers that hold.

use serde_json::{Value, json};

use crate::support::{AUDIT, AUDITOR, DAY_MS, LI, MA, PDF, content, id, on_each_engine, paper};

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
