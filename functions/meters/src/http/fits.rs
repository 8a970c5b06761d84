//! Whether a meter fits to what it is said to stand behind and measure for.

use kernel::{CommunityId, Message, Refusal};
use store::Tx;

use crate::domain::{Meter, Object};
use crate::store::{batch, places};

/// A master measures the same in the same community, and does not stand behind its own meters.
pub(super) async fn master_fits(tx: &Tx, meter: &Meter) -> anyhow::Result<()> {
    const LEVELS_MAX: usize = 8;
    let refused = || {
        Refusal::invalid(
            "master_unfit",
            Message::new(
                "The master is another meter of the same community and commodity that does not stand behind this one.",
                "总表应为同一小区、同一类别的另一块表，且不能位于本表之下。",
            ),
        )
    };
    let mut next = meter.master.clone();
    for _ in 0..LEVELS_MAX {
        let Some(id) = next else { return Ok(()) };
        let known = batch::known(tx, tx.tenant(), &[&id]).await?;
        let known = known.into_iter().next().ok_or_else(refused)?;
        let fits = known.meter.id != meter.id
            && known.meter.community == meter.community
            && known.meter.commodity == meter.commodity;
        if !fits {
            return Err(refused().into());
        }
        next = known.meter.master;
    }
    Err(refused().into())
}

/// A room stands in the meter's community. Where no room of the community is known yet, its meters come first, and
/// any is taken. Common areas have no register: they are what people call them.
pub(super) async fn room_fits(
    tx: &Tx,
    (community, object): (&CommunityId, &Object),
) -> anyhow::Result<()> {
    let Object::Room(room) = object else {
        return Ok(());
    };
    let fits = match places::community_of(tx, room).await? {
        Some(stands_in) => stands_in == *community,
        None => !places::has_rooms(tx, community).await?,
    };
    if fits {
        Ok(())
    } else {
        Err(foreign_room().into())
    }
}

fn foreign_room() -> Refusal {
    Refusal::invalid(
        "room_unknown",
        Message::new(
            "The community has no such room. Check the room's id, or add the room to the register first.",
            "该小区没有这间房屋，请核对房屋编号，或先在房屋档案中登记。",
        ),
    )
}
