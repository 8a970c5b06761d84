//! OpenRTB 2.6: as a bidder and as an exchange, notices, and what is malformed.

use serde_json::{Value, json};
use wire::event::CreativeChanged;

use crate::events::creative;
use crate::support::{World, content_of, on_each_engine};

/// A banner of 300 x 250 on news.example, in yuan.
fn request() -> Value {
    json!({"id": "r1", "imp": [{"id": "1", "banner": {"w": 300, "h": 250}, "bidfloor": 0.5, "bidfloorcur": "CNY"}],
        "site": {"domain": "news.example", "page": "https://news.example/a", "ref": null}, "cur": ["USD", "CNY"],
        "at": 1, "tmax": 120, "device": {"ua": "Mozilla/5.0", "ip": "192.0.2.1"}, "ext": {"unknown": [1.25]}})
}

fn but(pointer: &str, value: Value) -> Value {
    let mut request = request();
    *request.pointer_mut(pointer).unwrap() = value;
    request
}

async fn ask(world: &World, request: &Value) -> web::Reply {
    let ask = world
        .post("/openrtb2/bid")
        .header("x-openrtb-version", "2.6");
    ask.json(request).reply().await
}

fn why(reply: &web::Reply) -> (u16, &str) {
    let header = reply.headers.get("x-linli-no-bid");
    (
        reply.status.as_u16(),
        header.map_or("", |why| why.to_str().unwrap()),
    )
}

/// The path of a notice.
fn path(url: &Value) -> String {
    let url = url.as_str().unwrap();
    url.strip_prefix("https://linli.example")
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn an_exchange_gets_a_bid_in_a_currency_that_it_lists_with_all_that_it_needs() {
    on_each_engine(async |world| {
        let id = world.bids(1, 120, ("exchange", "news.example")).await;
        world.bids(2, 110, ("exchange", "*")).await;
        let reply = ask(&world, &request()).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.headers["x-openrtb-version"]),
            (200, &http::HeaderValue::from_static("2.6"))
        );
        let answer = content_of(&reply);
        assert_eq!(
            (&answer["id"], &answer["cur"], &answer["seatbid"][0]["seat"]),
            (&json!("r1"), &json!("CNY"), &json!("m1"))
        );
        let bid = &answer["seatbid"][0]["bid"][0];
        assert!(String::from_utf8_lossy(&reply.body).contains("\"price\":1.20"));
        assert_eq!(
            (&bid["impid"], &bid["crid"], &bid["cid"], &bid["mtype"]),
            (&json!("1"), &json!("k1"), &json!(id), &json!(1))
        );
        assert_eq!(
            (&bid["adomain"], &bid["w"], &bid["h"]),
            (&json!(["fish.example"]), &json!(300), &json!(250))
        );
        assert!(bid["adm"].as_str().unwrap().contains("广告"));
        assert!(
            bid["burl"]
                .as_str()
                .unwrap()
                .contains("price=${AUCTION_PRICE}&currency=${AUCTION_CURRENCY}")
        );
        assert!(bid["lurl"].as_str().unwrap().ends_with("${AUCTION_LOSS}"));
    })
    .await;
}

#[tokio::test]
async fn a_burl_fired_ten_times_is_one_charge_of_what_the_exchange_says_and_never_more_than_the_bid()
 {
    on_each_engine(async |world| {
        let id = world.bids(1, 120, ("exchange", "*")).await;
        for (price, spent) in [
            ("0.80", 800),
            ("1.2000000001", 2_000),
            ("9999", 3_200),
            ("what", 4_400),
        ] {
            let answer = content_of(&ask(&world, &request()).await);
            let bid = &answer["seatbid"][0]["bid"][0];
            let burl = path(&bid["burl"])
                .replace("${AUCTION_PRICE}", price)
                .replace("${AUCTION_CURRENCY}", "CNY");
            world.get(&path(&bid["nurl"])).reply().await;
            for _ in 0..5 {
                assert_eq!(world.get(&burl).reply().await.status, 204);
                assert_eq!(world.post(&burl).reply().await.status, 204);
            }
            let campaign = world.campaign(&id).await;
            assert_eq!(
                (&campaign["spent_micros"], &campaign["reserved_micros"]),
                (&json!(spent), &json!(0)),
                "{price}"
            );
        }
        assert_eq!(world.count("ad_offer.charged").await, 4);
    })
    .await;
}

