//! Goods and services: kept by their merchants, listed while the shop may trade, seen and found by buyers.

use serde_json::{Value, json};
use wire::mall::Standing;

use crate::support::{
    AUDITOR, DAY_MS, FRUITER, LAUNDERER, LI, MA, MINUTE_MS, Person, START, WANG, World,
    on_each_engine,
};

/// The id of what was made.
pub fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// The id of the variant of that place.
pub fn variant(product: &Value, place: usize) -> String {
    product["variants"][place]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Apples of the fruit shop in two sizes, with so many units each.
pub fn apples(units: i64) -> Value {
    json!({"merchant": "fruit", "category": "fruits", "name": "红富士苹果", "summary": "陕西洛川，脆甜多汁", "variants": [
        {"name": "5斤装", "price_minor": 3_990, "code": "APL-5", "barcode": "6901234567892", "units": units},
        {"name": "10斤装", "price_minor": 6_990, "units": units},
    ]})
}

impl World {
    /// Adds a product, not listed.
    pub async fn draft(&self, person: Person<'_>, product: &Value) -> Value {
        self.post("/api/products")
            .by(person)
            .json(product)
            .content()
            .await
    }

    /// Adds a product and lists it.
    pub async fn offered(&self, person: Person<'_>, product: &Value) -> Value {
        let made = self.draft(person, product).await;
        let path = format!("/api/products/{}/listing", id(&made));
        self.post(&path).by(person).content().await
    }

    /// The laundry with one slot tomorrow, of so many places: the product and the slot.
    pub async fn laundry(&self, capacity: i64) -> (Value, Value) {
        let service = json!({"merchant": "laundry", "category": "care", "name": "上门洗衣", "lead_minutes": 60, "cancel_minutes": 120,
            "variants": [{"name": "一袋", "price_minor": 2_500}]});
        let service = self.offered(LAUNDERER, &service).await;
        let slot = json!({"starts_at": "2026-11-03T02:00:00Z", "ends_at": "2026-11-03T03:00:00Z", "capacity": capacity});
        let path = format!("/api/products/{}/slots", id(&service));
        let slot = self.post(&path).by(LAUNDERER).json(&slot).content().await;
        (service, slot)
    }

    /// What is found.
    pub async fn finds(&self, query: &str) -> Vec<String> {
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let page = self
            .get(&format!("/api/search?q={encoded}"))
            .by(LI)
            .content()
            .await;
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|hit| hit["title"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[tokio::test]
async fn goods_are_added_listed_changed_and_taken_off() {
    on_each_engine(async |world| {
        let made = world.draft(FRUITER, &apples(10)).await;
        assert_eq!((made["kind"].as_str(), made["state"].as_str()), (Some("goods"), Some("draft")));
        assert_eq!(made["variants"][0]["available"], 10);
        let path = format!("/api/products/{}", id(&made));
        world.get(&path).by(LI).refused(404, "product_unknown").await;
        world.get(&path).by(LAUNDERER).refused(404, "product_unknown").await;
        world.get(&path).by(AUDITOR).content().await;
        let listed = world.post(&format!("{path}/listing")).by(FRUITER).content().await;
        assert_eq!((listed["state"].as_str(), listed["version"].as_i64()), (Some("listed"), Some(2)));
        world.get(&path).by(LI).content().await;
        let changed = json!({"category": "fruits", "name": "红富士", "variants": [
            {"id": made["variants"][0]["id"], "name": "5斤装", "price_minor": 3_590, "code": "APL-5"}]});
        world.put(&path).by(FRUITER).json(&changed).refused(428, "if_match_required").await;
        world.put(&path).by(FRUITER).header("if-match", "\"1\"").json(&changed).refused(412, "version_changed").await;
        let after = world.put(&path).by(FRUITER).header("if-match", "\"2\"").json(&changed).content().await;
        assert_eq!(after["variants"].as_array().unwrap().len(), 1);
        assert_eq!((after["variants"][0]["price_minor"].as_i64(), after["variants"][0]["available"].as_i64()), (Some(3_590), Some(10)));
        let off = world.post(&format!("{path}/delisting")).by(WANG).refused(422, "reason_required").await;
        assert_eq!(off["status"], 422);
        world.post(&format!("{path}/delisting")).by(WANG).json(&json!({"reason": "质量投诉"})).content().await;
        world.get(&path).by(LI).refused(404, "product_unknown").await;
        let facts = world.facts().await;
        assert_eq!(facts.iter().filter(|kind| *kind == "product.changed").count(), 4);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_sold_is_refused() {
    on_each_engine(async |world| {
        let with = |change: &dyn Fn(&mut Value)| {
            let mut product = apples(1);
            change(&mut product);
            product
        };
        let check = async |product: Value, status: u16, code: &str| {
            world.post("/api/products").by(FRUITER).json(&product).refused(status, code).await;
        };
        check(with(&|product| product["variants"][0]["price_minor"] = json!(-1)), 422, "price_invalid").await;
        check(with(&|product| product["variants"][0]["price_minor"] = json!(0)), 422, "price_invalid").await;
        check(with(&|product| product["variants"] = json!([])), 422, "variants_number").await;
        check(with(&|product| product["category"] = json!("care")), 422, "category_not_allowed").await;
        check(with(&|product| product["category"] = json!("weapons")), 422, "category_unknown").await;
        check(with(&|product| product["variants"][1]["code"] = json!("APL-5")), 409, "code_taken").await;
        check(with(&|product| product["variants"][0]["units"] = json!(-3)), 422, "units_invalid").await;
        check(with(&|product| product["merchant"] = json!("laundry")), 404, "merchant_unknown").await;
        let hosted = json!({"merchant": "laundry", "category": "fruits", "name": "梨", "variants": [{"name": "斤", "price_minor": 500}]});
        world.offered(WANG, &hosted).await;
        world.post("/api/products").by(WANG).json(&apples(1)).refused(403, "shop_is_self_run").await;
    })
    .await;
}

#[tokio::test]
async fn a_frozen_shop_lists_nothing_and_its_goods_are_hidden_everywhere() {
    on_each_engine(async |world| {
        let apples = world.offered(FRUITER, &apples(10)).await;
        let path = format!("/api/products/{}", id(&apples));
        let cart = format!("/api/carts/{}", variant(&apples, 0));
        world
            .put(&cart)
            .by(LI)
            .json(&json!({"quantity": 2}))
            .content()
            .await;
        assert_eq!(world.finds("苹果").await, ["红富士苹果"]);
        world.stands("fruit", Standing::Frozen, 1).await;
        assert!(world.finds("苹果").await.is_empty());
        world
            .get(&path)
            .by(LI)
            .refused(404, "product_unknown")
            .await;
        let page = world.get("/api/products").by(LI).content().await;
        assert_eq!(page["items"].as_array().unwrap().len(), 0);
        world
            .put(&cart)
            .by(MA)
            .json(&json!({"quantity": 1}))
            .refused(409, "shop_not_trading")
            .await;
        let held = world.get("/api/carts").by(LI).content().await;
        assert_eq!(
            held["shops"][0]["lines"][0]["unavailable"],
            "shop_not_trading"
        );
        assert_eq!(held["amount_minor"], 0);
        world
            .post(&format!("{path}/delisting"))
            .by(FRUITER)
            .content()
            .await;
        world
            .post(&format!("{path}/listing"))
            .by(FRUITER)
            .refused(409, "shop_not_trading")
            .await;
        // Opened again, everything is there again at once.
        world.stands("fruit", Standing::Good, 2).await;
        world
            .post(&format!("{path}/listing"))
            .by(FRUITER)
            .content()
            .await;
        assert_eq!(world.finds("苹果").await, ["红富士苹果"]);
        let held = world.get("/api/carts").by(LI).content().await;
        assert_eq!(held["amount_minor"], 2 * 3_990);
    })
    .await;
}

#[tokio::test]
async fn the_last_days_are_cheaper_and_what_has_expired_is_not_sold() {
    on_each_engine(async |mut world| {
        let milk = json!({"merchant": "fruit", "category": "fruits", "name": "酸奶", "variants": [
            {"name": "杯", "price_minor": 1_000, "units": 5, "shelf": {"expires_on": "2026-11-05", "trace_code": "B-7", "near_days": 1, "markdown_bps": 5_000}}]});
        let milk = world.offered(FRUITER, &milk).await;
        let cart = format!("/api/carts/{}", variant(&milk, 0));
        world.put(&cart).by(LI).json(&json!({"quantity": 1})).content().await;
        let price = async |world: &World| world.get("/api/carts").by(LI).content().await["shops"][0]["lines"][0].clone();
        assert_eq!(price(&world).await["price_minor"], 1_000);
        world.pass_ms(2 * DAY_MS);
        let line = price(&world).await;
        assert_eq!((line["price_minor"].as_i64(), line["seen_minor"].as_i64()), (Some(500), Some(1_000)));
        let near = world.get("/api/shops/fruit/near-expiry?days=3").by(FRUITER).content().await;
        assert_eq!((near["items"][0]["trace_code"].as_str(), near["items"][0]["price_minor"].as_i64()), (Some("B-7"), Some(500)));
        world.pass_ms(2 * DAY_MS);
        assert_eq!(price(&world).await["unavailable"], "product_expired");
        world.put(&cart).by(MA).json(&json!({"quantity": 1})).refused(409, "product_expired").await;
    })
    .await;
}

#[tokio::test]
async fn stock_is_received_issued_and_counted_and_the_shortage_is_known() {
    on_each_engine(async |world| {
        let apples = world.offered(FRUITER, &apples(10)).await;
        let path = format!("/api/stock/{}", variant(&apples, 0));
        let move_to = async |kind: &str, units: i64| {
            let body = json!({"kind": kind, "units": units, "reason": "盘点"});
            world
                .post(&format!("{path}/movements"))
                .by(FRUITER)
                .json(&body)
                .content()
                .await["available"]
                .clone()
        };
        assert_eq!(move_to("received", 5).await, 15);
        assert_eq!(move_to("issued", 3).await, 12);
        let below = json!({"kind": "issued", "units": 13});
        world
            .post(&format!("{path}/movements"))
            .by(FRUITER)
            .json(&below)
            .refused(409, "stock_below_zero")
            .await;
        let shortage = world
            .get("/api/shops/fruit/shortage")
            .by(FRUITER)
            .content()
            .await;
        assert_eq!(
            (
                shortage["variants"].as_i64(),
                shortage["run_out"].as_i64(),
                shortage["within"].as_bool()
            ),
            (Some(2), Some(0), Some(true))
        );
        assert_eq!(move_to("counted", 0).await, 0);
        let shortage = world
            .get("/api/shops/fruit/shortage")
            .by(AUDITOR)
            .content()
            .await;
        assert_eq!(
            (shortage["rate_bps"].as_i64(), shortage["within"].as_bool()),
            (Some(5_000), Some(false))
        );
        let log = world
            .get(&format!("{path}/movements"))
            .by(FRUITER)
            .content()
            .await;
        let sum: i64 = log["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|movement| movement["available"].as_i64().unwrap())
            .sum();
        assert_eq!((log["items"].as_array().unwrap().len(), sum), (4, 0));
        world.get(&path).by(LI).refused(404, "stock_unknown").await;
    })
    .await;
}

#[tokio::test]
async fn a_service_is_booked_in_a_slot_until_its_lead() {
    on_each_engine(async |mut world| {
        let (service, slot) = world.laundry(1).await;
        let cart = format!("/api/carts/{}", variant(&service, 0));
        world.put(&cart).by(LI).json(&json!({"quantity": 1})).refused(422, "slot_required").await;
        let booked = json!({"quantity": 1, "slot": slot["id"]});
        world.put(&cart).by(LI).json(&booked).content().await;
        world.put(&cart).by(LI).json(&json!({"quantity": 2, "slot": slot["id"]})).refused(409, "out_of_stock").await;
        let overlap = json!({"starts_at": "2026-11-03T02:30:00Z", "ends_at": "2026-11-03T03:30:00Z", "capacity": 1});
        let slots = format!("/api/products/{}/slots", id(&service));
        world.post(&slots).by(LAUNDERER).json(&overlap).refused(409, "slot_overlaps").await;
        let listed = world.get(&slots).by(LI).content().await;
        assert_eq!((listed["items"][0]["bookable"].as_bool(), listed["items"][0]["available"].as_i64()), (Some(true), Some(1)));
        assert_eq!(listed["items"][0]["cancel_until"], "2026-11-03T00:00:00.000Z");
        // From 2026-11-02T02:00 to five minutes before the slot, which is within its lead.
        assert_eq!(START, "2026-11-02T02:00:00Z");
        world.pass_ms(DAY_MS - 5 * MINUTE_MS);
        world.put(&cart).by(LI).json(&booked).refused(409, "slot_closed").await;
    })
    .await;
}

#[tokio::test]
async fn pictures_are_few_small_and_really_pictures() {
    on_each_engine(async |world| {
        let apples = world.offered(FRUITER, &apples(1)).await;
        let path = format!("/api/products/{}/pictures/1", id(&apples));
        let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &[7; 100]].concat();
        let shown = world
            .put(&path)
            .by(FRUITER)
            .bytes("image/png", &png)
            .content()
            .await;
        assert_eq!(
            (
                shown["pictures"][0]["bytes"].as_i64(),
                shown["pictures"][0]["media_type"].as_str()
            ),
            (Some(108), Some("image/png"))
        );
        let reply = world.get(&path).by(LI).reply().await;
        assert_eq!(
            (reply.status.as_u16(), reply.body.as_ref()),
            (200, png.as_slice())
        );
        world
            .put(&path)
            .by(FRUITER)
            .bytes("image/png", b"<svg onload=alert(1)>")
            .refused(422, "picture_invalid")
            .await;
        world
            .put(&path)
            .by(FRUITER)
            .bytes("image/png", vec![0_u8; 256 * 1024 + 1])
            .refused(413, "body_too_large")
            .await;
        world
            .put(&format!("/api/products/{}/pictures/10", id(&apples)))
            .by(FRUITER)
            .bytes("image/png", &png)
            .refused(404, "picture_unknown")
            .await;
        assert_eq!(world.delete(&path).by(FRUITER).reply().await.status, 204);
        world
            .get(&path)
            .by(LI)
            .refused(404, "picture_unknown")
            .await;
    })
    .await;
}
