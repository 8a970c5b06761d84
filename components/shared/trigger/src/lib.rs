//! The triggers of a function besides HTTP: messages from MQTT and ticks of a schedule.
//!
//! `trigger::mqtt!(mqtt::on_message)` and `trigger::cron!(cron::on_tick)` stand in a function's `lib.rs`, both, one
//! or none of them. They make the component's exports; in a native build they make nothing, so that the same crate
//! is tested with `cargo test`. What a message means is not known here.

/// What a function did with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its effect is stored; the broker may forget the message.
    Done,
    /// It will never be right, for this reason: quarantined at once.
    Reject(String),
    /// It could not be handled now, for this reason: tried again later, quarantined after the last try.
    Retry(String),
}

/// What the text of a rejection starts with on the trigger's interface, which has only one kind of error.
pub const REJECT_PREFIX: &str = "reject: ";

impl Outcome {
    /// The answer on the trigger's interface: nothing, or the text of its error.
    ///
    /// # Errors
    /// The text for a rejection starts with [`REJECT_PREFIX`]; any other text asks for another try.
    pub fn into_answer(self) -> Result<(), String> {
        match self {
            Self::Done => Ok(()),
            Self::Reject(reason) => Err(format!("{REJECT_PREFIX}{reason}")),
            Self::Retry(reason) => Err(format!("retry: {reason}")),
        }
    }
}

/// Makes `async fn(topic: &str, payload: Vec<u8>) -> trigger::Outcome` the component's MQTT handler.
#[macro_export]
macro_rules! mqtt {
    ($handler:path) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Function;

            impl $crate::bindings::mqtt::Guest for Function {
                async fn handle_message(
                    payload: ::std::vec::Vec<u8>,
                    metadata: $crate::bindings::mqtt::MqttMetadata,
                ) -> ::core::result::Result<(), $crate::bindings::mqtt::MqttError> {
                    let outcome: $crate::Outcome = $handler(&metadata.topic, payload).await;
                    outcome
                        .into_answer()
                        .map_err($crate::bindings::mqtt::MqttError::Other)
                }
            }

    $crate::bindings::mqtt::export!(Function with_types_in $crate::bindings::mqtt);
        };
    };
}

/// Makes `async fn(at_seconds: i64) -> anyhow::Result<()>` the component's cron handler; the argument is the time of
/// the tick in seconds since 1970-01-01T00:00:00Z.
#[macro_export]
macro_rules! cron {
    ($handler:path) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Function;

            impl $crate::bindings::cron::Guest for Function {
                async fn handle_cron_event(
                    metadata: $crate::bindings::cron::CronMetadata,
                ) -> ::core::result::Result<(), $crate::bindings::cron::CronError> {
                    $crate::bindings::tick(metadata.timestamp, $handler)
                        .await
                        .map_err($crate::bindings::cron::CronError::Other)
                }
            }

    $crate::bindings::cron::export!(Function with_types_in $crate::bindings::cron);
        };
    };
}

/// The generated side of the trigger worlds; only the macros use it.
#[cfg(target_family = "wasm")]
#[doc(hidden)]
#[allow(missing_docs)]
pub mod bindings {
    /// Both trigger packages name their types alike, hence one module a world.
    pub mod mqtt {
        spin_sdk::wit_bindgen::generate!({
            path: "../../../wit/trigger",
            world: "mqtt-function",
            runtime_path: "::spin_sdk::wit_bindgen::rt",
            default_bindings_module: "::trigger::bindings::mqtt",
            pub_export_macro: true,
            generate_all,
        });
    }

    pub mod cron {
        spin_sdk::wit_bindgen::generate!({
            path: "../../../wit/trigger",
            world: "cron-function",
            runtime_path: "::spin_sdk::wit_bindgen::rt",
            default_bindings_module: "::trigger::bindings::cron",
            pub_export_macro: true,
            generate_all,
        });
    }

    pub async fn tick(
        timestamp: u64,
        handler: impl AsyncFnOnce(i64) -> anyhow::Result<()>,
    ) -> Result<(), String> {
        let at_seconds = i64::try_from(timestamp)
            .map_err(|_| format!("the tick's time {timestamp} is out of range"))?;
        handler(at_seconds)
            .await
            .map_err(|error| format!("{error:#}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rejection_says_reject() {
        assert_eq!(Outcome::Done.into_answer(), Ok(()));
        assert_eq!(
            Outcome::Reject("no such door".to_owned()).into_answer(),
            Err("reject: no such door".to_owned())
        );
        let retry = Outcome::Retry("reject: not really".to_owned())
            .into_answer()
            .unwrap_err();
        assert!(!retry.starts_with(REJECT_PREFIX));
    }
}
