//! The README's day in the estate, its messages, its month of bills, its merchant's two months and its advertiser's:
//! every command, as it stands there, against the demo.

use std::{env, fs, process::Command};

use linli_tests::{estate::Estate, place, system::Setup};
use serde_json::{Value, json};

/// What the demo's month comes to, in fen: six property fees of 89.50 m2 at 2.80, electricity of 300 and 180 kWh,
/// water of 12 and 8 m3.
const BILLED: i64 = 6 * 25_060 + 14_949 + 8_789 + 6_000 + 4_000;
/// What li pays of it: 240 kWh at 0.4883 and 60 at 0.5383.
const PAID: i64 = 14_949;
/// What the channel charges for it: 0.6 percent, half up.
const CHARGED: i64 = (PAID * 60 + 5_000) / 10_000;

/// The README's commands behind this fence, and how many blocks there are.
fn commands(fence: &str) -> (String, usize) {
    let readme = fs::read_to_string(place::root().join("README.md")).unwrap();
    let opening = format!("```sh {fence}\n");
    let blocks: Vec<String> = readme
        .split(&opening)
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(commands, _)| commands.to_owned())
        .collect();
    (blocks.concat(), blocks.len())
}

/// Runs a script in the way that somebody would type it, with `linli` in the path; what it printed.
fn run(estate: &Estate, script: &str) -> String {
    let mut path = place::binary("linli")
        .parent()
        .unwrap()
        .as_os_str()
        .to_owned();
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    let output = Command::new("bash")
        .args(["-e", "-u", "-o", "pipefail", "-x", "-c", script])
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
    let (script, blocks) = commands("demo");
    assert!(blocks >= 10, "the commands have become few:\n{script}");
    let said = run(&estate, &script);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_sells_is_frozen_opens_again_and_advertises_as_the_readme_says() {
    let setup = Setup::functions().with("LINLI_MOVABLE_CLOCK", "true");
    let estate = Estate::start_with(setup, &[]).await;
    estate.demo.write(estate.system.data()).unwrap();
    let (demo, _) = commands("demo");
    let (shorthands, _) = demo.split_once("OPERATOR=").unwrap();
    let sign_in = "OPERATOR=$(login operator) LI=$(login li)\n";
    let (mall, blocks) = commands("mall");
    assert_eq!(blocks, 12, "the commands have become few:\n{mall}");
    let said = run(&estate, &format!("{shorthands}{sign_in}{mall}"));
    for known in [
        "红富士苹果",
        // Five percent of two boxes, and what is paid for every month.
        "\"total_minor\":25400",
        "\"deducted_minor\":10000",
        "\"arrears_minor\":15400",
        "\"standing\":\"frozen\"",
        // A click at the reserve, held again; the banner and the weather, of which the owners get theirs.
        "\"same\":true",
        "\"amount_minor\":60",
        "\"amount_minor\":14000",
        "\"owners_minor\":3500",
        "\"advertising\":{\"lines\":4,\"amount_minor\":29060}",
        "seals, 0 wrong",
    ] {
        assert!(said.contains(known), "no {known} in:\n{said}");
    }
}
