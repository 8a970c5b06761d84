//! What a broker asks: who may connect, publish and subscribe. The answer is yes or no, and no when in doubt.

use kernel::{ActorKind, DeviceId, TenantId};
use wire::{Channel, DeviceKind, DeviceTopic, Topic};

use super::Child;

/// Who a client is, once its name and password were right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// The functions of this deployment.
    Functions,
    /// A device of a tenant.
    Device {
        /// Whose.
        tenant: TenantId,
        /// Which.
        id: DeviceId,
        /// What it is.
        kind: DeviceKind,
        /// For whom it speaks.
        children: Vec<Child>,
    },
    /// A person of a tenant who may connect.
    Person {
        /// Whose.
        tenant: TenantId,
    },
}

/// What a client wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send to a topic.
    Publish,
    /// Receive from a topic filter.
    Subscribe,
}

/// One question about one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// What is to be done.
    pub action: Action,
    /// The topic, or the filter of a subscription.
    pub topic: &'a str,
    /// Whether the broker is to keep the message for later subscribers.
    pub retain: bool,
}

/// The people who may connect: they watch, and are trusted with all of their tenant's traffic.
#[must_use]
pub fn may_connect_as_person(kind: ActorKind) -> bool {
    matches!(kind, ActorKind::Operator | ActorKind::Auditor)
}

/// Whether the client may.
#[must_use]
pub fn may(principal: &Principal, question: Question<'_>) -> bool {
    match principal {
        Principal::Functions => is_ours(question.topic),
        Principal::Person { tenant } => {
            question.action == Action::Subscribe && is_of_tenant(tenant, question.topic)
        }
        Principal::Device {
            tenant,
            id,
            kind,
            children,
        } => {
            let Ok(Topic::Device(topic)) = Topic::parse(question.topic) else {
                return false;
            };
            let own = Child {
                kind: *kind,
                id: id.clone(),
            };
            let named = Child {
                kind: topic.kind,
                id: topic.device.clone(),
            };
            topic.tenant == *tenant
                && (named == own || children.contains(&named))
                && is_way(&topic, question)
        }
    }
}

/// A device sends on its own channels and receives commands; only its state is kept by the broker, because a kept
/// command or event would come again at every reconnection.
fn is_way(topic: &DeviceTopic, question: Question<'_>) -> bool {
    match question.action {
        Action::Publish => {
            topic.channel.is_from_device() && (!question.retain || topic.channel == Channel::State)
        }
        Action::Subscribe => topic.channel == Channel::Command,
    }
}

/// Anything below `linli/`, alone or shared among several subscribers (`$share/{group}/linli/...`).
fn is_ours(topic: &str) -> bool {
    let shared = topic
        .strip_prefix("$share/")
        .and_then(|rest| rest.split_once('/'));
    shared
        .map_or(topic, |(_, topic)| topic)
        .starts_with("linli/")
}

