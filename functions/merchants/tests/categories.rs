//! Categories: a tree with operators, and how many shops there are in it.

use serde_json::{Value, json};

use crate::support::{LI, WANG, on_each_engine};

fn category(id: &str, parent: Option<&str>, kind: &str) -> Value {
    json!({"id": id, "parent": parent, "kind": kind, "name": id})
}

#[tokio::test]
async fn categories_stand_at_most_four_above_each_other_and_are_of_one_kind() {
    on_each_engine(async |world| {
        let post = |sent: Value| world.post("/api/categories").by(WANG).json(&sent);
        post(category("apples", Some("fruit"), "goods"))
            .content()
            .await;
        let red = post(category("red", Some("apples"), "goods"))
            .content()
            .await;
        assert_eq!(red["depth"], 4);
        post(category("small", Some("red"), "goods"))
            .refused(422, "category_too_deep")
            .await;
        post(category("juice", Some("food"), "service"))
            .refused(422, "category_kind_differs")
            .await;
        post(category("x", Some("nothing"), "goods"))
            .refused(404, "category_unknown")
            .await;
        post(category("red", None, "goods"))
            .refused(409, "category_taken")
            .await;
        let mut named = category("pears", Some("food"), "goods");
        named["name"] = json!("fruit");
        post(named).refused(409, "category_taken").await;
        let page = world
            .get("/api/categories?kind=goods&limit=3")
            .by(LI)
            .content()
            .await;
        let ids: Vec<&str> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, ["food", "fruit", "apples"]);
        let next = page["next"].as_str().unwrap().replace('/', "%2F");
        let rest = world
            .get(&format!("/api/categories?kind=goods&after={next}"))
            .by(LI)
            .content()
            .await;
        assert_eq!(rest["items"].as_array().unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_launch_list_counts_shops_of_a_category_and_of_those_below() {
    on_each_engine(async |world| {
        let count = async |category: &str| {
            let shown = world
                .get(&format!("/api/categories/{category}"))
                .by(WANG)
                .content()
                .await;
            (
                shown["launch"]["shops"].as_i64().unwrap(),
                shown["launch"]["met"].as_bool().unwrap(),
            )
        };
        assert_eq!(count("food").await, (0, false));
        let (merchant, _) = world.merchant().await;
        assert_eq!(
            (
                count("food").await,
                count("fruit").await,
                count("tools").await
            ),
            ((1, false), (1, false), (0, false))
        );
        let state = format!("/api/merchants/{merchant}/state");
        world
            .put(&state)
            .by(WANG)
            .json(&json!({"state": "ended", "reason": "x"}))
            .content()
            .await;
        assert_eq!(count("food").await, (0, false));
        let seen = world.get("/api/categories/food").by(LI).content().await;
        assert_eq!(seen["launch"], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn a_category_in_use_stays_and_another_is_taken_away_and_told() {
    on_each_engine(async |world| {
        world.merchant().await;
        let delete = |id: &str| {
            world
                .ask(http::Method::DELETE, &format!("/api/categories/{id}"))
                .by(WANG)
        };
        delete("fruit").refused(409, "category_in_use").await;
        delete("food").refused(409, "category_in_use").await;
        assert_eq!(delete("tools").reply().await.status, 204);
        assert_eq!(delete("tools").reply().await.status, 204);
        let told = world.last_fact("category.changed").await;
        assert_eq!(
            (&told["category"], &told["gone"]),
            (&json!("tools"), &json!(true))
        );
        let again = json!({"id": "tools2", "kind": "goods", "name": "tools"});
        world
            .post("/api/categories")
            .by(WANG)
            .json(&again)
            .content()
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_category_goes_to_another_operator_by_the_version_that_was_read() {
    on_each_engine(async |world| {
        let path = "/api/categories/laundry";
        let sent = json!({"name": "洗衣", "operator": "zhao"});
        let put = |tag: &'static str| {
            world
                .ask(http::Method::PUT, path)
                .by(WANG)
                .header("if-match", tag)
                .json(&sent)
        };
        world
            .ask(http::Method::PUT, path)
            .by(WANG)
            .json(&sent)
            .refused(428, "if_match_required")
            .await;
        assert_eq!(put("\"1\"").content().await["version"], 2);
        put("\"1\"").refused(412, "version_changed").await;
        let told = world.last_fact("category.changed").await;
        assert_eq!(
            (&told["operator"], &told["name"]),
            (&json!("zhao"), &json!("洗衣"))
        );
    })
    .await;
}
