//! Orders to meters: the relay, the valve, money that was paid ahead. They go between two readings of the bus.
//!
//! Cutting and restoring may be sent again when no answer came: twice cut is cut. Money may not: the meter is asked
//! which purchase was its last, before every try and after every silence, and takes each number once.

use kernel::{DeviceId, Timestamp};
use meter_protocols::Error;
use meter_protocols::cjt188::{Fen, Question, Topic, ValveOrder};
use meter_protocols::dlt645::Relay;
use tokio::sync::{mpsc, oneshot};
use wire::meter::{Order, Outcome, Supply};

use super::wire::{Silence, Wire};
use super::{MeterBus, TRIES, cjt188, dlt645, local_time};
use crate::config::{Asked, MeterConfig};

/// The most orders that wait for one bus; what comes on top is refused at once.
pub const ORDERS_WAITING_MAX: usize = 64;

/// One order to one meter of a bus.
#[derive(Debug)]
pub struct Wish {
    meter: DeviceId,
    order: Order,
    expires_at: Timestamp,
    done: oneshot::Sender<Outcome>,
}

impl Wish {
    /// Tells whoever asked.
    pub(super) fn finish(self, outcome: Outcome) {
        tracing::info!(meter = %self.meter, order = ?self.order, ?outcome, "an order to a meter has ended");
        // Whoever asked may have gone; what happened is in the log either way.
        let _ = self.done.send(outcome);
    }
}

/// Hands orders to a running bus.
#[derive(Debug, Clone)]
pub struct MeterHandle(mpsc::Sender<Wish>);

impl MeterHandle {
    /// A handle, and where its orders come out.
    pub(super) fn new() -> (Self, mpsc::Receiver<Wish>) {
        let (sender, wishes) = mpsc::channel(ORDERS_WAITING_MAX);
        (Self(sender), wishes)
    }

    /// Has an order carried out once and waits for what became of it.
    pub async fn carry_out(
        &self,
        meter: &DeviceId,
        order: Order,
        expires_at: Timestamp,
    ) -> Outcome {
        let (done, outcome) = oneshot::channel();
        let wish = Wish {
            meter: meter.clone(),
            order,
            expires_at,
            done,
        };
        if self.0.try_send(wish).is_err() {
            return unreached("too many orders wait for this bus");
        }
        outcome
            .await
            .unwrap_or_else(|_| unanswered("the bus was shut down"))
    }
}

pub(super) fn unreached(reason: &str) -> Outcome {
    Outcome::Unreached {
        reason: reason.to_owned(),
    }
}

fn unanswered(reason: &str) -> Outcome {
    Outcome::Unanswered {
        reason: reason.to_owned(),
    }
}

fn unsupported(reason: &str) -> Outcome {
    Outcome::Unsupported {
        reason: reason.to_owned(),
    }
}

impl MeterBus {
    /// Carries out an order; what broke when the bus did.
    pub(super) async fn obey(&mut self, wish: Wish, wire: &mut Wire) -> std::io::Result<()> {
        if self.around.clock.now() >= wish.expires_at {
            wish.finish(Outcome::Expired);
            return Ok(());
        }
        let mut meters = self.config.meters.iter();
        let Some(meter) = meters.find(|meter| meter.id == wish.meter).cloned() else {
            wish.finish(unsupported("the meter hangs on another bus"));
            return Ok(());
        };
        let tried = match wish.order {
            Order::Switch { supply } => self.switch(&meter, supply, wish.expires_at, wire).await,
            Order::Recharge {
                amount_minor,
                number,
            } => self.recharge(&meter, amount_minor, number, wire).await,
        };
        match tried {
            Ok(outcome) => wish.finish(outcome),
            Err(Silence::Answered(error)) => wish.finish(Outcome::Refused {
                reason: error.to_string(),
            }),
            Err(Silence::TimedOut(wrong)) => {
                let reason = wrong.map_or("no answer".to_owned(), |error| error.to_string());
                wish.finish(unanswered(&reason));
            }
            Err(Silence::Broken(error)) => {
                wish.finish(unanswered(&error.to_string()));
                return Err(error);
            }
        }
        Ok(())
    }

