//! A snapshot made ready for decisions: what a gate asks while its uplink is cut, and as well when it is not.

use std::collections::HashMap;

use kernel::{ActorId, DeviceId, PassId, Timestamp};
use wire::audit::Credential;
use wire::pass::{self, Holder, PassClaims};
use wire::snapshot::{Belonging, Card, Door, Member, Pass, Snapshot};

use crate::{Ask, Belongs, Decision, Group, Held, History, Place, Reason, Shown, Subject, decide};

/// A snapshot with what finds a card, a person or a pass in it.
#[derive(Debug)]
pub struct Gate {
    snapshot: Snapshot,
    doors: HashMap<DeviceId, usize>,
    members: HashMap<ActorId, usize>,
    cards: HashMap<u64, usize>,
    passes: HashMap<PassId, usize>,
    /// What may stand behind the upper 24 bits of a short number.
    handles: HashMap<u64, Vec<Behind>>,
    short_key: Option<[u8; 32]>,
}

#[derive(Debug, Clone)]
enum Behind {
    Member(PassId, usize),
    Visitor(usize),
}

/// What was shown at the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// The number of a card.
    Card(u64),
    /// The text of a QR code.
    Text(String),
    /// A 64-bit number that is no card's.
    Number(u64),
}

/// Who was recognised by what was shown, before anything is decided: enough to look up what happened before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    /// With what.
    pub credential: Credential,
    /// Who, when it told.
    pub person: Option<ActorId>,
    /// Which pass, when it was one of ours: uses are counted for (pass, step) and door.
    pub pass: Option<PassId>,
    /// Its step.
    pub step: Option<u64>,
    /// What it counts for, or why it counts for nothing.
    pub shown: Result<Shown, Reason>,
}

