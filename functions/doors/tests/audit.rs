//! The audit list: who asked, when, and what became of it.

use serde_json::{Value, json};
use wire::door::Outcome;

use crate::support::{AUDITOR, CHEN, LI, World, ZHAO, on_each_engine};

/// Li opens, Zhao is refused, Li is not answered, Li has just asked: three seconds between each.
async fn story(world: &mut World) -> Vec<String> {
    let opened = world.opening_of_li().await;
    world.answer("gateway-1", &opened, Outcome::Opened).await;
    world.pass_ms(3_000);
    world
        .post("/api/doors/north/openings")
        .by(ZHAO)
        .refused(403, "no_grant")
        .await;
    world.pass_ms(3_000);
    let unanswered = world.opening_of_li().await;
    world.pass_ms(6_000);
    let waiting = world.opening_of_li().await;
    vec![opened, unanswered, waiting]
}

fn states(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["state"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_audit_shows_everything_the_latest_first() {
    on_each_engine(async |mut world| {
        story(&mut world).await;
        for person in [CHEN, AUDITOR] {
            let list = world
                .get("/api/doors/north/openings")
                .by(person)
                .content()
                .await;
            assert_eq!(
                states(&list),
                ["requested", "timed_out", "refused", "opened"]
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_resident_sees_only_the_own_openings() {
    on_each_engine(async |mut world| {
        let ids = story(&mut world).await;
        let list = world
            .get("/api/doors/north/openings")
            .by(ZHAO)
            .content()
            .await;
        assert_eq!(states(&list), ["refused"]);
        world
            .get("/api/doors/north/openings?person=li")
            .by(ZHAO)
            .refused(403, "own_records_only")
            .await;
        world
            .get(&format!("/api/doors/north/openings/{}", ids[0]))
            .by(ZHAO)
            .refused(404, "opening_unknown")
            .await;
        world
            .get(&format!("/api/doors/pier/openings/{}", ids[0]))
            .by(LI)
            .refused(404, "opening_unknown")
            .await;
    })
    .await;
}

#[tokio::test]
async fn the_audit_is_filtered_by_person_state_and_time() {
    on_each_engine(async |mut world| {
        let start = world.context.now;
        story(&mut world).await;
        let read = async |query: &str| {
            world
                .get(&format!("/api/doors/north/openings?{query}"))
                .by(CHEN)
                .content()
                .await
        };
        assert_eq!(states(&read("person=zhao").await), ["refused"]);
        assert_eq!(states(&read("state=timed_out").await), ["timed_out"]);
        assert_eq!(states(&read("state=requested").await), ["requested"]);
        let (second, third) = (start.plus_millis(3_000), start.plus_millis(6_000));
        assert_eq!(
            states(&read(&format!("from={second}&to={third}")).await),
            ["refused"]
        );
        assert_eq!(states(&read(&format!("to={second}")).await), ["opened"]);
        for wrong in ["state=open", "from=yesterday", "after=a%2Fb", "limit=1000"] {
            let ask = world
                .get(&format!("/api/doors/north/openings?{wrong}"))
                .by(CHEN);
            ask.refused(400, "invalid_parameter").await;
        }
    })
    .await;
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    on_each_engine(async |mut world| {
        story(&mut world).await;
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = world
                .get(&format!("/api/doors/north/openings?limit=1{after}"))
                .by(CHEN)
                .content()
                .await;
            seen.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|item| item["state"].clone()),
            );
            let Some(next) = page["next"].as_str() else {
                break;
            };
            after = format!("&after={next}");
        }
        assert_eq!(
            json!(seen),
            json!(["requested", "timed_out", "refused", "opened"])
        );
    })
    .await;
}
