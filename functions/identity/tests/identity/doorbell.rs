//! The doorbell: heard for one tenant, rung when that makes new facts that others await, and then still.

use identity::mqtt::receive;
use kernel::{ActorId, EventId, Phone, TenantId};
use store::events;
use trigger::Outcome;
use wire::event::ResidentRecorded;

use crate::support::{Function, SECRET, run};

fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

async fn record(function: &Function, tenant: &TenantId, person: &str) {
    let secret = web::Secret::new("token_secret", SECRET.to_owned()).unwrap();
    let phone = Phone::parse("13900139000").unwrap();
    let fact = ResidentRecorded {
        person: ActorId::parse(person).unwrap(),
        phone: Some(web::phone_digest(&secret, tenant, &phone).unwrap()),
        actor: ActorId::parse("boss").unwrap(),
    };
    let context = &function.context;
    store::tx(&context.db, tenant, async |tx| {
        let id = EventId::parse(&format!("{person}-recorded"))?;
        events::append(tx, &id, context.now, &fact).await
    })
    .await
    .unwrap();
}

#[test]
fn a_ring_is_handled_at_once_and_rings_on_only_while_there_is_something_new() {
    run(async |function| {
        let context = &function.context;
        record(&function, &tenant("demo"), "r1").await;
        record(&function, &tenant("other"), "r2").await;
        let _ = (context.db.take_news(), context.outbox.take_rung());
        assert_eq!(receive(context, "linli/demo/event").await, Outcome::Done);
        assert_eq!(context.outbox.take_rung(), [tenant("demo")], "an account");
        for (name, waits) in [("demo", false), ("other", true)] {
            let tenant = tenant(name);
            let is_waiting = events::is_waiting(&context.db, &tenant, "identity").await;
            assert_eq!(is_waiting.unwrap(), waits, "{name}");
        }
        for _ in 0..3 {
            assert_eq!(receive(context, "linli/demo/event").await, Outcome::Done);
            assert!(context.outbox.take_rung().is_empty());
        }
    });
}

#[test]
fn nothing_else_is_a_ring() {
    run(async |function| {
        for topic in ["linli/demo/door/d1/event", "linli/demo", "other/demo/event"] {
            let outcome = receive(&function.context, topic).await;
            assert!(matches!(outcome, Outcome::Reject(_)), "{topic}");
        }
    });
}
