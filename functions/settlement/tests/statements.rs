//! Every statement is one that both engines take.

use settlement::store::{
    alarms, deposits, items, merchants, objections, payments, people, platform, reports, runs,
    statements as made, withdrawals,
};

use crate::support::{MIGRATIONS, World, on_each_engine};

fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let all = [
        alarms::STATEMENTS,
        deposits::STATEMENTS,
        items::STATEMENTS,
        merchants::STATEMENTS,
        objections::STATEMENTS,
        payments::STATEMENTS,
        people::STATEMENTS,
        platform::STATEMENTS,
        reports::STATEMENTS,
        runs::STATEMENTS,
        made::STATEMENTS,
        withdrawals::STATEMENTS,
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
    testing::about_tables_of("settlement", statements());
    testing::from_tables_alone(statements());
}

/// What grows with every order is looked up, never walked.
#[tokio::test]
async fn items_are_found_by_their_index() {
    let world = World::on(store::testing::sqlite(&MIGRATIONS).await);
    for (name, index) in [
        ("CLAIM", "settlement_item_unclaimed"),
        ("UNCLAIMED", "settlement_item_unclaimed"),
        ("SUMS", "settlement_item_by_statement"),
        ("LINES", "settlement_item_by_statement"),
    ] {
        let of_name = |statement: &&(&str, &'static str)| statement.0 == name;
        let (_, sql) = items::STATEMENTS.iter().find(of_name).unwrap();
        let count = (1..=9).filter(|number| sql.contains(&format!("${number}")));
        let nothing = vec![store::Value::Null; count.count()];
        let ask = format!("explain query plan {sql}");
        let plan = world.context.db.rows(&ask, &nothing).await.unwrap();
        let plan: Vec<&str> = plan.iter().map(|row| row.text(3).unwrap()).collect();
        assert!(
            plan.iter().any(|step| step.contains(index)),
            "{name}: {plan:?}"
        );
    }
}