/// Anything below the tenant's own level, which may hold no wildcard itself.
fn is_of_tenant(tenant: &TenantId, filter: &str) -> bool {
    let below = filter
        .strip_prefix("linli/")
        .and_then(|rest| rest.strip_prefix(tenant.as_str()));
    below
        .and_then(|rest| rest.strip_prefix('/'))
        .is_some_and(|rest| !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tenant() -> TenantId {
        TenantId::parse("demo").unwrap()
    }

    fn gateway() -> Principal {
        Principal::Device {
            tenant: tenant(),
            id: DeviceId::parse("g1").unwrap(),
            kind: DeviceKind::Gateway,
            children: vec![Child {
                kind: DeviceKind::Door,
                id: DeviceId::parse("d1").unwrap(),
            }],
        }
    }

    fn publish(topic: &str) -> Question<'_> {
        Question {
            action: Action::Publish,
            topic,
            retain: false,
        }
    }

    fn subscribe(topic: &str) -> Question<'_> {
        Question {
            action: Action::Subscribe,
            topic,
            retain: false,
        }
    }

    #[test]
    fn a_gateway_speaks_for_itself_and_its_children_and_hears_their_commands() {
        for topic in [
            "linli/demo/gateway/g1/state",
            "linli/demo/door/d1/ack",
            "linli/demo/door/d1/event",
        ] {
            assert!(may(&gateway(), publish(topic)), "{topic}");
            assert!(!may(&gateway(), subscribe(topic)), "{topic}");
        }
        for topic in ["linli/demo/gateway/g1/cmd", "linli/demo/door/d1/cmd"] {
            assert!(may(&gateway(), subscribe(topic)), "{topic}");
            assert!(!may(&gateway(), publish(topic)), "{topic}");
        }
    }

    #[test]
    fn a_gateway_hears_and_says_nothing_of_others() {
        for topic in [
            "linli/demo/door/d2/cmd",
            "linli/demo/meter/d1/cmd",
            "linli/other/door/d1/cmd",
            "linli/demo/gateway/g2/cmd",
            "linli/demo/door/+/cmd",
            "linli/demo/#",
            "linli/+/door/d1/cmd",
            "#",
            "+/demo/door/d1/cmd",
            "$SYS/#",
            "linli/demo/event",
            "$share/x/linli/demo/door/d1/cmd",
            "",
            "linli/demo/door/d1/cmd/",
            "linli/demo/door/d2/ack",
        ] {
            assert!(!may(&gateway(), subscribe(topic)), "{topic}");
            assert!(!may(&gateway(), publish(topic)), "{topic}");
        }
    }

    #[test]
    fn only_state_is_retained() {
        let retained = |topic| Question {
            retain: true,
            ..publish(topic)
        };
        assert!(may(&gateway(), retained("linli/demo/gateway/g1/state")));
        assert!(!may(&gateway(), retained("linli/demo/door/d1/ack")));
    }

    #[test]
    fn a_person_watches_the_own_tenant_and_says_nothing() {
        let person = Principal::Person { tenant: tenant() };
        for filter in ["linli/demo/#", "linli/demo/door/+/ack", "linli/demo/event"] {
            assert!(may(&person, subscribe(filter)), "{filter}");
            assert!(!may(&person, publish(filter)), "{filter}");
        }
        for filter in [
            "#",
            "linli/#",
            "linli/+/door/d1/ack",
            "linli/other/#",
            "linli/demo2/#",
            "linli/demo",
            "linli/demo/",
            "$SYS/#",
        ] {
            assert!(!may(&person, subscribe(filter)), "{filter}");
        }
        assert!(
            may_connect_as_person(ActorKind::Operator) && may_connect_as_person(ActorKind::Auditor)
        );
        assert!(
            !may_connect_as_person(ActorKind::Resident) && !may_connect_as_person(ActorKind::Staff)
        );
    }

    #[test]
    fn only_functions_ring_the_doorbell_and_hear_that_of_every_tenant() {
        let doorbell = "linli/demo/event";
        assert!(may(&Principal::Functions, publish(doorbell)));
        assert!(may(&Principal::Functions, subscribe("linli/+/event")));
        let person = Principal::Person { tenant: tenant() };
        for other in [gateway(), person] {
            assert!(!may(&other, publish(doorbell)));
            assert!(!may(&other, subscribe("linli/+/event")));
        }
    }

    #[test]
    fn functions_reach_everything_of_ours_and_nothing_else() {
        for topic in [
            "linli/+/door/+/ack",
            "linli/demo/door/d1/cmd",
            "$share/doors/linli/+/door/+/ack",
        ] {
            assert!(may(&Principal::Functions, subscribe(topic)), "{topic}");
        }
        for topic in [
            "#",
            "+/x",
            "$SYS/#",
            "$share/doors/#",
            "other/topic",
            "$share/doors",
        ] {
            assert!(!may(&Principal::Functions, subscribe(topic)), "{topic}");
        }
    }

    proptest! {
        #[test]
        fn no_text_lets_a_device_leave_its_tenant(topic in "(linli|demo|other|door|gateway|d1|g1|cmd|ack|\\+|#|\\$share|/){0,12}") {
            for question in [publish(&topic), subscribe(&topic)] {
                if may(&gateway(), question) {
                    prop_assert!(topic.starts_with("linli/demo/door/d1/") || topic.starts_with("linli/demo/gateway/g1/"));
                }
            }
        }
    }
}
