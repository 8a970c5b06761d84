//! Videos over OpenRTB: bid on where they can be played, answered with VAST, billed once however often they begin.

use serde_json::{Value, json};
use wire::event::{CreativeChanged, PlacementChanged};

use crate::events::{creative, placement};
use crate::support::{World, content_of, on_each_engine};

/// A film of 15 seconds.
fn film() -> CreativeChanged {
    CreativeChanged {
        format: "video".to_owned(),
        width: 1_280,
        height: 720,
        video: Some("https://cdn.fish.example/fish.mp4?v=1&w=2".to_owned()),
        video_ms: 15_000,
        version: 2,
        ..creative("k1", "m1")
    }
}

fn request(video: Value) -> Value {
    json!({"id": "r1", "imp": [{"id": "1", "tagid": "lobby", "video": video}], "site": {"domain": "news.example"}, "cur": ["CNY"]})
}

fn player() -> Value {
    json!({"mimes": ["video/webm", "video/mp4"], "protocols": [2, 3, 7], "minduration": 5, "maxduration": 15, "linearity": 1})
}

/// The bid, or why there is none.
async fn bid(world: &World, video: Value) -> Result<Value, String> {
    let reply = world
        .post("/openrtb2/bid")
        .json(&request(video))
        .reply()
        .await;
    match reply.headers.get("x-linli-no-bid") {
        Some(why) => Err(why.to_str().unwrap().to_owned()),
        None => Ok(content_of(&reply)["seatbid"][0]["bid"][0].clone()),
    }
}

#[tokio::test]
async fn a_video_is_bid_on_where_it_can_be_played_and_billed_once_by_whoever_says_that_it_began() {
    on_each_engine(async |world| {
        world.record(&film()).await;
        let id = world.bids(1, 120, ("exchange", "*")).await;
        let bid = bid(&world, player()).await.unwrap();
        let shown = ["mtype", "dur", "protocol", "w", "h"].map(|name| bid[name].as_i64().unwrap());
        assert_eq!(shown, [2, 15, 3, 1_280, 720]);
        let adm = bid["adm"].as_str().unwrap();
        assert!(adm.contains("https://cdn.fish.example/fish.mp4?v=1&amp;w=2</MediaFile>"));
        assert!(adm.contains("<AdTitle>广告 Fresh fish</AdTitle>"));
        let (_, begun) = adm.split_once("<Impression>").unwrap();
        let begun = begun
            .split_once("</Impression>")
            .unwrap()
            .0
            .replace("&amp;", "&");
        assert_eq!(begun, bid["burl"].as_str().unwrap());
        let path = begun.strip_prefix("https://linli.example").unwrap();
        let path = path
            .replace("${AUCTION_PRICE}", "0.80")
            .replace("${AUCTION_CURRENCY}", "CNY");
        for _ in 0..3 {
            world.get(&path).reply().await;
        }
        assert_eq!(world.campaign(&id).await["spent_micros"], 800);
    })
    .await;
}

#[tokio::test]
async fn where_a_video_cannot_be_played_none_is_bid() {
    on_each_engine(async |world| {
        world.record(&film()).await;
        world.bids(1, 120, ("exchange", "*")).await;
        for (name, value, why) in [
            ("mimes", json!(["video/webm"]), "unsupported"),
            ("mimes", json!([]), "unsupported"),
            ("protocols", json!([2, 5, 6]), "unsupported"),
            ("linearity", json!(2), "unsupported"),
            ("poddur", json!(60), "unsupported"),
            ("maxduration", json!(14), "nobody"),
            ("minduration", json!(16), "nobody"),
            ("rqddurs", json!([10, 30]), "nobody"),
        ] {
            let mut video = player();
            video[name] = value;
            assert_eq!(bid(&world, video).await, Err(why.to_owned()), "{name}");
        }
        let mut exact = player();
        (exact["rqddurs"], exact["maxduration"]) = (json!([10, 15]), Value::Null);
        assert!(bid(&world, exact).await.is_ok());
        // What is no video plays nowhere, and a video is no banner.
        let mut banner = request(Value::Null);
        banner["imp"][0]["banner"] = json!({"w": 1_280, "h": 720});
        let reply = world.post("/openrtb2/bid").json(&banner).reply().await;
        assert_eq!(reply.status.as_u16(), 204);
        let still = CreativeChanged {
            video: None,
            video_ms: 0,
            version: 3,
            ..film()
        };
        world.record(&still).await;
        world.tick().await;
        assert_eq!(bid(&world, player()).await, Err("nobody".to_owned()));
        let malformed = world
            .post("/openrtb2/bid")
            .json(&request(json!({"mimes": "video/mp4"})));
        malformed.refused(400, "bid_request_malformed").await;
    })
    .await;
}

#[tokio::test]
async fn a_place_for_videos_of_ours_is_sold_too() {
    on_each_engine(async |world| {
        let lobby = PlacementChanged {
            format: "video".to_owned(),
            width: 0,
            height: 0,
            ..placement("lobby")
        };
        world.record(&lobby).await;
        world.record(&film()).await;
        world.bids(1, 250, ("placement", "lobby")).await;
        let ask = world.post("/openrtb2/auction").json(&request(player()));
        let bid = ask.content().await["seatbid"][0]["bid"][0].clone();
        assert_eq!(
            (&bid["mtype"], &bid["ext"]["prebid"]["type"]),
            (&json!(2), &json!("video"))
        );
        // The macros became what came of it: the reserve is paid.
        assert!(
            bid["adm"]
                .as_str()
                .unwrap()
                .contains("price=1.00&amp;currency=CNY")
        );
        let page = world.looks(json!({"placement": "lobby"})).await;
        assert_eq!(page["items"][0]["video"], film().video.unwrap());
    })
    .await;
}
