//! What other capabilities record in the tests.

use kernel::{
    ActorId, ActorKind, BindingId, BuildingId, CommunityId, Currency, DeviceId, MerchantId,
    OpeningId, RoomId, Timestamp, TransactionId,
};
use serde_json::Value;
use wire::event::{
    BillPublished, BindingRole, BindingStarted, CommunityChanged, ConsentChanged, DoorOpened,
    DoorOpeningTimedOut, MerchantChanged, PaymentSucceeded, PersonRegistered, VisitRequested,
};
use wire::mall::MerchantMode;

pub fn id<Id: TryFrom<String>>(text: &str) -> Id
where
    Id::Error: std::fmt::Debug,
{
    Id::try_from(text.to_owned()).unwrap()
}

fn wang() -> ActorId {
    id("wang")
}

pub fn opened() -> CommunityChanged {
    CommunityChanged {
        community: id::<CommunityId>("garden"),
        name: "花园小区".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        version: 1,
        actor: wang(),
    }
}

pub fn registered(person: &str) -> PersonRegistered {
    PersonRegistered {
        person: id(person),
        kind: ActorKind::Resident,
        communities: vec![id("garden")],
        phone: None,
        actor: wang(),
    }
}

pub fn bound(person: &str, role: &str, room: &str) -> BindingStarted {
    BindingStarted {
        binding: id::<BindingId>(&format!("b-{person}")),
        person: id(person),
        role: BindingRole::parse(role).unwrap(),
        community: id("garden"),
        building: Some(id::<BuildingId>("b1")),
        unit: None,
        room: Some(id::<RoomId>(room)),
        from: Timestamp::EPOCH,
        until: None,
        actor: wang(),
    }
}

pub fn consented(person: &str, purpose: &str, given: bool) -> ConsentChanged {
    ConsentChanged {
        person: id(person),
        purpose: purpose.to_owned(),
        given,
        text_version: "1".to_owned(),
    }
}

pub fn merchant_changed(merchant: &str, member: &str) -> MerchantChanged {
    MerchantChanged {
        merchant: id::<MerchantId>(merchant),
        name: format!("{merchant} 的小店"),
        mode: MerchantMode::SelfRun,
        open: true,
        communities: vec![],
        categories: vec![],
        members: vec![id(member)],
        version: 1,
    }
}

pub fn door_opened(person: &str) -> DoorOpened {
    DoorOpened {
        opening: id::<OpeningId>("o1"),
        door: id::<DeviceId>("north-gate"),
        community: id("garden"),
        person: id(person),
        latency_ms: 80,
    }
}

pub fn door_timed_out(opening: &str, door: &str) -> DoorOpeningTimedOut {
    DoorOpeningTimedOut {
        opening: id::<OpeningId>(opening),
        door: id::<DeviceId>(door),
        person: id("li"),
    }
}

pub fn bill(room: &str) -> BillPublished {
    BillPublished {
        bill: id("bill-1"),
        community: id("garden"),
        room: id(room),
        rule: "r".to_owned(),
        period: "2026-11".to_owned(),
        version: 1,
        title: "物业费".to_owned(),
        amount_minor: 12_050,
        currency: Currency::Cny,
        due_on: "2026-12-10".to_owned(),
    }
}

pub fn visit_requested(host: &str) -> VisitRequested {
    VisitRequested {
        visit: id("visit-1"),
        community: id("garden"),
        room: Some(id::<RoomId>("r1")),
        hosts: vec![id(host)],
        answer_by: Timestamp::EPOCH,
    }
}

pub fn succeeded(asked: &Value, transaction: TransactionId, now: Timestamp) -> PaymentSucceeded {
    let text = |name: &str| asked[name].as_str().unwrap();
    PaymentSucceeded {
        payment: id(text("payment")),
        purpose: text("purpose").to_owned(),
        reference: text("reference").to_owned(),
        payer: id(text("payer")),
        community: id(text("community")),
        amount_minor: asked["amount_minor"].as_i64().unwrap(),
        currency: Currency::Cny,
        channel: "simulated".to_owned(),
        paid_at: now,
        transaction,
    }
}