#[tokio::test]
async fn what_is_lost_is_let_go_and_a_click_leads_on() {
    on_each_engine(async |world| {
        let id = world.bids(1, 120, ("exchange", "*")).await;
        let bid = content_of(&ask(&world, &request()).await)["seatbid"][0]["bid"][0].clone();
        assert_eq!(world.campaign(&id).await["reserved_micros"], 1_200);
        let lurl = path(&bid["lurl"]);
        assert_eq!(world.get(&lurl).reply().await.status, 204);
        assert_eq!(world.campaign(&id).await["reserved_micros"], 0);
        let burl = path(&bid["burl"]);
        assert_eq!(world.get(&burl).reply().await.status, 204);
        assert_eq!(world.campaign(&id).await["spent_micros"], 0);
        let adm = bid["adm"].as_str().unwrap();
        let click = adm
            .split_once("href=\"https://linli.example")
            .unwrap()
            .1
            .split_once('"')
            .unwrap()
            .0;
        let reply = world.get(click).reply().await;
        assert_eq!(
            (reply.status.as_u16(), &reply.headers["location"]),
            (
                302,
                &http::HeaderValue::from_static("https://fish.example/today")
            )
        );
        world
            .get("/openrtb2/notices/clicks/demo.o1.AAAAAAAAAAAAAAAAAAAAAA")
            .refused(404, "offer_unknown")
            .await;
        world
            .get("/openrtb2/notices/billings/x")
            .refused(404, "offer_unknown")
            .await;
    })
    .await;
}

