//! Who opens by belonging somewhere: groups, schedules, members, suspensions, releases, and the log that people see.

use http::Method;
use kernel::{
    ActorId, BindingId, BuildingId, CommunityId, DeviceId, EventId, PassId, RoomId, TenantId,
    Timestamp, UnitId, VisitId,
};
use serde_json::{Value, json};
use wire::event::{
    BindingEnded, BindingRole, BindingStarted, CommunityChanged, Event, GatewayAvailabilityChanged,
    PersonErased, VisitApproved, VisitEnded,
};

use crate::support::{CHEN, LI, SECRET, START_MS, SUN, WANG, World, ZHAO, on_each_engine};

/// Another capability records something, and doors hear of it.
pub async fn happens<Fact: Event>(world: &World, fact: &Fact) {
    let tenant = TenantId::parse("demo").unwrap();
    let (db, now) = (&world.context.db, world.context.now);
    let id = EventId::parse(&web::new_id(now).unwrap()).unwrap();
    store::tx(db, &tenant, async |tx| {
        store::events::append(tx, &id, now, fact).await
    })
    .await
    .unwrap();
    tick(world).await;
}

pub async fn tick(world: &World) -> Value {
    let ask = world.post("/internal/ticks/doors").bearer(SECRET);
    ask.content().await
}

fn id<Id: TryFrom<String>>(text: &str) -> Id
where
    Id::Error: std::fmt::Debug,
{
    Id::try_from(text.to_owned()).unwrap()
}

pub fn bound(person: &str, unit: &str, room: &str, from: Timestamp) -> BindingStarted {
    BindingStarted {
        binding: id::<BindingId>(&format!("{person}-{room}")),
        person: id::<ActorId>(person),
        role: BindingRole::Owner,
        community: id::<CommunityId>("garden"),
        building: Some(id::<BuildingId>("b1")),
        unit: Some(id::<UnitId>(unit)),
        room: Some(id::<RoomId>(room)),
        from,
        until: None,
        actor: id::<ActorId>("chen"),
    }
}

pub fn visit(pass: &str, until: Timestamp, uses_max: u16) -> VisitApproved {
    VisitApproved {
        visit: id::<VisitId>(&format!("visit-{pass}")),
        pass: id::<PassId>(pass),
        community: id::<CommunityId>("garden"),
        building: id::<BuildingId>("b1"),
        unit: id::<UnitId>("u1"),
        room: id::<RoomId>("101"),
        host: id::<ActorId>("zhao"),
        from: Timestamp::from_millis(START_MS).unwrap(),
        until,
        uses_max,
        plate: None,
    }
}

/// The garden's gates, for everybody who belongs there.
pub async fn gates(world: &World, more: Value) {
    let mut group = json!({"id": "gates", "community": "garden", "name": "大门", "admits": ["c"], "doors": ["north"]});
    for (name, value) in more.as_object().unwrap() {
        group[name] = value.clone();
    }
    let ask = world.post("/api/door-groups").by(CHEN);
    ask.json(&group).content().await;
}

#[tokio::test]
async fn a_resident_opens_the_own_doors_without_a_single_grant() {
    on_each_engine(async |mut world| {
        let now = world.context.now;
        gates(&world, json!({"admits": ["u:b1:u1"]})).await;
        let ask = || world.post("/api/doors/north/openings").by(ZHAO);
        ask().refused(403, "no_grant").await;
        happens(&world, &bound("zhao", "u2", "201", now)).await;
        ask().refused(403, "no_grant").await;
        happens(&world, &bound("zhao", "u1", "101", now)).await;
        assert_eq!(ask().content().await["ground"], "member");
        ask().refused(429, "too_fast").await;
        world.pass_ms(3_000);
        let ended = BindingEnded {
            binding: id::<BindingId>("zhao-101"),
            person: id::<ActorId>("zhao"),
            community: id::<CommunityId>("garden"),
            until: Some(world.context.now),
            actor: id::<ActorId>("chen"),
        };
        happens(&world, &ended).await;
        let ask = world.post("/api/doors/north/openings").by(ZHAO);
        ask.refused(403, "grant_expired").await;
    })
    .await;
}

