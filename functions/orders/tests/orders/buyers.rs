//! What buyers keep: carts, favourites, addresses, coupons.

use kernel::ActorId;
use serde_json::{Value, json};
use wire::event::{PersonAliased, PersonErased};

use crate::goods::{apples, id, variant};
use crate::support::{AUDITOR, FRUITER, LI, MA, WANG, World, on_each_engine};

/// A running promotion of the fruit shop.
pub async fn promotion(world: &World, terms: Value, subsidy_bps: u32) -> Value {
    let ask = json!({"merchant": "fruit", "name": "开业活动", "terms": terms, "subsidy_bps": subsidy_bps,
        "from": "2026-11-01T00:00:00Z", "until": "2026-11-30T00:00:00Z"});
    let applied = world
        .post("/api/promotions")
        .by(FRUITER)
        .json(&ask)
        .content()
        .await;
    let path = format!("/api/promotions/{}/approval", id(&applied));
    world
        .post(&path)
        .by(WANG)
        .json(&json!({"places": ["home"]}))
        .content()
        .await
}

#[tokio::test]
async fn a_cart_holds_several_shops_and_says_what_changed() {
    on_each_engine(async |world| {
        let apples = world.offered(FRUITER, &apples(3)).await;
        let (service, slot) = world.laundry(2).await;
        let path = format!("/api/carts/{}", variant(&apples, 0));
        world
            .put(&path)
            .by(LI)
            .json(&json!({"quantity": 3}))
            .content()
            .await;
        world
            .put(&path)
            .by(LI)
            .json(&json!({"quantity": 4}))
            .refused(409, "out_of_stock")
            .await;
        world
            .put(&path)
            .by(LI)
            .json(&json!({"quantity": 0}))
            .refused(422, "quantity_invalid")
            .await;
        let wash = format!("/api/carts/{}", variant(&service, 0));
        let cart = world
            .put(&wash)
            .by(LI)
            .json(&json!({"quantity": 1, "slot": slot["id"]}))
            .content()
            .await;
        assert_eq!(cart["shops"].as_array().unwrap().len(), 2);
        assert_eq!(cart["amount_minor"], 3 * 3_990 + 2_500);
        let stock = format!("/api/stock/{}/movements", variant(&apples, 0));
        world
            .post(&stock)
            .by(FRUITER)
            .json(&json!({"kind": "issued", "units": 1}))
            .content()
            .await;
        let cart = world.get("/api/carts").by(LI).content().await;
        let shops = cart["shops"].as_array().unwrap();
        let fruit = shops.iter().find(|shop| shop["merchant"] == "fruit");
        assert_eq!(fruit.unwrap()["lines"][0]["unavailable"], "out_of_stock");
        assert_eq!(cart["amount_minor"], 2_500);
        assert_eq!(
            world.get("/api/carts").by(MA).content().await["amount_minor"],
            0
        );
        assert_eq!(world.delete(&path).by(LI).reply().await.status, 204);
        world
            .delete(&path)
            .by(LI)
            .refused(404, "cart_line_unknown")
            .await;
        world
            .get("/api/carts")
            .by(AUDITOR)
            .refused(403, "people_only")
            .await;
    })
    .await;
}

#[tokio::test]
async fn addresses_have_one_default_and_belong_to_their_owner() {
    on_each_engine(async |world| {
        let address = |detail: &str, is_default: bool| {
            json!({"community": "garden", "detail": detail, "name": "李梅", "phone": "13800138000", "is_default": is_default})
        };
        let add = async |detail: &str, is_default| world.post("/api/addresses").by(LI).json(&address(detail, is_default)).content().await;
        let first = add("1栋101", false).await;
        assert_eq!(first["is_default"], true);
        let second = add("2栋202", true).await;
        let list = async || world.get("/api/addresses").by(LI).content().await["items"].clone();
        let held = list().await;
        assert_eq!((held[0]["id"].clone(), held[0]["is_default"].clone(), held[1]["is_default"].clone()), (second["id"].clone(), json!(true), json!(false)));
        let path = format!("/api/addresses/{}", id(&second));
        world.get(&path).by(MA).refused(404, "address_unknown").await;
        world.put(&path).by(LI).header("if-match", "\"1\"").json(&address("2栋203", false)).content().await;
        assert_eq!(list().await[0]["detail"], "2栋203", "still the default");
        assert_eq!(world.delete(&path).by(LI).reply().await.status, 204);
        assert_eq!(list().await[0]["is_default"], true, "the other one is the default now");
        world.record(&PersonErased { person: ActorId::parse("li").unwrap(), actor: ActorId::parse("wang").unwrap() }).await;
        world.tick().await;
        assert_eq!(list().await, json!([]));
    })
    .await;
}

