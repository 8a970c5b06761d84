//! The whole from outside: a host, a broker and a bridge as processes, asked over HTTP and MQTT only.

/// What cannot start says why in one sentence, and exits.
mod start;
