//! The order of messages: those of one topic one after another, different topics at the same time.

use std::collections::{HashMap, HashSet, VecDeque};

/// Messages by topic. A topic is busy from [`Lanes::next`] to [`Lanes::done`].
pub(super) struct Lanes<T> {
    waiting: HashMap<String, VecDeque<T>>,
    ready: VecDeque<String>,
    busy: HashSet<String>,
    count: usize,
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self {
            waiting: HashMap::new(),
            ready: VecDeque::new(),
            busy: HashSet::new(),
            count: 0,
        }
    }
}

impl<T> Lanes<T> {
    /// A message arrived.
    pub(super) fn push(&mut self, topic: &str, message: T) {
        self.count += 1;
        let lane = self.waiting.entry(topic.to_owned()).or_default();
        lane.push_back(message);
        if lane.len() == 1 && !self.busy.contains(topic) {
            self.ready.push_back(topic.to_owned());
        }
    }

    /// The last message of a topic that waits for its turn.
    pub(super) fn last(&self, topic: &str) -> Option<&T> {
        self.waiting.get(topic)?.back()
    }

    /// A message that may be handled now, the topic that waited longest first.
    pub(super) fn next(&mut self) -> Option<(String, T)> {
        let topic = self.ready.pop_front()?;
        let lane = self.waiting.get_mut(&topic)?;
        let message = lane.pop_front()?;
        if lane.is_empty() {
            self.waiting.remove(&topic);
        }
        self.count -= 1;
        self.busy.insert(topic.clone());
        Some((topic, message))
    }

    /// The topic's message is handled; its next one may follow.
    pub(super) fn done(&mut self, topic: &str) {
        if self.busy.remove(topic) && self.waiting.contains_key(topic) {
            self.ready.push_back(topic.to_owned());
        }
    }

    /// Drops what waits. Busy topics stay busy.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.ready.clear();
        self.count = 0;
    }

    /// How many messages wait.
    pub(super) fn waiting(&self) -> usize {
        self.count
    }

    /// How many messages are being handled.
    pub(super) fn busy(&self) -> usize {
        self.busy.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_waits_for_its_own_message_only() {
        let mut lanes = Lanes::default();
        lanes.push("a", 1);
        lanes.push("a", 2);
        lanes.push("b", 3);
        assert_eq!(lanes.next(), Some(("a".to_owned(), 1)));
        assert_eq!(lanes.next(), Some(("b".to_owned(), 3)));
        assert_eq!(lanes.next(), None);
        lanes.push("b", 4);
        assert_eq!(lanes.next(), None);
        lanes.done("b");
        assert_eq!(lanes.next(), Some(("b".to_owned(), 4)));
        assert_eq!((lanes.last("a"), lanes.last("b")), (Some(&2), None));
        lanes.done("a");
        assert_eq!(lanes.next(), Some(("a".to_owned(), 2)));
        assert_eq!((lanes.waiting(), lanes.busy()), (0, 2));
    }

    #[test]
    fn what_waits_can_be_dropped_while_a_topic_is_busy() {
        let mut lanes = Lanes::default();
        lanes.push("a", 1);
        lanes.push("a", 2);
        assert!(lanes.next().is_some());
        lanes.clear();
        assert_eq!((lanes.waiting(), lanes.next()), (0, None));
        lanes.push("a", 3);
        assert_eq!(lanes.next(), None, "the first one still runs");
        lanes.done("a");
        assert_eq!(lanes.next(), Some(("a".to_owned(), 3)));
    }
}
