//! The README's day in the estate and its month of bills: every command, as it stands there, against the demo.

use std::{env, fs, process::Command};

use linli_tests::{estate::Estate, place};
use serde_json::{Value, json};

/// What the demo's month comes to, in fen: six property fees of 89.50 m2 at 2.80, electricity of 300 and 180 kWh,
/// water of 12 and 8 m3.
const BILLED: i64 = 6 * 25_060 + 14_949 + 8_789 + 6_000 + 4_000;
/// What li pays of it: 240 kWh at 0.4883 and 60 at 0.5383.
const PAID: i64 = 14_949;
/// What the channel charges for it: 0.6 percent, half up.
const CHARGED: i64 = (PAID * 60 + 5_000) / 10_000;

/// Runs the README's commands, with `linli` in the path; what they printed.
fn run_readme(estate: &Estate) -> String {
    let readme = fs::read_to_string(place::root().join("README.md")).unwrap();
    let blocks = readme.split("```sh demo\n").skip(1);
    let script: String = blocks
        .filter_map(|rest| rest.split_once("```"))
        .map(|(commands, _)| commands)
        .collect();
    assert!(
        script.lines().count() > 45,
        "the commands have become few:\n{script}"
    );
    let mut path = place::binary("linli")
        .parent()
        .unwrap()
        .as_os_str()
        .to_owned();
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    let output = Command::new("bash")
        .args(["-e", "-u", "-o", "pipefail", "-x", "-c", &script])
        .env("BASE", &estate.system.http_address)
        .env("DATA", estate.system.data())
        .env("PATH", path)
        .output()
        .unwrap();
    let (said, traced) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{traced}\n{said}");
    format!("{said}\n{traced}")
}

/// What stands on all accounts of a kind.
fn balance(trial_balance: &Value, kind: &str) -> i64 {
    let kinds = trial_balance["kinds"].as_array().unwrap();
    let found = kinds.iter().find(|found| found["kind"] == kind);
    found.map_or(0, |found| found["balance_minor"].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_readme_works_and_the_books_of_the_month_balance() {
    let estate = Estate::start().await;
    estate.demo.write(estate.system.data()).unwrap();
    let said = run_readme(&estate);
    for known in [
        // The day.
        "\"state\":\"requested\"",
        "L1.",
        "1栋",
        "erp",
        "tenant.founded",
        // The month.
        "\"result\":\"counted\"",
        "\"quantity_milli\":300000",
        "\"state\":\"published\"",
        "\"state\":\"paid\"",
        "\"matched\":1,\"carried\":0,\"mistakes\":0",
        "seals, 0 wrong",
    ] {
        assert!(said.contains(known), "no {known} in:\n{said}");
    }
    let books = estate.operator.get("/api/ledger/trial-balance").await;
    let books = books.expect(200).json();
    assert_eq!(books["totals"][0]["balanced"], json!(true), "{books}");
    for (kind, stands) in [
        ("fee_income", BILLED),
        ("fee_receivable", BILLED - PAID),
        // Reconciled without a mistake, all of it is settled.
        ("channel_clearing", 0),
        ("bank", PAID - CHARGED),
        ("channel_fee_expense", CHARGED),
        ("suspense", 0),
    ] {
        assert_eq!(balance(&books, kind), stands, "{kind} in {books}");
    }
}
