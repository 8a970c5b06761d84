//! What has been sent and has no receipt yet: a bounded number for each topic, so that a topic whose function is
//! silent (or whose door nobody registered) holds up only itself. Pure: time comes in as an argument.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use kernel::MessageId;

/// The most messages of one topic without a receipt.
pub const TOPIC_IN_FLIGHT_MAX: usize = 64;
/// A message without a receipt is sent again after this time.
pub const RESEND_AFTER: Duration = Duration::from_secs(5);

/// A wish for messages of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The topic.
    pub topic: String,
    /// Only messages after this place.
    pub after: i64,
    /// At most this many.
    pub room: usize,
}

/// The window over all topics.
#[derive(Debug, Default)]
pub struct Window {
    lanes: BTreeMap<String, Lane>,
    topics: HashMap<MessageId, (String, i64)>,
}

#[derive(Debug, Default)]
struct Lane {
    after: i64,
    in_flight: BTreeMap<i64, (MessageId, Instant)>,
}

impl Window {
    /// Makes a topic known; only known topics are wanted.
    pub fn know(&mut self, topic: &str) {
        if !self.lanes.contains_key(topic) {
            self.lanes.insert(topic.to_owned(), Lane::default());
        }
    }

    /// What there is room for.
    #[must_use]
    pub fn wants(&self) -> Vec<Want> {
        let wants = self.lanes.iter().map(|(topic, lane)| Want {
            topic: topic.clone(),
            after: lane.after,
            room: TOPIC_IN_FLIGHT_MAX.saturating_sub(lane.in_flight.len()),
        });
        wants.filter(|want| want.room > 0).collect()
    }

    /// A message was sent, for the first time or again.
    pub fn sent(&mut self, topic: &str, seq: i64, id: &MessageId, now: Instant) {
        self.know(topic);
        let Some(lane) = self.lanes.get_mut(topic) else {
            return;
        };
        lane.after = lane.after.max(seq);
        lane.in_flight.insert(seq, (id.clone(), now));
        self.topics.insert(id.clone(), (topic.to_owned(), seq));
    }

    /// A receipt came, or the message is gone.
    pub fn receipt(&mut self, id: &MessageId) {
        if let Some((topic, seq)) = self.topics.remove(id)
            && let Some(lane) = self.lanes.get_mut(&topic)
        {
            lane.in_flight.remove(&seq);
        }
    }

    /// The places that have waited for their receipt for too long, oldest first.
    #[must_use]
    pub fn due(&self, now: Instant) -> Vec<(i64, MessageId)> {
        let waiting = self.lanes.values().flat_map(|lane| &lane.in_flight);
        let due = waiting.filter(|(_, (_, at))| now.duration_since(*at) >= RESEND_AFTER);
        let mut due: Vec<_> = due.map(|(seq, (id, _))| (*seq, id.clone())).collect();
        due.sort_unstable();
        due
    }

    /// When the next message becomes due, if any waits.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.lanes
            .values()
            .flat_map(|lane| lane.in_flight.values())
            .map(|(_, at)| *at + RESEND_AFTER)
            .min()
    }

    /// How many messages wait for their receipt.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.topics.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(number: i64) -> MessageId {
        MessageId::parse(&format!("m{number}")).unwrap()
    }

    #[test]
    fn a_silent_topic_holds_up_only_itself() {
        let (now, mut window) = (Instant::now(), Window::default());
        window.know("b");
        for seq in 1..=TOPIC_IN_FLIGHT_MAX as i64 {
            window.sent("a", seq, &id(seq), now);
        }
        assert_eq!(
            window.wants(),
            [Want {
                topic: "b".into(),
                after: 0,
                room: TOPIC_IN_FLIGHT_MAX
            }]
        );
        window.receipt(&id(7));
        assert_eq!(
            window.wants()[0],
            Want {
                topic: "a".into(),
                after: TOPIC_IN_FLIGHT_MAX as i64,
                room: 1
            }
        );
    }

    #[test]
    fn a_message_is_due_again_until_its_receipt() {
        let (now, mut window) = (Instant::now(), Window::default());
        window.sent("a", 1, &id(1), now);
        window.sent("b", 2, &id(2), now);
        assert_eq!(
            window.due(now + RESEND_AFTER - Duration::from_millis(1)),
            []
        );
        assert_eq!(window.due(now + RESEND_AFTER), [(1, id(1)), (2, id(2))]);
        window.sent("a", 1, &id(1), now + RESEND_AFTER);
        assert_eq!(window.due(now + RESEND_AFTER), [(2, id(2))]);
        window.receipt(&id(2));
        window.receipt(&id(2));
        assert_eq!(window.next_due(), Some(now + RESEND_AFTER * 2));
        assert_eq!(window.in_flight(), 1);
    }

    proptest! {
        #[test]
        fn every_message_is_sent_in_order_and_within_the_window(
            topics in proptest::collection::vec(0_usize..4, 1..400),
            receipts in proptest::collection::vec(any::<u16>(), 0..2000),
        ) {
            let now = Instant::now();
            let mut window = Window::default();
            (0..4).for_each(|topic| window.know(&topic.to_string()));
            let mut outbox: Vec<(i64, String)> = topics.iter().zip(1..).map(|(topic, seq)| (seq, topic.to_string())).collect();
            let mut first: BTreeMap<String, Vec<i64>> = BTreeMap::new();
            let mut flying: Vec<i64> = Vec::new();
            let mut receipts = receipts.into_iter();
            loop {
                for want in window.wants() {
                    let fits: Vec<i64> =
                        outbox.iter().filter(|(seq, topic)| *topic == want.topic && *seq > want.after).map(|(seq, _)| *seq).take(want.room).collect();
                    for seq in fits {
                        window.sent(&want.topic, seq, &id(seq), now);
                        first.entry(want.topic.clone()).or_default().push(seq);
                        flying.push(seq);
                    }
                }
                prop_assert!(window.in_flight() <= 4 * TOPIC_IN_FLIGHT_MAX);
                prop_assert_eq!(window.in_flight(), flying.len());
                if flying.is_empty() { break }
                let chosen = flying.remove(receipts.next().map_or(0, usize::from) % flying.len());
                window.receipt(&id(chosen));
                outbox.retain(|(seq, _)| *seq != chosen);
            }
            prop_assert!(outbox.is_empty());
            for seqs in first.values() {
                prop_assert!(seqs.is_sorted() && seqs.windows(2).all(|pair| pair[0] < pair[1]));
            }
        }
    }
}