#[tokio::test]
async fn favourites_tell_what_can_be_had() {
    on_each_engine(async |world| {
        let apples = world.offered(FRUITER, &apples(3)).await;
        let path = format!("/api/favourites/product/{}", id(&apples));
        for path in [path.as_str(), path.as_str(), "/api/favourites/shop/fruit"] {
            assert_eq!(world.put(path).by(LI).reply().await.status, 204);
        }
        let list = async |kind: &str| {
            world
                .get(&format!("/api/favourites?kind={kind}"))
                .by(LI)
                .content()
                .await["items"]
                .clone()
        };
        assert_eq!(
            (
                list("product").await[0]["available"].clone(),
                list("shop").await[0]["name"].clone()
            ),
            (json!(true), json!("店铺 fruit"))
        );
        world
            .post(&format!("/api/products/{}/delisting", id(&apples)))
            .by(FRUITER)
            .content()
            .await;
        assert_eq!(list("product").await[0]["available"], false);
        world
            .put("/api/favourites/product/nothing")
            .by(LI)
            .refused(404, "product_unknown")
            .await;
        world
            .put("/api/favourites/plant/1")
            .by(LI)
            .refused(404, "favourite_kind_unknown")
            .await;
        assert_eq!(world.delete(&path).by(LI).reply().await.status, 204);
        world
            .delete(&path)
            .by(LI)
            .refused(404, "favourite_unknown")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_promotion_runs_only_after_another_person_approved_it() {
    on_each_engine(async |world| {
        let terms = json!({"kind": "full_reduction", "tiers": [{"from_minor": 10_000, "off_minor": 1_000}]});
        let ask = json!({"merchant": "fruit", "name": "满100减10", "terms": terms, "subsidy_bps": 3_000,
            "from": "2026-11-01T00:00:00Z", "until": "2026-11-30T00:00:00Z"});
        let applied = world.post("/api/promotions").by(FRUITER).json(&ask).content().await;
        let path = format!("/api/promotions/{}", id(&applied));
        world.get(&path).by(LI).refused(404, "promotion_unknown").await;
        world.post(&format!("{path}/approval")).by(FRUITER).json(&json!({})).refused(403, "promotion_auditors_only").await;
        world.post(&format!("{path}/rejection")).by(WANG).refused(422, "reason_required").await;
        world.post(&format!("{path}/approval")).by(WANG).json(&json!({"places": ["home", "topic"]})).content().await;
        world.post(&format!("{path}/approval")).by(WANG).json(&json!({})).refused(409, "promotion_state").await;
        let home = world.get("/api/promotions?place=home").by(LI).content().await;
        assert_eq!(home["items"][0]["places"], json!(["home", "topic"]));
        let none = world.get("/api/promotions?place=campaign").by(LI).content().await;
        assert_eq!(none["items"], json!([]));
        world.post(&format!("{path}/withdrawal")).by(FRUITER).content().await;
        world.get(&path).by(LI).refused(404, "promotion_unknown").await;
        let wrong = json!({"kind": "full_reduction", "tiers": [{"from_minor": 100, "off_minor": 101}]});
        let mut ask = ask.clone();
        ask["terms"] = wrong;
        world.post("/api/promotions").by(FRUITER).json(&ask).refused(422, "terms_invalid").await;
        // An operator who applies for a hosted shop does not approve it.
        let hosted = json!({"merchant": "laundry", "name": "减", "terms": terms, "from": "2026-11-01T00:00:00Z", "until": "2026-11-30T00:00:00Z"});
        let own = world.post("/api/promotions").by(WANG).json(&hosted).content().await;
        world.post(&format!("/api/promotions/{}/approval", id(&own))).by(WANG).json(&json!({})).refused(403, "own_application").await;
    })
    .await;
}

#[tokio::test]
async fn there_are_as_many_coupons_as_were_promised_and_one_for_each() {
    on_each_engine(async |world| {
        let terms =
            json!({"kind": "coupon", "off_minor": 500, "least_minor": 1_000, "issue_max": 1});
        let issue = promotion(&world, terms, 0).await;
        let path = format!("/api/promotions/{}/coupons", id(&issue));
        let first = world.post(&path).by(LI).content().await;
        let again = world.post(&path).by(LI).content().await;
        assert_eq!(first["id"], again["id"]);
        world.post(&path).by(MA).refused(409, "coupons_gone").await;
        assert_eq!(
            world.get("/api/coupons").by(MA).content().await["items"],
            json!([])
        );
        // Two accounts that were one person all along: what was Li's is Ma's.
        world
            .record(&PersonAliased {
                alias: ActorId::parse("li").unwrap(),
                person: ActorId::parse("ma").unwrap(),
            })
            .await;
        world.tick().await;
        let held = world.get("/api/coupons?state=held").by(MA).content().await;
        assert_eq!(held["items"][0]["id"], first["id"]);
    })
    .await;
}
