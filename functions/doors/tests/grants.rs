//! Granting, suspending, resuming and revoking.

use http::Method;
use serde_json::{Value, json};

use crate::support::{CHEN, LI, WANG, World, ZHAO, on_each_engine};

async fn put_suspension(world: &World, grant: &str, reason: &str) -> Value {
    let path = format!("/api/grants/{grant}/suspension");
    world
        .ask(Method::PUT, &path)
        .by(CHEN)
        .json(&json!({ "reason": reason }))
        .content()
        .await
}

#[tokio::test]
async fn a_grant_is_suspended_resumed_and_revoked_and_each_step_is_a_fact_once() {
    on_each_engine(async |world| {
        let grant = world.grant_of_li().await;
        let path = format!("/api/grants/{grant}");
        for _ in 0..2 {
            let suspended = put_suspension(&world, &grant, "欠费").await;
            assert_eq!(
                (&suspended["state"], &suspended["reason"], &suspended["by"]),
                (&json!("suspended"), &json!("欠费"), &json!("chen"))
            );
        }
        let other = world
            .ask(Method::PUT, &format!("{path}/suspension"))
            .by(WANG)
            .json(&json!({"reason": "其他"}));
        other.refused(409, "grant_suspended").await;
        for _ in 0..2 {
            let resumed = world
                .ask(Method::DELETE, &format!("{path}/suspension"))
                .by(CHEN)
                .content()
                .await;
            assert_eq!(
                (&resumed["state"], &resumed["version"]),
                (&json!("active"), &json!(3))
            );
        }
        world.opening_of_li().await;
        for _ in 0..2 {
            assert_eq!(
                world
                    .ask(Method::DELETE, &path)
                    .by(WANG)
                    .reply()
                    .await
                    .status,
                204
            );
        }
        world
            .post("/api/doors/north/openings")
            .by(LI)
            .refused(403, "no_grant")
            .await;
        let late = world
            .ask(Method::PUT, &format!("{path}/suspension"))
            .by(WANG)
            .json(&json!({"reason": "x"}));
        late.refused(409, "grant_revoked").await;
        assert_eq!(world.get(&path).by(LI).content().await["state"], "revoked");
        let facts = world.facts().await;
        assert_eq!(
            facts[3..],
            [
                "door.grant_suspended",
                "door.grant_resumed",
                "door.opening_requested",
                "door.grant_revoked",
                "door.opening_refused"
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn a_person_holds_one_grant_for_a_door_until_it_is_revoked() {
    on_each_engine(async |world| {
        let ask = || {
            world
                .post("/api/doors/north/grants")
                .by(CHEN)
                .json(&json!({"person": "li"}))
        };
        ask().refused(409, "grant_exists").await;
        let first = world.grant_of_li().await;
        world
            .ask(Method::DELETE, &format!("/api/grants/{first}"))
            .by(CHEN)
            .reply()
            .await;
        let second = ask().content().await;
        assert_ne!(second["id"], json!(first));
        world.opening_of_li().await;
    })
    .await;
}

#[tokio::test]
async fn a_grant_holds_from_its_start_until_its_end() {
    on_each_engine(async |mut world| {
        let (from, until) = (
            world.context.now.plus_millis(1_000),
            world.context.now.plus_millis(2_000),
        );
        let grant = json!({"person": "zhao", "valid_from": from, "valid_until": until});
        world
            .post("/api/doors/north/grants")
            .by(CHEN)
            .json(&grant)
            .content()
            .await;
        world
            .post("/api/doors/north/openings")
            .by(ZHAO)
            .refused(403, "grant_not_yet_valid")
            .await;
        world.pass_ms(1_000);
        world
            .post("/api/doors/north/openings")
            .by(ZHAO)
            .content()
            .await;
        world.pass_ms(1_000);
        world
            .post("/api/doors/north/openings")
            .by(ZHAO)
            .refused(403, "grant_expired")
            .await;
        let backwards = json!({"person": "sun", "valid_from": until, "valid_until": from});
        let problem = world
            .post("/api/doors/north/grants")
            .by(CHEN)
            .json(&backwards)
            .refused(422, "validity_invalid")
            .await;
        assert_eq!(problem["field"], "valid_until");
    })
    .await;
}

#[tokio::test]
async fn a_grant_under_a_key_is_made_once() {
    on_each_engine(async |world| {
        let ask = |person: &str| {
            let ask = world
                .post("/api/doors/north/grants")
                .by(CHEN)
                .header("idempotency-key", "k");
            ask.json(&json!({ "person": person }))
        };
        let first = ask("zhao").reply().await;
        assert_eq!(ask("zhao").reply().await, first);
        ask("sun").refused(422, "idempotency_key_reused").await;
        let list = world
            .get("/api/doors/north/grants")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(list["items"].as_array().unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_stale_version_of_a_grant_is_not_changed() {
    on_each_engine(async |world| {
        let grant = world.grant_of_li().await;
        put_suspension(&world, &grant, "欠费").await;
        let stale = world
            .ask(Method::DELETE, &format!("/api/grants/{grant}"))
            .by(CHEN)
            .header("if-match", "\"1\"");
        stale.refused(412, "version_changed").await;
        assert_eq!(
            world
                .get(&format!("/api/grants/{grant}"))
                .by(LI)
                .content()
                .await["state"],
            "suspended"
        );
    })
    .await;
}

#[tokio::test]
async fn a_resident_sees_the_own_grants_and_no_others() {
    on_each_engine(async |world| {
        world
            .post("/api/doors/north/grants")
            .by(CHEN)
            .json(&json!({"person": "zhao"}))
            .content()
            .await;
        let grant = world.grant_of_li().await;
        let people = async |person| {
            let list = world
                .get("/api/doors/north/grants")
                .by(person)
                .content()
                .await;
            let people = list["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|grant| grant["person"].clone());
            let mut people: Vec<String> = people
                .map(|person| person.as_str().unwrap().to_owned())
                .collect();
            people.sort();
            people
        };
        assert_eq!(people(LI).await, ["li"]);
        assert_eq!(people(CHEN).await, ["li", "zhao"]);
        world
            .get("/api/doors/north/grants?person=li")
            .by(ZHAO)
            .refused(403, "own_records_only")
            .await;
        world
            .get(&format!("/api/grants/{grant}"))
            .by(ZHAO)
            .refused(404, "grant_unknown")
            .await;
        assert_eq!(
            world
                .get(&format!("/api/grants/{grant}"))
                .by(LI)
                .content()
                .await["person"],
            "li"
        );
    })
    .await;
}
