//! The parts of a snapshot, gathered from the rows of its statements.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use kernel::{ActorId, CommunityId, DeviceId, DoorGroupId, PassId, TenantId, Timestamp, Zone};
use store::{Db, Row};
use wire::pass::Target;
use wire::snapshot::{Belonging, Card, Direction, Door, Group, Member, Pass, SingleGrant, Window};

use crate::domain::windows;
use crate::rows::read_schedule_parts;
use crate::store::decide::{holder_of, home, read_targets};
use crate::store::snapshot::{self as sql, Span};

/// What was gathered so far.
pub(super) struct Making {
    pub(super) communities: Vec<CommunityId>,
    pub(super) zones: BTreeMap<u32, Zone>,
    pub(super) doors: Vec<Door>,
    pub(super) groups: Vec<Group>,
    pub(super) members: BTreeMap<ActorId, Member>,
    pub(super) passes: Vec<Pass>,
    pub(super) revoked: Vec<PassId>,
}

impl Making {
    pub(super) fn of_doors(rows: &[Row]) -> anyhow::Result<Self> {
        let communities: BTreeSet<CommunityId> =
            rows.iter().map(|row| row.id(1)).collect::<Result<_, _>>()?;
        let mut making = Self {
            communities: communities.into_iter().collect(),
            zones: BTreeMap::new(),
            doors: Vec::new(),
            groups: Vec::new(),
            members: BTreeMap::new(),
            passes: Vec::new(),
            revoked: Vec::new(),
        };
        for row in rows {
            let community = making.community(row.text(1)?)?;
            making.zones.insert(community, Zone::parse(row.text(5)?)?);
            making.doors.push(Door {
                id: row.id(0)?,
                community,
                direction: Direction::parse(row.text(2)?).unwrap_or_default(),
                released: row.boolean(3)?,
                unlock_ms: u32::try_from(row.integer(4)?)?,
            });
        }
        Ok(making)
    }

    pub(super) fn add_groups(&mut self, rows: &[Row], span: Span) -> anyhow::Result<()> {
        for row in rows {
            let community = self.community(row.text(1)?)?;
            let zone = self.zones.get(&community).copied();
            let schedule = match row.optional_text(4)? {
                None => None,
                Some(_) => Some(read_schedule_parts(row, 4)?),
            };
            let zone = zone.unwrap_or(Zone::SHANGHAI);
            let named: BTreeSet<&str> = row
                .optional_text(10)?
                .unwrap_or_default()
                .split_whitespace()
                .collect();
            let doors = self.doors.iter().map(|door| &door.id);
            let doors = doors.filter(|door| named.contains(door.as_str())).cloned();
            self.groups.push(Group {
                id: row.id(0)?,
                community,
                admits: read_targets(row.text(2)?)?,
                visitors: row.boolean(3)?,
                doors: doors.collect(),
                windows: schedule.map(|schedule| windows(&schedule, zone, span.from, span.until)),
            });
        }
        Ok(())
    }

    pub(super) async fn add_community(
        &mut self,
        db: &Db,
        tenant: &TenantId,
        community: &CommunityId,
        span: Span,
    ) -> anyhow::Result<()> {
        let position = self.community(community.as_str())?;
        for row in sql::members(db, tenant, community.as_str(), span).await? {
            self.add_members(position, &row)?;
        }
        for row in sql::group_members(db, tenant, community.as_str(), span).await? {
            self.add_explicit(position, &row)?;
        }
        for row in sql::suspended(db, tenant, community.as_str()).await? {
            for person in row.text(1)?.split(',') {
                self.member(person)?.suspended.push(position);
            }
        }
        for row in sql::passes(db, tenant, community.as_str(), span).await? {
            self.add_pass(position, &row)?;
        }
        Ok(())
    }

