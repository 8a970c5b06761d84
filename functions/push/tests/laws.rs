//! Laws over random histories: nothing is advertised outside of its window, above its caps, to minors or without consent,
//! whatever people say, whoever ticks, and whenever a tick is killed.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Timestamp, Zone};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::consents::advertisement;
use crate::killed::killed_after;
use crate::support::{HE, LI, MIGRATIONS, MIN, Person, WANG, World, ZHAO, read_push};

const PEOPLE: [Person; 3] = [LI, MIN, ZHAO];

/// What happens, and how many minutes after what happened before.
#[derive(Debug, Clone)]
enum Step {
    Agree(usize, bool),
    Minor(usize, bool),
    Advertise(bool),
    Tick,
    /// A tick that is killed after it was asked that often how far it is.
    Killed(usize),
}

fn step() -> impl Strategy<Value = (Step, i64)> {
    let what = prop_oneof![
        3 => (0_usize..3, any::<bool>()).prop_map(|(person, given)| Step::Agree(person, given)),
        1 => (0_usize..3, any::<bool>()).prop_map(|(person, minor)| Step::Minor(person, minor)),
        4 => any::<bool>().prop_map(Step::Advertise),
        5 => Just(Step::Tick),
        1 => (1_usize..120).prop_map(Step::Killed),
    ];
    (what, prop_oneof![0_i64..10, 60_i64..900])
}

/// What a history knows itself: who agrees, and who is a minor.
#[derive(Default)]
struct Known {
    agrees: BTreeSet<&'static str>,
    minors: BTreeSet<&'static str>,
    /// When which message was sent to whom.
    told: BTreeMap<String, Vec<(Timestamp, String)>>,
}

async fn live(history: Vec<(Step, i64)>) {
    let mut world = World::on(store::testing::sqlite(&MIGRATIONS).await);
    world.found().await;
    for (number, person) in PEOPLE.into_iter().enumerate() {
        world
            .browser(person, &format!("{}-a{number}", person.1))
            .await;
        world
            .browser(person, &format!("{}-b{number}", person.1))
            .await;
    }
    let mut known = Known::default();
    for (number, (step, minutes)) in history.into_iter().enumerate() {
        world.later(minutes * 60_000);
        apply(&world, &mut known, (step, number)).await;
        let calls = world.context.courier.take();
        for call in &calls {
            let rest = call.url.rsplit('/').next().unwrap();
            let person = rest.split('-').next().unwrap().to_owned();
            assert!(
                known.agrees.contains(person.as_str()),
                "{person} did not agree"
            );
            assert!(
                !known.minors.contains(person.as_str()),
                "{person} is a minor"
            );
            let told = read_push(call);
            assert_eq!(told["purpose"], "marketing");
            let body = told["body"].as_str().unwrap().to_owned();
            let at = world.context.now;
            known.told.entry(person).or_default().push((at, body));
        }
    }
    for (person, told) in &known.told {
        check(person, told);
    }
}

async fn apply(world: &World, known: &mut Known, (step, number): (Step, usize)) {
    match step {
        Step::Agree(person, given) => {
            let person = PEOPLE[person];
            let ask = json!({"purpose": "marketing", "given": given, "adult": true});
            let ask = world.post("/api/push/consents").by(person).json(&ask);
            if ask.reply().await.status == 201 {
                match given {
                    true => known.agrees.insert(person.1),
                    false => known.agrees.remove(person.1),
                };
            }
        }
        Step::Minor(person, minor) => {
            let person = PEOPLE[person].1;
            let body = json!({"minor": minor, "tags": [], "segments": [], "rfm": null});
            let path = format!("/api/push/people/{person}");
            world.put(&path).by(WANG).json(&body).content().await;
            match minor {
                true => known.minors.insert(person),
                false => known.minors.remove(person),
            };
        }
        Step::Advertise(lasting) => {
            let mut body: Value = advertisement(&json!({"all": true}));
            body["notification"]["body"] = json!({"zh": format!("m{number}")});
            let ttl = if lasting { 200_000 } else { 600 };
            body["options"] = json!({"ttl_seconds": ttl});
            let ask = world
                .post("/api/push/messages")
                .by(HE)
                .key(&number.to_string());
            ask.json(&body).content().await;
        }
        Step::Tick => drop(world.tick().await),
        Step::Killed(polls) => {
            let killed = world.replica();
            killed_after(&killed, polls).await;
            // What it sent before it was killed was sent.
            for call in killed.courier.take() {
                world.context.courier.keep(call);
            }
        }
    }
}

fn check(person: &str, told: &[(Timestamp, String)]) {
    let zone = Zone::SHANGHAI;
    let mut days: BTreeMap<chrono::NaiveDate, BTreeSet<&str>> = BTreeMap::new();
    for (at, body) in told {
        let local = zone.local(*at);
        assert!(
            (7 * 60..23 * 60).contains(&local.minute),
            "{person} was told {body} at {at}"
        );
        days.entry(local.date).or_default().insert(body);
    }
    for (date, messages) in &days {
        assert!(messages.len() <= 1, "{person} got {messages:?} on {date}");
        let week: BTreeSet<&str> = days
            .range(*date..*date + chrono::Days::new(7))
            .flat_map(|(_, messages)| messages.iter().copied())
            .collect();
        assert!(week.len() <= 3, "{person} got {week:?} from {date} on");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn advertising_keeps_its_window_its_caps_and_what_people_agreed_to(
        history in prop::collection::vec(step(), 10..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live(history));
    }
}
