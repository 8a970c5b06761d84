//! The bridge's HTTP client: one question, one answer, one connection. It tells apart whether the question may have
//! gone out, because that decides whether a lock may have moved.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::adapters::Stream;

/// How long connecting may take, at most.
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// Where an HTTP server is: `http://host:port` or `https://host:port`, nothing behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    secure: bool,
    host: String,
    port: u16,
}

impl FromStr for Url {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let uri: Uri = text
            .parse()
            .with_context(|| format!("{text:?} is no URL"))?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => bail!("{text:?} begins with neither http:// nor https://"),
        };
        let host = uri
            .host()
            .with_context(|| format!("{text:?} has no host"))?;
        ensure!(
            matches!(
                uri.path_and_query().map(|path| path.as_str()),
                None | Some("/")
            ) && !text.contains('@'),
            "{text:?} has more than a host and a port"
        );
        Ok(Self {
            secure,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if secure { 443 } else { 80 }),
        })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(formatter, "{scheme}://{}", self.authority())
    }
}

impl Url {
    fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpError {
    /// The question did not go out.
    Unreached(String),
    /// The question may have gone out.
    Unanswered(String),
}

impl fmt::Display for HttpError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreached(reason) | Self::Unanswered(reason) => formatter.write_str(reason),
        }
    }
}

impl std::error::Error for HttpError {}

/// An answer with its whole body.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The head.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// How much an answer may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first packet to the last byte.
    pub time: Duration,
    /// The longest body, in bytes.
    pub body_bytes: usize,
}

/// Asks once. The request's URI is a path; its host is filled in here.
///
/// # Errors
/// See [`HttpError`].
pub async fn ask(
    url: &Url,
    mut request: Request<Full<Bytes>>,
    limits: Limits,
) -> Result<Answer, HttpError> {
    let authority = url.authority().parse().map_err(unreached)?;
    request.headers_mut().insert(header::HOST, authority);
    let connecting = timeout(CONNECT_MAX.min(limits.time), connect(url));
    let stream = match connecting.await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            return Err(HttpError::Unreached(format!(
                "{url} is not reached: {error:#}"
            )));
        }
        Err(_) => {
            return Err(HttpError::Unreached(format!(
                "{url} does not take a connection in time"
            )));
        }
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(unreached)?;
    // The connection's own error is also the request's.
    let connection = tokio::spawn(connection);
    let answered = async {
        let answer = sender.send_request(request).await.map_err(unanswered)?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, limits.body_bytes).collect().await;
        let body = body.map_err(|error| HttpError::Unanswered(format!("{url}: {error}")))?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    };
    let answer = timeout(limits.time, answered).await;
    connection.abort();
    answer.unwrap_or_else(|_| {
        Err(HttpError::Unanswered(format!(
            "{url} does not answer in time"
        )))
    })
}

async fn connect(url: &Url) -> Result<Box<dyn Stream>> {
    let stream = TcpStream::connect((url.host.as_str(), url.port)).await?;
    stream.set_nodelay(true)?;
    if !url.secure {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(url.host.clone())?;
    Ok(Box::new(
        TlsConnector::from(tls()).connect(name, stream).await?,
    ))
}

/// The certificate authorities that browsers trust.
fn tls() -> Arc<ClientConfig> {
    static CONFIGURATION: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let make = || {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.into(),
        };
        let builder = ClientConfig::builder().with_root_certificates(roots);
        Arc::new(builder.with_no_client_auth())
    };
    CONFIGURATION.get_or_init(make).clone()
}

fn unreached(error: impl fmt::Display) -> HttpError {
    HttpError::Unreached(error.to_string())
}

fn unanswered(error: hyper::Error) -> HttpError {
    HttpError::Unanswered(format!("the connection broke: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_scheme_a_host_and_a_port() {
        for (text, shown) in [
            ("http://10.0.0.9", "http://10.0.0.9:80"),
            ("https://gate.example/", "https://gate.example:443"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(text.parse::<Url>().unwrap().to_string(), shown);
        }
        for text in [
            "10.0.0.9",
            "ftp://x",
            "http://x/rpc",
            "http://me:secret@x",
            "http://",
        ] {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
    }
}