#[tokio::test]
async fn no_bid_says_why_and_writes_nothing() {
    on_each_engine(async |world| {
        world.bids(1, 120, ("exchange", "*")).await;
        for (request, reason) in [
            (but("/cur", json!(["USD"])), "currency"),
            (but("/imp/0/bidfloorcur", json!("USD")), "currency"),
            (but("/imp/0/bidfloor", json!(1.21)), "nobody"),
            (but("/imp/0/banner/w", json!(728)), "nobody"),
            (but("/imp/0/banner", Value::Null), "unsupported"),
            (but("/device/ua", json!("Examplebot/2.0")), "crawler"),
        ] {
            assert_eq!(
                why(&ask(&world, &request).await),
                (204, reason),
                "{request}"
            );
        }
        for (name, value) in [
            ("badv", json!(["FISH.example"])),
            ("bseat", json!(["m1"])),
            ("wseat", json!(["m2"])),
        ] {
            let mut request = request();
            request[name] = value;
            assert_eq!(why(&ask(&world, &request).await), (204, "nobody"), "{name}");
        }
        // Prices that are no floats: of twenty digits, and finer than a fen.
        for (floor, status) in [
            ("12345678901234567890.5", 204),
            ("1e300", 204),
            ("1.19999999999999999999", 200),
            ("1.20000000000000000001", 204),
        ] {
            let text = request().to_string().replace("0.5", floor);
            let reply = world
                .post("/openrtb2/bid")
                .bytes("text/plain", &text)
                .reply()
                .await;
            assert_eq!(reply.status.as_u16(), status, "{floor}");
        }
        let rounds = world
            .get("/api/bidding/rounds")
            .by(crate::support::WANG)
            .content()
            .await;
        assert_eq!(rounds["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_malformed_is_refused_and_what_is_unknown_is_tolerated() {
    on_each_engine(async |world| {
        for text in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"id":"r1","imp":[]}"#,
            r#"{"id":"","imp":[{"id":"1"}]}"#,
            r#"{"id":"r1","imp":[{"id":"1"},{"id":"1"}]}"#,
            r#"{"id":"r1","imp":[{"id":1}]}"#,
            r#"{"id":"r1","imp":[{"id":"1","bidfloor":-1}]}"#,
            r#"{"id":"r1","imp":[{"id":"1","bidfloor":"1"}]}"#,
            r#"{"id":"r1","imp":[{"id":"1","banner":7}]}"#,
            r#"{"id":"r1","imp":[{"id":"1"}],"site":{},"app":{}}"#,
        ] {
            let ask = world.post("/openrtb2/bid").bytes("text/plain", text);
            ask.refused(400, "bid_request_malformed").await;
        }
        let nulls = r#"{"id":"r1","imp":[{"id":"1","banner":{"format":null},"bidfloor":null,"ext":null}],
            "site":null,"cur":null,"badv":null,"wseat":null,"test":null,"user":null,"device":null}"#;
        let reply = world.post("/openrtb2/bid").bytes("text/plain", nulls).reply().await;
        assert_eq!(why(&reply), (204, "nobody"));
        let ask = world
            .post("/openrtb2/bid")
            .header("x-openrtb-version", "3.0")
            .json(&request());
        ask.refused(400, "openrtb_version_unsupported").await;
        let reply = world
            .post("/openrtb2/bid?tenant=other")
            .json(&request())
            .reply()
            .await;
        assert_eq!(why(&reply), (204, "nobody"));
    })
    .await;
}

/// What Prebid.js posts for a placement.
fn prebid() -> Value {
    json!({"id": "a1", "imp": [{"id": "div-1", "banner": {"topframe": 1, "format": [{"w": 300, "h": 250}, {"w": 300, "h": 600}]},
        "secure": 1, "ext": {"prebid": {"bidder": {"linli": {"placement": "home"}}}}}],
        "site": {"domain": "news.example", "publisher": {"id": "demo"}}, "cur": ["CNY"], "test": 0, "tmax": 750,
        "ext": {"prebid": {"auctiontimestamp": 1, "targeting": {}}}})
}

#[tokio::test]
async fn a_page_asks_our_exchange_as_text_and_gets_the_price_of_the_round() {
    on_each_engine(async |world| {
        let high = world.bids(1, 250, ("placement", "home")).await;
        world.bids(2, 130, ("placement", "home")).await;
        let text = prebid().to_string();
        let reply = world
            .post("/openrtb2/auction")
            .header("origin", "https://news.example")
            .bytes("text/plain", &text)
            .reply()
            .await;
        assert_eq!(
            reply.headers["access-control-allow-origin"],
            "https://news.example"
        );
        assert_eq!(reply.headers["access-control-allow-credentials"], "true");
        let answer = content_of(&reply);
        let seat = &answer["seatbid"][0];
        let bid = &seat["bid"][0];
        assert_eq!(
            (&seat["seat"], &bid["cid"], &bid["ext"]["prebid"]["type"]),
            (&json!("linli"), &json!(high), &json!("banner"))
        );
        assert_eq!(bid["price"], 1.3);
        // We held the auction: nothing is left to replace, and what a browser says of the price does not count.
        assert!(!answer.to_string().contains("${AUCTION"));
        let burl = path(&bid["burl"]);
        assert!(burl.contains("price=1.30&currency=CNY"), "{burl}");
        for price in ["0.01", "1.30"] {
            world.get(&burl.replace("1.30", price)).reply().await;
        }
        assert_eq!(world.campaign(&high).await["spent_micros"], 1_300);
        let preflight = world
            .ask(http::Method::OPTIONS, "/openrtb2/auction")
            .header("origin", "https://a.example");
        assert_eq!(preflight.reply().await.status, 204);
    })
    .await;
}

#[tokio::test]
async fn our_exchange_says_what_is_missing_and_fills_each_advertiser_once_a_page() {
    on_each_engine(async |world| {
        let post = async |request: &Value| {
            content_of(
                &world
                    .post("/openrtb2/auction")
                    .bytes("text/plain", request.to_string())
                    .reply()
                    .await,
            )
        };
        assert_eq!(
            (
                &post(&prebid()).await["nbr"],
                &post(&prebid()).await["seatbid"]
            ),
            (&json!(502), &json!([]))
        );
        world.bids(1, 250, ("placement", "home")).await;
        let mut two = prebid();
        let mut second = two["imp"][0].clone();
        second["id"] = json!("div-2");
        two["imp"].as_array_mut().unwrap().push(second);
        let answer = post(&two).await;
        assert_eq!(answer["seatbid"][0]["bid"].as_array().unwrap().len(), 1);
        let mut nowhere = prebid();
        nowhere["imp"][0]["ext"]["prebid"]["bidder"]["linli"]["placement"] = json!("nowhere");
        assert_eq!(post(&nowhere).await["nbr"], 502);
        let reply = world
            .post("/openrtb2/auction")
            .header("origin", "https://a.example")
            .bytes("text/plain", "{")
            .reply()
            .await;
        assert_eq!(
            (
                reply.status.as_u16(),
                &reply.headers["access-control-allow-origin"]
            ),
            (400, &http::HeaderValue::from_static("https://a.example"))
        );
    })
    .await;
}

#[tokio::test]
async fn a_native_advertisement_names_its_sponsor_and_a_screen_counts_for_many() {
    on_each_engine(async |world| {
        world.record(&CreativeChanged { format: "native".to_owned(), version: 2, ..creative("k1", "m1") }).await;
        let id = world.bids(1, 120, ("exchange", "*")).await;
        let assets = json!({"ver": "1.2", "assets": [{"id": 1, "required": 1, "title": {"len": 90}}, {"id": 2, "data": {"type": 1}}]});
        let mut native = request();
        native["imp"][0] = json!({"id": "1", "native": {"request": assets.to_string(), "ver": "1.2"}});
        let bid = content_of(&ask(&world, &native).await)["seatbid"][0]["bid"][0].clone();
        let adm: Value = serde_json::from_str(bid["adm"].as_str().unwrap()).unwrap();
        assert_eq!(adm["assets"][1]["data"], json!({"type": 1, "value": "商家 m1"}));
        assert_eq!(bid["mtype"], 4);
        world.bids(2, 100, ("exchange", "gate.example")).await;
        let screen = json!({"id": "r2", "imp": [{"id": "1", "banner": {"w": 300, "h": 250}, "qty": {"multiplier": 2.5}}],
            "dooh": {"id": "gate-1", "domain": "gate.example"}, "cur": ["CNY"]});
        let bid = content_of(&ask(&world, &screen).await)["seatbid"][0]["bid"][0].clone();
        assert_eq!(bid["crid"], "k2");
        let burl = path(&bid["burl"]).replace("${AUCTION_PRICE}", "0.80").replace("${AUCTION_CURRENCY}", "CNY");
        world.get(&burl).reply().await;
        let campaigns = world.get("/api/bidding/campaigns?merchant=m2").by(crate::support::WANG).content().await;
        // 80 fen for a thousand, and two and a half views.
        assert_eq!(campaigns["items"][0]["spent_micros"], 2_000);
        assert_eq!(world.campaign(&id).await["spent_micros"], 0);
    })
    .await;
}

#[tokio::test]
async fn the_files_of_the_trade_say_that_we_sell_directly() {
    on_each_engine(async |world| {
        let reply = world.get("/ads.txt").reply().await;
        assert!(String::from_utf8_lossy(&reply.body).contains("linli.example, demo, DIRECT\n"));
        let sellers = world.get("/sellers.json").content().await;
        assert_eq!(sellers["sellers"][0]["seller_type"], "PUBLISHER");
    })
    .await;
}
