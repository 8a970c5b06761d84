//! Every statement is one that both engines take.

use crate::support::on_each_engine;

#[tokio::test]
async fn every_statement_is_understood_by_both_engines() {
    on_each_engine(async |world| {
        for (name, sql) in community::store::statements_of_all() {
            let count = (1..=20)
                .rev()
                .find(|number| sql.contains(&format!("${number}")))
                .unwrap_or(0);
            let nothing = vec![store::Value::Null; count];
            let plan = world
                .context
                .db
                .rows(&format!("explain {sql}"), &nothing)
                .await;
            assert!(plan.is_ok(), "{name}: {:#}", plan.unwrap_err());
        }
    })
    .await;
}

#[test]
fn every_statement_is_about_the_tables_of_this_capability() {
    for (name, sql) in community::store::statements_of_all() {
        let words: Vec<&str> = sql.split_whitespace().collect();
        let tables = words
            .windows(3)
            .filter(|words| {
                ["from", "join", "into", "update"].contains(&words[1]) && words[0] != "do"
            })
            .map(|words| words[2]);
        for table in tables {
            assert!(table.starts_with("community_"), "{name} is about {table}");
        }
        assert!(!sql.contains('*'), "{name} names its columns");
    }
}
