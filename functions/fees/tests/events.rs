//! What other capabilities record about the community garden.

use kernel::{
    ActorId, BuildingId, Commodity, CommunityId, Currency, MeterId, MeterUnit, RoomId, TimeBand,
    Timestamp, TransactionId, UnitId, UsageId,
};
use serde_json::Value;
use wire::event::{BandUsage, PaymentSucceeded, RoomChanged, UsageClosed};

fn community() -> CommunityId {
    CommunityId::parse("garden").unwrap()
}

pub fn room_changed(room: &str, area_dm2: i64) -> RoomChanged {
    RoomChanged {
        room: RoomId::parse(room).unwrap(),
        unit: UnitId::parse("u1").unwrap(),
        building: BuildingId::parse("b1").unwrap(),
        community: community(),
        name: format!("1栋1单元{room}"),
        keys: vec![],
        area_dm2,
        usage: "residential".to_owned(),
        version: 1,
        actor: ActorId::parse("wang").unwrap(),
    }
}

pub fn usage_closed(
    (room, period): (&str, &str),
    kwh: i64,
    revision: u32,
    bands: &[(TimeBand, i64)],
) -> UsageClosed {
    UsageClosed {
        usage: UsageId::parse(&format!("u-{room}-{period}")).unwrap(),
        meter: MeterId::parse(&format!("m-{room}")).unwrap(),
        commodity: Commodity::Electricity,
        community: community(),
        room: RoomId::parse(room).ok(),
        area: room.is_empty().then(|| "大堂".to_owned()),
        period: period.to_owned(),
        from: Timestamp::EPOCH,
        until: Timestamp::EPOCH,
        quantity_milli: kwh * 1_000,
        unit: MeterUnit::Kwh,
        bands: bands
            .iter()
            .map(|(name, kwh)| BandUsage {
                name: *name,
                quantity_milli: kwh * 1_000,
            })
            .collect(),
        estimated: false,
        revision,
        register_from_milli: 0,
        register_until_milli: kwh * 1_000,
    }
}

pub fn succeeded(
    purpose: &str,
    asked: &Value,
    transaction: TransactionId,
    paid_at: Timestamp,
) -> PaymentSucceeded {
    let text = |name: &str| asked[name].as_str().unwrap().to_owned();
    PaymentSucceeded {
        payment: text("payment").try_into().unwrap(),
        purpose: purpose.to_owned(),
        reference: text("reference"),
        payer: text("payer").try_into().unwrap(),
        community: community(),
        amount_minor: asked["amount_minor"].as_i64().unwrap(),
        currency: Currency::Cny,
        channel: "simulated".to_owned(),
        paid_at,
        transaction,
    }
}
