//! What gates ask and say: passes and cards at a reader, snapshots, and the audit of what they decided alone.

use http::Method;
use kernel::{BuildingId, CommunityId, DeviceId, MessageId, PassId, TenantId, UnitId};
use serde_json::{Value, json};
use trigger::Outcome;
use wire::audit::{Credential, Entry, FIRST_HASH, Line};
use wire::door::OccurrenceKind;
use wire::pass::{Holder, PassClaims, PassKey, Target};

use crate::access::{bound, gates, happens, tick, visit};
use crate::support::{CHEN, DEVICE, SECRET, WANG, World, ZHAO, on_each_engine};

/// The text that the visitors' capability signs.
pub fn visitor_text(world: &World, pass: &str, uses_max: u16) -> String {
    let claims = PassClaims {
        pass: PassId::parse(pass).unwrap(),
        tenant: TenantId::parse("demo").unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        holder: Holder::Visitor,
        person: None,
        targets: vec![Target::Unit(
            BuildingId::parse("b1").unwrap(),
            UnitId::parse("u1").unwrap(),
        )],
        not_before: world.context.now.plus_millis(-1_000),
        expires_at: world.context.now.plus_millis(3_600_000),
        uses_max,
        step: 0,
    };
    wire::pass::sign(&claims, &world.context.pass_seed).unwrap()
}

/// The north gate's reader asks.
pub async fn check(world: &World, seen: &Value) -> Value {
    let ask = world.post("/api/doors/north/pass-checks").by(DEVICE);
    ask.json(seen).content().await
}

#[tokio::test]
async fn a_residents_code_rotates_and_opens_each_door_once() {
    on_each_engine(async |mut world| {
        gates(&world, json!({})).await;
        happens(&world, &bound("zhao", "u1", "101", world.context.now)).await;
        let issue = async |world: &World| {
            let ask = world.post("/api/passes").by(ZHAO);
            ask.json(&json!({"community": "garden", "door": "north"}))
                .content()
                .await
        };
        let first = issue(&world).await;
        assert_eq!(first, issue(&world).await);
        assert!(first["number"].as_str().unwrap().parse::<u64>().is_ok());
        let shown = json!({"text": first["text"]});
        let opened = check(&world, &shown).await;
        assert_eq!(
            (&opened["allowed"], &opened["person"]),
            (&json!(true), &json!("zhao"))
        );
        // A forwarded screenshot.
        world.pass_ms(5_000);
        assert_eq!(check(&world, &shown).await["reason"], "already_used");
        world.pass_ms(30_000);
        let second = issue(&world).await;
        assert_ne!(first["text"], second["text"]);
        assert_eq!(
            check(&world, &json!({"text": second["text"]})).await["allowed"],
            true
        );
        world.pass_ms(60_000 + 60_000);
        assert_eq!(check(&world, &shown).await["reason"], "pass_expired");
        let facts = world.facts().await;
        let count = |wanted: &str| facts.iter().filter(|kind| *kind == wanted).count();
        assert_eq!((count("pass.used"), count("pass.refused")), (2, 2));
    })
    .await;
}

