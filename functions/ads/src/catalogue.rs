//! What an instance remembers of what stands in placements: nothing that is not proven fresh at every decision, by the
//! version that grows in the transaction of each change. No budget and no counter is ever remembered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// What is remembered; shared by all requests of an instance.
#[derive(Clone, Default)]
pub struct Catalogue(Arc<Mutex<Remembered>>);

#[derive(Default)]
struct Remembered {
    places: BTreeMap<(TenantId, PlacementId), Place>,
    bytes: usize,
}

struct Place {
    as_of: AsOf,
    standing: Arc<Standing>,
    shown: BTreeMap<CreativeId, Arc<Shown>>,
    bytes: usize,
}

impl Catalogue {
    /// What stands in a placement, if that is what is remembered.
    pub(crate) fn standing(
        &self,
        (tenant, placement): (&TenantId, &PlacementId),
        as_of: AsOf,
    ) -> Option<Arc<Standing>> {
        let remembered = self.remembered();
        let place = remembered.place(tenant, placement, as_of)?;
        Some(Arc::clone(&place.standing))
    }

    /// What people see of a creative that stands there, if that is what is remembered.
    pub(crate) fn shown(
        &self,
        (tenant, placement): (&TenantId, &PlacementId),
        as_of: AsOf,
        creative: &CreativeId,
    ) -> Option<Arc<Shown>> {
        let remembered = self.remembered();
        let place = remembered.place(tenant, placement, as_of)?;
        place.shown.get(creative).map(Arc::clone)
    }

    /// Remembers what stands in a placement. It was read after its version, so that it is not older.
    pub(crate) fn keep(
        &self,
        (tenant, placement): (&TenantId, &PlacementId),
        as_of: AsOf,
        standing: &Arc<Standing>,
    ) {
        let one = size_of::<Candidate>() + IDS_BYTES;
        let bytes = size_of::<Place>() + IDS_BYTES + one * standing.candidates.len();
        let mut remembered = self.remembered();
        let key = (tenant.clone(), placement.clone());
        if let Some(before) = remembered.places.remove(&key) {
            remembered.bytes -= before.bytes.min(remembered.bytes);
        }
        if !remembered.makes_room(bytes) {
            return;
        }
        let place = Place {
            as_of,
            standing: Arc::clone(standing),
            shown: BTreeMap::new(),
            bytes,
        };
        remembered.places.insert(key, place);
    }

    /// Remembers what people see of a creative that stands there, read after the version as well.
    pub(crate) fn keep_shown(
        &self,
        (tenant, placement): (&TenantId, &PlacementId),
        as_of: AsOf,
        shown: &Arc<Shown>,
    ) {
        let bytes = shown.bytes() + IDS_BYTES;
        let mut remembered = self.remembered();
        if remembered.place(tenant, placement, as_of).is_none() || !remembered.makes_room(bytes) {
            return;
        }
        let key = (tenant.clone(), placement.clone());
        // Gone when room had to be made.
        if let Some(place) = remembered.places.get_mut(&key) {
            place.shown.insert(shown.id.clone(), Arc::clone(shown));
            place.bytes += bytes;
        } else {
            remembered.bytes -= bytes;
        }
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn place(&self, tenant: &TenantId, placement: &PlacementId, as_of: AsOf) -> Option<&Place> {
        let place = self.places.get(&(tenant.clone(), placement.clone()))?;
        (place.as_of == as_of).then_some(place)
    }

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

    #[test]
    fn however_much_there_is_no_more_is_remembered_than_the_limit() {
        let catalogue = Catalogue::default();
        let as_of = (1, "2026-11-02".parse().unwrap());
        for number in 0..10_000 {
            let (tenant, placement) = ids(number);
            catalogue.keep((&tenant, &placement), as_of, &Arc::default());
            assert!(catalogue.standing((&tenant, &placement), as_of).is_some());
            let remembered = catalogue.remembered();
            let counted: usize = remembered.places.values().map(|place| place.bytes).sum();
            assert_eq!(remembered.bytes, counted);
            assert!(counted <= REMEMBERED_BYTES_MAX);
        }
    }
}
