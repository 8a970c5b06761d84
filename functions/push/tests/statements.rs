//! Every statement is one that both engines take.

use push::store::{
    consents, deliveries, devices, inbox, keeping, merchants, messages, moves, named, notes,
    orders, origins, people, plans, quotas, ranges, reports, templates, terms, troubles,
};

use crate::support::{MIGRATIONS, World, on_each_engine};

fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let all = [
        consents::STATEMENTS,
        deliveries::STATEMENTS,
        devices::STATEMENTS,
        inbox::STATEMENTS,
        keeping::STATEMENTS,
        merchants::STATEMENTS,
        messages::STATEMENTS,
        moves::STATEMENTS,
        named::STATEMENTS,
        notes::STATEMENTS,
        orders::STATEMENTS,
        origins::STATEMENTS,
        people::STATEMENTS,
        plans::STATEMENTS,
        quotas::STATEMENTS,
        ranges::STATEMENTS,
        reports::STATEMENTS,
        templates::STATEMENTS,
        terms::STATEMENTS,
        troubles::STATEMENTS,
    ];
    all.into_iter().flatten()
}

fn nothing(sql: &str) -> Vec<store::Value> {
    let count = (1..=40)
        .filter(|number| sql.contains(&format!("${number}")))
        .count();
    vec![store::Value::Null; count]
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
    testing::about_tables_of("push", statements());
    testing::from_tables_alone(statements());
}

/// What grows with every message is looked up, never walked.
#[tokio::test]
async fn deliveries_are_found_by_their_index() {
    let world = World::on(store::testing::sqlite(&MIGRATIONS).await);
    for (statements, name, index) in [
        (deliveries::STATEMENTS, "DUE", "push_delivery_due"),
        (deliveries::STATEMENTS, "NEXT_TENANT", "push_delivery_due"),
        (deliveries::STATEMENTS, "OPEN", "push_delivery_open"),
        (inbox::STATEMENTS, "MESSAGES", "push_delivery_inbox"),
        (inbox::STATEMENTS, "UNREAD", "push_delivery_unread"),
        (messages::STATEMENTS, "DUE", "push_message_by_work"),
        (
            messages::STATEMENTS,
            "DUE_TO_EXPAND",
            "push_message_by_work",
        ),
        (plans::STATEMENTS, "DUE", "push_plan_due"),
        (
            moves::STATEMENTS,
            "MOVE",
            "sqlite_autoindex_push_delivery_1",
        ),
        (
            moves::STATEMENTS,
            "STANDING",
            "sqlite_autoindex_push_delivery_1",
        ),
        (
            moves::STATEMENTS,
            "AGREEMENTS",
            "sqlite_autoindex_push_agreement_1",
        ),
        (named::STATEMENTS, "NAMED", "push_subscription_by_person"),
        (
            ranges::STATEMENTS,
            "MEMBERSHIPS",
            "push_membership_by_person",
        ),
        (people::STATEMENTS, "HOUSEHOLD", "push_membership_by_room"),
        (notes::STATEMENTS, "SINCE", "push_note_by_time"),
    ] {
        let (_, sql) = statements.iter().find(|known| known.0 == name).unwrap();
        let ask = format!("explain query plan {sql}");
        let plan = world.context.db.rows(&ask, &nothing(sql)).await.unwrap();
        let plan: Vec<&str> = plan.iter().map(|row| row.text(3).unwrap()).collect();
        assert!(
            plan.iter().any(|step| step.contains(index)),
            "{name}: {plan:?}"
        );
    }
}
