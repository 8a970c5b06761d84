//! `/api/push/receipts`: devices tell that a message came, was shown or was followed; what the message carried shows that
//! they may, without a login.

use kernel::{Message, Refusal};
use messaging::delivery::Proof;
use serde::Deserialize;
use store::tx;
use web::{Reply, Request};

use crate::context::Context;
use crate::delivering;
use crate::domain::unknown_receipt;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Receipt {
    receipt: String,
    event: String,
}

pub(super) async fn tell(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let told: Receipt = web::body(request)?;
    let proof = match told.event.as_str() {
        "delivered" => Proof::Delivered,
        "displayed" => Proof::Displayed,
        "clicked" => Proof::Clicked,
        _ => return Err(no_event().into()),
    };
    let read = context.keys.read_receipt(&told.receipt);
    let (tenant, delivery) = read.ok_or_else(unknown_receipt)?;
    let known = tx(&context.db, &tenant, async |tx| {
        delivering::proved(context, tx, &delivery, proof).await
    })
    .await?;
    match known {
        true => Ok(Reply::no_content()),
        false => Err(unknown_receipt().into()),
    }
}

fn no_event() -> Refusal {
    Refusal::invalid(
        "event_unknown",
        Message::new(
            "A device tells delivered, displayed or clicked.",
            "设备回执应为 delivered、displayed 或 clicked。",
        ),
    )
}
