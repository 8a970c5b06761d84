//! What is done to everything that is held of one person.

use kernel::ActorId;
use store::Tx;

/// What stands where a person stood who was forgotten.
pub(crate) const ERASED: &str = "erased";

statements! {
    RENAME_IN_HOUSEHOLDS = "update meters_household set person = $3 where tenant = $1 and person = $2";

    RENAME_IN_READINGS = "update meters_reading set actor = $3 where tenant = $1 and actor = $2";

    RENAME_IN_REVIEWS = "update meters_review set actor = $3 where tenant = $1 and actor = $2";

    RENAME_IN_PHOTOS = "update meters_photo set taken_by = $3 where tenant = $1 and taken_by = $2";

    RENAME_IN_ALARMS = "update meters_alarm set acknowledged_by = $3 where tenant = $1 and acknowledged_by = $2";

    RENAME_IN_SWITCHINGS = "update meters_switching set actor = $3 where tenant = $1 and actor = $2";

    LEAVE_HOUSEHOLDS = "delete from meters_household where tenant = $1 and person = $2";
}

/// Puts another id wherever this person stands.
pub(crate) async fn rename(tx: &Tx, person: &ActorId, new: &str) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), person.into(), new.into()];
    for statement in [
        RENAME_IN_HOUSEHOLDS,
        RENAME_IN_READINGS,
        RENAME_IN_REVIEWS,
        RENAME_IN_PHOTOS,
        RENAME_IN_ALARMS,
        RENAME_IN_SWITCHINGS,
    ] {
        tx.execute(statement, &parameters).await?;
    }
    Ok(())
}

/// Forgets a person: what was read and decided stays, without them.
pub(crate) async fn erase(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), person.into()];
    tx.execute(LEAVE_HOUSEHOLDS, &parameters).await?;
    rename(tx, person, ERASED).await
}
