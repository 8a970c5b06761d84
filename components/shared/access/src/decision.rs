//! The decision itself.

use kernel::{CommunityId, DoorGroupId, TenantId, Timestamp};
use wire::pass::{Holder, PassClaims, Target};
use wire::snapshot::{Direction, Window};

use crate::Reason;

/// The shortest time between two decisions about one person at one door, in milliseconds.
pub const INTERVAL_MS_MIN: i64 = 3_000;
/// The most decisions about one person at one door within an hour.
pub const HOUR_MAX: u32 = 30;

/// The door that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its tenant.
    pub tenant: TenantId,
    /// Its community.
    pub community: CommunityId,
    /// Which way it leads.
    pub direction: Direction,
    /// Whether it stands open for a fire.
    pub released: bool,
    /// Whether its gateway can be reached, where the way to the door leads over it; unknown counts as yes.
    pub online: bool,
    /// The groups that hold this door.
    pub groups: Vec<Group>,
}

/// A door group, as far as one door is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The group.
    pub id: DoorGroupId,
    /// Whom it admits besides its explicit members.
    pub admits: Vec<Target>,
    /// Whether it admits visitors.
    pub visitors: bool,
    /// When it is open to its people; always when absent.
    pub windows: Option<Vec<Window>>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subject {
    /// Where the person belongs, in the door's community.
    pub belongs: Vec<Belongs>,
    /// The single grant for this door.
    pub grant: Option<Held>,
    /// Whether the person is suspended in the door's community.
    pub suspended: bool,
}

/// That a person belongs somewhere, for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Belongs {
    /// Where.
    pub target: Target,
    /// As what.
    pub holder: Holder,
    /// When; always when absent.
    pub window: Option<Window>,
}

/// A single grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// When it holds.
    pub window: Window,
    /// Whether it is suspended.
    pub suspended: bool,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// The person, signed in or by the own card: what the person may counts.
    Person,
    /// The person by a rotating number, which opens a door once.
    Number,
    /// A blocked card.
    BlockedCard,
    /// A pass whose signature and time were checked: what the pass says counts.
    Pass {
        /// What it says.
        claims: PassClaims,
        /// Whether it was revoked.
        revoked: bool,
    },
    /// The word of somebody who runs the community, with a reason that is kept.
    Override,
}

/// What happened before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct History {
    /// The last decision about this person at this door that let the person ask on.
    pub last_at: Option<Timestamp>,
    /// How many there were in the last hour.
    pub in_hour: u32,
    /// How often this (pass, step) opened this door.
    pub uses: u32,
    /// Which way the person went last through any door of the community that leads one way.
    pub last_direction: Option<Direction>,
}

/// One question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask<'a> {
    /// The door.
    pub place: &'a Place,
    /// Who.
    pub subject: &'a Subject,
    /// With what.
    pub shown: &'a Shown,
    /// What happened before.
    pub history: &'a History,
    /// When.
    pub now: Timestamp,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether the door opens.
    pub allowed: bool,
    /// Why.
    pub reason: Reason,
    /// Allowed, although the person goes the same way twice: soft anti-passback flags and does not stop.
    pub passback: bool,
}

impl Decision {
    /// No, for this reason.
    #[must_use]
    pub fn refused(reason: Reason) -> Self {
        Self {
            allowed: false,
            reason,
            passback: false,
        }
    }
}

/// Decides. A fire comes first, then the word of those who run the place, then what forbids, then what allows.
#[must_use]
pub fn decide(ask: Ask<'_>) -> Decision {
    let reason = reason(&ask);
    let (Direction::Entry | Direction::Exit) = ask.place.direction else {
        return Decision {
            allowed: reason.allows(),
            reason,
            passback: false,
        };
    };
    Decision {
        allowed: reason.allows(),
        reason,
        passback: reason.allows()
            && reason != Reason::Released
            && ask.history.last_direction == Some(ask.place.direction),
    }
}

