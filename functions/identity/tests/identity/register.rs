//! What the register of communities tells: residents without an account, and bindings.

use kernel::{ActorId, ActorKind, BindingId, CommunityId, Phone, TenantId, Timestamp};
use serde_json::json;
use wire::event::{BindingEnded, BindingRole, BindingStarted, ResidentRecorded};

use crate::support::{Function, PASSWORD, SECRET, at, operator, run};

const PHONE: &str = "13900139000";

fn id(text: &str) -> ActorId {
    ActorId::parse(text).unwrap()
}

fn recorded(person: &str, phone: Option<&str>) -> ResidentRecorded {
    let secret = web::Secret::new("token_secret", SECRET.to_owned()).unwrap();
    let tenant = TenantId::parse("demo").unwrap();
    let digest = |text| web::phone_digest(&secret, &tenant, &Phone::parse(text).unwrap()).unwrap();
    ResidentRecorded {
        person: id(person),
        phone: phone.map(digest),
        actor: id("boss"),
    }
}

fn started(binding: &str, person: &str, until: Option<Timestamp>) -> BindingStarted {
    BindingStarted {
        binding: BindingId::parse(binding).unwrap(),
        person: id(person),
        role: BindingRole::Owner,
        community: CommunityId::parse("garden").unwrap(),
        building: None,
        unit: None,
        room: None,
        from: at(0),
        until,
        actor: id("boss"),
    }
}

fn ended(binding: &str, person: &str, until: Option<Timestamp>) -> BindingEnded {
    BindingEnded {
        binding: BindingId::parse(binding).unwrap(),
        person: id(person),
        community: CommunityId::parse("garden").unwrap(),
        until,
        actor: id("boss"),
    }
}

async fn communities(function: &Function, person: &str) -> serde_json::Value {
    let shown = function
        .get(&format!("/api/people/{person}"), &operator())
        .await
        .expect(200, "");
    shown.body["communities"].clone()
}

#[test]
fn a_recorded_resident_signs_in_with_a_code_to_the_recorded_phone() {
    run(async |function| {
        function.append(&recorded("P1", Some(PHONE))).await;
        function.append(&started("b1", "P1", None)).await;
        function.tick().await;
        function.tick().await;
        let fact = function.fact("person.registered").await;
        assert_eq!(
            (&fact["person"], &fact["kind"]),
            (&json!("P1"), &json!("resident"))
        );
        let code = function.code(PHONE, "sign_in").await;
        let proof = json!({ "tenant": "demo", "phone": PHONE, "code": code });
        let session = function.ask("/api/sessions", proof).await.expect(201, "");
        let person = &session.body["person"];
        assert_eq!(
            (&person["id"], &person["phone"]),
            (&json!("P1"), &json!("+8613900139000"))
        );
        let secret = web::Secret::new("token_secret", SECRET.to_owned()).unwrap();
        let actor =
            web::token::verify(&secret, &session.text("token"), function.context.now).unwrap();
        assert_eq!(actor.kind, ActorKind::Resident);
        assert_eq!(actor.communities, [CommunityId::parse("garden").unwrap()]);
        function
            .sign_in("p1", PASSWORD)
            .await
            .expect(401, "credentials_wrong");
    });
}

#[test]
fn a_recorded_resident_who_registers_gets_the_recorded_id_and_an_own_name() {
    run(async |function| {
        function.append(&recorded("P1", Some(PHONE))).await;
        function.tick().await;
        let session = function.register(PHONE, "王小明").await;
        let person = &session.body["person"];
        assert_eq!(
            (&person["id"], &person["name"]),
            (&json!("P1"), &json!("王小明"))
        );
    });
}

#[test]
fn a_number_that_has_an_account_makes_the_recorded_id_an_alias() {
    run(async |function| {
        let session = function.register(PHONE, "王小明").await;
        let account = session.body["person"]["id"].clone();
        for _ in 0..2 {
            function.append(&recorded("P1", Some(PHONE))).await;
            function.tick().await;
        }
        let fact = function.fact("person.aliased").await;
        assert_eq!((&fact["alias"], &fact["person"]), (&json!("P1"), &account));
        function
            .get("/api/people/P1", &operator())
            .await
            .expect(404, "person_unknown");
    });
}

#[test]
fn a_resident_without_a_phone_has_no_account_and_a_taken_name_does_not_matter() {
    run(async |function| {
        function.add("p2", "staff", &["garden"]).await;
        function.append(&recorded("P1", None)).await;
        function.append(&recorded("P2", Some(PHONE))).await;
        function.tick().await;
        function
            .get("/api/people/P1", &operator())
            .await
            .expect(404, "person_unknown");
        let second = function
            .get("/api/people/P2", &operator())
            .await
            .expect(200, "");
        assert_ne!(second.text("username"), "p2");
    });
}

#[test]
fn a_binding_gives_its_community_while_it_holds_and_takes_nothing_that_an_operator_gave() {
    run(async |mut function| {
        function.add("li", "resident", &["harbour"]).await;
        function.append(&started("b1", "li", None)).await;
        function.tick().await;
        assert_eq!(
            communities(&function, "li").await,
            json!(["garden", "harbour"])
        );
        // A list that repeats what the binding gives pins nothing; one without it takes nothing away.
        for list in [json!(["garden", "harbour"]), json!(["harbour"])] {
            function
                .patch(
                    "/api/people/li",
                    &operator(),
                    "*",
                    json!({ "communities": list }),
                )
                .await
                .expect(200, "");
            assert_eq!(
                communities(&function, "li").await,
                json!(["garden", "harbour"])
            );
        }
        let later = function.context.now.plus_millis(1_000);
        function.append(&ended("b1", "li", Some(later))).await;
        function.tick().await;
        assert_eq!(
            communities(&function, "li").await,
            json!(["garden", "harbour"])
        );
        function.wait(1_000);
        assert_eq!(communities(&function, "li").await, json!(["harbour"]));
        function.append(&ended("b1", "li", None)).await;
        function.tick().await;
        assert_eq!(
            communities(&function, "li").await,
            json!(["garden", "harbour"])
        );
        let staff = function
            .get("/api/people?community=garden", &operator())
            .await;
        assert_eq!(staff.body["items"][0]["id"], "li");
    });
}
