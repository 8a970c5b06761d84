//! Creatives and their review.

use serde_json::json;

use crate::booking::days;
use crate::support::{BO, LI, MEI, WANG, XU, ZHOU, banner, content, id, on_each_engine, placement};

#[tokio::test]
async fn what_changes_after_its_approval_is_shown_no_more_until_it_is_reviewed_again() {
    on_each_engine(async |world| {
        world.place(&placement("home-top", "banner", 1)).await;
        let line = world
            .booked((MEI, "m1"), &days("home-top", "2026-11-02", "2026-11-05"))
            .await;
        assert!(world.decide(LI, "home-top").await.is_some());
        let shown = world
            .get(&format!("/api/ads/lines/{line}"))
            .by(MEI)
            .content()
            .await;
        let path = format!(
            "/api/ads/creatives/{}",
            shown["creatives"][0].as_str().unwrap()
        );
        let changed = json!({"content": content("banner", "不一样")});
        let after = world.put(&path).by(MEI).json(&changed).content().await;
        assert_eq!(after["state"], "changed");
        assert!(world.decide(LI, "home-top").await.is_none());
        let review = format!("{path}/review");
        let approve = json!({"decision": "approve", "reason": null});
        world
            .post(&review)
            .by(MEI)
            .json(&approve)
            .refused(403, "reviewers_only")
            .await;
        world
            .post(&review)
            .by(BO)
            .json(&approve)
            .refused(404, "creative_unknown")
            .await;
        world
            .post(&review)
            .by(XU)
            .json(&approve)
            .refused(403, "reviewers_only")
            .await;
        world
            .post(&review)
            .by(ZHOU)
            .json(&json!({"decision": "deny", "reason": null}))
            .refused(422, "review_reason_missing")
            .await;
        world.post(&review).by(ZHOU).json(&approve).content().await;
        assert!(world.decide(LI, "home-top").await.is_some());
        world
            .post(&review)
            .by(ZHOU)
            .json(&approve)
            .refused(409, "creative_state")
            .await;
        let states: Vec<_> = world
            .facts_of("creative.changed")
            .await
            .iter()
            .map(|fact| fact["state"].clone())
            .collect();
        assert_eq!(states, ["pending", "approved", "changed", "approved"]);
    })
    .await;
}

#[tokio::test]
async fn what_needs_a_paper_is_shown_until_the_paper_runs_out() {
    on_each_engine(async |mut world| {
        world.place(&placement("home-top", "banner", 1)).await;
        let mut licensed = banner("m1", "有期限");
        licensed["content"]["qualified_until"] = json!("2026-11-03");
        let creative = world.approved(MEI, &licensed).await;
        let line = world
            .draft((MEI, "m1"), &days("home-top", "2026-11-02", "2026-11-05"))
            .await;
        world.shows(MEI, &line, &creative).await;
        world.act(MEI, &line, "booking").content().await;
        assert!(world.decide(LI, "home-top").await.is_some());
        world.pass_ms(14 * 60 * 60 * 1_000);
        // Midnight has passed, a heartbeat has not.
        assert!(world.decide(LI, "home-top").await.is_none());
        assert_eq!(world.tick().await["expired"], 1);
        assert_eq!(
            world
                .get(&format!("/api/ads/creatives/{creative}"))
                .by(MEI)
                .content()
                .await["state"],
            "expired"
        );
    })
    .await;
}

#[tokio::test]
async fn nobody_reviews_their_own_and_medical_needs_its_number() {
    on_each_engine(async |world| {
        let mut medical = banner("m1", "体检");
        medical["content"]["subject"] = json!("medical");
        let refused = world
            .post("/api/ads/creatives")
            .by(MEI)
            .json(&medical)
            .refused(422, "creative_invalid")
            .await;
        assert!(
            refused["detail"]
                .as_str()
                .unwrap()
                .contains("approval_number")
        );
        medical["content"]["approval_number"] = json!("京医广【2026】第1号");
        world
            .post("/api/ads/creatives")
            .by(MEI)
            .json(&medical)
            .content()
            .await;
        let own = world
            .post("/api/ads/creatives")
            .by(WANG)
            .json(&banner("m1", "代投"))
            .content()
            .await;
        let path = format!("/api/ads/creatives/{}/review", id(&own));
        let approve = json!({"decision": "approve", "reason": null});
        world
            .post(&path)
            .by(WANG)
            .json(&approve)
            .refused(403, "own_review")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_line_shows_only_its_advertisers_own_that_fits_the_placement() {
    on_each_engine(async |world| {
        let mut medical = banner("m1", "体检");
        medical["content"]["subject"] = json!("medical");
        medical["content"]["approval_number"] = json!("京医广【2026】第1号");
        let mut family = placement("lift", "banner", 1);
        family["review_class"] = json!("family");
        world.place(&family).await;
        let line = world
            .draft((MEI, "m1"), &days("lift", "2026-11-05", "2026-11-06"))
            .await;
        let creative = world.approved(MEI, &medical).await;
        let shows = json!({"creatives": [creative]});
        world
            .put(&format!("/api/ads/lines/{line}/creatives"))
            .by(MEI)
            .json(&shows)
            .refused(422, "creatives_invalid")
            .await;
        let theirs = world.approved(BO, &banner("m2", "别家")).await;
        let shows = json!({"creatives": [theirs]});
        world
            .put(&format!("/api/ads/lines/{line}/creatives"))
            .by(MEI)
            .json(&shows)
            .refused(404, "creative_unknown")
            .await;
        let pending = world
            .get("/api/ads/creatives?state=pending")
            .by(ZHOU)
            .content()
            .await;
        assert_eq!(pending["items"], json!([]));
        world
            .get("/api/ads/creatives?state=great")
            .by(ZHOU)
            .refused(400, "invalid_parameter")
            .await;
    })
    .await;
}
