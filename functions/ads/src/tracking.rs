//! What is told of offers: what counts is counted and charged once, what does not is counted with its reason.

use std::fmt;

use advertising::{Invalid, Micros, Subject, Traffic, Window};
use kernel::TenantId;
use store::{Batch, bulk};

use crate::context::Context;
use crate::domain::day::ZONE;
use crate::domain::placement::Pricing;
use crate::store::placements;
use crate::store::told::{self, Made, Told};

/// The most views of one viewer in an hour that count: more, no person looks at.
pub const VIEWS_HOUR_MAX: i64 = 600;

/// Why something is not counted, on its way out of a transaction that changes nothing.
#[derive(Debug)]
struct NotCounted(Invalid);

impl fmt::Display for NotCounted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not counted: {}", self.0.as_str())
    }
}

impl std::error::Error for NotCounted {}

/// Tells of an offer; the reason why it does not count, if it does not.
pub(crate) async fn tell(
    context: &Context,
    token: &str,
    told: Told,
    is_crawler: bool,
) -> anyhow::Result<Option<Invalid>> {
    let Some((tenant, promise)) = context.offers.open(token) else {
        return forged(context, token, told).await;
    };
    // Read before anything is locked: each statement that changes something carries its own guard.
    let Some(made) = told::offered(&context.db, &tenant, &promise).await? else {
        return not_counted(context, &tenant, None, (told, Invalid::Unknown)).await;
    };
    if let Err(reason) = decided(context, &made, told, is_crawler) {
        return not_counted(context, &tenant, Some(&made), (told, reason)).await;
    }
    let counted = bulk(&context.db, async |batch| {
        count(context, batch, (&tenant, &made), told).await
    })
    .await;
    let Err(error) = counted else {
        return Ok(None);
    };
    let NotCounted(reason) = error.downcast::<NotCounted>()?;
    not_counted(context, &tenant, Some(&made), (told, reason)).await
}

/// Why it does not count, by what is known of the offer and of who tells.
fn decided(context: &Context, made: &Made, told: Told, is_crawler: bool) -> Result<(), Invalid> {
    let traffic = Traffic {
        is_crawler,
        is_too_much: false,
        is_withdrawn: made.is_withdrawn,
    };
    let decided = match told {
        Told::View => made.offer.view(context.now, traffic),
        Told::Click => made.offer.click(context.now, traffic),
    };
    decided.map(|_| ())
}

/// Counts what does not count, with its reason.
async fn not_counted(
    context: &Context,
    tenant: &TenantId,
    made: Option<&Made>,
    (told, reason): (Told, Invalid),
) -> anyhow::Result<Option<Invalid>> {
    bulk(&context.db, async |batch| {
        let invalid = (told, reason, context.today());
        told::count_invalid(batch, tenant, made, invalid).await
    })
    .await?;
    Ok(Some(reason))
}

/// A token that was not made here is counted where it says to be from, if anything is sold there.
async fn forged(context: &Context, token: &str, told: Told) -> anyhow::Result<Option<Invalid>> {
    let named = token.split('.').next().unwrap_or_default();
    if let Ok(tenant) = TenantId::parse(named) {
        bulk(&context.db, async |batch| {
            if placements::is_platform(batch, &tenant).await? {
                let invalid = (told, Invalid::Unknown, context.today());
                told::count_invalid(batch, &tenant, None, invalid).await?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(Some(Invalid::Unknown))
}

async fn count(
    context: &Context,
    batch: &Batch,
    (tenant, made): (&TenantId, &Made),
    told: Told,
) -> anyhow::Result<()> {
    if told == Told::View && !within(context, batch, tenant, made).await? {
        return Err(NotCounted(Invalid::RateLimited).into());
    }
    // Whoever tells the same at the same moment finds it told here.
    if !told::mark(batch, tenant, made, (told, context.now)).await? {
        return Err(NotCounted(Invalid::Used).into());
    }
    let is_billed = matches!(
        (told, made.pricing),
        (Told::View, Pricing::Cpm) | (Told::Click, Pricing::Cpc)
    );
    let price = if is_billed { made.bid } else { Micros::ZERO };
    if is_billed {
        told::capture(batch, (tenant, &made.promise.line), price).await?;
    }
    told::tally(batch, tenant, made, (told, price, context.today())).await
}

/// Counts a view against what one person looks at in an hour and against every cap, its own line's and others'; false
/// when one of its own is reached.
async fn within(
    context: &Context,
    batch: &Batch,
    tenant: &TenantId,
    made: &Made,
) -> anyhow::Result<bool> {
    let subject = Subject {
        creative: made.promise.creative.as_str(),
        line: made.promise.line.as_str(),
        advertiser: made.merchant.as_str(),
        placement: made.placement.as_str(),
    };
    let mut limits = vec![("viewer".to_owned(), Window::Hour, VIEWS_HOUR_MAX)];
    for (scope, window) in &made.counted {
        limits.push((subject.named(*scope), *window, i64::MAX));
    }
    for cap in &made.caps {
        limits.push((subject.named(cap.scope), cap.window, i64::from(cap.views)));
    }
    // Two caps of one scope and window would count a view twice: the narrower one is enough.
    limits.sort();
    limits.dedup_by(|later, earlier| (&later.0, later.1) == (&earlier.0, earlier.1));
    for (subject, window, limit) in limits {
        let bucket = window.bucket(ZONE, context.now);
        let expires_at = context.now.plus_millis(window.millis_max());
        let whose = (tenant, made.promise.viewer.as_str());
        if !told::count_view(batch, whose, (&subject, &bucket), (limit, expires_at)).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
