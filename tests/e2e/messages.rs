//! Messages end to end, received by other people's libraries: http-ece decrypts what Web Push carries, standardwebhooks
//! verifies the webhook, ntfy-api and apprise publish to a topic, python-ntfy publishes and polls; and a door that opens
//! stands in the inbox.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use linli_tests::{
    estate::{Estate, openings},
    http::Http,
    place, poll,
    process::Process,
    system::Setup,
};
use serde_json::{Value, json};

/// What is installed, each exactly so that a test of today is one of tomorrow.
const PACKAGES: [&str; 6] = [
    "http-ece==1.2.1",
    "cryptography",
    "standardwebhooks==1.1.0",
    "ntfy-api==0.0.6",
    "python-ntfy==0.11.4",
    "apprise==2.2.0",
];
const READY: &str = "receiver is ready: ";

/// A Python with the packages, made once for all tests.
fn python() -> Option<PathBuf> {
    let folder = place::root().join("target/tools/python-messages");
    let python = folder.join("bin/python");
    let runs = |program: &Path, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.is_ok_and(|output| output.status.success())
    };
    let imports = "import http_ece, cryptography, standardwebhooks, ntfy_api, python_ntfy, apprise";
    if runs(&python, &["-c", imports]) {
        return Some(python);
    }
    let folder = folder.to_string_lossy().into_owned();
    let made = runs(Path::new("python3"), &["-m", "venv", &folder]);
    let install: Vec<&str> = ["-m", "pip", "install", "--quiet"]
        .into_iter()
        .chain(PACKAGES)
        .collect();
    let ready = made && runs(&python, &install) && runs(&python, &["-c", imports]);
    if !ready {
        eprintln!("SKIPPED (no Python with {PACKAGES:?}): messages are not received by others");
    }
    ready.then_some(python)
}

fn script(name: &str) -> PathBuf {
    place::root().join("tests/e2e/messages").join(name)
}

/// The receiver, its address, and the keys of its browser.
fn receiver(python: &Path) -> (Process, String, Value) {
    let mut command = Command::new(python);
    command.arg(script("receiver.py"));
    let mut process = Process::spawn("receiver", command);
    let line = process.line(READY);
    let rest = line.split(READY).nth(1).unwrap().to_owned();
    let (address, keys) = rest.split_once(' ').unwrap();
    (
        process,
        address.to_owned(),
        serde_json::from_str(keys).unwrap(),
    )
}

#[tokio::test]
async fn what_we_send_is_read_by_other_peoples_libraries() {
    let Some(python) = python() else {
        return;
    };
    let (_receiver, address, keys) = receiver(&python);
    let setup = Setup::functions()
        .with("SPIN_VARIABLE_PUSH_CONTACT", "mailto:push@linli.cn")
        .with("SPIN_VARIABLE_PUSH_SERVICES", "127.0.0.1")
        .with("SPIN_VARIABLE_PUSH_REACH", "anywhere")
        .with("SPIN_VARIABLE_PUSH_OUTBOUND", "http://127.0.0.1:*");
    let estate = Estate::start_with(setup, &[]).await;
    let li = &estate.resident;
    let device =
        json!({ "channel": "web_push", "endpoint": format!("{address}/push/li"), "keys": keys });
    li.post("/api/push/devices", &device).await.expect(201);
    let hook = json!({ "url": format!("{address}/hook") });
    let hook = li.post("/api/webhooks", &hook).await.expect(201).json();
    let secret = hook["webhook_secret"].as_str().unwrap();
    let request = http::Request::post("/secret")
        .body(bytes::Bytes::from(secret.to_owned()))
        .unwrap();
    let handed = Http::new(&address).try_send(request).await;
    assert_eq!(handed.unwrap().status, 204);

    let message = json!({
        "audience": { "all": true },
        "notification": { "purpose": "notice", "title": { "zh": "停水通知" }, "body": { "zh": "明早停水" } },
    });
    let key = [("idempotency-key", "e2e-1")];
    let path = "/api/push/messages";
    estate
        .operator
        .call("POST", path, Some(&message), &key)
        .await
        .expect(202);
    let seen = poll::until("push and webhook arrive", async || {
        let seen = Http::new(&address).get("/seen").await.expect(200).json();
        (seen.as_array().unwrap().len() >= 2).then_some(seen)
    })
    .await;
    let of = |kind: &str| {
        let all = seen.as_array().unwrap();
        let found = all.iter().find(|one| one.get(kind).is_some());
        found.unwrap_or_else(|| panic!("no {kind}: {seen}")).clone()
    };
    assert_eq!(of("push")["push"]["title"], "停水通知");
    assert_eq!(of("push")["sub"], "mailto:push@linli.cn");
    assert_eq!(of("webhook")["webhook"]["data"]["body"]["zh"], "明早停水");

    topic_takes_what_a_client_publishes(&estate, &python).await;
    topic_tells_a_client_what_it_published(&estate, &python).await;
    root_takes_what_apprise_publishes(&estate, &python).await;
    a_door_that_opens_stands_in_the_inbox(&estate).await;
}

