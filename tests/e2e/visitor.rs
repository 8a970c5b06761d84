//! A visitor at the gate while the uplink is cut: in once, not twice, and the audit knows both afterwards, once.

use std::{fs, process::Command};

use linli_tests::{estate::Estate, http::Http, place, poll};
use serde_json::{Value, json};
use xtask::demo::{COMMUNITY, register};

const DOOR: &str = "north-gate";
const SNAPSHOT_TAKEN: &str = "a snapshot was taken";
const DECIDED: &str = "decided at the door";

#[tokio::test]
async fn a_visitors_code_opens_the_gate_once_without_the_uplink_and_the_audit_arrives_once() {
    let mut estate = Estate::start().await;
    let visit = invite(&estate).await;
    let text = pass(&estate.resident, &visit).await;
    gate_knows(&mut estate).await;
    estate.system.host.kill();

    estate.show(DOOR, &format!("text {text}")).await;
    poll::until("the gate opens", async || {
        (estate.releases() == 1).then_some(())
    })
    .await;
    estate.show(DOOR, &format!("text {text}")).await;
    poll::until("the second use is decided", async || {
        (decisions(&mut estate) == 2).then_some(())
    })
    .await;
    assert_eq!(estate.releases(), 1);

    estate.system.restart();
    let found = poll::until("the audit of both arrives", async || {
        let found = entries(&estate.operator).await;
        (found.len() >= 2).then_some(found)
    })
    .await;
    let told: Vec<(bool, &str, bool)> = found
        .iter()
        .rev()
        .map(|entry| {
            let (allowed, offline) = (&entry["allowed"], &entry["offline"]);
            (
                allowed == true,
                entry["reason"].as_str().unwrap_or_default(),
                offline == true,
            )
        })
        .collect();
    assert_eq!(told.len(), 2, "{found:#?}");
    assert!(told[0].0 && !told[1].0, "{told:?}");
    assert_eq!(told[1].1, "already_used");
    assert!(told.iter().all(|(_, _, offline)| *offline), "{told:?}");
    poll::until("the host hears that the visitor has come", async || {
        let visit = estate.resident.get(&format!("/api/visits/{visit}")).await;
        (visit.expect(200).json()["state"] == "arrived").then_some(())
    })
    .await;
    assert_eq!(entries(&estate.operator).await.len(), 2);
    chain_holds_and_shows_what_was_changed(&estate).await;
}

#[tokio::test]
async fn a_residents_card_and_code_open_what_their_groups_say() {
    let mut estate = Estate::start().await;
    gate_knows(&mut estate).await;
    estate
        .show(DOOR, &format!("card 26 {}", wiegand26(register::CARD)))
        .await;
    poll::until("the card opens the gate", async || {
        (estate.releases() == 1).then_some(())
    })
    .await;
    estate
        .show(DOOR, &format!("card 26 {}", wiegand26(register::CARD + 1)))
        .await;
    poll::until("a foreign card is decided on", async || {
        (decisions(&mut estate) == 2).then_some(())
    })
    .await;
    assert_eq!(estate.releases(), 1);

    let asked = json!({ "community": COMMUNITY });
    let code = estate
        .resident
        .post("/api/passes", &asked)
        .await
        .expect(200)
        .json();
    let text = code["text"].as_str().unwrap().to_owned();
    estate.show("building-1", &format!("text {text}")).await;
    poll::until("the code opens the own building", async || {
        (estate.releases() == 2).then_some(())
    })
    .await;
    let mut forged = text;
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'B' } else { 'A' });
    estate.show("building-1", &format!("text {forged}")).await;
    poll::until("a forged code is decided on", async || {
        (decisions(&mut estate) == 4).then_some(())
    })
    .await;
    assert_eq!(estate.releases(), 2);
}

