//! Every statement is one that both engines take.

use ads::store::{
    barters, billing, caps, columns, creatives, known, lines, offers, orders, people, placements,
    reports, rewards, seats, told,
};

use crate::support::{MIGRATIONS, World, on_each_engine};

fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let all = [
        barters::STATEMENTS,
        billing::STATEMENTS,
        caps::STATEMENTS,
        columns::STATEMENTS,
        creatives::STATEMENTS,
        known::STATEMENTS,
        lines::STATEMENTS,
        offers::STATEMENTS,
        orders::STATEMENTS,
        people::STATEMENTS,
        placements::STATEMENTS,
        reports::STATEMENTS,
        rewards::STATEMENTS,
        seats::STATEMENTS,
        told::STATEMENTS,
    ];
    all.into_iter().flatten()
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
    testing::about_tables_of("ads", statements());
    testing::from_tables_alone(statements());
}

/// What grows with every view is looked up, never walked: no step of a plan reads a whole table, or all of a tenant's
/// rows. What is done when somebody is forgotten may.
#[tokio::test]
async fn no_statement_walks_a_table_that_grows() {
    let world = World::on(store::testing::sqlite(&MIGRATIONS).await);
    let rare = |name: &str| {
        people::STATEMENTS.iter().any(|(rare, _)| *rare == name) || name == "IS_PLATFORM"
    };
    for (name, sql) in statements().filter(|(name, _)| !rare(name)) {
        let count = (1..=40).filter(|number| sql.contains(&format!("${number}")));
        let nothing = vec![store::Value::Null; count.count()];
        let ask = format!("explain query plan {sql}");
        let plan = world.context.db.rows(&ask, &nothing).await.unwrap();
        for step in plan.iter().map(|row| row.text(3).unwrap()) {
            let is_walk = step.starts_with("SCAN ") && step != "SCAN CONSTANT ROW";
            assert!(!is_walk && !step.contains("(tenant=?)"), "{name}: {step}");
        }
    }
}
