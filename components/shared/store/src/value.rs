//! What goes into a statement and comes out of a row: whole numbers, text, bytes, or nothing.

use kernel::{
    ActorId, AdLineId, AdOrderId, AddressId, AfterSaleId, ArticleId, AuctionRoundId, BarterId,
    BidCampaignId, BillId, BillPaymentId, BillRunId, BindingId, BindingRequestId, BuildingId,
    CardId, CashCloseId, CategoryId, ChangeRequestId, ChatMessageId, CheckoutId, ColumnId,
    CommissionRuleId, CommunityId, CompanyId, ConversationId, CouponId, CreativeId, DeliveryId,
    DeviceId, DisputeId, DoorGroupId, EventId, FeeRuleId, GrantId, GroupId, HoldId, ImportId,
    MerchantApplicationId, MerchantId, MessageId, MeterAlarmId, MeterId, MeterRouteId, OfferId,
    OpeningId, OrderId, OrderLineId, ParkingSpaceId, PassId, PaymentId, PlacementId, PointsEntryId,
    ProductId, PromotionId, PushMessageId, PushOrderId, PushPlanId, QualificationId, ReadingId,
    RechargeId, RefundId, ReviewId, RewardId, RoomId, ScheduleId, SealedBidId, SealedRoundId,
    SlotId, StatementId, SubscriptionId, SwitchingId, TariffId, TenantId, Timestamp, TransactionId,
    TransferId, UnitId, UsageId, VariantId, VisitId, WebhookId, WithdrawalId,
};

/// One value of either engine. There is no real number on purpose: money and measures are whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// BIGINT; booleans are 0 and 1, times are epoch milliseconds.
    Integer(i64),
    /// TEXT.
    Text(String),
    /// BLOB, BYTEA.
    Blob(Vec<u8>),
}

impl Value {
    /// What it is, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Integer(_) => "an integer",
            Self::Text(_) => "text",
            Self::Blob(_) => "a blob",
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Integer(i64::from(truth))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Self {
        Self::Integer(moment.millis())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! ids {
    ($($id:ty),*) => {$(
        impl From<&$id> for Value {
            fn from(id: &$id) -> Self {
                Self::Text(id.as_str().to_owned())
            }
        }
    )*};
}

ids!(
    ActorId,
    AdLineId,
    AdOrderId,
    AddressId,
    AfterSaleId,
    ArticleId,
    AuctionRoundId,
    BarterId,
    BidCampaignId,
    BillId,
    BillPaymentId,
    BillRunId,
    BindingId,
    BindingRequestId,
    BuildingId,
    CardId,
    CashCloseId,
    CategoryId,
    ChangeRequestId,
    ChatMessageId,
    CheckoutId,
    ColumnId,
    CommissionRuleId,
    CommunityId,
    CompanyId,
    ConversationId,
    CouponId,
    CreativeId,
    DeliveryId,
    DeviceId,
    DisputeId,
    DoorGroupId,
    EventId,
    FeeRuleId,
    GrantId,
    GroupId,
    HoldId,
    ImportId,
    MerchantApplicationId,
    MerchantId,
    MessageId,
    MeterAlarmId,
    MeterId,
    MeterRouteId,
    OfferId,
    OpeningId,
    OrderId,
    OrderLineId,
    ParkingSpaceId,
    PassId,
    PaymentId,
    PlacementId,
    PointsEntryId,
    ProductId,
    PromotionId,
    PushMessageId,
    PushOrderId,
    PushPlanId,
    QualificationId,
    ReadingId,
    RechargeId,
    RefundId,
    TransferId,
    ReviewId,
    RewardId,
    RoomId,
    ScheduleId,
    SealedBidId,
    SealedRoundId,
    SlotId,
    StatementId,
    SubscriptionId,
    SwitchingId,
    TariffId,
    TenantId,
    TransactionId,
    UnitId,
    UsageId,
    VariantId,
    VisitId,
    WebhookId,
    WithdrawalId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_is_null_and_present_is_itself() {
        assert_eq!(Value::from(None::<i64>), Value::Null);
        assert_eq!(Value::from(Some("a")), Value::Text("a".to_owned()));
        assert_eq!(Value::from(true), Value::Integer(1));
        assert_eq!(
            Value::from(&TenantId::parse("demo").unwrap()),
            Value::Text("demo".to_owned())
        );
    }
}
