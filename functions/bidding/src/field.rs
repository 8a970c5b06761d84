//! Who can bid for what is looked at: learnt when it has changed, remembered otherwise, and fixed before a round is held,
//! so that rounds refer to bids that they have in common.

use std::collections::BTreeSet;
use std::sync::Arc;

use kernel::{BidCampaignId, TenantId};
use store::{Read, bulk};

use crate::catalogue::{AsOf, Lineup};
use crate::context::Context;
use crate::domain::{Kind, Target, hour_of};
use crate::offering::day_of;
use crate::store::candidates::{self, Candidate, Content, Place};
use crate::store::lineups;

/// The most bids of a round that are looked at for each name of a place, the highest first.
const BIDS_MAX: i64 = 200;

/// How often who can bid is looked up for one page, where it changes before the turn comes to offer what won.
const LOOKS_MAX: usize = 3;

/// Who can bid, or what they show, has changed since it was looked up: nothing of it was offered.
#[derive(Debug)]
pub(crate) struct Changed;

impl std::fmt::Display for Changed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("who can bid has changed since it was looked up")
    }
}

impl std::error::Error for Changed {}

/// What comes of looking who can bid and offering what won, tried anew where that has changed in between; nothing where it
/// always had.
///
/// # Errors
/// Those of `look`, but for [`Changed`].
pub(crate) async fn unchanged<T>(
    look: impl AsyncFn() -> anyhow::Result<T>,
) -> anyhow::Result<Option<T>> {
    for _ in 0..LOOKS_MAX {
        match look().await {
            Err(error) if error.is::<Changed>() => {}
            done => return done.map(Some),
        }
    }
    Ok(None)
}

/// Who can bid for what is looked at.
pub(crate) struct Field {
    as_of: AsOf,
    sold: Kind,
    kind: crate::domain::TargetKind,
    /// By the names of the place: the whole of a search comes first.
    places: Vec<(String, Arc<Lineup>)>,
    /// Whose budget bears no bid more.
    full: BTreeSet<BidCampaignId>,
}

/// Somebody who can bid now.
#[derive(Clone, Copy)]
pub(crate) struct Runner<'a> {
    /// Which of all the bids of the field.
    pub(crate) position: usize,
    /// Which of its places.
    place: usize,
    pub(crate) candidate: &'a Candidate,
}

impl Field {
    /// Who can bid now.
    ///
    /// # Errors
    /// A failure of the database.
    pub(crate) async fn now(
        context: &Context,
        tenant: &TenantId,
        (target, sold): (&Target, Kind),
    ) -> anyhow::Result<Self> {
        let day = day_of(context.now);
        let now = lineups::now(&context.db, (tenant, &day)).await?;
        let mut field = Self {
            as_of: (now.version, hour_of(context.now.millis())),
            sold,
            kind: target.kind,
            places: Vec::new(),
            full: now.full,
        };
        for value in target.looked_up() {
            let of = (tenant, sold, target.kind, value.as_str());
            let lineup = match context.catalogue.lineup(of, field.as_of) {
                Some(lineup) => lineup,
                None => field.learn(context, tenant, &value).await?,
            };
            field.places.push((value, lineup));
        }
        Ok(field)
    }

    /// As of which version of the tenant's changes.
    pub(crate) fn version(&self) -> i64 {
        self.as_of.0
    }

    async fn learn(
        &self,
        context: &Context,
        tenant: &TenantId,
        value: &str,
    ) -> anyhow::Result<Arc<Lineup>> {
        let when = (context.now, BIDS_MAX);
        let found = candidates::candidates(&context.db, (tenant, &self.place(value)), when).await?;
        let lineup = Arc::new(Lineup::of(found)?);
        let of = (tenant, self.sold, self.kind, value);
        context.catalogue.keep(of, self.as_of, &lineup);
        Ok(lineup)
    }