fn reason(ask: &Ask<'_>) -> Reason {
    let Ask {
        place,
        subject,
        shown,
        history,
        now,
    } = *ask;
    if place.released {
        return Reason::Released;
    }
    if !place.online {
        return Reason::DoorOffline;
    }
    let reason = match shown {
        Shown::Override => return Reason::Override,
        Shown::BlockedCard => return Reason::CardBlocked,
        Shown::Pass { claims, revoked } => by_pass(place, claims, *revoked, subject, now),
        Shown::Person | Shown::Number => by_person(place, subject, now),
    };
    if !reason.allows() {
        return reason;
    }
    let uses_max = match shown {
        Shown::Pass { claims, .. } => u32::from(claims.uses_max),
        Shown::Number => 1,
        _ => u32::MAX,
    };
    if history.uses >= uses_max {
        return Reason::AlreadyUsed;
    }
    let since = history.last_at.map(|last| now.millis_since(last));
    match since {
        // A clock that was put back makes a negative distance; it is no reason to wait.
        Some(since) if (0..INTERVAL_MS_MIN).contains(&since) => Reason::TooFast,
        _ if history.in_hour >= HOUR_MAX => Reason::TooOften,
        _ => reason,
    }
}

fn by_pass(
    place: &Place,
    claims: &PassClaims,
    revoked: bool,
    subject: &Subject,
    now: Timestamp,
) -> Reason {
    if claims.tenant != place.tenant || claims.community != place.community {
        return Reason::PassForeign;
    }
    if revoked {
        return Reason::PassRevoked;
    }
    if subject.suspended {
        return Reason::PersonSuspended;
    }
    let belongs = claims.targets.iter().map(|target| Belongs {
        target: target.clone(),
        holder: claims.holder,
        window: None,
    });
    let by_group = by_groups(place, &belongs.collect::<Vec<_>>(), now);
    if by_group.allows() || by_person(place, subject, now).allows() {
        return Reason::Pass;
    }
    by_group
}

/// A person with a single grant and memberships may open when either allows it; the refusal that says most is told.
fn by_person(place: &Place, subject: &Subject, now: Timestamp) -> Reason {
    if subject.suspended {
        return Reason::PersonSuspended;
    }
    let by_group = by_groups(place, &subject.belongs, now);
    if by_group.allows() {
        return by_group;
    }
    match subject.grant {
        None => by_group,
        Some(grant) if grant.suspended => Reason::GrantSuspended,
        Some(grant) if grant.window.holds(now) => Reason::Granted,
        Some(_) if by_group == Reason::OutsideSchedule => by_group,
        Some(grant) if now.millis() < grant.window.from => Reason::GrantNotYetValid,
        Some(_) => Reason::GrantExpired,
    }
}

fn by_groups(place: &Place, belongs: &[Belongs], now: Timestamp) -> Reason {
    let mut found = Reason::NoGrant;
    for group in &place.groups {
        for belonging in belongs {
            if !group.admits(belonging) {
                continue;
            }
            match belonging.window {
                Some(window) if now.millis() < window.from => {
                    found = better(found, Reason::GrantNotYetValid);
                }
                Some(window) if !window.holds(now) => found = better(found, Reason::GrantExpired),
                _ if group.is_open(now) => return Reason::Member,
                _ => found = Reason::OutsideSchedule,
            }
        }
    }
    found
}

/// What says more about why not.
fn better(found: Reason, other: Reason) -> Reason {
    if found == Reason::NoGrant {
        other
    } else {
        found
    }
}

impl Group {
    fn admits(&self, belonging: &Belongs) -> bool {
        if belonging.holder == Holder::Visitor && !self.visitors {
            return false;
        }
        if let Target::Group(group) = &belonging.target {
            return *group == self.id;
        }
        self.admits
            .iter()
            .any(|admitted| match (admitted, &belonging.target) {
                (Target::Community, _) => true,
                (Target::Building(wanted), Target::Building(found) | Target::Unit(found, _)) => {
                    wanted == found
                }
                (Target::Unit(..), found) => admitted == found,
                _ => false,
            })
    }

    fn is_open(&self, now: Timestamp) -> bool {
        self.windows
            .as_ref()
            .is_none_or(|windows| windows.iter().any(|window| window.holds(now)))
    }
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
