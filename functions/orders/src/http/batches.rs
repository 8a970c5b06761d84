//! `/api/stock/{item}/batches`: what came together of a variant, and what of it is left.

use chrono::NaiveDate;
use kernel::{EventId, Timestamp};
use serde::{Deserialize, Serialize};
use web::{Reply, Request};

use super::form::Text;
use super::stock::{ShownStock, merchant_of};
use super::{answer, caller, replied, write};
use crate::batching::{self, Delivery};
use crate::context::Context;
use crate::domain::batch::Batch;
use crate::domain::stock::unknown_item;
use crate::domain::text::{Code, Reason};
use crate::domain::{goods_keeper, goods_reader};
use crate::inbox;
use crate::rows::date;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBatch {
    units: i64,
    expires_on: NaiveDate,
    trace_code: Option<Text<Code>>,
    reason: Option<Text<Reason>>,
}

#[derive(Serialize)]
struct ShownBatch {
    id: String,
    expires_on: Option<String>,
    trace_code: Option<String>,
    units: i64,
    left: i64,
    received_at: Timestamp,
}

impl From<Batch> for ShownBatch {
    fn from(batch: Batch) -> Self {
        let code = batch.trace_code.as_ref();
        Self {
            expires_on: batch.expires_on.map(date),
            trace_code: code.map(|code| code.as_str().to_owned()),
            id: batch.id,
            units: batch.units,
            left: batch.left,
            received_at: batch.received_at,
        }
    }
}

pub(super) async fn list(
    context: &Context,
    request: &Request,
    item: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let merchant = merchant_of(&context.db, &actor, item).await?;
    goods_reader(&actor, &merchant, unknown_item)?;
    let found = batching::standing(context, &actor.tenant, item).await?;
    let items: Vec<ShownBatch> = found.into_iter().map(ShownBatch::from).collect();
    Ok(Reply::ok(&serde_json::json!({ "items": items })))
}

pub(super) async fn receive(
    context: &Context,
    request: &Request,
    item: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let merchant = merchant_of(&context.db, &actor, item).await?;
    goods_keeper(&actor, &merchant, unknown_item)?;
    let new: NewBatch = web::body(request)?;
    let trace_code = new.trace_code.map(|code| code.0);
    let reason = new.reason.map(|reason| reason.0.as_str().to_owned());
    let received = write(context, request, &actor, async |tx| {
        let batch = Batch {
            id: context.new_id::<EventId>()?.into(),
            expires_on: Some(new.expires_on),
            trace_code: trace_code.clone(),
            units: new.units,
            left: new.units,
            received_at: context.now,
        };
        let delivery = Delivery {
            merchant: &merchant,
            item,
            actor: &actor.id,
            batch,
            reason: reason.clone(),
        };
        let after = batching::receive(context, tx, delivery).await?;
        answer(201, &ShownStock::from(after))
    })
    .await?;
    replied(&received)
}
