//! Every statement is one that both engines take.

use payments::store as sql;

use crate::support::on_each_engine;

fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let all = [
        sql::attempts::STATEMENTS,
        sql::payments::STATEMENTS,
        sql::reconciliations::STATEMENTS,
        sql::refunds::STATEMENTS,
        sql::simulated::STATEMENTS,
        sql::simulated_transfers::STATEMENTS,
        sql::transfers::STATEMENTS,
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
    for (name, sql) in statements() {
        let words: Vec<&str> = sql.split_whitespace().collect();
        let tables = words
            .windows(2)
            .filter(|pair| ["from", "join", "into", "update"].contains(&pair[0]))
            .map(|pair| pair[1])
            .filter(|table| *table != "set");
        for table in tables {
            assert!(table.starts_with("payments_"), "{name} is about {table}");
        }
        assert!(!sql.contains('*'), "{name} names its columns");
    }
}
