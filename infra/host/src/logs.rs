//! The log: JSON lines on standard error. What a function writes to its standard streams becomes such lines
//! too, with the component's name and, where it is certain, the id of the request.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};
use wasmtime_wasi::{
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

/// The longest line of a function; a longer one is cut into several.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

/// How much a function may write at once.
const WRITE_BYTES_MAX: usize = 64 * 1024;

/// Starts the log. `filter` has the syntax of `tracing`, for example `info,linli_host::http=debug`.
///
/// # Errors
/// When the filter is malformed.
pub fn start(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_events(FmtSpan::NONE)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .finish();
    // A second start, as tests do it, keeps the first.
    let _first_wins = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

/// Whose lines these are.
pub struct Speaker {
    component: Arc<str>,
    /// The id of the request that the instance serves, where it serves one at a time.
    request: Mutex<Option<Arc<str>>>,
}

impl Speaker {
    /// A component that serves no request yet.
    #[must_use]
    pub fn new(component: Arc<str>) -> Arc<Self> {
        Arc::new(Self {
            component,
            request: Mutex::new(None),
        })
    }

    /// From now on the lines belong to this request.
    pub fn serve(&self, request: Arc<str>) {
        *self.request.lock().unwrap_or_else(PoisonError::into_inner) = Some(request);
    }

    /// The request that is served.
    #[must_use]
    pub fn request(&self) -> Option<Arc<str>> {
        self.request
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A standard stream of an instance.
#[derive(Clone)]
pub struct GuestStream {
    speaker: Arc<Speaker>,
    name: &'static str,
    /// A line that has not ended yet.
    line: Arc<Mutex<Vec<u8>>>,
}

impl GuestStream {
    /// The stream of that name, `stdout` or `stderr`.
    #[must_use]
    pub fn new(speaker: Arc<Speaker>, name: &'static str) -> Self {
        Self {
            speaker,
            name,
            line: Arc::default(),
        }
    }

    fn add(&self, bytes: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for part in piece.chunks(LINE_BYTES_MAX) {
                if line.len() + part.len() > LINE_BYTES_MAX {
                    self.tell(&mut line);
                }
                line.extend_from_slice(part);
            }
            if line.last() == Some(&b'\n') {
                self.tell(&mut line);
            }
        }
    }

    fn tell(&self, line: &mut Vec<u8>) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if !text.is_empty() {
            let request = self.speaker.request();
            tracing::info!(
                target: "function",
                component = &*self.speaker.component,
                request_id = request.as_deref(),
                stream = self.name,
                "{text}"
            );
        }
        line.clear();
    }
}

impl Drop for GuestStream {
    fn drop(&mut self) {
        if Arc::strong_count(&self.line) == 1 {
            self.tell(&mut self.line.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl StdoutStream for GuestStream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl IsTerminal for GuestStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl OutputStream for GuestStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.add(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestStream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for GuestStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.add(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
