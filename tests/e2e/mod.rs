//! The whole from outside: a host, a broker and a bridge as processes, asked over HTTP and MQTT only.

/// Bad input: each a clear error, and nothing changed.
mod bad_input;
/// The README's day in the estate, command by command.
mod day;
/// A door opened end to end, and everything that keeps it shut.
mod door;
/// Messages, received by other people's libraries.
mod messages;
/// Prebid.js in a browser, against our exchange.
mod prebid;
/// What a guest gets from the host, and what it does not get.
mod reach;
/// What cannot start says why in one sentence, and exits.
mod start;
/// Who sees what on the broker.
mod traffic;
/// A visitor at the gate while the uplink is cut, and what residents show there.
mod visitor;
