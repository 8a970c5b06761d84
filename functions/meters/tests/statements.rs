//! Every statement is one that both engines take.

use crate::support::on_each_engine;

#[tokio::test]
async fn every_statement_is_understood_by_both_engines() {
    on_each_engine(async |world| {
        testing::understood(&world.context.db, &meters::store::all_statements()).await;
    })
    .await;
}

#[test]
fn every_statement_is_about_the_tables_of_this_capability() {
    testing::about_tables_of("meters", &meters::store::all_statements());
    testing::from_tables_alone(&meters::store::all_statements());
    testing::without_stars(&meters::store::all_statements());
}
