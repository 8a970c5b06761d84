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
        testing::understood(&world.context.db, statements()).await;
    })
    .await;
}

#[test]
fn every_statement_is_about_the_tables_of_this_capability() {
    testing::about_tables_of("payments", statements());
    testing::from_tables_alone(statements());
    testing::without_stars(statements());
}
