//! The 64-bit number of a code, for readers that carry no more and cannot decide by themselves.

use kernel::{DeviceId, PassId, TenantId};
use serde_json::{Value, json};
use wire::event::{PersonErased, VisitEnded};
use wire::pass::{short_key, short_number};

use crate::access::{bound, gates, happens, visit};
use crate::gates::check;
use crate::support::{DEVICE, World, ZHAO, on_each_engine};

/// Zhao's number of this half minute at the north gate.
async fn number_of_zhao(world: &World) -> Value {
    let ask = json!({"community": "garden", "door": "north"});
    let pass = world
        .post("/api/passes")
        .by(ZHAO)
        .json(&ask)
        .content()
        .await;
    json!({"number": pass["number"]})
}

/// The number of a visitor's pass at a gateway.
fn number_of(world: &World, pass: &str, gateway: &str) -> Value {
    let tenant = TenantId::parse("demo").unwrap();
    let gateway = DeviceId::parse(gateway).unwrap();
    let key = short_key(&world.context.pass_seed, &tenant, gateway.as_str()).unwrap();
    let number = short_number(&key, &PassId::parse(pass).unwrap(), 0).unwrap();
    json!({"number": number.to_string()})
}

#[tokio::test]
async fn a_residents_number_opens_once_holds_a_minute_and_is_one_use_with_the_text() {
    on_each_engine(async |mut world| {
        gates(&world, json!({})).await;
        happens(&world, &bound("zhao", "u1", "101", world.context.now)).await;
        let number = number_of_zhao(&world).await;
        assert_eq!(number_of_zhao(&world).await, number);
        let opened = check(&world, &number).await;
        let told = (&opened["allowed"], &opened["person"], &opened["reason"]);
        assert_eq!(told, (&json!(true), &json!("zhao"), &json!("member")));
        world.pass_ms(5_000);
        assert_eq!(check(&world, &number).await["reason"], "already_used");
        world.pass_ms(30_000);
        let ask = json!({"community": "garden", "door": "north"});
        let pass = world
            .post("/api/passes")
            .by(ZHAO)
            .json(&ask)
            .content()
            .await;
        let by_text = check(&world, &json!({"text": pass["text"]})).await;
        assert_eq!(by_text["allowed"], true);
        let by_number = check(&world, &json!({"number": pass["number"]})).await;
        assert_eq!(by_number["reason"], "already_used");
        world.pass_ms(60_000 + 60_000);
        assert_eq!(check(&world, &number).await["reason"], "code_unknown");
    })
    .await;
}

#[tokio::test]
async fn a_visitors_number_opens_as_often_as_the_pass_says_until_the_visit_is_over() {
    on_each_engine(async |mut world| {
        gates(&world, json!({"visitors": true})).await;
        let until = world.context.now.plus_millis(3_600_000);
        happens(&world, &visit("v1", until, 1)).await;
        happens(&world, &visit("v2", until, 9)).await;
        let first = number_of(&world, "v1", "gateway-1");
        let opened = check(&world, &first).await;
        assert_eq!(
            (&opened["allowed"], &opened["pass"]),
            (&json!(true), &json!("v1"))
        );
        assert_eq!(check(&world, &first).await["reason"], "already_used");
        let foreign = number_of(&world, "v2", "gateway-2");
        assert_eq!(check(&world, &foreign).await["reason"], "code_unknown");
        let second = number_of(&world, "v2", "gateway-1");
        let ended = VisitEnded {
            visit: kernel::VisitId::parse("visit-v2").unwrap(),
            pass: PassId::parse("v2").ok(),
            community: kernel::CommunityId::parse("garden").unwrap(),
            state: "revoked".to_owned(),
            actor: None,
        };
        happens(&world, &ended).await;
        assert_eq!(check(&world, &second).await["reason"], "pass_revoked");
        world.pass_ms(3_600_000);
        assert_eq!(check(&world, &first).await["reason"], "pass_expired");
    })
    .await;
}

#[tokio::test]
async fn a_number_that_is_guessed_forgotten_or_senseless_opens_nothing() {
    on_each_engine(async |world| {
        gates(&world, json!({})).await;
        happens(&world, &bound("zhao", "u1", "101", world.context.now)).await;
        let own = number_of_zhao(&world).await;
        let real: u64 = own["number"].as_str().unwrap().parse().unwrap();
        for guessed in [real ^ 1, 0, u64::MAX] {
            let checked = check(&world, &json!({"number": guessed.to_string()})).await;
            assert_eq!(checked["reason"], "code_unknown", "{guessed}");
        }
        for wrong in [
            json!("+1"),
            json!(""),
            json!("18446744073709551616"),
            json!(7),
        ] {
            let ask = world.post("/api/doors/north/pass-checks").by(DEVICE);
            ask.json(&json!({"number": wrong}))
                .refused(422, "wrong_type")
                .await;
        }
        let erased = PersonErased {
            person: kernel::ActorId::parse("zhao").unwrap(),
            actor: kernel::ActorId::parse("zhao").unwrap(),
        };
        happens(&world, &erased).await;
        assert_eq!(check(&world, &own).await["reason"], "code_unknown");
    })
    .await;
}
