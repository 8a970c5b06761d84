//! Prebid.js, as publishers load it, in headless Chromium: it runs an auction against `/openrtb2/auction`, gets our bid,
//! renders it, and the bid is billed once.

use std::{fs, path::Path, process::Command};

use kernel::{
    ActorKind, CreativeId, Currency, EventId, MerchantId, PlacementId, TenantId, Timestamp,
};
use linli_tests::{
    http::Http,
    place, poll,
    system::{Setup, System},
    tokens,
};
use serde_json::{Value, json};
use wire::advertising::{CreativeState, Ownership, ReserveMode};
use wire::event::{
    CreativeChanged, Event, MerchantChanged, MerchantStandingChanged, PlacementChanged,
};
use wire::mall::{MerchantMode, Standing};
use xtask::workspace;

/// The packages that the page is made of.
const PACKAGES: [&str; 2] = ["prebid.js@11", "esbuild@0.28"];
/// Under which name the page knows the deployment; Chromium is told where that is.
const HOST: &str = "linli.test";
const TENANT: &str = "demo";

/// Makes what is needed to be there; what is missing otherwise.
fn tools() -> Result<(), String> {
    let missing = |programs: &[&'static str]| -> Vec<&'static str> {
        let programs = programs.iter().copied();
        programs
            .filter(|program| !workspace::is_installed(program))
            .collect()
    };
    let packages = missing(&["chromium", "npm"]);
    if !packages.is_empty() {
        println!("installing {}", packages.join(", "));
        workspace::install(&packages).map_err(|error| format!("{error:#}"))?;
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The publisher's page with its script, bundled as publishers do.
fn page(folder: &Path) -> Result<(), String> {
    let sources = place::root().join("tests/e2e/prebid");
    for name in ["entry.js", "page.html"] {
        fs::copy(sources.join(name), folder.join(name))
            .map_err(|error| format!("{name}: {error}"))?;
    }
    fs::write(folder.join("package.json"), "{\"private\":true}")
        .map_err(|error| error.to_string())?;
    let mut install = Command::new("npm");
    install.args(["install", "--ignore-scripts", "--no-audit", "--no-fund"]);
    run(install.args(PACKAGES).current_dir(folder))?;
    let mut bundle = Command::new("node_modules/.bin/esbuild");
    bundle.args([
        "entry.js",
        "--bundle",
        "--minify",
        "--format=iife",
        "--outfile=bundle.js",
    ]);
    run(bundle.current_dir(folder)).map(drop)
}

/// Puts into the log what merchants, settlement and ads say.
async fn record<Fact: Event>(db: &store::Db, now: Timestamp, fact: &Fact) {
    let tenant = TenantId::parse(TENANT).unwrap();
    store::tx(db, &tenant, async |tx| {
        let id: EventId = web::new_id(now)?.try_into()?;
        store::events::append(tx, &id, now, fact).await
    })
    .await
    .unwrap_or_else(|error| panic!("{}: {error:#}", Fact::KIND));
}

async fn advertiser(system: &System) {
    let url = format!("sqlite:{}", system.data().join("default.db").display());
    let db = store::Db::open(&url).unwrap();
    let now = web::now().unwrap();
    let merchant = MerchantId::parse("fish").unwrap();
    let changed = MerchantChanged {
        merchant: merchant.clone(),
        name: "鱼店".to_owned(),
        mode: MerchantMode::SelfRun,
        open: true,
        communities: vec![],
        categories: vec![],
        members: vec![],
        version: 1,
    };
    record(&db, now, &changed).await;
    let stands = MerchantStandingChanged {
        merchant: merchant.clone(),
        standing: Standing::Good,
        version: 1,
        at: now,
    };
    record(&db, now, &stands).await;
    record(&db, now, &banner(merchant)).await;
    record(&db, now, &home()).await;
}

fn banner(merchant: MerchantId) -> CreativeChanged {
    CreativeChanged {
        creative: CreativeId::parse("fresh-fish").unwrap(),
        merchant,
        format: "banner".to_owned(),
        width: 300,
        height: 250,
        landing: "https://fish.example/today".to_owned(),
        title: "Fresh fish".to_owned(),
        body: String::new(),
        image: None,
        video: None,
        video_ms: 0,
        advertiser_domain: "fish.example".to_owned(),
        state: CreativeState::Approved,
        content_hash: "00".to_owned(),
        version: 1,
    }
}

/// A place for banners with a reserve of 130 fen for a thousand.
fn home() -> PlacementChanged {
    PlacementChanged {
        placement: PlacementId::parse("prebid-home").unwrap(),
        name: "首页横幅".to_owned(),
        surface: "home".to_owned(),
        format: "banner".to_owned(),
        width: 300,
        height: 250,
        board: None,
        ownership: Ownership::Platform,
        community: None,
        capacity: 1,
        floor_minor: 0,
        reserve_mode: ReserveMode::Unweighted,
        reserve: 130,
        slot_weights: vec![1],
        auction: Some("display".to_owned()),
        active: true,
        currency: Currency::Cny,
        version: 1,
    }
}

/// The campaign, bidding; it cannot before the function has heard of merchant and creative.
async fn campaign(operator: &Http) -> String {
    let body = json!({"merchant": "fish", "name": "鲜鱼", "kind": "display", "creative": "fresh-fish",
        "bid_minor": 250, "budget_minor": 1000, "daily_minor": 1000,
        "targets": [{"kind": "placement", "value": "prebid-home"}]});
    let key = [("idempotency-key", "prebid-1")];
    let made = poll::until("the merchant is heard of", async || {
        let answer = operator
            .call("POST", "/api/bidding/campaigns", Some(&body), &key)
            .await;
        (answer.status == 201).then(|| answer.json())
    })
    .await;
    let path = format!("/api/bidding/campaigns/{}", made["id"].as_str().unwrap());
    poll::until("the creative is heard of", async || {
        let activation = format!("{path}/activation");
        let answer = operator.call("POST", &activation, None, &[]).await;
        (answer.status == 200).then_some(())
    })
    .await;
    path
}

/// Opens the page and waits until nothing happens there any more; what it says.
fn browse(folder: &Path, address: &str) -> Value {
    let page = folder.join("page.html");
    let mut browser = Command::new("chromium");
    browser
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--dump-dom",
        ])
        .arg("--virtual-time-budget=15000")
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .arg(format!("--host-resolver-rules=MAP {HOST} {address}"))
        .arg(format!(
            "file://{}#http://{HOST}/openrtb2/auction|prebid-home",
            page.display()
        ));
    let shown = run(&mut browser).unwrap_or_else(|error| panic!("{error}"));
    let said = shown
        .split_once("<pre id=\"result\">")
        .and_then(|(_, rest)| rest.split_once("</pre>"));
    let (said, _) = said.unwrap_or_else(|| panic!("the page says nothing: {shown}"));
    let said = said
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{said}: {error}"))
}

#[tokio::test]
async fn prebid_in_a_browser_runs_an_auction_gets_our_bid_and_bills_it_once() {
    let folder = tempfile::tempdir().unwrap();
    if let Err(error) = tools().and_then(|()| page(folder.path())) {
        eprintln!("skipped: 1 test needs Chromium and Prebid.js: {error}");
        return;
    }
    let public = format!("http://{HOST}");
    let system = System::start(Setup::functions().with("SPIN_VARIABLE_PUBLIC_URL", &public));
    advertiser(&system).await;
    let token = tokens::token(&system, TENANT, ActorKind::Operator, "prebid", "garden");
    let operator = system.http().with_token(&token);
    let campaign = campaign(&operator).await;
    let said = browse(
        folder.path(),
        system.http_address.trim_start_matches("http://"),
    );
    let bid = &said["bids"][0];
    assert_eq!(
        (
            &bid["bidder"],
            &bid["cpm"],
            &bid["currency"],
            &bid["creativeId"]
        ),
        (
            &json!("linli"),
            &json!(1.3),
            &json!("CNY"),
            &json!("fresh-fish")
        ),
        "{said}"
    );
    assert!(
        bid["ad"].as_str().is_some_and(|ad| ad.contains("广告")),
        "{said}"
    );
    // The page rendered it, and the browser called its burl: 130 fen for a thousand are 1,300 micros for one.
    let billed = poll::until("the bid is billed", async || {
        let shown = operator.get(&campaign).await.expect(200).json();
        (shown["spent_micros"] != 0).then_some(shown)
    })
    .await;
    assert_eq!(
        (&billed["spent_micros"], &billed["views"]),
        (&json!(1_300), &json!(1)),
        "{billed}"
    );
}