#[tokio::test]
async fn forged_foreign_and_senseless_passes_are_refused_and_logged() {
    on_each_engine(async |world| {
        gates(&world, json!({})).await;
        let own = visitor_text(&world, "v1", 1);
        let mut claims =
            wire::pass::read(&own, &[PassKey::of_seed(&world.context.pass_seed)]).unwrap();
        let stranger = wire::pass::sign(&claims, &[9; 32]).unwrap();
        claims.community = CommunityId::parse("harbour").unwrap();
        let foreign = wire::pass::sign(&claims, &world.context.pass_seed).unwrap();
        for (text, reason) in [
            (stranger, "pass_key_unknown"),
            (foreign, "pass_foreign"),
            ("https://example.org".to_owned(), "pass_malformed"),
            ("x".repeat(2_000), "pass_too_long"),
        ] {
            let checked = check(&world, &json!({"text": text})).await;
            assert_eq!(
                (&checked["allowed"], &checked["reason"]),
                (&json!(false), &json!(reason))
            );
        }
        let list = world
            .get("/api/access-log?community=garden")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(list["items"].as_array().unwrap().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_card_opens_until_it_is_blocked_and_its_number_is_unique() {
    on_each_engine(async |mut world| {
        gates(&world, json!({})).await;
        happens(&world, &bound("zhao", "u1", "101", world.context.now)).await;
        let new = json!({"number": 123_456, "community": "garden", "person": "zhao"});
        let card = world.post("/api/cards").by(CHEN).json(&new).content().await;
        let ask = world.post("/api/cards").by(WANG);
        ask.json(&new).refused(409, "card_number_taken").await;
        assert_eq!(
            check(&world, &json!({"card": 123_456})).await["reason"],
            "member"
        );
        assert_eq!(
            check(&world, &json!({"card": 1})).await["reason"],
            "card_unknown"
        );
        world.pass_ms(3_000);
        // The carrier lost it and does not wait for the office.
        let block = format!("/api/cards/{}/block", card["id"].as_str().unwrap());
        let ask = world.ask(Method::PUT, &block).by(ZHAO);
        ask.json(&json!({"reason": "丢失"})).content().await;
        assert_eq!(
            check(&world, &json!({"card": 123_456})).await["reason"],
            "card_blocked"
        );
        world
            .ask(Method::DELETE, &block)
            .by(ZHAO)
            .refused(403, "managers_only")
            .await;
        let path = format!("/api/cards/{}", card["id"].as_str().unwrap());
        assert_eq!(
            world
                .ask(Method::DELETE, &path)
                .by(CHEN)
                .reply()
                .await
                .status,
            204
        );
        world.post("/api/cards").by(CHEN).json(&new).content().await;
        let listed = world.get("/api/cards?person=zhao").by(ZHAO).content().await;
        assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_snapshot_is_made_when_something_changed_and_decides_like_the_server() {
    on_each_engine(async |world| {
        gates(&world, json!({})).await;
        happens(&world, &bound("zhao", "u1", "101", world.context.now)).await;
        happens(
            &world,
            &visit("v1", world.context.now.plus_millis(3_600_000), 1),
        )
        .await;
        let new = json!({"number": 77, "community": "garden", "person": "zhao"});
        world.post("/api/cards").by(CHEN).json(&new).content().await;
        world.published();
        tick(&world).await;
        let told = world.published();
        let ready = &told
            .iter()
            .find(|(topic, _)| topic == "linli/demo/gateway/gateway-1/cmd")
            .unwrap()
            .1["body"];
        assert_eq!(ready["action"], "snapshot_ready");
        let path = "/api/gateways/gateway-1/snapshot";
        let reply = world.get(path).by(DEVICE).reply().await;
        assert_eq!(reply.status, 200);
        assert_eq!(ready["sha256"], wire::snapshot::digest(&reply.body));
        assert_eq!(ready["bytes"], reply.body.len());
        let etag = reply.headers["etag"].to_str().unwrap().to_owned();
        assert_eq!(etag, format!("\"{}\"", ready["version"]));
        let again = world.get(path).by(DEVICE).header("if-none-match", &etag);
        assert_eq!(again.reply().await.status, 304);

        let keys = [PassKey::of_seed(&world.context.pass_seed)];
        let snapshot = wire::snapshot::verify(&reply.body, &keys).unwrap();
        let gate = access::Gate::new(snapshot);
        let now = world.context.now;
        let why = |presented: access::Presented| {
            let recognised = gate.recognise(&presented, now);
            let door = DeviceId::parse("north").unwrap();
            gate.decide(&door, &recognised, &access::History::default(), now)
                .reason
                .code()
        };
        assert_eq!(why(access::Presented::Card(77)), "member");
        assert_eq!(why(access::Presented::Card(78)), "card_unknown");
        assert_eq!(
            why(access::Presented::Text(visitor_text(&world, "v1", 1))),
            "pass"
        );
        let pass = world.post("/api/passes").by(ZHAO);
        let pass = pass
            .json(&json!({"community": "garden", "door": "north"}))
            .content()
            .await;
        assert_eq!(
            why(access::Presented::Text(
                pass["text"].as_str().unwrap().to_owned()
            )),
            "pass"
        );
        let number = pass["number"].as_str().unwrap().parse().unwrap();
        assert_eq!(why(access::Presented::Number(number)), "member");
    })
    .await;
}

#[tokio::test]
async fn a_snapshot_has_another_version_only_when_the_gate_learns_something_or_it_grows_old() {
    on_each_engine(async |mut world| {
        gates(&world, json!({})).await;
        happens(&world, &bound("zhao", "u1", "101", world.context.now)).await;
        tick(&world).await;
        let path = "/api/gateways/gateway-1/snapshot";
        let reply = world.get(path).by(DEVICE).reply().await;
        let etag = reply.headers["etag"].to_str().unwrap().to_owned();
        // Nothing changed: nothing is made. What changes nothing for the gate makes no version.
        assert_eq!(tick(&world).await["snapshots"], 0);
        happens(
            &world,
            &bound("zhao", "u1", "101", world.context.now.plus_millis(-1)),
        )
        .await;
        let reply = world.get(path).by(DEVICE).reply().await;
        assert_eq!(reply.headers["etag"], etag.as_str());
        // A day passes without a change: it is renewed in time.
        world.pass_ms(7 * 3_600_000);
        assert!(tick(&world).await["snapshots"].as_i64().unwrap() >= 1);
    })
    .await;
}

fn entry(before: Option<&Line>, sequence: u64, allowed: bool, world: &World) -> Line {
    let (gateway, door) = (
        DeviceId::parse("gateway-1").unwrap(),
        DeviceId::parse("north").unwrap(),
    );
    let mut entry = Entry {
        sequence,
        previous_hash: before.map_or(FIRST_HASH.to_owned(), |line| line.entry.hash.clone()),
        hash: String::new(),
        credential: Credential::Pass,
        person: None,
        pass: PassId::parse("v1").ok(),
        step: Some(0),
        allowed,
        reason: if allowed { "pass" } else { "already_used" }.to_owned(),
        passback: false,
        decided_at: world.context.now,
        offline: true,
    };
    entry.hash = entry.hash_at(&gateway, &door).unwrap();
    Line {
        gateway,
        door,
        entry,
    }
}

async fn report(world: &World, line: &Line) -> Outcome {
    let message = wire::Message {
        id: MessageId::parse(&format!("audit-{}", line.entry.sequence)).unwrap(),
        at: world.context.now,
        body: wire::door::Occurrence {
            gateway: line.gateway.clone(),
            kind: OccurrenceKind::AccessDecided(line.entry.clone()),
        },
    };
    let payload = message.to_payload().unwrap();
    world.receive("linli/demo/door/north/event", &payload).await
}

async fn export(world: &World, query: &str) -> Vec<Value> {
    let reply = world
        .get(&format!("/api/gateways/gateway-1/audit{query}"))
        .by(WANG)
        .reply()
        .await;
    assert_eq!(reply.headers["content-type"], "application/x-ndjson");
    let text = std::str::from_utf8(&reply.body).unwrap().to_owned();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_gates_audit_arrives_once_in_any_order_and_its_chain_holds() {
    on_each_engine(async |world| {
        gates(&world, json!({})).await;
        happens(
            &world,
            &visit("v1", world.context.now.plus_millis(3_600_000), 1),
        )
        .await;
        let first = entry(None, 1, true, &world);
        let second = entry(Some(&first), 2, false, &world);
        let third = entry(Some(&second), 3, false, &world);
        for line in [&first, &third, &third, &first] {
            assert_eq!(report(&world, line).await, Outcome::Done);
        }
        let lines = export(&world, "").await;
        assert_eq!(lines.len(), 2);
        assert_eq!(
            (&lines[0]["gap"], &lines[1]["gap"]),
            (&Value::Null, &json!(true))
        );
        assert_eq!(report(&world, &second).await, Outcome::Done);
        let lines = export(&world, "").await;
        assert!(
            lines
                .iter()
                .all(|line| line["gap"].is_null() && line["fault"].is_null()),
            "{lines:?}"
        );
        let mut before = None;
        for line in export(&world, "?limit=2")
            .await
            .iter()
            .chain(&export(&world, "?after=2").await)
        {
            let line: Line = serde_json::from_value(line.clone()).unwrap();
            let known = before
                .as_ref()
                .map(|line: &Line| (line.entry.sequence, line.entry.hash.as_str()));
            wire::audit::follows(known, &line).unwrap();
            before = Some(line);
        }
        // The use counts, and everybody hears of it once.
        let text = visitor_text(&world, "v1", 1);
        assert_eq!(
            check(&world, &json!({"text": text})).await["reason"],
            "already_used"
        );
        let facts = world.facts().await;
        let count = |wanted: &str| facts.iter().filter(|kind| *kind == wanted).count();
        assert_eq!(
            (
                count("pass.used"),
                count("pass.refused"),
                count("door.access_decided")
            ),
            (1, 3, 4)
        );
    })
    .await;
}

#[tokio::test]
async fn an_entry_that_was_changed_or_does_not_follow_is_kept_and_marked() {
    on_each_engine(async |world| {
        let first = entry(None, 1, true, &world);
        let mut changed = entry(Some(&first), 2, false, &world);
        changed.entry.allowed = true;
        let torn = entry(Some(&first), 3, false, &world);
        for line in [&first, &changed, &torn] {
            assert_eq!(report(&world, line).await, Outcome::Done);
        }
        let lines = export(&world, "").await;
        assert_eq!((&lines[1]["fault"], &lines[2]["fault"]), (&json!("changed"), &json!("torn")));
        // Another entry under a sequence that is taken is refused, and receipted.
        let other = entry(None, 1, false, &world);
        assert!(matches!(report(&world, &other).await, Outcome::Reject(reason) if reason.contains("audit_sequence_taken")));
        let ask = world.get("/api/gateways/gateway-1/audit?limit=0").by(WANG);
        ask.refused(400, "invalid_parameter").await;
        assert_eq!(world.post("/internal/ticks/doors").bearer(SECRET).reply().await.status, 200);
    })
    .await;
}