#[tokio::test]
async fn a_schedule_is_in_the_communitys_zone() {
    on_each_engine(async |mut world| {
        // 2027-01-15T08:00Z is a Friday, 16:00 in Shanghai and 09:00 in Berlin.
        let hours = json!([{"days": ["fri"], "from": "15:00", "until": "17:00"}]);
        let schedule = json!({"id": "tea", "community": "garden", "name": "下午茶", "weekly": hours});
        let ask = world.post("/api/door-schedules").by(CHEN);
        ask.json(&schedule).content().await;
        gates(&world, json!({"schedule": "tea"})).await;
        happens(&world, &bound("zhao", "u1", "101", world.context.now)).await;
        let ask = world.post("/api/doors/north/openings").by(ZHAO);
        ask.content().await;
        world.pass_ms(3_000);
        let moved = CommunityChanged {
            community: id::<CommunityId>("garden"),
            name: "花园".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            version: 2,
            actor: id::<ActorId>("wang"),
        };
        happens(&world, &moved).await;
        let ask = world.post("/api/doors/north/openings").by(ZHAO);
        ask.refused(403, "outside_schedule").await;
        let holiday = json!({"exceptions": [{"date": "2027-01-15", "name": "节日", "hours": [{"from": "00:00", "until": "24:00"}]}]});
        let ask = world.ask(Method::PATCH, "/api/door-schedules/tea").by(CHEN);
        ask.header("if-match", "\"1\"").json(&holiday).content().await;
        let ask = world.post("/api/doors/north/openings").by(ZHAO);
        ask.content().await;
        let gone = world.ask(Method::DELETE, "/api/door-schedules/tea").by(CHEN);
        gone.refused(409, "schedule_in_use").await;
    })
    .await;
}

