//! One-time codes: what they are good for, how long, how often, and what a stranger learns.

use identity::domain::{ATTEMPTS_MAX, ATTEMPTS_WINDOW_MS, CODE_MS, CODE_TRIES_MAX, RESEND_MS_MIN};
use identity::sender::CodeSender;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::{Function, INTERNAL, PASSWORD, operator, run};

const PHONE: &str = "13900139000";

fn ask(phone: &str, purpose: &str) -> Value {
    json!({ "tenant": "demo", "phone": phone, "purpose": purpose })
}

fn proof(code: &str) -> Value {
    json!({ "tenant": "demo", "phone": PHONE, "code": code })
}

/// A code that is not this one.
fn other(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

#[test]
fn a_person_registers_with_a_code_and_signs_in_with_another() {
    run(async |mut function| {
        let session = function.register("139 0013 9000", "王小明").await;
        let person = &session.body["person"];
        assert_eq!(
            (&person["name"], &person["kind"], &person["phone"]),
            (
                &json!("王小明"),
                &json!("resident"),
                &json!("+8613900139000")
            )
        );
        let fact = function.fact("person.registered").await;
        assert_eq!(fact["phone"].as_str().unwrap().len(), 64);
        assert!(!fact.to_string().contains(PHONE));
        function.wait(RESEND_MS_MIN);
        let code = function.code(PHONE, "sign_in").await;
        let again = function
            .ask("/api/sessions", proof(&code))
            .await
            .expect(201, "");
        assert_eq!(again.body["person"]["id"], person["id"]);
        function
            .get("/api/sessions/current", &again.text("token"))
            .await
            .expect(200, "");
        function
            .ask("/api/sessions", proof(&code))
            .await
            .expect(401, "code_wrong");
    });
}

#[test]
fn asking_for_a_code_tells_nothing_about_the_number_and_never_holds_the_code() {
    run(async |function| {
        function.register(PHONE, "王小明").await;
        let unknown = function
            .ask("/api/codes", ask("13700137000", "sign_in"))
            .await
            .expect(202, "");
        let mut known = function
            .ask("/api/codes", ask("13600136000", "sign_in"))
            .await;
        assert_eq!(unknown, known);
        let nowhere = json!({ "tenant": "nowhere", "phone": PHONE, "purpose": "sign_in" });
        known = function.ask("/api/codes", nowhere).await;
        assert_eq!(unknown, known);
        let fields: Vec<&String> = unknown.body.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["expires_at", "resend_after_seconds"]);
    });
}

#[test]
fn a_tenant_that_there_is_not_is_answered_like_one_that_there_is_also_the_second_time() {
    run(async |mut function| {
        let nowhere =
            |tenant: &str| json!({ "tenant": tenant, "phone": PHONE, "purpose": "sign_in" });
        for step in 0..12 {
            let known = function.ask("/api/codes", ask(PHONE, "sign_in")).await;
            let unknown = function.ask("/api/codes", nowhere("nowhere")).await;
            assert_eq!(known, unknown, "step {step}");
            function.wait(RESEND_MS_MIN / 2);
        }
        // Each of them is counted for itself, and nothing is sent for any.
        function
            .ask("/api/codes", nowhere("elsewhere"))
            .await
            .expect(202, "");
        let inbox = function.get("/internal/inbox", INTERNAL).await;
        let messages = inbox.body["items"].as_array().unwrap().clone();
        assert!(!messages.is_empty());
        assert!(messages.iter().all(|message| message["tenant"] == "demo"));
    });
}

#[test]
fn a_code_is_sent_once_a_minute_and_five_times_an_hour() {
    run(async |mut function| {
        for _ in 0..5 {
            function
                .ask("/api/codes", ask(PHONE, "sign_in"))
                .await
                .expect(202, "");
            let soon = function
                .ask("/api/codes", ask(PHONE, "registration"))
                .await
                .expect(429, "code_too_soon");
            assert!(["60", "3360"].contains(&soon.header("retry-after")));
            function.wait(RESEND_MS_MIN);
        }
        function
            .ask("/api/codes", ask(PHONE, "sign_in"))
            .await
            .expect(429, "code_too_soon");
        function
            .ask("/api/codes", ask("13700137000", "sign_in"))
            .await
            .expect(202, "");
        function.wait(60 * 60 * 1_000);
        function
            .ask("/api/codes", ask(PHONE, "sign_in"))
            .await
            .expect(202, "");
    });
}

