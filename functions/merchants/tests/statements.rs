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
        testing::understood(&world.context.db, statements()).await;
    })
    .await;
}

#[test]
fn every_statement_is_about_the_tables_of_this_capability() {
    testing::about_tables_of("merchants", statements());
}