/// Li expects somebody at home, for one use of each door.
async fn invite(estate: &Estate) -> String {
    let rooms = estate
        .resident
        .get("/api/rooms?q=1%E6%A0%8B101")
        .await
        .expect(200)
        .json();
    let room = rooms["items"][0]["id"]
        .as_str()
        .expect("li's room")
        .to_owned();
    let visitor = json!({ "name": "周小姐", "phone": "13700137000" });
    let asked = json!({ "room": room, "visitor": visitor, "uses_max": 1 });
    let visit = estate
        .resident
        .post("/api/visits", &asked)
        .await
        .expect(201)
        .json();
    assert_eq!(visit["state"], "approved", "{visit}");
    visit["id"].as_str().unwrap().to_owned()
}

async fn pass(host: &Http, visit: &str) -> String {
    let pass = host
        .get(&format!("/api/visits/{visit}/pass"))
        .await
        .expect(200)
        .json();
    pass["text"].as_str().unwrap().to_owned()
}

/// Waits until the gate decides by the newest snapshot that doors have for it.
async fn gate_knows(estate: &mut Estate) {
    let internal = estate.system.internal();
    for function in ["identity", "community", "devices", "visitors"] {
        let path = format!("/internal/ticks/{function}");
        internal.call("POST", &path, None, &[]).await.expect(200);
    }
    poll::until("doors owe no snapshot", async || {
        let done = internal
            .call("POST", "/internal/ticks/doors", None, &[])
            .await;
        let done = done.expect(200).json();
        (done["snapshots"] == 0 && done["heard"] == 0).then_some(())
    })
    .await;
    let (tenant, gateway) = (&estate.demo.tenant, &estate.demo.gateway);
    let proof = json!({ "tenant": tenant, "device": gateway.id, "secret": gateway.password });
    let session = internal
        .post("/api/device-sessions", &proof)
        .await
        .expect(201)
        .json();
    let device = estate
        .system
        .http()
        .with_token(session["token"].as_str().unwrap());
    let snapshot = device
        .get(&format!("/api/gateways/{}/snapshot", gateway.id))
        .await
        .expect(200);
    let version = snapshot.headers["etag"]
        .to_str()
        .unwrap()
        .trim_matches('"')
        .to_owned();
    poll::until("the gate has the newest snapshot", async || {
        let taken = log_lines(estate, SNAPSHOT_TAKEN);
        let is_newest = |line: &String| line.contains(&format!("\"version\":{version},"));
        taken.iter().any(is_newest).then_some(())
    })
    .await;
}

fn log_lines(estate: &mut Estate, part: &str) -> Vec<String> {
    let log = estate.bridge().log();
    log.into_iter().filter(|line| line.contains(part)).collect()
}

fn decisions(estate: &mut Estate) -> usize {
    log_lines(estate, DECIDED).len()
}

async fn entries(operator: &Http) -> Vec<Value> {
    let path = format!("/api/access-log?community={COMMUNITY}&door={DOOR}&limit=50");
    let page = operator.get(&path).await.expect(200).json();
    page["items"].as_array().expect("a page").clone()
}

/// What the gate decided by itself can be taken out and verified without us.
async fn chain_holds_and_shows_what_was_changed(estate: &Estate) {
    let gateway = &estate.demo.gateway.id;
    let export = estate
        .operator
        .get(&format!("/api/gateways/{gateway}/audit"))
        .await
        .expect(200);
    let text = String::from_utf8(export.body.to_vec()).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    let file = estate.system.data().join("audit.ndjson");
    let verify = |text: &str| {
        fs::write(&file, text).unwrap();
        let mut command = Command::new(place::binary("linli-bridge"));
        command.arg("verify-audit").arg(&file).output().unwrap()
    };
    assert!(verify(&text).status.success());
    let changed = verify(&text.replacen("\"allowed\":true", "\"allowed\":false", 1));
    assert!(!changed.status.success());
    let said = String::from_utf8_lossy(&changed.stderr).into_owned();
    assert!(said.contains('1'), "{said}");
}

/// The bits of a 26-bit card, even parity before and odd parity behind, in hex.
fn wiegand26(number: u32) -> String {
    let (high, low) = (number >> 12, number & 0xFFF);
    let even = high.count_ones() % 2;
    let odd = 1 - low.count_ones() % 2;
    let bits = (even << 25) | (number << 1) | odd;
    format!("{:08X}", bits << 6)
}
