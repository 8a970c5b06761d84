//! Every statement is one that both engines take, and what grows is looked up.

use bidding::store::{
    accruals, campaigns, candidates, counts, known, lineups, offers, people, placements, rounds,
    sales, sealed, sealed_bids,
};

use crate::support::{MIGRATIONS, World, on_each_engine};

const ALL: [&[(&str, &str)]; 13] = [
    accruals::STATEMENTS,
    campaigns::STATEMENTS,
    candidates::STATEMENTS,
    counts::STATEMENTS,
    known::STATEMENTS,
    lineups::STATEMENTS,
    offers::STATEMENTS,
    people::STATEMENTS,
    placements::STATEMENTS,
    rounds::STATEMENTS,
    sales::STATEMENTS,
    sealed::STATEMENTS,
    sealed_bids::STATEMENTS,
];

fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    ALL.into_iter().flatten()
}

fn nothing(sql: &str) -> Vec<store::Value> {
    let count = (1..=40).filter(|number| sql.contains(&format!("${number}")));
    vec![store::Value::Null; count.count()]
}

#[tokio::test]
async fn every_statement_is_understood_by_both_engines() {
    on_each_engine(async |world| {
        testing::understood(&world.context.db, statements()).await;
    })
    .await;
}

#[test]
fn every_statement_is_about_the_tables_of_this_capability() {
    testing::about_tables_of("bidding", statements());
}

/// Offers, rounds and qualities grow with every visitor; none of them is ever walked.
#[tokio::test]
async fn what_grows_is_found_by_an_index() {
    let world = World::on(store::testing::sqlite(&MIGRATIONS).await);
    for (name, sql) in statements() {
        if sql.starts_with("insert") {
            continue;
        }
        let ask = format!("explain query plan {sql}");
        let plan = world.context.db.rows(&ask, &nothing(sql)).await.unwrap();
        let steps: Vec<&str> = plan.iter().map(|row| row.text(3).unwrap()).collect();
        // What a part of the statement has found by an index, and limited, may be walked.
        let found = |name: &str| steps.contains(&format!("CO-ROUTINE {name}").as_str());
        let walks = |step: &&&str| {
            let scanned = step.strip_prefix("SCAN ");
            scanned.is_some_and(|name| !name.contains("USING INDEX") && !found(name))
        };
        let walked = steps.iter().find(walks);
        assert!(walked.is_none(), "{name}: {steps:?}");
    }
}

/// Most campaigns can bid: each request looks only at those that cannot.
#[tokio::test]
async fn whom_no_budget_bears_is_found_without_the_others() {
    let world = World::on(store::testing::sqlite(&MIGRATIONS).await);
    let (_, sql) = lineups::STATEMENTS
        .iter()
        .find(|(name, _)| *name == "NOW")
        .unwrap();
    let ask = format!("explain query plan {sql}");
    let plan = world.context.db.rows(&ask, &nothing(sql)).await.unwrap();
    let steps: Vec<&str> = plan.iter().map(|row| row.text(3).unwrap()).collect();
    for index in ["bidding_campaign_full", "bidding_day_full"] {
        assert!(steps.iter().any(|step| step.contains(index)), "{steps:?}");
    }
}
