//! Snapshots: the permissions of one gateway for a day, built, versioned, signed and kept.
//!
//! A version is another when the content is another, or when the last one is a quarter of its life old, so that a gate
//! always holds one that lasts for a while.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use kernel::{ActorId, CommunityId, DeviceId, DoorGroupId, PassId, TenantId, Timestamp, Zone};
use store::{Db, Row, tx};
use wire::pass::{PassKey, Target, short_key};
use wire::snapshot::{
    Belonging, Card, Direction, Door, Group, Member, Pass, SNAPSHOT_MS, SingleGrant, Snapshot,
    WINDOW_SLACK_MS, Window, digest, sign,
};

use crate::context::Context;
use crate::domain::windows;
use crate::rows::read_schedule_parts;
use crate::store::decide::{holder_of, home, read_targets};
use crate::store::gateways::{self, Gateway, Kept};
use crate::store::snapshot::{self as sql, Span};

/// After how long a snapshot is renewed although nothing changed, in milliseconds.
pub const RENEW_MS: i64 = SNAPSHOT_MS / 4;

/// The gateway's snapshot as it should be now: the kept one, or a new one when permissions changed or it is old.
/// Nothing for a gateway without doors.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn current(
    context: &Context,
    tenant: &TenantId,
    gateway: &DeviceId,
) -> anyhow::Result<Option<Kept>> {
    let Some(stands) = gateways::gateway(&context.db, tenant, gateway).await? else {
        return Ok(None);
    };
    let is_old = context.now.millis_since(stands.made_at) >= RENEW_MS;
    if stands.changes == stands.built && !is_old && stands.version > 0 {
        return gateways::kept(&context.db, tenant, gateway).await;
    }
    renew(context, tenant, gateway, (&stands, is_old)).await?;
    gateways::kept(&context.db, tenant, gateway).await
}

/// Builds the snapshot anew; what is kept from now on, when that is another one than before.
pub(crate) async fn renew(
    context: &Context,
    tenant: &TenantId,
    gateway: &DeviceId,
    (stands, is_old): (&Gateway, bool),
) -> anyhow::Result<Option<(i64, String, u64)>> {
    let mut snapshot = build(context, tenant, gateway).await?;
    // Its own times and version are still those of nothing: they are no content.
    let content = digest(&serde_json::to_vec(&snapshot)?);
    let is_new = content != stands.content || is_old || stands.version == 0;
    let mut after = Gateway {
        built: stands.changes,
        content,
        ..stands.clone()
    };
    if !is_new {
        tx(&context.db, tenant, async |tx| {
            gateways::set_built(tx, gateway, &after).await
        })
        .await?;
        return Ok(None);
    }
    after.version = stands.version + 1;
    after.made_at = context.now;
    snapshot.version = after.version;
    snapshot.made_at = context.now;
    snapshot.expires_at = context.now.plus_millis(SNAPSHOT_MS);
    let bytes = sign(&snapshot, &context.pass_seed)?;
    let (sha256, length) = (digest(&bytes), u64::try_from(bytes.len())?);
    let body = String::from_utf8(bytes)?;
    let kept = Kept {
        version: after.version,
        sha256: sha256.clone(),
        body,
    };
    let stored = tx(&context.db, tenant, async |tx| {
        // Another request may have built meanwhile; versions are given once.
        let now = gateways::gateway(tx, tenant, gateway).await?;
        if now.is_none_or(|now| now.version != stands.version) {
            return Ok(false);
        }
        gateways::set_built(tx, gateway, &after).await?;
        gateways::keep(tx, gateway, kept.clone()).await?;
        Ok(true)
    })
    .await?;
    Ok(stored.then_some((after.version, sha256, length)))
}

/// What the gateway has to know, of this moment and the next day; without version and times.
async fn build(
    context: &Context,
    tenant: &TenantId,
    gateway: &DeviceId,
) -> anyhow::Result<Snapshot> {
    let db = &context.db;
    let span = Span {
        from: context.now,
        until: context.now.plus_millis(SNAPSHOT_MS + WINDOW_SLACK_MS),
    };
    let mut making = Making::of_doors(&sql::doors(db, tenant, gateway).await?)?;
    making.add_groups(&sql::groups(db, tenant, gateway).await?, span)?;
    for row in sql::grants(db, tenant, gateway, span).await? {
        making.add_grants(&row)?;
    }
    for community in making.communities.clone() {
        making.add_community(db, tenant, &community, span).await?;
    }
    making.settle(context.now);
    let mut cards = Vec::new();
    for community in &making.communities {
        cards.extend(making.cards(&sql::cards(db, tenant, community.as_str()).await?)?);
    }
    cards.sort_by_key(|card: &Card| card.number);
    let key = short_key(&context.pass_seed, tenant, gateway.as_str()).context("a short key")?;
    Ok(Snapshot {
        tenant: tenant.clone(),
        gateway: gateway.clone(),
        version: 0,
        made_at: Timestamp::EPOCH,
        expires_at: Timestamp::EPOCH,
        communities: making.communities,
        doors: making.doors,
        groups: making.groups,
        members: making.members.into_values().collect(),
        cards,
        passes: making.passes,
        revoked_passes: making.revoked,
        keys: vec![PassKey::of_seed(&context.pass_seed)],
        short_key: key.iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

struct Making {
    communities: Vec<CommunityId>,
    zones: BTreeMap<u32, Zone>,
    doors: Vec<Door>,
    groups: Vec<Group>,
    members: BTreeMap<ActorId, Member>,
    passes: Vec<Pass>,
    revoked: Vec<PassId>,
}

impl Making {
    fn of_doors(rows: &[Row]) -> anyhow::Result<Self> {
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

    fn add_groups(&mut self, rows: &[Row], span: Span) -> anyhow::Result<()> {
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

    async fn add_community(
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
    fn settle(&mut self, now: Timestamp) {
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

    fn add_grants(&mut self, row: &Row) -> anyhow::Result<()> {
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
    fn cards(&self, rows: &[Row]) -> anyhow::Result<Vec<Card>> {
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
