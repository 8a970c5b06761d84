//! What other capabilities record about merchants, what they show, where, and what was paid.

use kernel::{
    ActorId, CommunityId, CreativeId, Currency, MerchantId, PlacementId, Timestamp, TransactionId,
};
use serde_json::Value;
use wire::advertising::{CreativeState, Ownership, ReserveMode};
use wire::event::{
    CommunityChanged, CreativeChanged, MerchantChanged, MerchantStandingChanged, PaymentSucceeded,
    PlacementChanged, RefundFailed,
};
use wire::mall::{MerchantMode, Standing};

use crate::support::START;

fn community() -> CommunityId {
    CommunityId::parse("garden").unwrap()
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub fn opened() -> CommunityChanged {
    CommunityChanged {
        community: community(),
        name: "花园".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        version: 1,
        actor: ActorId::parse("wang").unwrap(),
    }
}

pub fn merchant_changed(merchant: &str, member: &str, version: i64) -> MerchantChanged {
    MerchantChanged {
        merchant: MerchantId::parse(merchant).unwrap(),
        name: format!("商家 {merchant}"),
        mode: MerchantMode::SelfRun,
        open: true,
        communities: vec![],
        categories: vec![],
        members: vec![ActorId::parse(member).unwrap()],
        version,
    }
}

pub fn stands(merchant: &str, standing: Standing, version: i64) -> MerchantStandingChanged {
    MerchantStandingChanged {
        merchant: MerchantId::parse(merchant).unwrap(),
        standing,
        version,
        at: at(START),
    }
}

/// A banner of 300 x 250 that was approved.
pub fn creative(id: &str, merchant: &str) -> CreativeChanged {
    CreativeChanged {
        creative: CreativeId::parse(id).unwrap(),
        merchant: MerchantId::parse(merchant).unwrap(),
        format: "banner".to_owned(),
        width: 300,
        height: 250,
        landing: "https://fish.example/today".to_owned(),
        title: "Fresh fish".to_owned(),
        body: "from the sea".to_owned(),
        image: Some("https://cdn.fish.example/fish.png".to_owned()),
        video: None,
        video_ms: 0,
        advertiser_domain: "fish.example".to_owned(),
        state: CreativeState::Approved,
        content_hash: "00".to_owned(),
        version: 1,
    }
}

/// A place for banners of 300 x 250 that is sold by display auctions, with a reserve of 100 fen for a thousand.
pub fn placement(id: &str) -> PlacementChanged {
    PlacementChanged {
        placement: PlacementId::parse(id).unwrap(),
        name: "首页横幅".to_owned(),
        surface: "home".to_owned(),
        format: "banner".to_owned(),
        width: 300,
        height: 250,
        board: None,
        ownership: Ownership::Common,
        community: Some(community()),
        capacity: 1,
        floor_minor: 0,
        reserve_mode: ReserveMode::Unweighted,
        reserve: 100,
        slot_weights: vec![1],
        auction: Some("display".to_owned()),
        active: true,
        currency: Currency::Cny,
        version: 1,
    }
}

/// The ranks of the board `news`, with that reserve a click.
pub fn board(reserve_mode: ReserveMode, reserve: i64) -> PlacementChanged {
    PlacementChanged {
        board: Some("news".to_owned()),
        surface: "board".to_owned(),
        slot_weights: vec![100, 60, 20],
        reserve_mode,
        reserve,
        auction: Some("rank".to_owned()),
        ..placement("news-ranks")
    }
}

pub fn succeeded(asked: &Value, paid_at: Timestamp) -> PaymentSucceeded {
    let text = |name: &str| asked[name].as_str().unwrap().to_owned();
    PaymentSucceeded {
        payment: text("payment").try_into().unwrap(),
        purpose: text("purpose"),
        reference: text("reference"),
        payer: text("payer").try_into().unwrap(),
        community: community(),
        amount_minor: asked["amount_minor"].as_i64().unwrap(),
        currency: Currency::Cny,
        channel: "simulated".to_owned(),
        paid_at,
        transaction: TransactionId::parse("1").unwrap(),
    }
}

/// The channel refused for good to give that back.
pub fn refund_failed(asked: &Value) -> RefundFailed {
    let text = |name: &str| asked[name].as_str().unwrap().to_owned();
    RefundFailed {
        refund: text("refund").try_into().unwrap(),
        payment: text("payment").try_into().unwrap(),
        purpose: Some("ad_deposit".to_owned()),
        reference: None,
        amount_minor: asked["amount_minor"].as_i64().unwrap(),
        reason: "refused".to_owned(),
    }
}
