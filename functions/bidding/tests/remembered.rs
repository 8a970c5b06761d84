//! What an instance remembers of who can bid: a change by whomever is seen by the very next request, and no budget is
//! ever remembered.

use std::time::Duration;

use serde_json::{Value, json};
use store::testing::sqlite;
use wire::advertising::CreativeState;
use wire::event::CreativeChanged;
use wire::mall::Standing;

use crate::events::{creative, merchant_changed, stands};
use crate::support::{MIGRATIONS, WANG, World, content_of, demo, on_each_engine};

fn request(domain: &str) -> Value {
    json!({"id": "r1", "imp": [{"id": "1", "banner": {"w": 300, "h": 250}}], "site": {"domain": domain}, "cur": ["CNY"]})
}

/// Which campaign an exchange is offered for a page, if any, and the bid.
async fn bid(world: &World, request: &Value) -> Option<(String, Value)> {
    let reply = world.post("/openrtb2/bid").json(request).reply().await;
    let bid = content_of(&reply)["seatbid"][0]["bid"][0].clone();
    bid["cid"].as_str().map(|cid| (cid.to_owned(), bid.clone()))
}

async fn bids(world: &World) -> Option<String> {
    Some(bid(world, &request("news.example")).await?.0)
}

async fn step(world: &World, campaign: &str, step: &str) {
    let path = format!("/api/bidding/campaigns/{campaign}/{step}");
    world.post(&path).by(WANG).content().await;
}

async fn put(world: &World, campaign: &str, changed: &Value) {
    let key = format!("{}-{}", changed["daily_minor"], changed.to_string().len());
    let put = world.ask(
        http::Method::PUT,
        &format!("/api/bidding/campaigns/{campaign}"),
    );
    let put = put.by(WANG).key(&key).header("if-match", "*");
    put.json(changed).content().await;
}

fn changed(bid_minor: i64, daily_minor: i64, exchange: &str) -> Value {
    json!({"name": "x", "creative": "k1", "bid_minor": bid_minor, "budget_minor": 10_000,
        "daily_minor": daily_minor, "targets": [{"kind": "exchange", "value": exchange}]})
}

#[tokio::test]
async fn whatever_changes_is_seen_at_once() {
    on_each_engine(async |world| {
        assert_eq!(bids(&world).await, None);
        let one = world.bids(1, 120, ("exchange", "*")).await;
        assert_eq!(bids(&world).await.as_ref(), Some(&one));
        let other = world.bids(2, 130, ("exchange", "news.example")).await;
        assert_eq!(bids(&world).await.as_ref(), Some(&other));
        step(&world, &other, "pause").await;
        assert_eq!(bids(&world).await.as_ref(), Some(&one));
        step(&world, &other, "activation").await;
        assert_eq!(bids(&world).await.as_ref(), Some(&other));
        put(&world, &one, &changed(140, 10_000, "*")).await;
        assert_eq!(bids(&world).await.as_ref(), Some(&one));
        put(&world, &one, &changed(140, 10_000, "other.example")).await;
        assert_eq!(bids(&world).await.as_ref(), Some(&other));
        let mut renamed = merchant_changed("m2", "bo", 2);
        renamed.name = "鱼庄".to_owned();
        world.record(&renamed).await;
        world.tick().await;
        let (_, shown) = bid(&world, &request("news.example")).await.unwrap();
        assert!(shown["adm"].as_str().unwrap().contains("鱼庄"));
        for (state, version, is_shown) in [
            (CreativeState::Changed, 2, false),
            (CreativeState::Approved, 3, true),
        ] {
            let news = CreativeChanged {
                state,
                version,
                title: "Eel".to_owned(),
                ..creative("k2", "m2")
            };
            world.record(&news).await;
            world.tick().await;
            assert_eq!(bids(&world).await.is_some(), is_shown);
        }
        let (_, shown) = bid(&world, &request("news.example")).await.unwrap();
        assert!(shown["adm"].as_str().unwrap().contains("Eel"));
        world.record(&stands("m2", Standing::Frozen, 2)).await;
        world.tick().await;
        assert_eq!(bids(&world).await, None);
    })
    .await;
}