#[test]
fn a_code_is_good_for_its_purpose_its_number_and_five_minutes() {
    run(async |mut function| {
        function.register(PHONE, "王小明").await;
        function.wait(RESEND_MS_MIN);
        let code = function.code(PHONE, "password").await;
        function
            .ask("/api/sessions", proof(&code))
            .await
            .expect(401, "code_wrong");
        function.wait(RESEND_MS_MIN);
        let code = function.code(PHONE, "sign_in").await;
        let elsewhere = json!({ "tenant": "demo", "phone": "13700137000", "code": code });
        function
            .ask("/api/sessions", elsewhere)
            .await
            .expect(401, "code_wrong");
        function.wait(CODE_MS);
        function
            .ask("/api/sessions", proof(&code))
            .await
            .expect(401, "code_wrong");
    });
}

#[test]
fn after_five_wrong_tries_the_right_code_is_wrong_too() {
    run(async |function| {
        let code = function.code(PHONE, "registration").await;
        let body =
            |code: &str| json!({ "tenant": "demo", "phone": PHONE, "code": code, "name": "王" });
        for _ in 0..CODE_TRIES_MAX {
            function
                .ask("/api/registrations", body(&other(&code)))
                .await
                .expect(401, "code_wrong");
        }
        function
            .ask("/api/registrations", body(&code))
            .await
            .expect(401, "code_wrong");
    });
}

#[test]
fn whatever_is_typed_only_the_code_itself_is_right_once_and_among_the_first_five_tries() {
    // How far each typed code is from the right one.
    let typed = prop::collection::vec(0_u32..3, 1..9);
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(6)
    });
    runner
        .run(&typed, |typed| {
            run(async |function| {
                let code: u32 = function.code(PHONE, "sign_in").await.parse().unwrap();
                let (mut wrong, mut is_used) = (0, false);
                for distance in &typed {
                    let text = format!("{:06}", (code + distance) % 1_000_000);
                    let answer = function.ask("/api/sessions", proof(&text)).await;
                    let is_right = *distance == 0 && wrong < CODE_TRIES_MAX && !is_used;
                    let expected = if is_right {
                        "not_registered"
                    } else {
                        "code_wrong"
                    };
                    assert_eq!(answer.code(), expected, "{typed:?}");
                    wrong += i64::from(!is_right && !is_used);
                    is_used |= is_right;
                }
            });
            Ok(())
        })
        .unwrap();
}

#[test]
fn ten_wrong_codes_lock_the_number_as_ten_wrong_passwords_lock_a_name() {
    run(async |mut function| {
        function.register(PHONE, "王小明").await;
        for _ in 0..ATTEMPTS_MAX {
            function
                .ask("/api/sessions", proof("000000"))
                .await
                .expect(401, "code_wrong");
        }
        function.wait(RESEND_MS_MIN);
        let code = function.code(PHONE, "sign_in").await;
        let locked = function
            .ask("/api/sessions", proof(&code))
            .await
            .expect(429, "too_many_attempts");
        assert_eq!(locked.header("retry-after"), "840");
        function.wait(ATTEMPTS_WINDOW_MS);
        let code = function.code(PHONE, "sign_in").await;
        function
            .ask("/api/sessions", proof(&code))
            .await
            .expect(201, "");
    });
}

#[test]
fn who_holds_the_phone_learns_whether_there_is_an_account() {
    run(async |mut function| {
        let code = function.code(PHONE, "sign_in").await;
        function
            .ask("/api/sessions", proof(&code))
            .await
            .expect(409, "not_registered");
        function.wait(RESEND_MS_MIN);
        function.register(PHONE, "王小明").await;
        function.wait(RESEND_MS_MIN);
        let code = function.code(PHONE, "registration").await;
        let twice = json!({ "tenant": "demo", "phone": PHONE, "code": code, "name": "王" });
        function
            .ask("/api/registrations", twice)
            .await
            .expect(409, "already_registered");
    });
}

