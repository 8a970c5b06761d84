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
    ActorId, BillId, BillPaymentId, BillRunId, BindingId, BindingRequestId, BuildingId, CardId,
    CommunityId, CompanyId, DeviceId, DoorGroupId, EventId, FeeRuleId, GrantId, HoldId, IdError,
    ImportId, MessageId, MeterAlarmId, MeterId, MeterRouteId, OpeningId, ParkingSpaceId, PassId,
    PaymentId, ReadingId, RechargeId, RefundId, RoomId, ScheduleId, TariffId, TenantId,
    TransactionId, UnitId, UsageId, VisitId,
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
