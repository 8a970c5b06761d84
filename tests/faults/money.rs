//! Kill and restart where money is made of readings: no reading, no bill and no posting is lost or there twice.

use std::{
    collections::{BTreeSet, HashSet},
    fmt::Write as _,
    process::Command,
};

use kernel::{DeviceId, MessageId, Timestamp};
use linli_tests::{estate::Estate, http::Http, mqtt::Mqtt, place, poll, system::Setup};
use serde_json::{Value, json};
use wire::{
    Message, gateway,
    meter::{Reading, Readings, Register, RegisterValue, Source, Unit},
};
use xtask::client::Client;

const READING: &str = "linli/demo/gateway/gateway-1/reading";
const HOUR_MS: i64 = 3_600_000;
const METERS: usize = 20;
/// How often each meter is read.
const HOURS: i64 = 60;
/// The host is killed when so many messages have their receipt.
const KILLED_AT: [usize; 3] = [1, 15, 40];

/// A community of its own: nothing of the demo is in its bills.
const COMMUNITY: &str = "meadow";
const ROOMS: usize = 1_000;
const RULES: usize = 6;
const BILLS: usize = ROOMS * RULES;
/// What a room of 89.50 m2 owes by a rule: 2.80 yuan for each.
const AMOUNT: usize = 25_060;
const MONTHS: [&str; 3] = ["2026-08", "2026-09", "2026-10"];

fn meter(number: usize) -> String {
    format!("lobby-{number}")
}

/// The test as the gateway itself.
async fn gateway(estate: &Estate) -> Mqtt {
    let password = &estate.demo.gateway.password;
    let connected = estate
        .system
        .mqtt("demo-gateway-1", "demo/gateway-1", password);
    let mut gateway = connected.await.unwrap();
    assert!(gateway.subscribe("linli/demo/gateway/gateway-1/cmd").await);
    gateway
}

/// A meter whose register moves on by 1 kWh each hour.
fn reading(number: usize, opened_at: Timestamp, hour: i64) -> Reading {
    Reading {
        meter: DeviceId::parse(&meter(number)).unwrap(),
        source: Source::Interval,
        read_at: opened_at.plus_millis(hour * HOUR_MS),
        registers: vec![RegisterValue {
            register: Register::Total,
            value_milli: hour * 1_000,
            unit: Unit::KilowattHour,
        }],
        flags: vec![],
        raw: None,
    }
}

/// One message an hour, about every meter, by its id.
fn messages(opened_at: Timestamp) -> Vec<(String, Vec<u8>)> {
    let message = |hour: i64| {
        let id = uuid::Uuid::now_v7().to_string();
        let message = Message {
            id: MessageId::parse(&id).unwrap(),
            at: opened_at.plus_millis(hour * HOUR_MS),
            body: Readings {
                gateway: DeviceId::parse("gateway-1").unwrap(),
                readings: (0..METERS)
                    .map(|number| reading(number, opened_at, hour))
                    .collect(),
            },
        };
        (id, message.to_payload().unwrap())
    };
    (1..=HOURS).map(message).collect()
}

/// The messages of which one that came says that they are stored.
fn receipted(payload: &[u8]) -> Vec<String> {
    match Message::<gateway::Command>::from_payload(payload) {
        Ok(Message {
            body: gateway::Command::Receipt { messages },
            ..
        }) => messages.iter().map(ToString::to_string).collect(),
        _ => vec![],
    }
}

async fn meters(estate: &Estate, opened_at: Timestamp) {
    for number in 0..METERS {
        let meter = json!({
            "id": meter(number), "community": "garden", "commodity": "electricity", "name": "大堂电表", "area": "大堂",
            "gateway": "gateway-1", "digits": 6, "opening_milli": 0, "opened_at": opened_at,
        });
        estate
            .operator
            .post("/api/meters", &meter)
            .await
            .expect(201);
    }
}

