//! Every statement is one that both engines take.

use visitors::store::{blacklist, people, places, recurring, visits};

use crate::support::on_each_engine;

fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let all = [
        blacklist::STATEMENTS,
        people::STATEMENTS,
        places::STATEMENTS,
        recurring::STATEMENTS,
        visits::STATEMENTS,
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
    testing::about_tables_of("visitors", statements());
    testing::from_tables_alone(statements());
    testing::without_stars(statements());
}
