//! What starts functions besides HTTP, wired to the application: MQTT messages, ticks of the clock, and the
//! quarantine of messages that no function took.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rumqttc::QoS;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    application::Application,
    broker::Broker,
    cron::{self, Clock, Schedule},
    factors::mqtt::Address,
    mqtt_trigger::{self, MqttTrigger},
    quarantine::Quarantine,
};

/// The variable that holds what operators of the machine present to the host's own routes.
pub const INTERNAL_TOKEN: &str = "internal_token";

/// Ready to start.
pub struct Triggers {
    quarantine: Arc<Quarantine>,
    messages: mqtt_trigger::Invoke,
    cron: Vec<cron::Trigger>,
}

/// Started.
pub struct Running {
    mqtt: Option<MqttTrigger>,
    cron: JoinHandle<()>,
    cron_counts: Arc<cron::Counts>,
}

impl Triggers {
    /// Opens the quarantine and parses the schedules.
    ///
    /// # Errors
    /// When the data folder cannot be used, or a schedule is malformed.
    pub fn prepare(application: &Arc<Application>, data: &Path) -> Result<Self> {
        let messages = message_handler(application);
        let token = application.variables.get(INTERNAL_TOKEN).cloned();
        let quarantine = Quarantine::open(data, token.unwrap_or_default(), messages.clone())?;
        let mut cron = Vec::new();
        for trigger in &application.manifest.cron_triggers {
            cron.push(cron::Trigger {
                component: Arc::from(&*trigger.component),
                schedule: Schedule::parse(&trigger.expression)?,
            });
        }
        Ok(Self {
            quarantine: Arc::new(quarantine),
            messages,
            cron,
        })
    }

    /// The messages that no function took.
    #[must_use]
    pub fn quarantine(&self) -> Arc<Quarantine> {
        self.quarantine.clone()
    }

    /// Starts receiving messages and ticks, until `stop`.
    ///
    /// # Errors
    /// When the settings of the MQTT trigger are malformed.
    pub async fn start(
        self,
        application: &Arc<Application>,
        stop: CancellationToken,
    ) -> Result<Running> {
        let mqtt = match mqtt_settings(application)? {
            Some((settings, triggers)) => {
                Some(MqttTrigger::start(settings, triggers, self.messages, self.quarantine).await?)
            }
            None => None,
        };
        let ticks = tick_handler(application);
        let cron_counts = Arc::new(cron::Counts::default());
        let cron = cron::run(self.cron, ticks, Clock::system(), cron_counts.clone(), stop);
        Ok(Running {
            mqtt,
            cron: tokio::spawn(cron),
            cron_counts,
        })
    }
}

impl Running {
    /// The MQTT trigger's numbers, if there is one.
    #[must_use]
    pub fn mqtt_counts(&self) -> Option<&Arc<mqtt_trigger::Counts>> {
        self.mqtt.as_ref().map(MqttTrigger::counts)
    }

    /// Finishes the messages and ticks in progress, for at most that long.
    pub async fn stop(self, time_max: Duration) {
        let messages = async {
            if let Some(mqtt) = self.mqtt {
                mqtt.stop(time_max).await;
            }
        };
        let (_, ticks) = tokio::join!(messages, tokio::time::timeout(time_max, self.cron));
        if ticks.is_err() {
            tracing::warn!("a tick did not finish in {time_max:?}");
        }
    }
}

fn message_handler(application: &Arc<Application>) -> mqtt_trigger::Invoke {
    let application = application.clone();
    Arc::new(move |component, topic, payload| {
        let application = application.clone();
        Box::pin(async move {
            application
                .invoke_message(&component, payload.to_vec(), &topic)
                .await
        })
    })
}

fn tick_handler(application: &Arc<Application>) -> cron::Invoke {
    let application = application.clone();
    Arc::new(move |component, time| {
        let application = application.clone();
        Box::pin(async move {
            let seconds = u64::try_from(time.timestamp()).context("a tick before 1970")?;
            application.invoke_cron(&component, seconds).await
        })
    })
}

