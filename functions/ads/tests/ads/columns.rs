//! Columns and articles: for their audience, on their days, and marked when paid for.

use serde_json::json;

use crate::support::{BO, CHEN, LI, MEI, WANG, ZHOU, id, on_each_engine};

#[tokio::test]
async fn a_sponsored_article_is_read_in_its_season_by_its_audience_and_says_that_it_is_paid_for() {
    on_each_engine(async |mut world| {
        let column = json!({"id": "clinic", "name": "秋季义诊", "board": null, "audience": {"kinds": ["resident"]},
            "from": "2026-01-01", "until": "2028-01-01", "season": {"from": "11-01", "until": "11-10"}});
        world.post("/api/ads/columns").by(WANG).json(&column).content().await;
        world.post("/api/ads/columns").by(WANG).json(&column).refused(409, "column_taken").await;
        let article = json!({"merchant": "m1", "title": "换季养生", "body": "多喝热水。", "image": null,
            "landing": "https://fruit.example", "from": "2026-11-01", "until": "2026-12-01"});
        let path = "/api/ads/columns/clinic/articles";
        world.post(path).by(MEI).json(&article).refused(404, "column_unknown").await;
        let written = world.post(path).by(WANG).json(&article).content().await;
        assert_eq!((&written["label"], &written["sponsor"]), (&json!("广告"), &json!("m1 商店")));
        assert_eq!(world.get(path).by(LI).content().await["items"], json!([]));
        let review = format!("/api/ads/articles/{}/review", id(&written));
        let approve = json!({"decision": "approve", "reason": null});
        world.post(&review).by(WANG).json(&approve).refused(403, "own_review").await;
        world.post(&review).by(ZHOU).json(&approve).content().await;
        let read = world.get(path).by(LI).content().await;
        assert_eq!(read["items"][0]["label"], "广告");
        world.get(path).by(CHEN).refused(404, "column_unknown").await;
        world.get(&format!("/api/ads/articles/{}", id(&written))).by(BO).refused(404, "article_unknown").await;
        world.tick_at("2026-11-09T16:00:00Z").await;
        world.get(path).by(LI).refused(404, "column_unknown").await;
        let own = json!({"merchant": null, "title": "开放日", "body": "欢迎。", "from": "2026-11-01", "until": "2026-12-01"});
        let own = world.post(path).by(WANG).json(&own).content().await;
        assert_eq!(own["label"], json!(null));
    })
    .await;
}
