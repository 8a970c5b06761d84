//! Typed ids. An id is text made by a caller or by the domain, never by the database, and fits into an
//! MQTT topic level, a URL path segment and an SQL key without escaping.

use std::fmt;

/// The longest id, in characters.
pub const ID_CHARACTERS_MAX: usize = 64;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdError;

impl fmt::Display for IdError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "an id has 1 to {ID_CHARACTERS_MAX} letters, digits, '-' or '_'"
        )
    }
}

impl std::error::Error for IdError {}

fn parse(text: &str) -> Result<String, IdError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if text.is_empty() || text.len() > ID_CHARACTERS_MAX || !text.bytes().all(allowed) {
        return Err(IdError);
    }
    Ok(text.to_owned())
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses the id.
            ///
            /// # Errors
            /// When the text is empty, too long, or has a character outside `A-Z a-z 0-9 - _`.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

ids! {
    /// A property company, or the platform itself: the boundary that no data crosses.
    TenantId;
    /// A housing estate (小区) of a tenant.
    CommunityId;
    /// Whoever acts: a person, a device or a connected application.
    ActorId;
    /// A device: a door, a gateway, a meter.
    DeviceId;
    /// A permission of one person for one door.
    GrantId;
    /// One request to open one door.
    OpeningId;
    /// Doors that belong together: what people are allowed into.
    DoorGroupId;
    /// When a door group is open.
    ScheduleId;
    /// A card that opens doors; its number is another matter.
    CardId;
    /// What opens doors without an account or a card: a visitor's, or a resident's for a minute.
    PassId;
    /// One announced or requested visit.
    VisitId;
    /// A building (楼栋) of a community.
    BuildingId;
    /// An entrance (单元) of a building.
    UnitId;
    /// A room (房屋): a home, shop or office.
    RoomId;
    /// What ties a person to a room or a community, for a time.
    BindingId;
    /// A company that runs communities (物业公司).
    CompanyId;
    /// A place to park in a community.
    ParkingSpaceId;
    /// A resident's request to be bound to a room.
    BindingRequestId;
    /// A file on its way into the register.
    ImportId;
    /// A meter (表) of electricity, water, heat or gas; as a device it goes by the same text.
    MeterId;
    /// One value that was read from a meter.
    ReadingId;
    /// One request to cut or restore the supply behind a meter.
    SwitchingId;
    /// What a meter counted in one month, in all its revisions.
    UsageId;
    /// The meters that somebody goes round and reads (抄表册).
    MeterRouteId;
    /// Something that is not right with a meter: a leak, standing still, a sum that does not match.
    MeterAlarmId;
    /// Money that somebody is asked for, and its answer.
    PaymentId;
    /// Money that goes back to a payer.
    RefundId;
    /// Money that goes out to somebody over a channel (转账).
    TransferId;
    /// One transaction in the ledger.
    TransactionId;
    /// Money set aside in the ledger until it is posted or let go.
    HoldId;
    /// How usage is priced: dated prices and their tiers or bands.
    TariffId;
    /// What a community charges its rooms for, and how.
    FeeRuleId;
    /// One making of a community's bills of a month.
    BillRunId;
    /// What a room owes by one rule for one month.
    BillId;
    /// Several bills paid together.
    BillPaymentId;
    /// Money for a prepaid meter.
    RechargeId;
    /// One gain or loss of somebody's points (积分).
    PointsEntryId;
    /// One counting of a cashier's drawer (日结).
    CashCloseId;
    /// Who sells in the mall (商家): one party, one shop.
    MerchantId;
    /// Somebody's wish to sell in the mall (入驻申请).
    MerchantApplicationId;
    /// A licence or certificate of a merchant (资质).
    QualificationId;
    /// What a hosted merchant asks an operator to change in its shop (托管变更).
    ChangeRequestId;
    /// What goods or services are of (品类).
    CategoryId;
    /// What share of a sale is the platform's, from when on.
    CommissionRuleId;
    /// Goods or a life service that a merchant offers (商品、服务).
    ProductId;
    /// What of a product is bought: its size, its colour (规格).
    VariantId;
    /// A time in which a life service can be had (时段).
    SlotId;
    /// What a merchant promises for a time: coupons, full reduction, group-buy, flash sale (活动).
    PromotionId;
    /// Buyers who buy together (拼团).
    GroupId;
    /// One coupon in one person's hands (优惠券).
    CouponId;
    /// Where a person wants things brought (收货地址).
    AddressId;
    /// What is bought at once of several merchants, with one payment (结算单).
    CheckoutId;
    /// What one person buys of one merchant (订单).
    OrderId;
    /// One product in an order.
    OrderLineId;
    /// A refund, return or exchange that a buyer asks for (售后).
    AfterSaleId;
    /// What buyer and merchant could not settle between them (纠纷).
    DisputeId;
    /// What a buyer says about what was bought (评价).
    ReviewId;
    /// What a buyer and a shop write to each other (会话).
    ConversationId;
    /// One text in a conversation.
    ChatMessageId;
    /// What a merchant and the platform owe each other for a month (结算单).
    StatementId;
    /// A merchant's money on its way out (提现).
    WithdrawalId;
    /// Where advertisements are shown: a banner, a place in a list, a name on the weather (广告位).
    PlacementId;
    /// What is shown: its picture, its text and where it leads (创意).
    CreativeId;
    /// What an advertiser orders at once (广告订单).
    AdOrderId;
    /// One placement in an order, for a time (广告排期).
    AdLineId;
    /// One advertisement in one place for one visitor, shown once at most.
    OfferId;
    /// What an advertiser bids, on what, and for how much in all (竞价计划).
    BidCampaignId;
    /// One holding of an auction, with all that decided it (竞价).
    AuctionRoundId;
    /// A rank that is let for a time to who bids most, unseen (密封竞价).
    SealedRoundId;
    /// What somebody bids in it.
    SealedBidId;
    /// Articles that appear under one name, for an audience and a season (栏目).
    ColumnId;
    /// One article of a column, paid for or not.
    ArticleId;
    /// Advertising in exchange for goods (广告置换).
    BarterId;
    /// Goods of an exchange that residents get for nothing or for less (奖品).
    RewardId;
    /// Something that is told to people (推送).
    PushMessageId;
    /// One message on its way to one device of one person.
    DeliveryId;
    /// A way on which somebody can be reached: a browser, an app, a topic, a service.
    SubscriptionId;
    /// What is told again and again, or later (推送计划).
    PushPlanId;
    /// A push that a merchant pays for (付费推送).
    PushOrderId;
    /// A service that is told by a webhook.
    WebhookId;
    /// One message between a device and a function.
    MessageId;
    /// One fact in the event log.
    EventId;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_never_holds_what_a_topic_or_a_path_would_interpret() {
        for text in [
            "",
            "a/b",
            "a+b",
            "#",
            "a b",
            "门",
            "a%2f",
            "..",
            "a\0",
            &"x".repeat(65),
        ] {
            assert_eq!(DeviceId::parse(text), Err(IdError), "{text:?}");
        }
        assert!(DeviceId::parse(&"x".repeat(64)).is_ok());
    }

    proptest! {
        #[test]
        fn an_id_survives_json(text in "[A-Za-z0-9_-]{1,64}") {
            let id = TenantId::parse(&text).unwrap();
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<TenantId>(&json).unwrap(), id);
        }
    }
}