/// A topic of the resident, and the key that opens it.
async fn topic(estate: &Estate, name: &str) -> String {
    let topic = json!({ "topic": name });
    let made = estate.resident.post("/api/push/topics", &topic).await;
    let made = made.expect(201).json();
    made["topic_key"].as_str().unwrap().to_owned()
}

/// Lets a client work on a topic; it says itself what it finds wrong.
fn run(python: &Path, name: &str, (estate, topic, key): (&Estate, &str, &str)) {
    let url = format!("{}/n", estate.system.http_address);
    let done = Command::new(python)
        .arg(script(name))
        .args([&url, topic, key])
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

async fn topic_tells_a_client_what_it_published(estate: &Estate, python: &Path) {
    let key = topic(estate, "li-desk").await;
    run(python, "client.py", (estate, "li-desk", &key));
}

/// What was published to a topic, a line each.
async fn polled(estate: &Estate, (topic, key): (&str, &str)) -> Vec<Value> {
    let client = estate.system.http().with_token(key);
    let path = format!("/n/{topic}/json?poll=1&since=all");
    let polled = client.get(&path).await.expect(200);
    String::from_utf8_lossy(&polled.body)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn root_takes_what_apprise_publishes(estate: &Estate, python: &Path) {
    let key = topic(estate, "li-tablet").await;
    run(python, "apprise_client.py", (estate, "li-tablet", &key));
    let lines = polled(estate, ("li-tablet", &key)).await;
    let texts: Vec<&Value> = lines.iter().map(|line| &line["message"]).collect();
    assert_eq!(texts.len(), 2, "{lines:?}");
    let water = lines.iter().find(|line| line["message"] == "明早停水");
    let water = water.unwrap_or_else(|| panic!("{lines:?}"));
    assert_eq!(
        (&water["title"], &water["priority"]),
        (&json!("Water"), &json!(4))
    );
    // It sorts them.
    assert_eq!(water["tags"], json!(["droplet", "warning"]));
    assert_eq!(water["content_type"], "text/markdown");
}

async fn topic_takes_what_a_client_publishes(estate: &Estate, python: &Path) {
    let key = topic(estate, "li-phone").await;
    run(python, "publish.py", (estate, "li-phone", &key));
    let lines = polled(estate, ("li-phone", &key)).await;
    let texts: Vec<&str> = lines
        .iter()
        .map(|line| line["message"].as_str().unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(texts.contains(&"by headers") && texts.contains(&"as json"));
}

async fn a_door_that_opens_stands_in_the_inbox(estate: &Estate) {
    let opened = estate
        .resident
        .post(&openings("north-gate"), &json!({}))
        .await;
    assert!(opened.status.is_success(), "{opened}");
    poll::until("the door stands in the inbox", async || {
        let inbox = estate.resident.get("/api/inbox").await.expect(200).json();
        let items = inbox["items"].as_array().unwrap().clone();
        items
            .iter()
            .any(|item| item["title"] == "Door opened")
            .then_some(())
    })
    .await;
}
