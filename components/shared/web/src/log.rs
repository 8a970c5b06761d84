//! Log lines: one JSON object a line on stderr, where the host picks them up.

use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    level: &'a str,
    request_id: &'a str,
    message: &'a str,
}

/// Writes one line. `level` is `debug`, `info`, `warn` or `error`; `request_id` is `-` outside of a request.
pub fn log(level: &str, request_id: &str, message: &str) {
    let line = Line {
        level,
        request_id,
        message,
    };
    match serde_json::to_string(&line) {
        Ok(line) => eprintln!("{line}"),
        Err(error) => eprintln!(
            "{{\"level\":\"error\",\"message\":\"a log line cannot be written: {error}\"}}"
        ),
    }
}
