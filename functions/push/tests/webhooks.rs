//! Webhooks: signed, tried again on their schedule, rotated, replayed, disabled.

use messaging::webhook::{Secret, Signed, verify};
use push::courier::Call;
use serde_json::{Value, json};

use crate::support::{APP, LI, MIN, World, header, on_each_engine};

const URL: &str = "https://hooks.example.net/linli";

async fn webhook(world: &World) -> (String, Secret) {
    let made = world
        .post("/api/webhooks")
        .by(LI)
        .json(&json!({"url": URL, "name": "家里的服务器"}))
        .content()
        .await;
    let secret = Secret::parse(made["webhook_secret"].as_str().unwrap()).unwrap();
    (made["id"].as_str().unwrap().to_owned(), secret)
}

async fn told(world: &World) -> Vec<Call> {
    world.record(&crate::events::bill("r1")).await;
    world.tick().await;
    world.context.courier.take()
}

fn is_signed(world: &World, call: &Call, secret: &Secret) -> bool {
    let signed = Signed {
        id: header(call, "webhook-id"),
        timestamp_seconds: header(call, "webhook-timestamp").parse().unwrap(),
        body: &call.body,
    };
    let signatures = header(call, "webhook-signature");
    verify(
        &signed,
        signatures,
        std::slice::from_ref(secret),
        world.context.now,
    )
    .is_ok()
}

#[tokio::test]
async fn a_webhook_is_signed_and_both_secrets_sign_for_a_day_after_a_rotation() {
    on_each_engine(async |mut world| {
        let (id, secret) = webhook(&world).await;
        let calls = told(&world).await;
        assert_eq!(calls[0].url, URL);
        assert!(is_signed(&world, &calls[0], &secret));
        let body: Value = serde_json::from_slice(&calls[0].body).unwrap();
        assert_eq!(body["type"], "push.message");
        assert_eq!(body["data"]["title"]["en"], "A new bill");
        let rotated = world
            .post(&format!("/api/webhooks/{id}/secret"))
            .by(LI)
            .content()
            .await;
        let new = Secret::parse(rotated["webhook_secret"].as_str().unwrap()).unwrap();
        let calls = told(&world).await;
        assert!(is_signed(&world, &calls[0], &secret) && is_signed(&world, &calls[0], &new));
        world.later(86_400_000);
        let calls = told(&world).await;
        assert!(!is_signed(&world, &calls[0], &secret) && is_signed(&world, &calls[0], &new));
        let shown = world
            .get(&format!("/api/webhooks/{id}"))
            .by(LI)
            .content()
            .await;
        assert!(shown.get("webhook_secret").is_none());
    })
    .await;
}

#[tokio::test]
async fn only_2xx_is_success_and_410_disables() {
    on_each_engine(async |mut world| {
        let (id, _) = webhook(&world).await;
        world.context.courier.say(URL, Some(302), None);
        assert_eq!(told(&world).await.len(), 1);
        world.later(5_600);
        world.tick().await;
        assert_eq!(world.context.courier.take().len(), 1);
        world.later(10_000);
        world.tick().await;
        assert!(world.context.courier.take().is_empty());
        world.context.courier.say(URL, Some(410), None);
        world.later(400_000);
        world.tick().await;
        assert_eq!(world.context.courier.take().len(), 1);
        let path = format!("/api/webhooks/{id}");
        let shown = world.get(&path).by(LI).content().await;
        assert_eq!(shown["state"], "disabled");
        assert!(told(&world).await.is_empty());
        assert_eq!(
            world.last_fact("push_webhook.changed").await["state"],
            "disabled"
        );
        world.context.courier.say(URL, Some(204), None);
        let again = json!({"url": URL, "active": true});
        assert_eq!(
            world.put(&path).by(LI).json(&again).content().await["state"],
            "active"
        );
        let page = world
            .get(&format!("{path}/deliveries"))
            .by(LI)
            .content()
            .await;
        let delivery = page["items"][0]["id"].as_str().unwrap();
        let replay = |person| {
            world
                .post(&format!("{path}/deliveries/{delivery}/replay"))
                .by(person)
        };
        replay(MIN).refused(404, "webhook_unknown").await;
        assert_eq!(replay(LI).content().await["replayed"], true);
        world.tick().await;
        let calls = world.context.courier.take();
        assert_eq!(calls.len(), 1);
        assert_eq!(header(&calls[0], "webhook-id"), delivery);
    })
    .await;
}

#[tokio::test]
async fn an_address_in_a_private_network_is_no_webhook() {
    on_each_engine(async |world| {
        for (url, code) in [
            ("https://127.0.0.1/x", "endpoint_private"),
            ("https://10.0.0.1/x", "endpoint_private"),
            ("https://[::1]/x", "endpoint_private"),
            ("https://db.internal/x", "endpoint_private"),
            ("http://hooks.example.net/x", "endpoint_invalid"),
        ] {
            world
                .post("/api/webhooks")
                .by(APP)
                .json(&json!({"url": url}))
                .refused(422, code)
                .await;
        }
        let page = world.get("/api/webhooks").by(APP).content().await;
        assert_eq!(page["items"], json!([]));
    })
    .await;
}
