//! Passes that come again every week.

use http::Method;
use serde_json::{Value, json};

use crate::support::{CHEN, LI, World, ZHAO, on_each_engine};

const DAY_MS: i64 = 24 * 3_600_000;

/// A cleaner on Saturdays and Mondays, 09:00 to 12:00; the story starts on a Friday at 16:00.
async fn cleaner(world: &World) -> Value {
    let ask = json!({
        "room": "r101", "visitor": {"name": "保洁", "phone": "13800138009"},
        "days": ["sat", "mon"], "from": "09:00", "until": "12:00", "last_day": "2027-02-28",
    });
    world
        .post("/api/recurring-visits")
        .by(LI)
        .json(&ask)
        .content()
        .await
}

async fn days(world: &World) -> Vec<String> {
    let list = world.get("/api/visits").by(LI).content().await;
    let mut days: Vec<String> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|visit| visit["approval"]["from"].as_str().unwrap().to_owned())
        .collect();
    days.sort();
    days
}

#[tokio::test]
async fn each_day_is_a_visit_of_its_own_made_two_days_ahead_once() {
    on_each_engine(async |mut world| {
        let pass = cleaner(&world).await;
        assert_eq!(
            (&pass["state"], &pass["days"]),
            (&json!("active"), &json!(["mon", "sat"]))
        );
        assert_eq!(days(&world).await, ["2027-01-16T01:00:00.000Z"]);
        assert_eq!(world.tick().await["planned"], 0);
        world.pass_ms(DAY_MS);
        for _ in 0..2 {
            world.tick().await;
            assert_eq!(
                days(&world).await,
                ["2027-01-16T01:00:00.000Z", "2027-01-18T01:00:00.000Z"]
            );
        }
        let approved = world
            .facts()
            .await
            .into_iter()
            .filter(|kind| kind == "visit.approved")
            .count();
        assert_eq!(approved, 2);
    })
    .await;
}

#[tokio::test]
async fn one_token_shows_the_pass_of_the_day() {
    on_each_engine(async |mut world| {
        let id = cleaner(&world).await["id"].as_str().unwrap().to_owned();
        let shown = world
            .get(&format!("/api/recurring-visits/{id}"))
            .by(LI)
            .content()
            .await;
        let path = format!(
            "/api/visitor-registrations/{}",
            shown["token"].as_str().unwrap()
        );
        assert_eq!(
            world.get(&path).content().await["pass"]["from"],
            "2027-01-16T01:00:00.000Z"
        );
        world.pass_ms(DAY_MS);
        world.tick().await;
        assert_eq!(
            world.get(&path).content().await["pass"]["from"],
            "2027-01-18T01:00:00.000Z"
        );
    })
    .await;
}

#[tokio::test]
async fn taken_back_it_ends_with_its_visits() {
    on_each_engine(async |mut world| {
        let id = cleaner(&world).await["id"].as_str().unwrap().to_owned();
        let path = format!("/api/recurring-visits/{id}");
        world
            .ask(Method::DELETE, &path)
            .by(ZHAO)
            .refused(404, "recurring_visit_unknown")
            .await;
        world
            .ask(Method::DELETE, &path)
            .by(CHEN)
            .refused(422, "reason_required")
            .await;
        for _ in 0..2 {
            assert_eq!(
                world.ask(Method::DELETE, &path).by(LI).content().await["state"],
                "revoked"
            );
        }
        let visits = world
            .get("/api/visits?state=revoked")
            .by(LI)
            .content()
            .await;
        assert_eq!(visits["items"].as_array().unwrap().len(), 1);
        world.pass_ms(3 * DAY_MS);
        assert_eq!(world.tick().await["planned"], 0);
    })
    .await;
}

#[tokio::test]
async fn it_ends_when_its_host_has_moved_out() {
    on_each_engine(async |mut world| {
        cleaner(&world).await;
        world.bind("li", "r101", Some(world.context.now)).await;
        world.pass_ms(DAY_MS);
        world.tick().await;
        let list = world.get("/api/recurring-visits").by(CHEN).content().await;
        let pass = &list["items"][0];
        assert_eq!(
            (&pass["state"], &pass["end"]["reason"]),
            (&json!("revoked"), &json!("host_moved_out"))
        );
    })
    .await;
}

#[tokio::test]
async fn times_and_days_that_cannot_be_are_refused() {
    on_each_engine(async |world| {
        let good = json!({
            "room": "r101", "visitor": {"name": "保洁"}, "days": ["sat"], "from": "09:00", "until": "12:00",
            "last_day": "2027-02-28",
        });
        for (field, value, code) in [
            ("days", json!([]), "days_invalid"),
            ("days", json!(["someday"]), "days_invalid"),
            ("until", json!("08:00"), "weekly_invalid"),
            ("until", json!("25:00"), "wrong_type"),
            ("from", json!("9:00"), "wrong_type"),
            ("last_day", json!("2027-01-01"), "weekly_invalid"),
            ("last_day", json!("2029-01-01"), "weekly_invalid"),
        ] {
            let mut ask = good.clone();
            ask[field] = value;
            world.post("/api/recurring-visits").by(LI).json(&ask).refused(422, code).await;
        }
    })
    .await;
}
