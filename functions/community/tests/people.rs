//! The register of people, and what identity tells about them.

use kernel::{ActorId, ActorKind};
use serde_json::json;
use wire::event::{
    BindingEnded, BindingStarted, PersonAliased, PersonErased, PersonPhoneChanged,
    PersonRegistered, ResidentRecorded,
};

use crate::support::{AUDITOR, CHEN, HU, Person, World, each, on_each_engine};

const PHONE: &str = "13800138000";

fn id(text: &str) -> ActorId {
    ActorId::parse(text).unwrap()
}

async fn registered(world: &World, person: &str, phone: &str) {
    let fact = PersonRegistered {
        person: id(person),
        kind: ActorKind::Resident,
        communities: vec![],
        phone: Some(world.digest(phone)),
        actor: id("wang"),
    };
    world.records(&fact).await;
}

#[tokio::test]
async fn a_number_is_seen_in_full_only_by_those_who_manage_and_never_in_the_log() {
    on_each_engine(async |world| {
        let li = world.resident("李雷", PHONE).await;
        let path = format!("/api/residents/{li}");
        let full = world.get(&path).by(CHEN).content().await;
        assert_eq!(full["phones"], json!(["+8613800138000"]));
        let masked = world.get(&path).by(AUDITOR).content().await;
        assert_eq!(masked["phones"], json!(["+86138****8000"]));
        world
            .get(&path)
            .by(HU)
            .refused(404, "resident_unknown")
            .await;
        let listed = world
            .get("/api/residents?q=138%2000138000")
            .by(AUDITOR)
            .content()
            .await;
        assert_eq!(listed["items"][0]["phones"], masked["phones"]);
        let facts: Vec<ResidentRecorded> = world.facts().await;
        assert_eq!(
            facts[0].phone.as_deref(),
            Some(world.digest(PHONE).as_str())
        );
        for event in world.log().await {
            assert!(!event.data.to_string().contains("13800138000"), "{event:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn one_number_is_one_person() {
    on_each_engine(async |world| {
        let li = world.resident("李雷", PHONE).await;
        assert_eq!(world.resident("李雷", "138-0013-8000").await, li);
        let other = json!({"community": "garden", "name": "韩梅梅", "phones": [PHONE]});
        world
            .post("/api/residents")
            .by(CHEN)
            .json(&other)
            .refused(409, "phone_taken")
            .await;
        let han = world.resident("韩梅梅", "13800138001").await;
        let path = format!("/api/residents/{han}");
        world
            .patch(&path)
            .by(CHEN)
            .json(&json!({"phones": [PHONE]}))
            .refused(409, "phone_taken")
            .await;
        let changed = world
            .patch(&path)
            .by(CHEN)
            .json(&json!({"phones": ["13800138002", "+85223456789"], "notes": "夜班"}));
        assert_eq!(
            changed.content().await["phones"],
            json!(["+8613800138002", "+85223456789"])
        );
        let found = world
            .get("/api/residents?q=%E6%A2%85")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(each(&found, "name"), ["韩梅梅"]);
    })
    .await;
}

#[tokio::test]
async fn a_person_with_an_account_is_entered_under_its_id() {
    on_each_engine(async |world| {
        registered(&world, "li-account", PHONE).await;
        assert_eq!(world.resident("李雷", PHONE).await, "li-account");
        registered(&world, "han-account", "13800138001").await;
        let phone = world.digest("13800138002");
        let fact = PersonPhoneChanged {
            person: id("han-account"),
            phone,
            actor: id("han-account"),
        };
        world.records(&fact).await;
        assert_eq!(world.resident("韩梅梅", "13800138002").await, "han-account");
    })
    .await;
}

#[tokio::test]
async fn an_account_found_later_takes_over_what_holds() {
    on_each_engine(async |mut world| {
        let house = world.house().await;
        let recorded = world.resident("李雷", PHONE).await;
        let binding = world.bound(&recorded, &house.room, "owner").await;
        world.pass_ms(1_000);
        let fact = PersonAliased {
            alias: id(&recorded),
            person: id("li-account"),
        };
        world.records(&fact).await;
        world.records(&fact).await;
        let old = world
            .get(&format!("/api/bindings/{binding}"))
            .by(CHEN)
            .content()
            .await;
        assert_eq!(
            (&old["holds"], &old["person"]),
            (&json!(false), &json!(recorded))
        );
        let now = world
            .get("/api/bindings?current=true")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(each(&now, "person"), ["li-account"]);
        assert_eq!(each(&now, "role"), ["owner"]);
        let entry = world
            .get("/api/residents/li-account")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(
            (&entry["name"], &entry["phones"]),
            (&json!("李雷"), &json!(["+8613800138000"]))
        );
        world
            .get(&format!("/api/residents/{recorded}"))
            .by(CHEN)
            .refused(404, "resident_unknown")
            .await;
        let (started, ended): (Vec<BindingStarted>, Vec<BindingEnded>) =
            (world.facts().await, world.facts().await);
        assert_eq!((started.len(), ended.len()), (2, 1));
        assert_eq!(
            (started[1].person.as_str(), ended[0].person.as_str()),
            ("li-account", recorded.as_str())
        );
    })
    .await;
}

#[tokio::test]
async fn an_erased_person_leaves_history_without_name_and_number() {
    on_each_engine(async |world| {
        let house = world.house().await;
        registered(&world, "li", PHONE).await;
        let li = world.resident("李雷", PHONE).await;
        assert_eq!(li, "li");
        let binding = world.bound(&li, &house.room, "owner").await;
        let fact = PersonErased {
            person: id("li"),
            actor: id("wang"),
        };
        world.records(&fact).await;
        world.records(&fact).await;
        let entry = world.get("/api/residents/li").by(CHEN).content().await;
        assert_eq!(
            (&entry["name"], &entry["phones"]),
            (&json!(null), &json!([]))
        );
        assert!(entry["erased_at"].is_string());
        let held = world
            .get(&format!("/api/bindings/{binding}"))
            .by(CHEN)
            .content()
            .await;
        assert_eq!(
            (&held["holds"], &held["person"]),
            (&json!(false), &json!("li"))
        );
        let ended: Vec<BindingEnded> = world.facts().await;
        assert_eq!(ended.len(), 1);
        let again = json!({"room": house.room, "role": "owner"});
        world
            .post("/api/residents/li/bindings")
            .by(CHEN)
            .json(&again)
            .refused(409, "resident_erased")
            .await;
        // The number is free again, and the account behind it forgotten.
        assert_ne!(world.resident("李雷", PHONE).await, "li");
    })
    .await;
}

#[tokio::test]
async fn a_household_sees_itself_masked_and_nobody_else() {
    on_each_engine(async |world| {
        let house = world.house().await;
        registered(&world, "li", PHONE).await;
        world.resident("李雷", PHONE).await;
        let han = world.resident("韩梅梅", "13800138001").await;
        let sun = world.resident("孙七", "13800138002").await;
        world.bound("li", &house.room, "owner").await;
        world.bound(&han, &house.room, "family").await;
        let li = Person(ActorKind::Resident, "li", "demo", &[], &[]);
        let mut names = each(&world.get("/api/residents").by(li).content().await, "name").join(",");
        assert!(
            ["李雷,韩梅梅", "韩梅梅,李雷"].contains(&names.as_str()),
            "{names}"
        );
        names.clear();
        let seen = world
            .get(&format!("/api/residents/{han}"))
            .by(li)
            .content()
            .await;
        assert_eq!(seen["phones"], json!(["+86138****8001"]));
        let own = world.get("/api/residents/li").by(li).content().await;
        assert_eq!(own["phones"], json!(["+8613800138000"]));
        world
            .get(&format!("/api/residents/{sun}"))
            .by(li)
            .refused(404, "resident_unknown")
            .await;
        assert_eq!(
            each(&world.get("/api/rooms").by(li).content().await, "number"),
            ["101"]
        );
        assert_eq!(
            each(&world.get("/api/bindings").by(li).content().await, "role").len(),
            2
        );
    })
    .await;
}