#[tokio::test]
async fn explicit_members_and_suspended_people() {
    on_each_engine(async |mut world| {
        gates(&world, json!({"admits": []})).await;
        let member = "/api/door-groups/gates/members/zhao";
        let ask = world.ask(Method::PUT, member).by(CHEN);
        ask.json(&json!({})).content().await;
        world
            .post("/api/doors/north/openings")
            .by(ZHAO)
            .content()
            .await;
        world.pass_ms(3_000);
        let place = "/api/suspensions/garden/zhao";
        let reason = json!({"reason": "损坏门禁"});
        let ask = world.ask(Method::PUT, place).by(CHEN);
        ask.json(&reason).content().await;
        let ask = world.post("/api/doors/north/openings").by(ZHAO);
        ask.refused(403, "person_suspended").await;
        let ask = world.post("/api/passes").by(ZHAO);
        ask.json(&json!({"community": "garden"}))
            .refused(403, "person_suspended")
            .await;
        let listed = world
            .get("/api/suspensions/garden")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(listed["items"][0]["reason"], "损坏门禁");
        assert_eq!(
            world
                .ask(Method::DELETE, place)
                .by(CHEN)
                .reply()
                .await
                .status,
            204
        );
        world
            .post("/api/doors/north/openings")
            .by(ZHAO)
            .content()
            .await;
        assert_eq!(
            world
                .ask(Method::DELETE, member)
                .by(CHEN)
                .reply()
                .await
                .status,
            204
        );
        let ask = world.post("/api/doors/north/openings").by(ZHAO);
        ask.refused(403, "no_grant").await;
        let facts = world.facts().await;
        let told = facts.iter().filter(|kind| *kind == "door.person_suspended");
        assert_eq!(told.count(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_door_that_is_known_to_be_away_refuses_at_once() {
    on_each_engine(async |world| {
        let mut gone = GatewayAvailabilityChanged {
            gateway: id::<DeviceId>("gateway-1"),
            online: false,
            since: world.context.now,
            cause: "last_will".to_owned(),
        };
        happens(&world, &gone).await;
        let ask = world.post("/api/doors/north/openings").by(LI);
        ask.refused(409, "door_offline").await;
        gone.online = true;
        happens(&world, &gone).await;
        world
            .post("/api/doors/north/openings")
            .by(LI)
            .content()
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_fire_opens_every_door_until_it_is_said_to_be_over() {
    on_each_engine(async |mut world| {
        let place = "/api/releases/garden";
        let ask = world.ask(Method::PUT, place).by(CHEN);
        let state = ask.json(&json!({"reason": "三号楼火警"})).content().await;
        assert_eq!(
            (&state["released"], &state["doors"]["items"][0]["state"]),
            (&json!(true), &json!("releasing"))
        );
        let sent = world.published();
        assert_eq!(sent[0].0, "linli/demo/door/north/cmd");
        assert_eq!(sent[0].1["body"]["action"], "release");
        // Everybody of the place, whatever they may otherwise.
        let ask = world.post("/api/doors/north/openings").by(ZHAO);
        assert_eq!(ask.content().await["ground"], "release");
        world.published();
        // The door does not say that it obeys: it is told again.
        world.pass_ms(10_000);
        assert_eq!(tick(&world).await["told"], 1);
        says(&world, wire::door::OccurrenceKind::Released).await;
        world.pass_ms(10_000);
        assert_eq!(tick(&world).await["told"], 0);
        let state = world.get(place).by(WANG).content().await;
        assert_eq!(state["doors"]["items"][0]["state"], "released");
        let ask = world.ask(Method::DELETE, place).by(CHEN);
        assert_eq!(ask.content().await["released"], false);
        says(&world, wire::door::OccurrenceKind::Restored).await;
        let state = world.get(place).by(WANG).content().await;
        assert_eq!(state["doors"]["items"][0]["state"], "normal");
        let ask = world.post("/api/doors/north/openings").by(ZHAO);
        ask.refused(403, "no_grant").await;
    })
    .await;
}

async fn says(world: &World, kind: wire::door::OccurrenceKind) {
    let message = wire::Message {
        id: kernel::MessageId::parse(&web::new_id(world.context.now).unwrap()).unwrap(),
        at: world.context.now,
        body: wire::door::Occurrence {
            gateway: DeviceId::parse("gateway-1").unwrap(),
            kind,
        },
    };
    let payload = message.to_payload().unwrap();
    let outcome = world.receive("linli/demo/door/north/event", &payload).await;
    assert_eq!(outcome, trigger::Outcome::Done);
}

#[tokio::test]
async fn a_resident_sees_the_own_household_and_its_visitors_only() {
    on_each_engine(async |mut world| {
        let now = world.context.now;
        gates(&world, json!({})).await;
        for person in ["zhao", "wu"] {
            happens(&world, &bound(person, "u1", "101", now)).await;
        }
        happens(&world, &bound("li", "u1", "102", now)).await;
        happens(&world, &visit("v1", now.plus_millis(3_600_000), 1)).await;
        world
            .post("/api/doors/north/openings")
            .by(LI)
            .content()
            .await;
        world.pass_ms(1);
        let wu =
            crate::support::Person(kernel::ActorKind::Resident, "wu", "demo", &["garden"], &[]);
        world
            .post("/api/doors/north/openings")
            .by(wu)
            .content()
            .await;
        world.pass_ms(1);
        let text = crate::gates::visitor_text(&world, "v1", 1);
        crate::gates::check(&world, &json!({"text": text})).await;
        let seen = async |person| {
            let ask = world.get("/api/access-log?community=garden").by(person);
            let list = ask.content().await;
            let items = list["items"].as_array().unwrap().clone();
            items
                .iter()
                .map(|item| item["person"].as_str().unwrap_or("visitor").to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(seen(ZHAO).await, ["visitor", "wu"]);
        assert_eq!(seen(LI).await, ["li"]);
        assert_eq!(seen(CHEN).await, ["visitor", "wu", "li"]);
        let ask = world.get("/api/access-log?community=garden").by(SUN);
        ask.refused(404, "community_unknown").await;
        let ask = world
            .get("/api/access-log?community=garden")
            .by(crate::support::DEVICE);
        ask.refused(403, "own_records_only").await;
        // Whoever moves in later does not see who came before.
        world.pass_ms(1_000);
        happens(&world, &bound("hu", "u1", "101", world.context.now)).await;
        let hu =
            crate::support::Person(kernel::ActorKind::Resident, "hu", "demo", &["garden"], &[]);
        let list = world
            .get("/api/access-log?community=garden")
            .by(hu)
            .content()
            .await;
        assert_eq!(list["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn the_log_is_forgotten_after_its_time_and_a_person_when_asked() {
    on_each_engine(async |mut world| {
        world
            .post("/api/doors/north/openings")
            .by(LI)
            .content()
            .await;
        let erased = PersonErased {
            person: id::<ActorId>("li"),
            actor: id::<ActorId>("wang"),
        };
        happens(&world, &erased).await;
        let list = world
            .get("/api/access-log?community=garden")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(list["items"][0]["person"], "erased");
        let ask = world.post("/api/doors/north/openings").by(LI);
        ask.refused(403, "no_grant").await;
        world.pass_ms(180 * 24 * 3_600_000 + 1_000);
        tick(&world).await;
        let list = world
            .get("/api/access-log?community=garden")
            .by(CHEN)
            .content()
            .await;
        assert_eq!(list["items"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn an_ended_visit_opens_nothing_any_more() {
    on_each_engine(async |world| {
        gates(&world, json!({})).await;
        happens(
            &world,
            &visit("v1", world.context.now.plus_millis(3_600_000), 3),
        )
        .await;
        let ended = VisitEnded {
            visit: id::<VisitId>("visit-v1"),
            pass: None,
            community: id::<CommunityId>("garden"),
            state: "revoked".to_owned(),
            actor: None,
        };
        happens(&world, &ended).await;
        let text = crate::gates::visitor_text(&world, "v1", 3);
        let checked = crate::gates::check(&world, &json!({"text": text})).await;
        assert_eq!(checked["reason"], "pass_revoked");
    })
    .await;
}
