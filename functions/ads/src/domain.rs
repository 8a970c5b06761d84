//! What is decided about advertising, pure: time, ids and the caller come in as arguments, a refusal comes out as a value.
//!
//! One file a noun: placements and their prices, creatives and their review, booking lines, what is shown, columns and
//! articles, exchanges, and the days and months by which all of it counts.

pub mod barter;
mod caller;
pub mod column;
pub mod creative;
pub mod day;
pub mod line;
pub mod placement;
pub mod seat;
pub mod serving;
pub mod text;
pub mod wish;

pub use caller::{
    Hold, check_advertiser, check_reader, check_resident, check_reviewer, check_viewer,
    check_writer, hold, may_read, may_write,
};
pub use creative::{Creative, Subject};
pub use line::{Line, LineState};
pub use placement::Placement;

use kernel::{Message, Refusal};

macro_rules! unknown {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $english:literal, $chinese:literal;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name() -> Refusal {
            Refusal::not_found($code, Message::new($english, $chinese))
        }
    )*};
}

unknown! {
    /// No placement of that id.
    unknown_placement = "placement_unknown", "There is no such placement. Check its id.", "未找到该广告位，请检查编号。";
    /// No merchant of that id, as far as the caller may know.
    unknown_merchant = "merchant_unknown", "There is no such merchant. Check its id.", "未找到该商家，请检查编号。";
    /// No order of that id, as far as the caller may know.
    unknown_order = "ad_order_unknown", "There is no such order. Check its id.", "未找到该广告订单，请检查编号。";
    /// No line of that id, as far as the caller may know.
    unknown_line = "ad_line_unknown", "There is no such line. Check its id.", "未找到该广告排期，请检查编号。";
    /// No creative of that id, as far as the caller may know.
    unknown_creative = "creative_unknown", "There is no such creative. Check its id.", "未找到该创意，请检查编号。";
    /// No column of that id.
    unknown_column = "column_unknown", "There is no such column. Check its id.", "未找到该栏目，请检查编号。";
    /// No article of that id, as far as the caller may know.
    unknown_article = "article_unknown", "There is no such article. Check its id.", "未找到该文章，请检查编号。";
    /// No exchange of that id, as far as the caller may know.
    unknown_barter = "barter_unknown", "There is no such exchange. Check its id.", "未找到该置换合同，请检查编号。";
    /// No goods of that number in the exchange.
    unknown_goods = "barter_goods_unknown", "The exchange has no such goods. Check their number.", "该置换合同没有此货品，请检查序号。";
    /// No reward of that id.
    unknown_reward = "reward_unknown", "There is no such reward. Check its id.", "未找到该奖品，请检查编号。";
    /// No claim of that code.
    unknown_claim = "reward_claim_unknown", "There is no claim of that code for this reward.", "未找到该领取码对应的领取记录。";
    /// No community of that id that the caller reaches.
    unknown_community = "community_unknown", "There is no such community. Check its id.", "未找到该小区，请检查编号。";
    /// An offer that was never made here.
    unknown_offer = "offer_unknown", "There is no such offer. Ask for a decision first.", "未找到该广告展示凭证，请先请求广告。";
}