    fn place<'a>(&self, value: &'a str) -> Place<'a> {
        Place {
            kind: self.kind,
            value,
            sold: self.sold,
        }
    }

    /// Freezes what is not frozen yet for the hour, and stores the bids, so that a round can be held: once an hour and
    /// after each change.
    ///
    /// # Errors
    /// A failure of the database.
    pub(crate) async fn fix(&mut self, context: &Context, tenant: &TenantId) -> anyhow::Result<()> {
        for index in 0..self.places.len() {
            let Some((value, lineup)) = self.places.get(index) else {
                continue;
            };
            if lineup.is_fixed {
                continue;
            }
            let fixed = Arc::new(self.fixed(context, tenant, (value, lineup)).await?);
            let of = (tenant, self.sold, self.kind, value.as_str());
            context.catalogue.keep(of, self.as_of, &fixed);
            if let Some((_, lineup)) = self.places.get_mut(index) {
                *lineup = fixed;
            }
        }
        Ok(())
    }

    async fn fixed(
        &self,
        context: &Context,
        tenant: &TenantId,
        (value, lineup): (&str, &Lineup),
    ) -> anyhow::Result<Lineup> {
        let (place, hour) = (self.place(value), self.as_of.1);
        bulk(&context.db, async |batch| {
            let new = (hour, lineup.new.as_slice());
            candidates::freeze(batch, (tenant, &place), new).await
        })
        .await?;
        // Somebody else may have frozen them before.
        let when = (context.now, BIDS_MAX);
        let found = candidates::candidates(&context.db, (tenant, &place), when).await?;
        let mut fixed = Lineup::of(found)?;
        let bids = fixed.bids()?;
        bulk(&context.db, async |batch| {
            lineups::insert(batch, tenant, (&fixed.id, &bids, context.now)).await
        })
        .await?;
        fixed.is_fixed = fixed.new.is_empty();
        Ok(fixed)
    }

    /// Those who bid now with a budget that bears it, each once: the whole of a search is what counts for those who bid
    /// on its words, too.
    pub(crate) fn runners(&self, context: &Context) -> Vec<Runner<'_>> {
        let mut runners: Vec<Runner<'_>> = Vec::new();
        let mut position = 0;
        for (place, (_, lineup)) in self.places.iter().enumerate() {
            let before = runners.len();
            for candidate in &lineup.all {
                let bids =
                    candidate.bids_at(context.now) && !self.full.contains(&candidate.campaign);
                let mut known = runners.iter().take(before);
                if bids && !known.any(|one| one.candidate.campaign == candidate.campaign) {
                    runners.push(Runner {
                        position,
                        place,
                        candidate,
                    });
                }
                position += 1;
            }
        }
        runners
    }

    /// The digests of the lineups that its bids stand in, in their order, and how many bids these have.
    pub(crate) fn lineups(&self) -> (Vec<String>, usize) {
        let filled = self.places.iter().map(|(_, lineup)| lineup);
        let filled: Vec<&Arc<Lineup>> = filled.filter(|lineup| !lineup.all.is_empty()).collect();
        let count = filled.iter().map(|lineup| lineup.all.len()).sum();
        (
            filled.iter().map(|lineup| lineup.id.clone()).collect(),
            count,
        )
    }

    /// What people see of who won there, remembered or read; nothing where the creative has gone meanwhile.
    ///
    /// # Errors
    /// A failure of the database.
    pub(crate) async fn content(
        &self,
        context: &Context,
        (db, tenant): (&impl Read, &TenantId),
        won: Runner<'_>,
    ) -> anyhow::Result<Option<Arc<Content>>> {
        let Some((value, _)) = self.places.get(won.place) else {
            return Ok(None);
        };
        let of = (tenant, self.sold, self.kind, value.as_str());
        let creative = (self.as_of, &won.candidate.creative);
        if let Some(content) = context.catalogue.content(of, creative) {
            return Ok(Some(content));
        }
        let read = candidates::content(db, tenant, &won.candidate.creative).await?;
        let read = read.map(Arc::new);
        if let Some(content) = &read {
            context.catalogue.keep_content(of, creative, content);
        }
        Ok(read)
    }
}
