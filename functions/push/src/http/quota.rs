//! What a caller may still send, and until when it has to wait otherwise.

use kernel::{Actor, Message, Timestamp};
use store::Tx;
use web::{Problem, Reply, name_of};

use crate::context::Context;
use crate::store::{quotas, terms};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// What is left of a caller's quota.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    minute: Limit,
    day: Limit,
}

#[derive(Debug, Clone, Copy)]
struct Limit {
    most: i64,
    left: i64,
    /// When it begins anew.
    ends_at: Timestamp,
}

/// Uses one message of the caller's minute and day.
///
/// # Errors
/// 429 saying which limit was reached and until when; a failure of the database.
pub(super) async fn take(context: &Context, tx: &Tx, actor: &Actor) -> anyhow::Result<Left> {
    let (terms, _) = terms::terms(tx, tx.tenant()).await?;
    let caller = name_of(actor);
    let now = context.now;
    let minute = now.plus_millis(-now.millis().rem_euclid(MINUTE_MS));
    let begins = terms.zone.moment(terms.zone.local(now).date, 0);
    let of = async |kind: &str, starts_at: Timestamp, (most, span): (i64, i64)| {
        let used = quotas::use_one(tx, (&caller, kind), starts_at).await?;
        let limit = Limit {
            most,
            left: most - used,
            ends_at: starts_at.plus_millis(span),
        };
        if limit.left < 0 {
            return Err(anyhow::Error::from(reached(kind, limit, now)));
        }
        Ok(limit)
    };
    let minute = of("minute", minute, (terms.calls_per_minute, MINUTE_MS)).await?;
    let day = of("day", begins, (terms.messages_per_day, DAY_MS)).await?;
    Ok(Left { minute, day })
}

fn reached(kind: &str, limit: Limit, now: Timestamp) -> Problem {
    let seconds = (limit.ends_at.millis_since(now).max(0) + 999) / 1_000;
    let (until, most) = (limit.ends_at, limit.most);
    let (english, chinese, code) = match kind {
        "minute" => ("a minute", "每分钟", "calls_per_minute_reached"),
        _ => ("a day", "每天", "messages_per_day_reached"),
    };
    let message = Message::new(
        format!(
            "The limit of {most} messages {english} is reached until {until}. Send the rest after that."
        ),
        format!("已达到{chinese} {most} 条的上限，{until} 后可继续发送。"),
    );
    Problem::new(::http::StatusCode::TOO_MANY_REQUESTS, code, message)
        .retry_after(u32::try_from(seconds).unwrap_or(u32::MAX))
}

impl Left {
    /// The reply, with what is left in its headers.
    pub(super) fn on(self, reply: Reply, now: Timestamp) -> Reply {
        let header = ::http::header::HeaderName::from_static;
        let seconds = self.minute.ends_at.millis_since(now).max(0) / 1_000;
        reply
            .with_header(header("x-rate-limit-limit"), &self.minute.most.to_string())
            .with_header(
                header("x-rate-limit-remaining"),
                &self.minute.left.to_string(),
            )
            .with_header(header("x-rate-limit-reset"), &seconds.to_string())
            .with_header(header("x-quota-limit"), &self.day.most.to_string())
            .with_header(header("x-quota-remaining"), &self.day.left.to_string())
    }
}
