//! Where time and randomness enter: at the edge, once a request, to be handed into the domain as arguments.

use std::time::{SystemTime, UNIX_EPOCH};

use kernel::Timestamp;
use uuid::Uuid;

/// The present moment.
///
/// # Errors
/// When the machine's clock stands before 1970 or after 9999.
pub fn now() -> anyhow::Result<Timestamp> {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Timestamp::from_millis(i64::try_from(elapsed.as_millis())?)?)
}

/// A new id: a UUID version 7, so ids sort by the moment they were made.
///
/// # Errors
/// When `now` lies before 1970.
pub fn new_id(now: Timestamp) -> anyhow::Result<String> {
    let millis = u64::try_from(now.millis())?;
    let nanos = u32::try_from(millis % 1000)? * 1_000_000;
    let moment = uuid::Timestamp::from_unix(uuid::NoContext, millis / 1000, nanos);
    Ok(Uuid::new_v7(moment).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_a_later_millisecond_sort_later() {
        let now = now().unwrap();
        let ids: Vec<String> = (0..100)
            .map(|step| new_id(now.plus_millis(step)).unwrap())
            .collect();
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| kernel::OpeningId::parse(id).is_ok()));
    }

    #[test]
    fn two_ids_of_one_moment_differ() {
        let now = now().unwrap();
        assert_ne!(new_id(now).unwrap(), new_id(now).unwrap());
    }
}
