//! Shared subscriptions (`$share/{group}/{filter}`): which member of a group gets a message.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use rmqtt::{
    context::ServerContext,
    subscribe::SharedSubscription,
    types::{ClientId, Id, IsOnline, NodeId, SharedGroup, SubscriptionOptions, TopicName},
};

type Identifiers = Option<Vec<std::num::NonZeroU32>>;
type Member = (
    NodeId,
    ClientId,
    SubscriptionOptions,
    Identifiers,
    Option<IsOnline>,
);

/// The connected members in turn; when nobody is connected, those with a session in turn.
#[derive(Default)]
pub(super) struct InTurn {
    turn: AtomicUsize,
}

#[async_trait]
impl SharedSubscription for InTurn {
    fn is_supported(&self) -> bool {
        true
    }

    async fn choice(
        &self,
        _: &ServerContext,
        _: &SharedGroup,
        _: &Id,
        _: &TopicName,
        members: &[Member],
    ) -> Option<(usize, IsOnline)> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let online: Vec<bool> = members
            .iter()
            .map(|member| member.4 == Some(true))
            .collect();
        choose(&online, turn)
    }
}

/// The index of the member whose turn it is, and whether it is connected.
fn choose(online: &[bool], turn: usize) -> Option<(usize, bool)> {
    let connected = online.iter().filter(|online| **online).count();
    let is_online = connected > 0;
    let candidates = if is_online { connected } else { online.len() };
    let place = turn.checked_rem(candidates)?;
    online
        .iter()
        .enumerate()
        .filter(|(_, online)| **online == is_online)
        .nth(place)
        .map(|(index, _)| (index, is_online))
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn connected_members_take_turns_and_others_only_when_nobody_is_connected() {
        let turns = |online: &[bool]| (0..3).map(|turn| choose(online, turn)).collect::<Vec<_>>();
        assert_eq!(
            turns(&[true, false, true]),
            [Some((0, true)), Some((2, true)), Some((0, true))]
        );
        assert_eq!(
            turns(&[false, false]),
            [Some((0, false)), Some((1, false)), Some((0, false))]
        );
        assert_eq!(turns(&[]), [None, None, None]);
    }
}
