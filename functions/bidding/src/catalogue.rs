//! What an instance remembers of who can bid for places: nothing that is not proven fresh by each request, by the version
//! that grows in the transaction of each change. No budget and no counter is ever remembered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
        size_of::<Place>() + NAMES_BYTES + one * self.all.len() + new
    }
}

/// What is remembered; shared by all requests of an instance.
#[derive(Clone, Default)]
pub struct Catalogue(Arc<Mutex<Remembered>>);

#[derive(Default)]
struct Remembered {
    places: BTreeMap<Key, Place>,
    bytes: usize,
}

struct Place {
    as_of: AsOf,
    lineup: Arc<Lineup>,
    contents: BTreeMap<CreativeId, Arc<Content>>,
    bytes: usize,
}

impl Catalogue {
    /// Who can bid for a place, if that is what is remembered.
    pub(crate) fn lineup(&self, of: Of<'_>, as_of: AsOf) -> Option<Arc<Lineup>> {
        let remembered = self.remembered();
        let place = remembered.places.get(&key(of))?;
        (place.as_of == as_of).then(|| Arc::clone(&place.lineup))
    }

    /// What people see of a creative of somebody who bids there, if that is what is remembered.
    pub(crate) fn content(
        &self,
        of: Of<'_>,
        (as_of, creative): (AsOf, &CreativeId),
    ) -> Option<Arc<Content>> {
        let remembered = self.remembered();
        let place = remembered.places.get(&key(of))?;
        let content = place.contents.get(creative)?;
        (place.as_of == as_of).then(|| Arc::clone(content))
    }

    /// Remembers who can bid for a place. It was read after its version, so that it is not older.
    pub(crate) fn keep(&self, of: Of<'_>, as_of: AsOf, lineup: &Arc<Lineup>) {
        let mut remembered = self.remembered();
        let (key, bytes) = (key(of), lineup.bytes());
        if let Some(before) = remembered.places.remove(&key) {
            remembered.bytes -= before.bytes.min(remembered.bytes);
        }
        if !remembered.makes_room(bytes) {
            return;
        }
        let place = Place {
            as_of,
            lineup: Arc::clone(lineup),
            contents: BTreeMap::new(),
            bytes,
        };
        remembered.places.insert(key, place);
    }

    /// Remembers what people see of a creative of somebody who bids there, read after the version as well.
    pub(crate) fn keep_content(
        &self,
        of: Of<'_>,
        (as_of, creative): (AsOf, &CreativeId),
        content: &Arc<Content>,
    ) {
        let bytes = content.bytes() + NAMES_BYTES;
        let mut remembered = self.remembered();
        if !remembered.makes_room(bytes) {
            return;
        }
        let place = remembered.places.get_mut(&key(of));
        // Gone when room had to be made.
        match place.filter(|place| place.as_of == as_of) {
            Some(place) => {
                place.contents.insert(creative.clone(), Arc::clone(content));
                place.bytes += bytes;
            }
            None => remembered.bytes -= bytes,
        }
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

impl Remembered {
    /// Counts that many bytes more, after all is forgotten where they would be too many; false when they always are.
    fn makes_room(&mut self, bytes: usize) -> bool {
        if bytes > REMEMBERED_BYTES_MAX {
            return false;
        }
        if self.bytes + bytes > REMEMBERED_BYTES_MAX {
            *self = Self::default();
        }
        self.bytes += bytes;
        true
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

    #[test]
    fn however_much_there_is_no_more_is_remembered_than_the_limit() {
        let catalogue = Catalogue::default();
        let tenant = TenantId::parse("demo").unwrap();
        for number in 0..5_000 {
            let value = format!("page-{number}.example");
            let of = (&tenant, Kind::Display, TargetKind::Exchange, value.as_str());
            catalogue.keep(of, (1, 1), &nobody());
            assert!(catalogue.lineup(of, (1, 1)).is_some());
            let remembered = catalogue.remembered();
            let counted: usize = remembered.places.values().map(|place| place.bytes).sum();
            assert_eq!(remembered.bytes, counted);
            assert!(counted <= REMEMBERED_BYTES_MAX);
        }
    }
}
