//! Accounts that are asked for elsewhere: made once, and handed over to the number.

use kernel::{ActorId, ActorKind, Phone, TenantId};
use serde_json::json;
use wire::event::AccountRequested;

use crate::support::{Function, INTERNAL, SECRET, operator, run};

const PHONE: &str = "13900139000";

fn asked(kind: ActorKind) -> AccountRequested {
    let secret = web::Secret::new("token_secret", SECRET.to_owned()).unwrap();
    let tenant = TenantId::parse("demo").unwrap();
    let phone = Phone::parse(PHONE).unwrap();
    AccountRequested {
        person: ActorId::parse("lin-shop").unwrap(),
        kind,
        phone: web::phone_digest(&secret, &tenant, &phone).unwrap(),
        actor: ActorId::parse("boss").unwrap(),
    }
}

async fn password_of(function: &Function) -> Option<String> {
    let inbox = function.get("/internal/inbox", INTERNAL).await;
    let messages = inbox.body["items"].as_array().unwrap().clone();
    let sent = messages.iter().find(|one| one["purpose"] == "account")?;
    Some(sent["code"].as_str().unwrap().to_owned())
}

#[test]
fn where_the_number_is_free_its_owner_signs_in_with_a_code() {
    run(async |function| {
        for _ in 0..2 {
            function.append(&asked(ActorKind::Merchant)).await;
            function.tick().await;
        }
        let code = function.code(PHONE, "sign_in").await;
        let proof = json!({"tenant": "demo", "phone": PHONE, "code": code});
        let session = function.ask("/api/sessions", proof).await.expect(201, "");
        let person = &session.body["person"];
        assert_eq!(
            (&person["id"], &person["kind"]),
            (&json!("lin-shop"), &json!("merchant"))
        );
        assert_eq!(password_of(&function).await, None);
    });
}

#[test]
fn where_the_number_has_an_account_another_one_gets_a_password_that_has_to_be_replaced() {
    run(async |function| {
        let resident = function.register(PHONE, "林芳").await;
        function.append(&asked(ActorKind::Merchant)).await;
        function.tick().await;
        function.tick().await;
        let password = password_of(&function).await.unwrap();
        let fact = function.fact("person.registered").await;
        assert_eq!(
            (&fact["person"], &fact["kind"]),
            (&json!("lin-shop"), &json!("merchant"))
        );
        assert!(
            !function
                .fact("person.password_changed")
                .await
                .to_string()
                .contains(&password)
        );
        let id = resident.body["person"]["id"].as_str().unwrap();
        let shown = function
            .get(&format!("/api/people/{id}"), &operator())
            .await;
        assert_eq!(
            shown.body["phone"], "+8613900139000",
            "the number stays the resident's"
        );
        let signed_in = function.sign_in("lin-shop", &password).await;
        signed_in.expect(403, "password_change_required");
        let own = json!({"tenant": "demo", "username": "lin-shop", "password": password, "new_password": "my very own password"});
        let session = function.ask("/api/sessions", own).await.expect(201, "");
        assert_eq!(session.body["person"]["kind"], "merchant");
    });
}

#[test]
fn nobody_becomes_an_operator_by_being_asked_for() {
    run(async |function| {
        function.append(&asked(ActorKind::Operator)).await;
        let done = function
            .post("/internal/ticks/identity", INTERNAL, json!({}))
            .await
            .expect(200, "");
        assert_eq!(done.body["heard"], 0, "{done:?}");
        let people = function.get("/api/people?kind=operator", &operator()).await;
        assert!(!people.body.to_string().contains("lin-shop"));
    });
}
