//! Every statement is one that both engines take.

use crate::support::on_each_engine;

#[tokio::test]
async fn every_statement_is_understood_by_both_engines() {
    on_each_engine(async |world| {
        for (name, sql) in meters::store::all_statements() {
            let count = (1..=120)
                .filter(|number| sql.contains(&format!("${number}")))
                .count();
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
    for (name, sql) in meters::store::all_statements() {
        let words: Vec<&str> = sql.split_whitespace().collect();
        let tables = words
            .windows(2)
            .filter(|pair| ["from", "join", "into", "update"].contains(&pair[0]))
            .filter(|pair| pair[1] != "set")
            .map(|pair| pair[1]);
        for table in tables {
            assert!(table.starts_with("meters_"), "{name} is about {table}");
        }
        assert!(!sql.contains('*'), "{name} names its columns");
    }
}
