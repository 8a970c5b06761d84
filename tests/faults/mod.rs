//! What happens when something goes wrong, on purpose: nothing lost, nothing twice, and neighbours keep answering.

/// A function that loops, traps, leaks or sleeps is stopped at its limit while its neighbours answer.
mod misdeeds;
