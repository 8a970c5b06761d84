//! What is found by which words, and lists of goods as files.

use serde_json::{Value, json};

use crate::support::{FRUITER, LI, on_each_engine};

#[tokio::test]
async fn any_piece_of_a_name_finds_it_and_the_order_of_what_is_found_is_stable() {
    on_each_engine(async |world| {
        for name in ["苹果", "苹果汁", "红富士苹果", "Fuji 礼盒"] {
            let product = json!({"merchant": "fruit", "category": "fruits", "name": name, "summary": "洛川产 100%", "variants": [{"name": "份", "price_minor": 1_000}]});
            world.offered(FRUITER, &product).await;
        }
        assert_eq!(world.finds("苹果").await, ["苹果", "苹果汁", "红富士苹果"]);
        assert_eq!(world.finds("富士").await, ["红富士苹果"]);
        assert_eq!(world.finds("汁").await, ["苹果汁"]);
        assert_eq!(world.finds("ｆｕＪi").await, ["Fuji 礼盒"]);
        assert_eq!(world.finds("洛川 红富").await, ["红富士苹果"]);
        assert!(world.finds("果苹").await.is_empty());
        assert_eq!(world.finds("店铺").await.len(), 2);
        let first = world.get("/api/search?q=%E8%8B%B9%E6%9E%9C&limit=2").by(LI).content().await;
        let next = first["next"].as_str().unwrap();
        let rest = world.get(&format!("/api/search?q=%E8%8B%B9%E6%9E%9C&limit=2&after={next}")).by(LI).content().await;
        assert_eq!(rest["items"][0]["title"], "红富士苹果");
        assert_eq!(rest["next"], Value::Null);
        world.get("/api/search?q=").by(LI).refused(422, "query_invalid").await;
    })
    .await;
}

#[tokio::test]
async fn a_list_of_goods_is_tried_first_and_taken_in_whole_or_not_at_all() {
    on_each_engine(async |world| {
        const LIST: &str = "商家编码,商品名称,规格,品类,价格,库存,到期日\nAPL-5,红富士,5斤装,fruits,39.9,10,2026-12-01\nAPL-10,红富士,10斤装,fruits,69.90,5,\nPEAR,梨,斤,fruits,5,0,\n";
        let import = |query: &'static str, list: &str| world.post(&format!("/api/product-imports?merchant=fruit{query}")).by(FRUITER).bytes("text/csv", list.as_bytes());
        let kept = async || world.get("/api/products?merchant=fruit&state=all").by(FRUITER).content().await["items"].clone();
        let dry = import("&dry_run=true", LIST).content().await;
        assert_eq!((dry["rows"].as_i64(), dry["added"].as_i64(), dry["dry_run"].as_bool()), (Some(3), Some(2), Some(true)));
        assert_eq!(kept().await, json!([]), "only tried");
        let faulty = LIST.replace("69.90", "69.905").replace("PEAR,", ",");
        let tried = import("&dry_run=true", &faulty).content().await;
        assert_eq!((tried["faults"][0]["row"].as_i64(), tried["faults"][0]["column"].as_str()), (Some(3), Some("price")));
        assert_eq!((tried["faults"][1]["row"].as_i64(), tried["faults"][1]["column"].as_str()), (Some(4), Some("code")));
        import("", &faulty).refused(422, "import_faults").await;
        assert_eq!(kept().await, json!([]), "nothing of it");
        import("", LIST).content().await;
        assert_eq!(kept().await.as_array().unwrap().len(), 2);
        // Again with another price: the same products, and no units twice.
        let again = import("", &LIST.replace("39.9,", "35,")).content().await;
        assert_eq!((again["added"].as_i64(), again["changed"].as_i64()), (Some(0), Some(2)));
        let products = kept().await;
        let apples = products.as_array().unwrap().iter().find(|product| product["name"] == "红富士").unwrap();
        assert_eq!((apples["variants"][0]["price_minor"].as_i64(), apples["variants"][0]["available"].as_i64()), (Some(3_500), Some(10)));
        import("", "nothing").refused(422, "file_invalid").await;
    })
    .await;
}