#[tokio::test]
async fn a_host_killed_while_readings_arrive_has_each_of_them_exactly_once() {
    let mut estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let now = chrono::Utc::now().timestamp_millis();
    let opened_at = Timestamp::from_millis(now - now % HOUR_MS - (HOURS + 1) * HOUR_MS).unwrap();
    meters(&estate, opened_at).await;
    let messages = messages(opened_at);
    let mut stored: HashSet<String> = HashSet::new();
    for enough in KILLED_AT {
        let mut session = gateway(&estate).await;
        // Everything without a receipt again, as a bridge does.
        for (id, payload) in &messages {
            if stored.contains(id) {
                continue;
            }
            assert!(session.publish(READING, payload).await);
            let came = session.received();
            stored.extend(came.iter().flat_map(|message| receipted(&message.payload)));
            if stored.len() >= enough {
                break;
            }
        }
        // Some of what the broker took is stored, some not, and some receipts are on their way.
        estate.system.host.kill();
        estate.system.restart();
    }
    let mut session = gateway(&estate).await;
    for (id, payload) in &messages {
        assert!(stored.contains(id) || session.publish(READING, payload).await);
    }
    while stored.len() < messages.len() {
        let message = session.message().await;
        stored.extend(receipted(&message.payload));
    }
    for number in 0..METERS {
        counted_once(&estate.operator, &meter(number), opened_at).await;
    }
}

/// Checks that a meter has one reading of each hour, and the usage of all of them.
async fn counted_once(operator: &Http, meter: &str, opened_at: Timestamp) {
    let page = operator
        .get(&format!("/api/meters/{meter}/readings?limit=200"))
        .await
        .expect(200)
        .json();
    let readings = page["items"].as_array().unwrap();
    let moments: BTreeSet<&str> = readings
        .iter()
        .filter_map(|reading| reading["at"].as_str())
        .collect();
    let hours = usize::try_from(HOURS).unwrap();
    // The register that it began with stands there, too.
    assert_eq!((readings.len(), moments.len()), (hours + 1, hours + 1));
    assert!(
        readings
            .iter()
            .all(|reading| reading["verdict"] == "counted"),
        "{page}"
    );
    let until = opened_at.plus_millis(HOURS * HOUR_MS);
    let path = format!("/api/usage?meter={meter}&by=hour&from={opened_at}&until={until}");
    let usage = operator.get(&path).await.expect(200).json();
    assert_eq!(usage["total_milli"], HOURS * 1_000, "{usage}");
    let hours = usage["items"].as_array().unwrap();
    assert!(
        hours.iter().all(|hour| hour["quantity_milli"] == 1_000),
        "{usage}"
    );
}

/// A community of a thousand rooms that are charged by six rules.
async fn meadow(estate: &Estate) {
    let token = estate.operator.token().unwrap();
    let operator = Client::new(&estate.system.http_address, token);
    let community = json!({ "id": COMMUNITY, "name": "草地花园", "address": "幸福路 2 号", "time_zone": "Asia/Shanghai", "company": "green" });
    operator.post("/api/communities", community).await.unwrap();
    let mut file = "楼栋,单元,房号,面积\r\n".to_owned();
    for number in 0..ROOMS {
        let (building, room) = (number / 50 + 1, number % 50 + 101);
        write!(file, "{building}栋,1单元,{room},89.50\r\n").unwrap();
    }
    let asked =
        json!({ "community": COMMUNITY, "kind": "rooms", "format": "csv", "bytes": file.len() });
    let import = operator.post("/api/imports", asked).await.unwrap();
    let path = format!("/api/imports/{}", import["id"].as_str().unwrap());
    let part = format!("{path}/parts/1");
    operator
        .put_file(&part, "text/csv", file.into())
        .await
        .unwrap();
    let report = operator.post(&format!("{path}/run"), json!({})).await;
    assert_eq!(report.unwrap()["created"], ROOMS);
    let internal = estate.system.internal();
    poll::until("fees have heard of every room", async || {
        let tick = internal.call("POST", "/internal/ticks/fees", None, &[]);
        (tick.await.expect(200).json()["heard"] == 0).then_some(())
    })
    .await;
    for number in 0..RULES {
        let charge = json!({ "kind": "area", "price": 28_000 });
        let rule = json!({ "community": COMMUNITY, "name": format!("物业费 {number}"), "charge": charge, "first_day": "2020-01-01" });
        operator.post("/api/fee-rules", rule).await.unwrap();
    }
}

/// The last run of the community.
async fn last_run(operator: &Http) -> Option<Value> {
    let path = format!("/api/bill-runs?community={COMMUNITY}&limit=1");
    let page = operator.get(&path).await.expect(200).json();
    page["items"].get(0).cloned()
}

