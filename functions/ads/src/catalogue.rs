//! What an instance remembers of what stands in placements: nothing that is not proven fresh at every decision, by the
//! version that grows in the transaction of each change. No budget and no counter is ever remembered.

use std::sync::Arc;

use advertising::Memory;
use chrono::NaiveDate;
use kernel::{CommunityId, CreativeId, PlacementId, TenantId};

use crate::domain::serving::Candidate;
use crate::store::offers::{Shown, Standing};

/// How much is remembered at most, in bytes, about; then everything is forgotten and learnt again.
pub const REMEMBERED_BYTES_MAX: usize = 384 * 1024;
/// What the ids of a candidate take beside it, about.
const IDS_BYTES: usize = 128;
/// What the name of a community that a line is for takes beside it, about.
const COMMUNITY_BYTES: usize = 32;

/// As of which version of a placement, and on which day, something stands there.
pub(crate) type AsOf = (i64, NaiveDate);
/// A tenant's placement.
type Of<'a> = (&'a TenantId, &'a PlacementId);

/// What is remembered; shared by all requests of an instance.
#[derive(Clone)]
pub struct Catalogue(Memory<(TenantId, PlacementId), AsOf, Standing, Shown>);

impl Default for Catalogue {
    fn default() -> Self {
        Self(Memory::up_to(REMEMBERED_BYTES_MAX))
    }
}

impl Catalogue {
    /// What stands in a placement, if that is what is remembered.
    pub(crate) fn standing(&self, of: Of<'_>, as_of: AsOf) -> Option<Arc<Standing>> {
        self.0.whole(&key(of), &as_of)
    }

    /// What people see of a creative that stands there, if that is what is remembered.
    pub(crate) fn shown(
        &self,
        of: Of<'_>,
        as_of: AsOf,
        creative: &CreativeId,
    ) -> Option<Arc<Shown>> {
        self.0.part(&key(of), &as_of, creative)
    }

    /// Remembers what stands in a placement. It was read after its version, so that it is not older.
    pub(crate) fn keep(&self, of: Of<'_>, as_of: AsOf, standing: &Arc<Standing>) {
        let bytes = IDS_BYTES + standing.candidates.iter().map(bytes).sum::<usize>();
        self.0.keep(key(of), as_of, (standing, bytes));
    }

    /// Remembers what people see of a creative that stands there, read after the version as well.
    pub(crate) fn keep_shown(&self, of: Of<'_>, as_of: AsOf, shown: &Arc<Shown>) {
        let bytes = shown.bytes() + IDS_BYTES;
        self.0
            .keep_part(&key(of), &as_of, &shown.id, (shown, bytes));
    }
}

/// How many bytes a candidate takes to remember, about.
fn bytes(candidate: &Candidate) -> usize {
    let communities = &candidate.targeting.communities;
    size_of::<Candidate>()
        + IDS_BYTES
        + size_of_val(candidate.caps.as_slice())
        + size_of_val(candidate.targeting.kinds.as_slice())
        + communities.len() * (size_of::<CommunityId>() + COMMUNITY_BYTES)
}

fn key((tenant, placement): Of<'_>) -> (TenantId, PlacementId) {
    (tenant.clone(), placement.clone())
}

#[cfg(test)]
mod tests {
    use advertising::{Cap, CapScope, Window};
    use kernel::{ActorKind, AdLineId, MerchantId};

    use super::*;
    use crate::domain::Subject;
    use crate::domain::placement::{Pricing, ReviewClass};
    use crate::domain::wish::{Pacing, Targeting};

    fn ids(number: usize) -> (TenantId, PlacementId) {
        let placement = PlacementId::parse(&format!("p{number}")).unwrap();
        (TenantId::parse("demo").unwrap(), placement)
    }

    #[test]
    fn only_what_is_of_that_version_and_day_is_remembered() {
        let catalogue = Catalogue::default();
        let (tenant, placement) = ids(1);
        let today: NaiveDate = "2026-11-02".parse().unwrap();
        let tomorrow: NaiveDate = "2026-11-03".parse().unwrap();
        catalogue.keep((&tenant, &placement), (3, today), &Arc::default());
        let known = |as_of| catalogue.standing((&tenant, &placement), as_of).is_some();
        assert!(known((3, today)));
        assert!(!known((4, today)) && !known((2, today)) && !known((3, tomorrow)));
        let other = PlacementId::parse("p2").unwrap();
        assert!(catalogue.standing((&tenant, &other), (3, today)).is_none());
    }
    /// The most that a line may ask for: 50 communities and 8 caps.
    fn demanding() -> Candidate {
        let communities = (0..50).map(|number| CommunityId::parse(&format!("c{number}")).unwrap());
        let cap = Cap {
            scope: CapScope::Line,
            window: Window::Day,
            views: 1,
        };
        Candidate {
            line: AdLineId::parse("l").unwrap(),
            creative: CreativeId::parse("c").unwrap(),
            merchant: MerchantId::parse("m").unwrap(),
            weight: 1,
            caps: vec![cap; 8],
            targeting: Targeting {
                communities: communities.collect(),
                kinds: vec![ActorKind::Resident],
                minutes: None,
            },
            pacing: Pacing::Asap,
            ends_on: "2026-11-05".parse().unwrap(),
            pricing: Pricing::Day,
            bid: None,
            subject: Subject::General,
            review_class: ReviewClass::General,
        }
    }

    #[test]
    fn whom_lines_are_for_takes_memory_too() {
        let catalogue = Catalogue::default();
        let as_of = (1, "2026-11-02".parse().unwrap());
        let standing = Arc::new(Standing {
            community: None,
            candidates: vec![demanding()],
        });
        let names: usize = 50 * (size_of::<CommunityId>() + "c0".len());
        let most = REMEMBERED_BYTES_MAX / names;
        for number in 0..2 * most {
            let (tenant, placement) = ids(number);
            catalogue.keep((&tenant, &placement), as_of, &standing);
        }
        let known = (0..2 * most).map(ids).filter(|(tenant, placement)| {
            let standing = catalogue.standing((tenant, placement), as_of);
            standing.is_some()
        });
        assert!(known.count() <= most);
    }
}