impl Gate {
    /// Makes a verified snapshot ready.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        let doors = positions(&snapshot.doors, |door| door.id.clone());
        let members = positions(&snapshot.members, |member| member.person.clone());
        let cards = positions(&snapshot.cards, |card| card.number);
        let passes = positions(&snapshot.passes, |pass| pass.id.clone());
        let mut handles: HashMap<u64, Vec<Behind>> = HashMap::new();
        for (place, member) in snapshot.members.iter().enumerate() {
            let own = pass::personal_pass(&snapshot.tenant, &member.person);
            if let Some(own) = own {
                let behind = handles.entry(pass::short_handle(&own)).or_default();
                behind.push(Behind::Member(own, place));
            }
        }
        for (place, visitor) in snapshot.passes.iter().enumerate() {
            let behind = handles.entry(pass::short_handle(&visitor.id)).or_default();
            behind.push(Behind::Visitor(place));
        }
        Self {
            short_key: key_of(&snapshot.short_key),
            snapshot,
            doors,
            members,
            cards,
            passes,
            handles,
        }
    }

    /// What it was made of.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Who stands there.
    #[must_use]
    pub fn recognise(&self, presented: &Presented, now: Timestamp) -> Recognised {
        match presented {
            Presented::Card(number) => self.by_card(*number),
            Presented::Text(text) => self.by_text(text, now),
            Presented::Number(number) => self.by_number(*number, now),
        }
    }

    /// Whether that door opens for who was recognised.
    #[must_use]
    pub fn decide(
        &self,
        door: &DeviceId,
        recognised: &Recognised,
        history: &History,
        now: Timestamp,
    ) -> Decision {
        let position = self.doors.get(door).copied();
        let found = position.and_then(|at| Some((at, self.snapshot.doors.get(at)?)));
        let Some((place, subject)) = found.and_then(|(at, door)| {
            let subject = self.subject(at, door, recognised.person.as_ref());
            Some((self.place(door)?, subject))
        }) else {
            return Decision::refused(Reason::DoorUnknown);
        };
        let shown = match &recognised.shown {
            _ if place.released => &Shown::Person,
            Err(reason) => return Decision::refused(*reason),
            Ok(shown) => shown,
        };
        let of_staff = subject
            .belongs
            .iter()
            .any(|belongs| belongs.holder == Holder::Staff);
        let by_card = recognised.credential == Credential::Card;
        if self.snapshot.expires_at <= now && !place.released && !(by_card && of_staff) {
            return Decision::refused(Reason::SnapshotExpired);
        }
        decide(Ask {
            place: &place,
            subject: &subject,
            shown,
            history,
            now,
        })
    }

    fn by_card(&self, number: u64) -> Recognised {
        let card = self.cards.get(&number);
        let card: Option<&Card> = card.and_then(|at| self.snapshot.cards.get(*at));
        Recognised {
            credential: Credential::Card,
            person: card.map(|card| card.person.clone()),
            pass: None,
            step: None,
            shown: match card {
                None => Err(Reason::CardUnknown),
                Some(card) if card.blocked => Ok(Shown::BlockedCard),
                Some(_) => Ok(Shown::Person),
            },
        }
    }

    fn by_text(&self, text: &str, now: Timestamp) -> Recognised {
        let read = pass::read(text, &self.snapshot.keys);
        let (person, pass, step) = match &read {
            Ok(claims) => (
                claims.person.clone(),
                Some(claims.pass.clone()),
                Some(claims.step),
            ),
            Err(_) => (None, None, None),
        };
        let shown = read.and_then(|_| pass::verify(text, &self.snapshot.keys, now));
        Recognised {
            credential: Credential::Pass,
            person,
            pass,
            step,
            shown: shown
                .map(|claims| self.pass_shown(claims))
                .map_err(Reason::from),
        }
    }

    fn by_number(&self, number: u64, now: Timestamp) -> Recognised {
        let mut recognised = Recognised {
            credential: Credential::ShortCode,
            person: None,
            pass: None,
            step: None,
            shown: Err(Reason::CodeUnknown),
        };
        let Some(key) = &self.short_key else {
            return recognised;
        };
        for behind in self.handles.get(&(number >> 40)).into_iter().flatten() {
            match behind {
                Behind::Member(own, at) => {
                    let step = pass::short_step(key, own, true, number, now);
                    let member = self.snapshot.members.get(*at);
                    if let Some((step, member)) = step.zip(member) {
                        recognised.person = Some(member.person.clone());
                        recognised.pass = Some(own.clone());
                        recognised.step = Some(step);
                        recognised.shown = Ok(Shown::Number);
                    }
                }
                Behind::Visitor(at) => {
                    let Some(visitor) = self.snapshot.passes.get(*at) else {
                        continue;
                    };
                    if pass::short_step(key, &visitor.id, false, number, now).is_some() {
                        recognised.pass = Some(visitor.id.clone());
                        recognised.step = Some(0);
                        recognised.shown = self.visitor_shown(visitor, now);
                    }
                }
            }
        }
        recognised
    }

    fn pass_shown(&self, claims: PassClaims) -> Shown {
        let revoked = self.snapshot.revoked_passes.contains(&claims.pass);
        // The visit may have been given another window since the text was made.
        let uses_max = self
            .passes
            .get(&claims.pass)
            .and_then(|at| self.snapshot.passes.get(*at))
            .map_or(claims.uses_max, |pass| pass.uses_max);
        let claims = PassClaims { uses_max, ..claims };
        Shown::Pass { claims, revoked }
    }

    fn visitor_shown(&self, visitor: &Pass, now: Timestamp) -> Result<Shown, Reason> {
        let at = usize::try_from(visitor.community).ok();
        let community = at.and_then(|at| self.snapshot.communities.get(at));
        let community = community.ok_or(Reason::PassMalformed)?.clone();
        let moment = |millis| Timestamp::from_millis(millis).map_err(|_| Reason::PassMalformed);
        if now.millis() < visitor.window.from {
            return Err(Reason::PassNotYetValid);
        }
        if visitor.window.until <= now.millis() {
            return Err(Reason::PassExpired);
        }
        Ok(self.pass_shown(PassClaims {
            pass: visitor.id.clone(),
            tenant: self.snapshot.tenant.clone(),
            community,
            holder: Holder::Visitor,
            person: None,
            targets: visitor.targets.clone(),
            not_before: moment(visitor.window.from)?,
            expires_at: moment(visitor.window.until)?,
            uses_max: visitor.uses_max,
            step: 0,
        }))
    }

    fn place(&self, door: &Door) -> Option<Place> {
        let community = usize::try_from(door.community).ok()?;
        let groups = self.snapshot.groups.iter();
        let groups = groups.filter(|group| group.doors.contains(&door.id));
        Some(Place {
            tenant: self.snapshot.tenant.clone(),
            community: self.snapshot.communities.get(community)?.clone(),
            direction: door.direction,
            released: door.released,
            online: true,
            groups: groups
                .map(|group| Group {
                    id: group.id.clone(),
                    admits: group.admits.clone(),
                    visitors: group.visitors,
                    windows: group.windows.clone(),
                })
                .collect(),
        })
    }

    fn subject(&self, at: usize, door: &Door, person: Option<&ActorId>) -> Subject {
        let member = person.and_then(|person| self.members.get(person));
        let member: Option<&Member> = member.and_then(|at| self.snapshot.members.get(*at));
        let Some(member) = member else {
            return Subject::default();
        };
        let here = |belonging: &&Belonging| belonging.community == door.community;
        let grant = member
            .grants
            .iter()
            .find(|grant| usize::try_from(grant.door) == Ok(at));
        Subject {
            belongs: member
                .belongs
                .iter()
                .filter(here)
                .map(|belonging| Belongs {
                    target: belonging.target.clone(),
                    holder: belonging.holder,
                    window: belonging.window,
                })
                .collect(),
            grant: grant.map(|grant| Held {
                window: grant.window,
                suspended: grant.suspended,
            }),
            suspended: member.suspended.contains(&door.community),
        }
    }
}

fn positions<Item, Key: std::hash::Hash + Eq>(
    items: &[Item],
    key: impl Fn(&Item) -> Key,
) -> HashMap<Key, usize> {
    items
        .iter()
        .enumerate()
        .map(|(at, item)| (key(item), at))
        .collect()
}

fn key_of(hex: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    if hex.len() != 64 {
        return None;
    }
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
