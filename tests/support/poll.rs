//! Waiting for something to become true: asked again and again until a deadline, never assumed after a pause.

use std::time::{Duration, Instant};

/// How long anything that is expected may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait before asking again.
pub const PAUSE: Duration = Duration::from_millis(15);

/// Asks until there is an answer.
///
/// # Panics
/// When there is none within [`PATIENCE`]; the panic says what was awaited.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            Instant::now() < deadline,
            "within {} s: {what}",
            PATIENCE.as_secs()
        );
        tokio::time::sleep(PAUSE).await;
    }
}
