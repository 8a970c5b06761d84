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
        testing::understood(&world.context.db, statements()).await;
    })
    .await;
}

#[test]
fn every_statement_is_about_the_tables_of_this_capability() {
    testing::about_tables_of("orders", statements());
}