    /// Orders everything, and leaves out when something began that holds already: it would only make the text longer.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let begun = |window: Window| Window {
            from: if window.from <= now.millis() {
                0
            } else {
                window.from
            },
            ..window
        };
        for member in self.members.values_mut() {
            for belonging in &mut member.belongs {
                let window = belonging.window.map(begun);
                belonging.window = window.filter(|window| *window != ALWAYS);
            }
            member.belongs.sort_by_cached_key(order);
            for grant in &mut member.grants {
                grant.window = begun(grant.window);
            }
        }
    }

    fn add_members(&mut self, community: u32, row: &Row) -> anyhow::Result<()> {
        let building = Some(row.text(1)?).filter(|building| !building.is_empty());
        for text in row.text(2)?.split(',') {
            let mut words = text.split(' ');
            let mut word = || words.next().context("a member's words");
            let (role, unit, person) = (word()?, word()?, word()?);
            let window = window(word()?, word()?)?;
            let target = home(building, Some(unit).filter(|unit| *unit != "-"))?;
            if !self.admits(community, &target) {
                continue;
            }
            self.member(person)?.belongs.push(Belonging {
                community,
                target,
                holder: holder_of(role),
                window: Some(window),
            });
        }
        Ok(())
    }

    fn add_explicit(&mut self, community: u32, row: &Row) -> anyhow::Result<()> {
        let group: DoorGroupId = row.id(0)?;
        if !self.groups.iter().any(|known| known.id == group) {
            return Ok(());
        }
        for text in row.text(1)?.split(',') {
            let (person, window) = person_window(text)?;
            self.member(person)?.belongs.push(Belonging {
                community,
                target: Target::Group(group.clone()),
                holder: holder_of("explicit"),
                window: Some(window),
            });
        }
        Ok(())
    }

    pub(super) fn add_grants(&mut self, row: &Row) -> anyhow::Result<()> {
        let id: DeviceId = row.id(0)?;
        let door = self.doors.iter().position(|door| door.id == id);
        let door = u32::try_from(door.context("a grant for a door of the gateway")?)?;
        let suspended = row.text(1)? == "suspended";
        for text in row.text(2)?.split(',') {
            let (person, window) = person_window(text)?;
            self.member(person)?.grants.push(SingleGrant {
                door,
                window,
                suspended,
            });
        }
        Ok(())
    }

    fn add_pass(&mut self, community: u32, row: &Row) -> anyhow::Result<()> {
        if row.boolean(7)? {
            self.revoked.push(row.id(0)?);
            return Ok(());
        }
        self.passes.push(Pass {
            id: row.id(0)?,
            community,
            targets: vec![home(Some(row.text(2)?), Some(row.text(3)?))?],
            window: Window {
                from: row.integer(4)?,
                until: row.integer(5)?,
            },
            uses_max: u16::try_from(row.integer(6)?)?,
        });
        Ok(())
    }

    /// The cards of those who are in the snapshot.
    pub(super) fn cards(&self, rows: &[Row]) -> anyhow::Result<Vec<Card>> {
        let mut cards = Vec::new();
        for row in rows {
            let blocked = row.text(0)? == "blocked";
            for text in row.text(1)?.split(',') {
                let (number, person) = text.split_once(' ').context("a card's words")?;
                let person = ActorId::parse(person)?;
                if self.members.contains_key(&person) {
                    let number = number.parse()?;
                    cards.push(Card {
                        number,
                        person,
                        blocked,
                    });
                }
            }
        }
        Ok(cards)
    }

    /// Whether any group here has something for those who belong there; it spares a gate half of the town.
    fn admits(&self, community: u32, target: &Target) -> bool {
        self.groups.iter().any(|group| {
            group.community == community
                && group
                    .admits
                    .iter()
                    .any(|admitted| match (admitted, target) {
                        (Target::Community, _) => true,
                        (
                            Target::Building(wanted),
                            Target::Building(found) | Target::Unit(found, _),
                        ) => wanted == found,
                        (wanted, found) => wanted == found,
                    })
        })
    }

    fn member(&mut self, person: &str) -> anyhow::Result<&mut Member> {
        let person = ActorId::parse(person)?;
        let member = self.members.entry(person.clone());
        Ok(member.or_insert_with(|| Member {
            person,
            belongs: Vec::new(),
            grants: Vec::new(),
            suspended: Vec::new(),
        }))
    }

    fn community(&self, id: &str) -> anyhow::Result<u32> {
        let mut known = self.communities.iter();
        let at = known.position(|community| community.as_str() == id);
        Ok(u32::try_from(at.context("a community of the gateway")?)?)
    }
}

/// The window of what has no end and began long ago.
const ALWAYS: Window = Window {
    from: 0,
    until: i64::MAX,
};

fn order(belonging: &Belonging) -> (u32, String, Option<Window>) {
    (
        belonging.community,
        belonging.target.pack(),
        belonging.window,
    )
}

fn person_window(text: &str) -> anyhow::Result<(&str, Window)> {
    let mut words = text.split(' ');
    let mut word = || words.next().context("a person's words");
    let person = word()?;
    Ok((person, window(word()?, word()?)?))
}

fn window(from: &str, until: &str) -> anyhow::Result<Window> {
    Ok(Window {
        from: from.parse()?,
        until: if until == "-" {
            i64::MAX
        } else {
            until.parse()?
        },
    })
}
