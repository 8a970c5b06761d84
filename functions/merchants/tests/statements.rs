//! Every statement is one that both engines take.

use merchants::store::{
    applications, categories, contracts, members, merchants as shops, people, qualifications,
    requests, rules,
};

use crate::support::on_each_engine;

fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let all = [
        applications::STATEMENTS,
        categories::STATEMENTS,
        contracts::STATEMENTS,
        members::STATEMENTS,
        shops::STATEMENTS,
        people::STATEMENTS,
        qualifications::STATEMENTS,
        requests::STATEMENTS,
        rules::STATEMENTS,
    ];
    all.into_iter().flatten()
}

#[tokio::test]
async fn every_statement_is_understood_by_both_engines() {
    on_each_engine(async |world| {
        for (name, sql) in statements() {
            let count = (1..=40)
                .filter(|number| sql.contains(&format!("${number}")))
                .count();
            let nothing = vec![store::Value::Null; count];
            let explained = format!("explain {sql}");
            let plan = world.context.db.rows(&explained, &nothing).await;
            assert!(plan.is_ok(), "{name}: {:#}", plan.unwrap_err());
        }
    })
    .await;
}

#[test]
fn every_statement_is_about_the_tables_of_this_capability() {
    for (name, sql) in statements() {
        let words: Vec<&str> = sql.split_whitespace().collect();
        let tables = words
            .windows(2)
            .filter(|pair| ["from", "join", "into", "update"].contains(&pair[0]))
            .map(|pair| pair[1])
            .filter(|table| *table != "set" && !table.starts_with('('));
        for table in tables {
            assert!(table.starts_with("merchants_"), "{name} is about {table}");
        }
        assert!(!sql.contains("select *"), "{name} names its columns");
    }
}
