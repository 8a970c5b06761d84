//! A simulated relay that speaks MQTT as Tasmota does: `Backlog` with a pulse time and a power order; its state is
//! JSON on a topic of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::Behaviour;

/// Where a switch is found.
#[derive(Debug, Clone)]
pub struct SwitchSettings {
    /// The broker's host.
    pub broker_host: String,
    /// The broker's port.
    pub broker_port: u16,
    /// The switch's name in its topics: `cmnd/NAME/Backlog` and `stat/NAME/RESULT`.
    pub name: String,
}

/// A running switch; it ends when this is dropped.
pub struct Switch {
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    behaviour: Behaviour,
    subscribed: bool,
    orders: Vec<String>,
    moved: u64,
}

impl Switch {
    /// Connects, and stays connected.
    #[must_use]
    pub fn start(settings: SwitchSettings, behaviour: Behaviour) -> Self {
        let state = Arc::new(Mutex::new(State {
            behaviour,
            ..State::default()
        }));
        let task = tokio::spawn(work(settings, state.clone()));
        Self { state, task }
    }

    /// Whether it hears orders.
    #[must_use]
    pub fn is_subscribed(&self) -> bool {
        lock(&self.state).subscribed
    }

    /// How often it was switched on.
    #[must_use]
    pub fn releases(&self) -> u64 {
        lock(&self.state).moved
    }

    /// Every order that came.
    #[must_use]
    pub fn orders(&self) -> Vec<String> {
        lock(&self.state).orders.clone()
    }

    /// Changes what is wrong from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut lock(&self.state).behaviour);
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn work(settings: SwitchSettings, state: Arc<Mutex<State>>) {
    loop {
        let name = &settings.name;
        let options = MqttOptions::new(
            format!("switch-{name}"),
            &settings.broker_host,
            settings.broker_port,
        );
        let (client, eventloop) = AsyncClient::new(options, 16);
        converse(name, &client, eventloop, &state).await;
        lock(&state).subscribed = false;
        sleep(Duration::from_millis(100)).await;
    }
}

async fn converse(
    name: &str,
    client: &AsyncClient,
    mut eventloop: EventLoop,
    state: &Mutex<State>,
) {
    // A full queue of requests would stop the loop that empties it, so everything is only tried.
    if client
        .try_subscribe(format!("cmnd/{name}/Backlog"), QoS::AtMostOnce)
        .is_err()
    {
        return;
    }
    while let Ok(event) = eventloop.poll().await {
        match event {
            Event::Incoming(Packet::SubAck(_)) => lock(state).subscribed = true,
            Event::Incoming(Packet::Publish(publish)) => {
                let order = String::from_utf8_lossy(&publish.payload).into_owned();
                let (answer, delay) = lock(state).obey(order);
                sleep(delay).await;
                if let Some(answer) = answer {
                    let said = client.try_publish(
                        format!("stat/{name}/RESULT"),
                        QoS::AtMostOnce,
                        false,
                        answer,
                    );
                    if said.is_err() {
                        return;
                    }
                }
            }
            _ => {}
        }
    }
}

impl State {
    fn obey(&mut self, order: String) -> (Option<String>, Duration) {
        let on = !self.behaviour.refuse && order.ends_with("Power1 ON");
        self.moved += u64::from(on);
        self.orders.push(order);
        let lost = self.behaviour.drop_answers > 0;
        self.behaviour.drop_answers = self.behaviour.drop_answers.saturating_sub(1);
        let answer = format!("{{\"POWER1\":\"{}\"}}", if on { "ON" } else { "OFF" });
        ((!lost).then_some(answer), self.behaviour.answer_delay)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A panic elsewhere leaves counters, not broken invariants.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