#[tokio::test]
async fn times_begin_and_end_without_anybodys_doing() {
    on_each_engine(async |mut world| {
        let one = world.bids(1, 120, ("exchange", "*")).await;
        let mut later = changed(120, 10_000, "*");
        (later["starts_at"], later["ends_at"]) =
            (json!("2026-10-10T02:30:00Z"), json!("2026-10-10T03:10:00Z"));
        put(&world, &one, &later).await;
        for (moment, is_there) in [
            ("2026-10-10T02:29:59.999Z", false),
            ("2026-10-10T02:30:00Z", true),
            ("2026-10-10T03:09:59.999Z", true),
            ("2026-10-10T03:10:00Z", false),
        ] {
            world.at(moment);
            assert_eq!(bids(&world).await.is_some(), is_there, "{moment}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_budget_is_never_remembered_and_who_comes_next_bids_instead() {
    on_each_engine(async |mut world| {
        // A view costs 1,200 micros: the day of the first bears eight, that of the second is long.
        let high = world.bids_up_to(1, (120, 120), ("exchange", "*")).await;
        put(&world, &high, &changed(120, 1, "*")).await;
        let low = world.bids_up_to(2, (100, 1_000), ("exchange", "*")).await;
        let mut won = Vec::new();
        for _ in 0..10 {
            won.push(bid(&world, &request("news.example")).await.unwrap());
        }
        let of = |campaign: &str| won.iter().filter(|(id, _)| id == campaign).count();
        assert_eq!((of(&high), of(&low)), (8, 2));
        let lurl = won[0].1["lurl"].as_str().unwrap().to_owned();
        let path = lurl.strip_prefix("https://linli.example").unwrap();
        world.get(path).reply().await;
        assert_eq!(bids(&world).await.as_ref(), Some(&high));
        assert_eq!(bids(&world).await.as_ref(), Some(&low));
        put(&world, &high, &changed(120, 2, "*")).await;
        assert_eq!(bids(&world).await.as_ref(), Some(&high));
        // A screen for twenty people costs more than what is left of that day, and not than the other's.
        let mut screen = request("news.example");
        screen["imp"][0]["qty"] = json!({"multiplier": 20});
        assert_eq!(bid(&world, &screen).await.unwrap().0, low);
        world.at("2026-10-11T02:00:00Z");
        assert_eq!(bids(&world).await.as_ref(), Some(&high));
    })
    .await;
}

/// Who holds the only turn to write holds up nobody who is not bid for.
#[tokio::test]
async fn what_nobody_bids_for_waits_for_nobody_who_writes() {
    let world = World::on(sqlite(&MIGRATIONS).await);
    world.found().await;
    world.bids(1, 120, ("exchange", "*")).await;
    let mut wide = request("news.example");
    wide["imp"][0]["banner"]["w"] = json!(728);
    let bid = store::bulk(&world.context.db, async |_| Ok(bid(&world, &wide).await));
    assert_eq!(bid.await.unwrap(), None);
    let lineups = "select count(*) from bidding_lineup";
    let rows = world.context.db.rows(lineups, &[]).await.unwrap();
    assert_eq!(rows[0].integer(0).unwrap(), 0);
}

/// Asks, and lets others write before the turn comes to offer what won: they deny the creative k1.
async fn denied_meanwhile<T>(world: &World, ask: impl Future<Output = T>) -> T {
    let ask = tokio::sync::Mutex::new(Box::pin(ask));
    let sql = |name: &str| {
        let mut all = bidding::store::lineups::STATEMENTS.iter();
        all.find(|(known, _)| *known == name).unwrap().1
    };
    store::tx(&world.context.db, &demo(), async |tx| {
        // It has looked who can bid, and waits.
        let mut ask = ask.lock().await;
        let waits = tokio::time::timeout(Duration::from_millis(500), &mut *ask);
        assert!(waits.await.is_err());
        let deny = "update bidding_creative set approved = 0 where tenant = $1 and id = 'k1'";
        tx.execute(deny, &[tx.tenant().into()]).await?;
        tx.execute(sql("CHANGED"), &[tx.tenant().into()]).await
    })
    .await
    .unwrap();
    ask.into_inner().await
}

#[tokio::test]
async fn what_is_denied_while_a_bid_waits_for_its_turn_is_not_offered() {
    on_each_engine(async |world| {
        let high = world.bids(1, 200, ("exchange", "*")).await;
        let low = world.bids(2, 100, ("exchange", "*")).await;
        assert_eq!(bids(&world).await.as_ref(), Some(&high));
        let reserved = world.campaign(&high).await["reserved_micros"].clone();
        let won = denied_meanwhile(&world, bids(&world)).await;
        assert_eq!(won.as_ref(), Some(&low));
        assert_eq!(world.campaign(&high).await["reserved_micros"], reserved);
    })
    .await;
}

#[tokio::test]
async fn what_is_denied_while_a_page_waits_for_its_turn_is_not_shown() {
    on_each_engine(async |world| {
        let high = world.bids(1, 200, ("board", "news")).await;
        let low = world.bids(2, 100, ("board", "news")).await;
        let look = json!({"board": "news"});
        let shown = |page: &Value| {
            let items = page["items"].as_array().unwrap().iter();
            items
                .map(|item| item["campaign"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(&world.looks(look.clone()).await), [high, low.clone()]);
        let page = denied_meanwhile(&world, world.looks(look)).await;
        assert_eq!(shown(&page), [low]);
        // The round that was held before is not kept.
        let rounds = world.get("/api/bidding/rounds").by(WANG).content().await;
        assert_eq!(rounds["items"].as_array().unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn rounds_have_their_bids_in_common_and_each_is_shown_with_its_own() {
    on_each_engine(async |mut world| {
        let one = world.bids(1, 120, ("exchange", "*")).await;
        let other = world.bids(2, 130, ("exchange", "*")).await;
        let mut without = request("news.example");
        without["bseat"] = json!(["m2"]);
        for (second, request, won) in [
            (1, request("a.example"), &other),
            (2, without, &one),
            (3, request("b.example"), &other),
        ] {
            world.at(&format!("2026-10-10T02:00:0{second}Z"));
            assert_eq!(&bid(&world, &request).await.unwrap().0, won);
        }
        let rows = world
            .context
            .db
            .rows("select count(*) from bidding_lineup", &[])
            .await
            .unwrap();
        assert_eq!(rows[0].integer(0).unwrap(), 1);
        let page = world.get("/api/bidding/rounds").by(WANG).content().await;
        let rounds = page["items"].as_array().unwrap();
        let bids = |round: &Value| round["inputs"]["bids"].as_array().unwrap().len();
        let missed = |round: &Value| round["outcome"]["unplaced"].clone();
        let outbid = json!([{"bid": one, "reason": "outbid"}]);
        let found: Vec<_> = rounds
            .iter()
            .map(|round| (bids(round), missed(round)))
            .collect();
        assert_eq!(found, [(2, outbid.clone()), (1, json!([])), (2, outbid)]);
        for round in rounds {
            let path = format!(
                "/api/bidding/rounds/{}/replay",
                round["id"].as_str().unwrap()
            );
            assert_eq!(world.post(&path).by(WANG).content().await["same"], true);
        }
    })
    .await;
}