/// Asks for something that goes on for a while, kills the host as soon as `begun` holds for the last run, and starts it
/// again; whether the question was cut off.
async fn cut_off(
    estate: &mut Estate,
    (path, body, key): (&str, Value, &str),
    begun: impl Fn(&Value) -> bool,
) -> bool {
    let (operator, path, key) = (estate.operator.clone(), path.to_owned(), key.to_owned());
    let asked = tokio::spawn(async move {
        let key = [("idempotency-key", key.as_str())];
        operator.try_json("POST", &path, Some(&body), &key).await
    });
    poll::until("it has begun", async || {
        let run = last_run(&estate.operator).await?;
        begun(&run).then_some(())
    })
    .await;
    estate.system.host.kill();
    estate.system.restart();
    asked.await.unwrap().is_err()
}

/// Waits until the host has taken the last run to that state by itself.
async fn reached(operator: &Http, state: &str) -> Value {
    poll::until(&format!("the run is {state}"), async || {
        let run = last_run(operator).await?;
        (run["state"] == state).then_some(run)
    })
    .await
}

/// Every bill of a month: its room and its rule, its amount and state.
async fn bills(operator: &Http, month: &str) -> Vec<[String; 4]> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/api/bills?community={COMMUNITY}&period={month}&limit=200{after}");
        let page = operator.get(&path).await.expect(200).json();
        for bill in page["items"].as_array().unwrap() {
            let fields = ["room", "title", "amount_minor", "state"];
            all.push(fields.map(|field| bill[field].to_string()));
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

async fn trial_balance(operator: &Http) -> Value {
    operator
        .get("/api/ledger/trial-balance")
        .await
        .expect(200)
        .json()
}

#[tokio::test]
async fn a_host_killed_in_bill_runs_has_each_bill_exactly_once_and_its_books_are_clean() {
    let mut estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    meadow(&estate).await;
    let mut cut = 0;
    for month in MONTHS {
        let asked = json!({ "community": COMMUNITY, "period": month });
        let run = ("/api/bill-runs", asked, month);
        let begun = |run: &Value| run["period"] == month && run["bills"] != 0;
        cut += usize::from(cut_off(&mut estate, run, begun).await);
        let run = reached(&estate.operator, "done").await;
        assert_eq!(
            (&run["period"], &run["bills"]),
            (&json!(month), &json!(BILLS))
        );
        let path = format!("/api/bill-runs/{}/publication", run["id"].as_str().unwrap());
        let key = format!("publication-{month}");
        let publication = (path.as_str(), json!({}), key.as_str());
        let begun = |run: &Value| run["state"] != "done";
        cut += usize::from(cut_off(&mut estate, publication, begun).await);
        reached(&estate.operator, "published").await;
        // Each room by each rule, once, for what it owes.
        let bills = bills(&estate.operator, month).await;
        let each: HashSet<&[String]> = bills.iter().map(|bill| &bill[..2]).collect();
        assert_eq!((bills.len(), each.len()), (BILLS, BILLS));
        let owed = [AMOUNT.to_string(), json!("published").to_string()];
        assert!(bills.iter().all(|bill| bill[2..] == owed));
        // Published again, under the same key and another, and run again: nothing more.
        let books = trial_balance(&estate.operator).await;
        let nothing = json!({});
        for key in [&key, &format!("{key}-again")] {
            let key = [("idempotency-key", key.as_str())];
            let ask = estate.operator.call("POST", &path, Some(&nothing), &key);
            assert_eq!(ask.await.expect(200).json()["state"], "published");
        }
        assert_eq!(trial_balance(&estate.operator).await, books);
    }
    assert!(cut > 0, "nothing was under way when the host was killed");
    let asked = json!({ "community": COMMUNITY, "period": MONTHS[0] });
    let again = estate.operator.post("/api/bill-runs", &asked).await;
    assert_eq!(again.expect(201).json()["bills"], 0);
    let books = trial_balance(&estate.operator).await;
    let total = MONTHS.len() * BILLS * AMOUNT;
    assert_eq!(books["totals"][0]["debits_minor"], total, "{books}");
    assert_eq!(books["totals"][0]["balanced"], true, "{books}");
    estate.system.host.kill();
    books_are_clean(&estate, MONTHS.len() * BILLS);
}

/// `linli ledger verify` on the data folder.
fn books_are_clean(estate: &Estate, transactions: usize) {
    let output = Command::new(place::binary("linli"))
        .args(["ledger", "verify", "--data"])
        .arg(estate.system.data())
        .env_remove("SPIN_VARIABLE_DATABASE_URL")
        .output()
        .unwrap();
    let (said, told) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}{told}");
    let expected = format!("demo: {transactions} transactions");
    assert!(said.contains(&expected), "no {expected:?} in {said}");
}