#[test]
fn a_number_is_given_to_one_account_only() {
    run(async |function| {
        let body = |name: &str| json!({ "username": name, "password": PASSWORD, "kind": "staff", "communities": ["garden"], "phone": PHONE });
        let added = function
            .post("/api/people", &operator(), body("butler"))
            .await
            .expect(201, "");
        assert_eq!(added.body["phone"], "+8613900139000");
        function
            .post("/api/people", &operator(), body("cook"))
            .await
            .expect(409, "phone_taken");
        let code = function.code(PHONE, "sign_in").await;
        let session = function
            .ask("/api/sessions", proof(&code))
            .await
            .expect(201, "");
        assert_eq!(session.body["person"]["id"], "butler");
    });
}

#[test]
fn the_inbox_is_a_page_for_developers_with_the_internal_token() {
    run(async |function| {
        let code = function.code(PHONE, "sign_in").await;
        let bearer = format!("Bearer {INTERNAL}");
        let headers = [("authorization", bearer.as_str()), ("accept", "text/html")];
        let page = function.send("GET", "/internal/inbox", &headers, "").await;
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.body.as_str().unwrap().contains(&code));
        function
            .get("/internal/inbox", &operator())
            .await
            .expect(401, "token_invalid");
    });
}

async fn with_webhook(function: &mut Function, broken: bool) {
    let mut sender = CodeSender::parse("https://sms.example/send").unwrap();
    if let CodeSender::Webhook(webhook) = &mut sender {
        webhook.broken = broken;
    }
    function.context.code_sender = sender;
}

#[test]
fn with_a_webhook_codes_go_out_and_the_inbox_is_closed() {
    run(async |mut function| {
        with_webhook(&mut function, false).await;
        function
            .ask("/api/codes", ask(PHONE, "registration"))
            .await
            .expect(202, "");
        let CodeSender::Webhook(webhook) = &function.context.code_sender else {
            panic!("no webhook");
        };
        let sent = webhook.take();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0]["phone"], "+8613900139000");
        let code = sent[0]["code"].as_str().unwrap();
        let body = json!({ "tenant": "demo", "phone": PHONE, "code": code, "name": "王" });
        function
            .ask("/api/registrations", body)
            .await
            .expect(201, "");
        function
            .get("/internal/inbox", INTERNAL)
            .await
            .expect(404, "not_found");
        function.wait(RESEND_MS_MIN);
        with_webhook(&mut function, true).await;
        function
            .ask("/api/codes", ask(PHONE, "sign_in"))
            .await
            .expect(502, "code_not_sent");
    });
}

#[test]
fn what_is_no_phone_code_or_purpose_is_refused_with_its_field() {
    run(async |function| {
        for (body, field) in [
            (ask("110", "sign_in"), "phone"),
            (ask(PHONE, "gift"), "purpose"),
        ] {
            let refused = function
                .ask("/api/codes", body)
                .await
                .expect(422, "wrong_type");
            assert_eq!(refused.text("field"), field);
        }
        function
            .ask("/api/sessions", proof("12345"))
            .await
            .expect(422, "wrong_type");
        for body in [
            json!({ "tenant": "demo" }),
            json!({ "tenant": "demo", "phone": PHONE }),
            json!({ "tenant": "demo", "username": "boss", "code": "123456" }),
        ] {
            function
                .ask("/api/sessions", body)
                .await
                .expect(422, "credentials_missing");
        }
    });
}

#[test]
fn a_tick_forgets_codes_and_messages_that_are_over() {
    run(async |mut function| {
        function.code(PHONE, "sign_in").await;
        function.wait(identity::cron::INBOX_MS);
        function.tick().await;
        let inbox = function.get("/internal/inbox", INTERNAL).await;
        assert_eq!(inbox.body["items"], json!([]));
        for table in ["identity_code", "identity_sending", "identity_inbox"] {
            let rows = function
                .database
                .db
                .rows(&format!("select count(1) from {table}"), &[])
                .await
                .unwrap();
            assert_eq!(rows[0].integer(0).unwrap(), 0, "{table}");
        }
    });
}