fn mqtt_settings(
    application: &Application,
) -> Result<Option<(mqtt_trigger::Settings, Vec<mqtt_trigger::Trigger>)>> {
    let (manifest, values) = (&application.manifest, &application.variables);
    let Some(mqtt) = &manifest.mqtt else {
        return Ok(None);
    };
    let address = mqtt.address.resolve(values)?;
    let (host, port) = Address::parse(&address).with_context(|| {
        format!("application.trigger.mqtt.address {address:?} is not mqtt://host:port")
    })?;
    let settings = mqtt_trigger::Settings::new(
        host,
        port,
        mqtt.username.resolve(values)?,
        mqtt.password.resolve(values)?,
        Duration::from_secs(mqtt.keep_alive_seconds),
    );
    let mut triggers = Vec::new();
    for trigger in &manifest.mqtt_triggers {
        triggers.push(mqtt_trigger::Trigger {
            component: Arc::from(&*trigger.component),
            filter: trigger.topic.resolve(values)?,
            qos: match trigger.qos {
                0 => QoS::AtMostOnce,
                1 => QoS::AtLeastOnce,
                2 => QoS::ExactlyOnce,
                other => bail!("trigger.mqtt.qos {other} is not 0, 1 or 2"),
            },
        });
    }
    Ok((!triggers.is_empty()).then_some((settings, triggers)))
}

/// Shows at `/metrics` what the triggers, the quarantine, the broker and the host interfaces count.
pub fn watch(application: &Application, running: &Running, broker: Option<&Broker>) {
    let metrics = &application.metrics;
    macro_rules! counters {
        ($counts:expr, $($name:literal, $help:literal, $field:ident;)*) => {$({
            let counts = $counts.clone();
            metrics.watch($name, $help, move || counts.$field.load(Ordering::Relaxed));
        })*};
    }
    counters! { running.cron_counts,
        "linli_ticks_total", "Ticks that succeeded.", succeeded;
        "linli_ticks_failed_total", "Ticks that failed.", failed;
        "linli_ticks_skipped_total", "Ticks that fell into the run of an earlier one.", skipped;
    }
    if let Some(counts) = running.mqtt_counts() {
        counters! { counts,
            "linli_messages_received_total", "MQTT messages received.", received;
            "linli_messages_acknowledged_total", "MQTT messages acknowledged.", acknowledged;
            "linli_messages_retried_total", "Repeated calls of functions for a message.", retried;
            "linli_messages_quarantined_total", "MQTT messages put into quarantine.", quarantined;
            "linli_mqtt_disconnections_total", "MQTT connections of the trigger lost.", disconnections;
        }
    }
    macro_rules! databases {
        ($($name:literal, $help:literal, $field:ident;)*) => {$({
            let factors = application.factors.clone();
            metrics.watch($name, $help, move || {
                factors.sqlite.opened().iter().map(|database| database.counters().$field).sum()
            });
        })*};
    }
    databases! {
        "linli_statements_total", "Statements on SQLite databases.", statements;
        "linli_commits_total", "Transactions on SQLite databases that wrote something.", commits;
        "linli_syncs_total", "Syncs to disk that made those transactions durable.", fsyncs;
    }
    if let Some(broker) = broker {
        macro_rules! numbers {
            ($($name:literal, $help:literal, $field:ident;)*) => {$({
                let numbers = broker.numbers();
                metrics.watch($name, $help, move || numbers().$field);
            })*};
        }
        numbers! {
            "linli_broker_connections", "MQTT connections now.", connections;
            "linli_broker_sessions", "MQTT sessions now, connected or away.", sessions;
            "linli_broker_messages_in_total", "Messages published to the broker.", messages_in;
            "linli_broker_messages_out_total", "Messages sent to subscribers.", messages_out;
            "linli_broker_messages_dropped_total", "Messages refused, expired or dropped from a full queue.", messages_dropped;
            "linli_broker_questions_total", "Questions asked about access.", questions;
            "linli_broker_questions_failed_total", "Questions about access without an answer.", questions_failed;
        }
    }
}
