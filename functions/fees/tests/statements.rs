//! Every statement is one that both engines take.

use fees::store::{
    bills, cash, coupons, known, owed, payments, people, points, recharges, refunds, rules, runs,
    usages,
};

use crate::support::on_each_engine;

fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let all = [
        bills::STATEMENTS,
        cash::STATEMENTS,
        coupons::STATEMENTS,
        known::STATEMENTS,
        owed::STATEMENTS,
        payments::STATEMENTS,
        people::STATEMENTS,
        points::STATEMENTS,
        recharges::STATEMENTS,
        refunds::STATEMENTS,
        rules::STATEMENTS,
        runs::STATEMENTS,
        usages::STATEMENTS,
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
    testing::about_tables_of("fees", statements());
    testing::from_tables_alone(statements());
}
