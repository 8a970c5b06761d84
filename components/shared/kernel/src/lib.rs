//! The words every capability shares: money, quantities, periods, typed ids, who is asking and why not.
//!
//! Pure on purpose: no clock, no randomness, no I/O, no float. Time and ids come in as arguments.

mod actor;
mod id;
mod metering;
mod money;
mod period;
mod phone;
mod place;
mod quantity;
mod refusal;
mod timestamp;
mod zone;

pub use actor::{Actor, ActorKind, Scope};
pub use id::{
    ActorId, AdLineId, AdOrderId, AddressId, AfterSaleId, ArticleId, AuctionRoundId, BarterId,
    BidCampaignId, BillId, BillPaymentId, BillRunId, BindingId, BindingRequestId, BuildingId,
    CardId, CashCloseId, CategoryId, ChangeRequestId, ChatMessageId, CheckoutId, ColumnId,
    CommissionRuleId, CommunityId, CompanyId, ConversationId, CouponId, CreativeId, DeliveryId,
    DeviceId, DisputeId, DoorGroupId, EventId, FeeRuleId, GrantId, GroupId, HoldId, IdError,
    ImportId, MerchantApplicationId, MerchantId, MessageId, MeterAlarmId, MeterId, MeterRouteId,
    OfferId, OpeningId, OrderId, OrderLineId, ParkingSpaceId, PassId, PaymentId, PlacementId,
    PointsEntryId, ProductId, PromotionId, PushMessageId, PushOrderId, PushPlanId, QualificationId,
    ReadingId, RechargeId, RefundId, ReviewId, RewardId, RoomId, ScheduleId, SealedBidId,
    SealedRoundId, SlotId, StatementId, SubscriptionId, SwitchingId, TariffId, TenantId,
    TransactionId, TransferId, UnitId, UsageId, VariantId, VisitId, WebhookId, WithdrawalId,
};
pub use metering::{Commodity, MeterUnit, TimeBand};
pub use money::{Currency, Money, MoneyError, Rounding};
pub use period::{Period, PeriodError};
pub use phone::{Phone, PhoneError};
pub use place::{KEY_CHARACTERS_MAX, place_key};
pub use quantity::Quantity;
pub use refusal::{Message, Refusal, RefusalKind, Transient};
pub use timestamp::{Timestamp, TimestampError};
pub use zone::{Zone, ZoneError};
