//! `/api/meter-decodings`: what the plugged decoder makes of a message, without storing anything.

use kernel::{Commodity, Message, Refusal};
use serde::{Deserialize, Serialize};
use web::{Reply, Request};
use wire::meter::RegisterValue;

use super::caller;
use crate::context::Context;
use crate::decoding::{self, Undecoded};
use crate::domain::Decoding;
use crate::domain::caller::managing_kinds;

/// What the decoder is told of a device, as people write it.
#[derive(Deserialize, Serialize, Debug, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(super) struct Hints {
    step_milli: i64,
    offset_milli: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    commodity: Commodity,
    decoding: Hints,
    bytes: String,
}

#[derive(Serialize)]
struct Decoded {
    registers: Vec<RegisterValue>,
}

impl Hints {
    pub(super) fn checked(self) -> Result<Decoding, Refusal> {
        let decoding = Decoding {
            step_milli: self.step_milli,
            offset_milli: self.offset_milli,
        };
        decoding.checked()
    }
}

impl From<Decoding> for Hints {
    fn from(decoding: Decoding) -> Self {
        Self {
            step_milli: decoding.step_milli,
            offset_milli: decoding.offset_milli,
        }
    }
}

pub(super) async fn preview(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let asked: Asked = web::body(request)?;
    let hints = asked.decoding.checked()?;
    let bytes = decoding::bytes(&asked.bytes).ok_or_else(no_bytes)?;
    let registers = decoding::decode(&bytes, hints, asked.commodity).map_err(undecoded)?;
    Ok(Reply::ok(&Decoded { registers }))
}

/// The refusal of a message that is no bytes.
pub(crate) fn no_bytes() -> Refusal {
    Refusal::invalid(
        "bytes_invalid",
        Message::new(
            "Send 1 to 256 bytes in hexadecimal, two digits each.",
            "请以十六进制发送 1 到 256 个字节，每个字节两位。",
        ),
    )
}

/// The refusal of a message that the decoder makes nothing of, in its words.
pub(crate) fn undecoded(undecoded: Undecoded) -> Refusal {
    let Undecoded {
        code,
        english,
        chinese,
    } = undecoded;
    let message = Message::new(
        format!("{english} ({code})"),
        format!("{chinese}（{code}）"),
    );
    Refusal::invalid("not_decoded", message)
}
