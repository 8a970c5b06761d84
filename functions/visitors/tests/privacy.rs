//! What is forgotten, and who was one person all along.

use kernel::ActorId;
use serde_json::json;
use wire::event::{PersonAliased, PersonErased};

use crate::support::{CHEN, LI, Person, on_each_engine};

#[tokio::test]
async fn ninety_days_after_its_end_a_visit_tells_nothing_of_the_visitor() {
    on_each_engine(async |mut world| {
        let id = world.invited().await["id"].as_str().unwrap().to_owned();
        let (asked, token) = world.registered("13800138001").await;
        world.pass_ms(24 * 3_600_000);
        world.tick().await;
        world.pass_ms(90 * 24 * 3_600_000 - 1);
        world.tick().await;
        assert_eq!(world.visit(&id).await["visitor"]["name"], "周");
        world.pass_ms(1);
        world.tick().await;
        for visit in [&id, &asked] {
            assert_eq!(world.visit(visit).await["visitor"], json!(null));
        }
        assert_eq!(
            world.last_fact("visitor_data.forgotten").await["records"],
            1
        );
        assert_eq!(world.tick().await["anonymized"], 0);
        let standing = world
            .get(&format!("/api/visitor-registrations/{token}"))
            .content()
            .await;
        assert_eq!(standing["state"], "expired");
    })
    .await;
}

#[tokio::test]
async fn a_person_who_is_erased_leaves_no_trace_here() {
    on_each_engine(async |world| {
        let id = world.invited().await["id"].as_str().unwrap().to_owned();
        world
            .record(&PersonErased {
                person: ActorId::parse("li").unwrap(),
                actor: ActorId::parse("wang").unwrap(),
            })
            .await;
        world.tick().await;
        world
            .get(&format!("/api/visits/{id}"))
            .by(LI)
            .refused(404, "visit_unknown")
            .await;
        let kept = world
            .get(&format!("/api/visits/{id}"))
            .by(CHEN)
            .content()
            .await;
        assert_eq!(
            (
                &kept["visitor"],
                &kept["requested_by"],
                &kept["approval"]["host"]
            ),
            (&json!(null), &json!("erased"), &json!("erased"))
        );
    })
    .await;
}

#[tokio::test]
async fn an_alias_becomes_the_account() {
    on_each_engine(async |world| {
        let id = world.invited().await["id"].as_str().unwrap().to_owned();
        let fact = PersonAliased {
            alias: ActorId::parse("li").unwrap(),
            person: ActorId::parse("li-account").unwrap(),
        };
        world.record(&fact).await;
        world.tick().await;
        let account = Person(
            kernel::ActorKind::Resident,
            "li-account",
            "demo",
            &["garden"],
            &[],
        );
        let seen = world
            .get(&format!("/api/visits/{id}"))
            .by(account)
            .content()
            .await;
        assert_eq!(seen["approval"]["host"], "li-account");
    })
    .await;
}
