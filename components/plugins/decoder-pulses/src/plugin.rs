//! The component's side: words of the interface, and nothing else.
// What the interface generates to cross the component's border is unsafe; we write none.
#![allow(unsafe_code, missing_docs)]

use crate::message::total_milli;

mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit/metering",
        world: "plugin",
    });
}

use bindings::exports::linli::metering::decoder::{Error, Guest, Hints, Register, RegisterValue};

struct Plugin;

impl Guest for Plugin {
    fn decode(bytes: Vec<u8>, hints: Hints) -> Result<Vec<RegisterValue>, Error> {
        let total = total_milli(&bytes, hints.step_milli, hints.offset_milli);
        let value_milli = total.map_err(|wrong| {
            let [code, english, chinese] = wrong.said().map(String::from);
            Error {
                code,
                english,
                chinese,
            }
        })?;
        Ok(vec![RegisterValue {
            register: Register::Total,
            value_milli,
            unit: hints.unit,
        }])
    }
}

bindings::export!(Plugin with_types_in bindings);
