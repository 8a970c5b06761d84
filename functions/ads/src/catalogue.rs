//! What an instance remembers of what stands in placements: nothing that is not proven fresh at every decision, by the
//! version that grows in the transaction of each change. No budget and no counter is ever remembered.

use std::sync::Arc;

use advertising::Memory;
use chrono::NaiveDate;
use kernel::{CreativeId, PlacementId, TenantId};

use crate::domain::serving::Candidate;
use crate::store::offers::{Shown, Standing};

/// How much is remembered at most, in bytes, about; then everything is forgotten and learnt again.
pub const REMEMBERED_BYTES_MAX: usize = 384 * 1024;
/// What the ids of a candidate take beside it, about.
const IDS_BYTES: usize = 128;

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
        let one = size_of::<Candidate>() + IDS_BYTES;
        let bytes = IDS_BYTES + one * standing.candidates.len();
        self.0.keep(key(of), as_of, (standing, bytes));
    }

    /// Remembers what people see of a creative that stands there, read after the version as well.
    pub(crate) fn keep_shown(&self, of: Of<'_>, as_of: AsOf, shown: &Arc<Shown>) {
        let bytes = shown.bytes() + IDS_BYTES;
        self.0
            .keep_part(&key(of), &as_of, &shown.id, (shown, bytes));
    }
}

fn key((tenant, placement): Of<'_>) -> (TenantId, PlacementId) {
    (tenant.clone(), placement.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
