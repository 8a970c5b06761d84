//! What several routes show and ask: bills with their late fee of today, reasons.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kernel::{Actor, BillId, BillRunId, CommunityId, Currency, RoomId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::Read;

use crate::context::Context;
use crate::domain::{Bill, BillState, Reason, check_reader, is_people, late_of, unknown_bill};
use crate::store::known::{self, Known};

/// Why something is done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Because {
    pub(super) reason: Reason,
}

/// An amount, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AmountBecause {
    pub(super) amount_minor: i64,
    pub(super) reason: Reason,
}

/// A bill as it stands today.
#[derive(Serialize)]
pub(super) struct ShownBill {
    id: BillId,
    community: CommunityId,
    room: RoomId,
    rule: String,
    rule_version: i64,
    title: String,
    /// The month, or the first of `months` months.
    period: String,
    months: u32,
    version: i64,
    run: Option<BillRunId>,
    state: &'static str,
    amount_minor: i64,
    currency: Currency,
    discount_minor: i64,
    paid_minor: i64,
    unpaid_minor: i64,
    late_fee: ShownLate,
    due_on: Option<NaiveDate>,
    published_at: Option<Timestamp>,
    basis: serde_json::Value,
}

#[derive(Serialize)]
struct ShownLate {
    as_of: NaiveDate,
    owed_minor: i64,
    paid_minor: i64,
    waived_minor: i64,
}

/// Communities as they are needed, each asked for once.
pub(super) struct Communities<'a> {
    context: &'a Context,
    tenant: &'a TenantId,
    known: BTreeMap<CommunityId, Option<Known>>,
}

impl<'a> Communities<'a> {
    pub(super) fn new(context: &'a Context, tenant: &'a TenantId) -> Self {
        Self {
            context,
            tenant,
            known: BTreeMap::new(),
        }
    }

    /// The bill as it stands today.
    pub(super) async fn shown(&mut self, db: &impl Read, bill: Bill) -> anyhow::Result<ShownBill> {
        if !self.known.contains_key(&bill.community) {
            let found = known::community(db, self.tenant, &bill.community).await?;
            self.known.insert(bill.community.clone(), found);
        }
        let known = self.known.get(&bill.community).and_then(Option::as_ref);
        let zone = known.map_or(kernel::Zone::SHANGHAI, |known| known.zone);
        let as_of = zone.local(self.context.now).date;
        let terms = known.map(|known| known.terms).unwrap_or_default();
        Ok(shown(bill, as_of, |bill| late_of(bill, terms, as_of)))
    }
}

fn shown(bill: Bill, as_of: NaiveDate, late: impl FnOnce(&Bill) -> i64) -> ShownBill {
    let owed_minor = late(&bill);
    ShownBill {
        unpaid_minor: bill.unpaid_fen(),
        id: bill.id,
        community: bill.community,
        room: bill.room,
        rule: bill.rule,
        rule_version: bill.rule_version,
        title: bill.title,
        period: bill.period.to_string(),
        months: bill.months,
        version: bill.version,
        run: bill.run,
        state: bill.state.as_str(),
        amount_minor: bill.amount_fen,
        currency: Currency::Cny,
        discount_minor: bill.discount_fen,
        paid_minor: bill.paid_fen,
        late_fee: ShownLate {
            as_of,
            owed_minor,
            paid_minor: bill.late.paid_fen,
            waived_minor: bill.late.waived_fen,
        },
        due_on: bill.due_on,
        published_at: bill.published_at,
        basis: bill.basis,
    }
}

/// Lets a bill pass that the caller may see: of a room they are bound to, or of a community that they bill or audit.
///
/// # Errors
/// 404 for any other.
pub(super) async fn seen(
    context: &Context,
    db: &impl Read,
    actor: &Actor,
    bill: Option<Bill>,
) -> anyhow::Result<Bill> {
    let bill = bill.ok_or_else(unknown_bill)?;
    if check_reader(actor, &bill.community).is_ok() {
        return Ok(bill);
    }
    let who = (&actor.id, &bill.room);
    let is_theirs = is_people(actor.kind)
        && bill.state != BillState::Draft
        && known::is_bound(db, &actor.tenant, who, context.now).await?;
    if is_theirs {
        return Ok(bill);
    }
    Err(unknown_bill().into())
}
