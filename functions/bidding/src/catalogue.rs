//! What an instance remembers of who can bid for places: nothing that is not proven fresh by each request, by the version
//! that grows in the transaction of each change. No budget and no counter is ever remembered.

use std::sync::Arc;

use advertising::Memory;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{BidCampaignId, CreativeId, TenantId};
use sha2::{Digest as _, Sha256};

use crate::domain::{Kind, Quality, TargetKind};
use crate::record::Offered;
use crate::store::candidates::{Candidate, Candidates, Content};

/// How much is remembered at most, in bytes, about; then everything is forgotten and learnt again.
pub const REMEMBERED_BYTES_MAX: usize = 256 * 1024;
/// What the texts of a candidate take beside it, about.
const CANDIDATE_BYTES: usize = 192;
/// What the names of a place or a creative take, about.
const NAMES_BYTES: usize = 128;
/// How much of a digest names a lineup, in bytes.
const DIGEST_BYTES: usize = 16;

/// As of which version of the tenant's changes, and in which hour, somebody can bid.
pub(crate) type AsOf = (i64, i64);
/// A tenant's place, and what is sold there.
pub(crate) type Of<'a> = (&'a TenantId, Kind, TargetKind, &'a str);
/// As [`Of`].
type Key = (TenantId, Kind, TargetKind, String);

/// Who can bid for a place.
#[derive(Debug)]
pub(crate) struct Lineup {
    /// The digest of the bids.
    pub(crate) id: String,
    pub(crate) all: Vec<Candidate>,
    /// Those whose quality is not frozen yet.
    pub(crate) new: Vec<(BidCampaignId, Quality)>,
    /// Whether rounds may refer to it: its qualities are frozen, and its bids are stored.
    pub(crate) is_fixed: bool,
}

impl Lineup {
    /// Who can bid; not fixed unless there is nobody.
    pub(crate) fn of(found: Candidates) -> anyhow::Result<Self> {
        let mut lineup = Self {
            id: String::new(),
            is_fixed: found.all.is_empty(),
            all: found.all,
            new: found.new,
        };
        let digest = Sha256::digest(lineup.bids()?);
        lineup.id = URL_SAFE_NO_PAD.encode(digest.get(..DIGEST_BYTES).unwrap_or(&digest));
        Ok(lineup)
    }

    /// The bids as they are stored.
    pub(crate) fn bids(&self) -> anyhow::Result<String> {
        let offered: Vec<Offered> = self.all.iter().map(Offered::by).collect();
        Ok(serde_json::to_string(&offered)?)
    }

    fn bytes(&self) -> usize {
        let one = size_of::<Candidate>() + CANDIDATE_BYTES;
        let new = self.new.len() * size_of::<(BidCampaignId, Quality)>();
        NAMES_BYTES + one * self.all.len() + new
    }
}

/// What is remembered; shared by all requests of an instance.
#[derive(Clone)]
pub struct Catalogue(Memory<Key, AsOf, Lineup, Content>);

impl Default for Catalogue {
    fn default() -> Self {
        Self(Memory::up_to(REMEMBERED_BYTES_MAX))
    }
}

impl Catalogue {
    /// Who can bid for a place, if that is what is remembered.
    pub(crate) fn lineup(&self, of: Of<'_>, as_of: AsOf) -> Option<Arc<Lineup>> {
        self.0.whole(&key(of), &as_of)
    }

    /// What people see of a creative of somebody who bids there, if that is what is remembered.
    pub(crate) fn content(
        &self,
        of: Of<'_>,
        (as_of, creative): (AsOf, &CreativeId),
    ) -> Option<Arc<Content>> {
        self.0.part(&key(of), &as_of, creative)
    }

    /// Remembers who can bid for a place. It was read after its version, so that it is not older.
    pub(crate) fn keep(&self, of: Of<'_>, as_of: AsOf, lineup: &Arc<Lineup>) {
        self.0.keep(key(of), as_of, (lineup, lineup.bytes()));
    }

    /// Remembers what people see of a creative of somebody who bids there, read after the version as well.
    pub(crate) fn keep_content(
        &self,
        of: Of<'_>,
        (as_of, creative): (AsOf, &CreativeId),
        content: &Arc<Content>,
    ) {
        let bytes = content.bytes() + NAMES_BYTES;
        self.0
            .keep_part(&key(of), &as_of, creative, (content, bytes));
    }
}

fn key((tenant, sold, kind, value): Of<'_>) -> Key {
    (tenant.clone(), sold, kind, value.to_owned())
}

impl Content {
    fn bytes(&self) -> usize {
        let texts = [&self.advertiser, &self.title, &self.body, &self.landing];
        let links = [&self.image, &self.video].into_iter().flatten();
        let links = links.map(String::len).sum::<usize>();
        size_of::<Self>() + links + texts.map(String::len).iter().sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody() -> Arc<Lineup> {
        Arc::new(Lineup::of(Candidates::default()).unwrap())
    }

    #[test]
    fn only_what_is_of_that_version_and_hour_is_remembered() {
        let catalogue = Catalogue::default();
        let tenant = TenantId::parse("demo").unwrap();
        let of = |value| (&tenant, Kind::Display, TargetKind::Exchange, value);
        catalogue.keep(of("*"), (3, 7), &nobody());
        let known = |as_of| catalogue.lineup(of("*"), as_of).is_some();
        assert!(known((3, 7)));
        assert!(!known((4, 7)) && !known((2, 7)) && !known((3, 8)));
        assert!(catalogue.lineup(of("news.example"), (3, 7)).is_none());
    }
}