    async fn switch(
        &mut self,
        meter: &MeterConfig,
        supply: Supply,
        expires_at: Timestamp,
        wire: &mut Wire,
    ) -> Result<Outcome, Silence> {
        let mut silence = None;
        for _ in 0..TRIES {
            if self.around.clock.now() >= expires_at {
                break;
            }
            let tried = match &meter.asked {
                Asked::Dlt645 {
                    address,
                    relay: Some(authority),
                    ..
                } => {
                    let relay = match supply {
                        Supply::On => Relay::Close,
                        Supply::Off => Relay::Trip,
                    };
                    let until = local_time(expires_at, self.config.zone);
                    let until = until.ok_or(Silence::Answered(Error::OutOfRange))?;
                    dlt645::switch(wire, (*address, *authority), relay, until).await
                }
                Asked::Cjt188 { valve: true, .. } => {
                    let order = match supply {
                        Supply::On => ValveOrder::Open,
                        Supply::Off => ValveOrder::Close,
                    };
                    let question = self.question(meter, Topic::Valve(order));
                    let question = question.ok_or(Silence::Answered(Error::OutOfRange))?;
                    cjt188::order(wire, question).await
                }
                _ => return Ok(unsupported("this gateway moves no relay or valve there")),
            };
            match tried {
                Ok(()) => return Ok(Outcome::Done),
                Err(Silence::TimedOut(wrong)) => silence = Some(Silence::TimedOut(wrong)),
                Err(other) => return Err(other),
            }
        }
        silence.map_or(Ok(Outcome::Expired), Err)
    }

    async fn recharge(
        &mut self,
        meter: &MeterConfig,
        amount_minor: i64,
        number: Option<u8>,
        wire: &mut Wire,
    ) -> Result<Outcome, Silence> {
        if !matches!(meter.asked, Asked::Cjt188 { prepaid: true, .. }) {
            return Ok(unsupported("this gateway recharges no such meter"));
        }
        let amount = Fen::new(amount_minor).map_err(Silence::Answered)?;
        let gone = || Silence::Answered(Error::OutOfRange);
        let mut sent = false;
        for _ in 0..TRIES {
            let asked = self.question(meter, Topic::Purchase).ok_or_else(gone)?;
            let last = match cjt188::purchase(wire, asked).await {
                Err(Silence::TimedOut(_)) => continue,
                last => last?,
            };
            let Some(number) = number else {
                return Ok(Outcome::Counted {
                    number: last.number,
                });
            };
            if last.number == number && last.amount_fen == amount_minor {
                return Ok(Outcome::Done);
            }
            if last.number.wrapping_add(1) != number {
                return Ok(Outcome::Counted {
                    number: last.number,
                });
            }
            let told = Topic::Recharge { number, amount };
            let told = self.question(meter, told).ok_or_else(gone)?;
            sent = true;
            match cjt188::order(wire, told).await {
                Err(Silence::TimedOut(_)) => {}
                taken => return taken.map(|()| Outcome::Done),
            }
        }
        Ok(if sent {
            unanswered("no answer to the recharge")
        } else {
            unreached("no answer")
        })
    }

    /// The next question to a meter of CJ/T 188.
    pub(super) fn question(&mut self, meter: &MeterConfig, topic: Topic) -> Option<Question> {
        let Asked::Cjt188 {
            sort,
            address,
            order,
            ..
        } = &meter.asked
        else {
            return None;
        };
        self.transaction = self.transaction.wrapping_add(1);
        let [_, serial] = self.transaction.to_be_bytes();
        Some(Question {
            meter_type: *sort,
            address: *address,
            order: *order,
            serial,
            topic,
        })
    }
}
