//! What an instance remembers of what may be shown in places: nothing that is not proven fresh by each request, by a
//! version that grows in the transaction of each change, and no more than so many bytes. No budget and no counter is
//! ever remembered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::CreativeId;

/// What is remembered of places; shared by all clones. `AsOf` is the version that proves it fresh, and what else it
/// depends on; `Whole` what stands in a place, `Part` what people see of a creative there.
pub struct Memory<Place, AsOf, Whole, Part>(Arc<Mutex<Remembered<Place, AsOf, Whole, Part>>>);

struct Remembered<Place, AsOf, Whole, Part> {
    places: BTreeMap<Place, Kept<AsOf, Whole, Part>>,
    bytes: usize,
    bytes_max: usize,
}

struct Kept<AsOf, Whole, Part> {
    as_of: AsOf,
    whole: Arc<Whole>,
    parts: BTreeMap<CreativeId, Arc<Part>>,
    bytes: usize,
}

impl<Place, AsOf, Whole, Part> Clone for Memory<Place, AsOf, Whole, Part> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Place: Ord, AsOf: PartialEq, Whole, Part> Memory<Place, AsOf, Whole, Part> {
    /// Remembers nothing yet, and never more than so many bytes, about; then everything is forgotten and learnt again.
    #[must_use]
    pub fn up_to(bytes_max: usize) -> Self {
        Self(Arc::new(Mutex::new(Remembered {
            places: BTreeMap::new(),
            bytes: 0,
            bytes_max,
        })))
    }

    /// What stands in a place, if that is what is remembered.
    #[must_use]
    pub fn whole(&self, place: &Place, as_of: &AsOf) -> Option<Arc<Whole>> {
        let remembered = self.remembered();
        let kept = remembered.fresh(place, as_of)?;
        Some(Arc::clone(&kept.whole))
    }

    /// What people see of a creative that stands there, if that is what is remembered.
    #[must_use]
    pub fn part(&self, place: &Place, as_of: &AsOf, creative: &CreativeId) -> Option<Arc<Part>> {
        let remembered = self.remembered();
        let kept = remembered.fresh(place, as_of)?;
        kept.parts.get(creative).map(Arc::clone)
    }

    /// Remembers what stands in a place, which takes that many bytes. It must have been read after its version, so that
    /// it is not older.
    pub fn keep(&self, place: Place, as_of: AsOf, (whole, bytes): (&Arc<Whole>, usize)) {
        let bytes = bytes + size_of::<Kept<AsOf, Whole, Part>>();
        let mut remembered = self.remembered();
        if let Some(before) = remembered.places.remove(&place) {
            remembered.bytes = remembered.bytes.saturating_sub(before.bytes);
        }
        if !remembered.makes_room(bytes) {
            return;
        }
        let kept = Kept {
            as_of,
            whole: Arc::clone(whole),
            parts: BTreeMap::new(),
            bytes,
        };
        remembered.places.insert(place, kept);
    }

    /// Remembers what people see of a creative that stands there, read after the version as well.
    pub fn keep_part(
        &self,
        place: &Place,
        as_of: &AsOf,
        creative: &CreativeId,
        (part, bytes): (&Arc<Part>, usize),
    ) {
        let mut remembered = self.remembered();
        let kept = remembered.fresh(place, as_of);
        if kept.is_none_or(|kept| kept.parts.contains_key(creative))
            || !remembered.makes_room(bytes)
        {
            return;
        }
        // Gone when room had to be made.
        if let Some(kept) = remembered.places.get_mut(place) {
            kept.parts.insert(creative.clone(), Arc::clone(part));
            kept.bytes += bytes;
        } else {
            remembered.bytes = remembered.bytes.saturating_sub(bytes);
        }
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered<Place, AsOf, Whole, Part>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Place: Ord, AsOf: PartialEq, Whole, Part> Remembered<Place, AsOf, Whole, Part> {
    fn fresh(&self, place: &Place, as_of: &AsOf) -> Option<&Kept<AsOf, Whole, Part>> {
        let kept = self.places.get(place)?;
        (kept.as_of == *as_of).then_some(kept)
    }

    /// Counts that many bytes more, after all is forgotten where they would be too many; false when they always are.
    fn makes_room(&mut self, bytes: usize) -> bool {
        if bytes > self.bytes_max {
            return false;
        }
        if self.bytes + bytes > self.bytes_max {
            self.places.clear();
            self.bytes = 0;
        }
        self.bytes += bytes;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BYTES_MAX: usize = 4 * 1024;

    fn creative(number: u8) -> CreativeId {
        CreativeId::parse(&format!("c{number}")).unwrap()
    }

    #[test]
    fn only_what_is_of_that_version_is_remembered() {
        let memory: Memory<u8, i64, &str, &str> = Memory::up_to(BYTES_MAX);
        memory.keep(1, 3, (&Arc::new("all"), 0));
        memory.keep_part(&1, &3, &creative(1), (&Arc::new("one"), 0));
        assert_eq!(memory.whole(&1, &3).as_deref(), Some(&"all"));
        assert_eq!(memory.part(&1, &3, &creative(1)).as_deref(), Some(&"one"));
        for (place, as_of) in [(1, 2), (1, 4), (2, 3)] {
            assert_eq!(memory.whole(&place, &as_of), None);
            assert_eq!(memory.part(&place, &as_of, &creative(1)), None);
        }
        memory.keep_part(&1, &4, &creative(2), (&Arc::new("newer"), 0));
        memory.keep(1, 4, (&Arc::new("others"), 0));
        assert_eq!(memory.whole(&1, &3), None);
        assert_eq!(memory.part(&1, &4, &creative(1)), None);
        assert_eq!(memory.part(&1, &4, &creative(2)), None);
    }

    #[test]
    fn what_is_larger_than_the_limit_is_not_remembered() {
        let memory: Memory<u8, i64, (), ()> = Memory::up_to(BYTES_MAX);
        memory.keep(1, 1, (&Arc::default(), BYTES_MAX));
        assert_eq!(memory.whole(&1, &1), None);
        memory.keep(1, 1, (&Arc::default(), 0));
        memory.keep_part(&1, &1, &creative(1), (&Arc::default(), BYTES_MAX + 1));
        assert_eq!(memory.part(&1, &1, &creative(1)), None);
        assert!(memory.whole(&1, &1).is_some());
    }

    proptest! {
        /// However much there is, no more is remembered than the limit, and each byte is counted once.
        #[test]
        fn no_more_is_remembered_than_the_limit(
            steps in prop::collection::vec((0_u8..6, 0_i64..2, 0_u8..8, 0_usize..900), 1..400),
        ) {
            let memory: Memory<u8, i64, (), ()> = Memory::up_to(BYTES_MAX);
            for (place, as_of, number, bytes) in steps {
                match number.checked_sub(1) {
                    None => {
                        memory.keep(place, as_of, (&Arc::default(), bytes));
                        prop_assert!(memory.whole(&place, &as_of).is_some());
                    }
                    Some(number) => {
                        memory.keep_part(&place, &as_of, &creative(number), (&Arc::default(), bytes));
                    }
                }
                let remembered = memory.remembered();
                let counted: usize = remembered.places.values().map(|kept| kept.bytes).sum();
                prop_assert_eq!(remembered.bytes, counted);
                prop_assert!(counted <= BYTES_MAX);
            }
        }
    }
}
