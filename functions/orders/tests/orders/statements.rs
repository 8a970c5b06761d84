//! Every statement is one that both engines take.

use crate::support::on_each_engine;

fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    all().into_iter().flatten()
}

#[rustfmt::skip]
fn all() -> Vec<&'static [(&'static str, &'static str)]> {
    use orders::store;
    vec![
        // Goods.
        store::addresses::STATEMENTS,
        store::batches::STATEMENTS,
        store::carts::STATEMENTS,
        store::coupons::STATEMENTS,
        store::favourites::STATEMENTS,
        store::groups::STATEMENTS,
        store::known::STATEMENTS,
        store::offers::STATEMENTS,
        store::people::STATEMENTS,
        store::products::STATEMENTS,
        store::promotions::STATEMENTS,
        store::search::STATEMENTS,
        store::shops::STATEMENTS,
        store::slots::STATEMENTS,
        store::stock::STATEMENTS,
        // Orders.
        store::after_sales::STATEMENTS,
        store::buyers::STATEMENTS,
        store::checkouts::STATEMENTS,
        store::conversations::STATEMENTS,
        store::disputes::STATEMENTS,
        store::exports::STATEMENTS,
        store::lines::STATEMENTS,
        store::orders::STATEMENTS,
        store::refunds::STATEMENTS,
        store::reports::STATEMENTS,
        store::reviews::STATEMENTS,
    ]
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
            .filter(|pair| ["from", "join", "into"].contains(&pair[0]))
            .map(|pair| pair[1])
            .filter(|table| *table != "set");
        for table in tables {
            let is_own = table.starts_with("orders_") || table.starts_with('(');
            assert!(is_own, "{name} is about {table}");
        }
        assert!(!sql.contains("select *"), "{name} names its columns");
    }
}
