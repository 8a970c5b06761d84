//! OpenRTB 2.6 as it stands on the wire: what exchanges and pages send, what they are answered, prices as decimal text,
//! macros, Native 1.2, and VAST 3.0. Who bids and what it costs is not decided here.

mod decimal;
mod macros;
mod markup;
mod native;
mod request;
mod response;
mod video;

pub use decimal::{Decimal, DecimalError, yuan_of_fen, yuan_of_micros};
pub use macros::{Loss, Macros};
pub use markup::{Shows, banner};
pub use native::{Assets, NativeError, assets, native};
pub use request::{Banner, BidRequest, Imp, RequestError, Video, parse};
pub use response::{Bid, BidResponse, NoBid, SeatBid};
pub use video::{Film, PROTOCOL, vast};
