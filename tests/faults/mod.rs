//! What happens when something goes wrong, on purpose: nothing lost, nothing twice, and neighbours keep answering.

/// Kill and restart while advertisements are shown and billed: nothing above its budget, and each counts once.
mod advertising;
/// Messages that come twice, in the wrong order, too late, retained, or from nowhere.
mod messages;
/// A function that loops, traps, leaks or sleeps is stopped at its limit while its neighbours answer.
mod misdeeds;
/// Kill and restart where money is made of readings: no reading, no bill and no posting is lost or there twice.
mod money;
/// Kill and restart: whatever was answered is there afterwards, and no door moves twice.
mod restarts;
