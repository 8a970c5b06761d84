//! Outgoing HTTP, to the hosts that the manifest allows. The name is resolved and judged here, and the
//! connection goes to an address that was judged: a name that changes its address in between gains nothing.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Uri, uri::Scheme};
use http_body_util::BodyExt;
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, Sleep, sleep, timeout},
};
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::Permissions;
use crate::outbound::{AllowedHosts, Refused};

/// The longest wait for a connection.
pub const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// The longest wait for the head of an answer.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// The longest wait for the next piece of an answer's body.
pub const PIECE_TIME_MAX: Duration = Duration::from_secs(30);

/// Where one instance may connect to.
pub struct Instance {
    hosts: Arc<AllowedHosts>,
    component: Arc<str>,
}

type Exchange = (
    http::Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

impl Instance {
    /// The hosts that these permissions hold.
    #[must_use]
    pub fn new(permissions: &Permissions) -> Self {
        Self {
            hosts: permissions.hosts.clone(),
            component: permissions.component.clone(),
        }
    }
}

impl WasiHttpHooks for Instance {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Exchange, Error>> + Send> {
        let (hosts, component) = (self.hosts.clone(), self.component.clone());
        Box::new(async move {
            let destination = Destination::of(request.uri())?;
            let addresses = hosts
                .resolve(destination.scheme, &destination.host, destination.port)
                .await
                .map_err(|refused| refusal(&refused, &component, &destination))?;
            send(request, &destination, &addresses, options).await
        })
    }
}

/// Where a request goes.
struct Destination {
    scheme: &'static str,
    /// A name or an address, IPv6 without brackets.
    host: String,
    port: u16,
}

impl Destination {
    fn of(uri: &Uri) -> Result<Self, Error> {
        let scheme = if uri.scheme() == Some(&Scheme::HTTP) {
            "http"
        } else {
            "https"
        };
        let host = uri.host().ok_or(Error::HttpRequestUriInvalid)?;
        let usual = if scheme == "http" { 80 } else { 443 };
        Ok(Self {
            scheme,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(usual),
        })
    }
}

fn refusal(refused: &Refused, component: &str, destination: &Destination) -> Error {
    let Destination { scheme, host, port } = destination;
    tracing::warn!(
        component,
        "a request to {scheme}://{host}:{port} was refused: {refused}"
    );
    match refused {
        Refused::NotAllowed => Error::HttpRequestDenied,
        Refused::PrivateNetwork => Error::DestinationIpProhibited,
        Refused::Unresolvable(_) => Error::DestinationNotFound,
    }
}

async fn send(
    mut request: http::Request<WasiBody>,
    destination: &Destination,
    addresses: &[SocketAddr],
    options: Option<RequestOptions>,
) -> Result<Exchange, Error> {
    let options = options.unwrap_or_default();
    let connect_time = options
        .connect_timeout
        .unwrap_or(CONNECT_TIME_MAX)
        .min(CONNECT_TIME_MAX);
    let answer_time = options
        .first_byte_timeout
        .unwrap_or(ANSWER_TIME_MAX)
        .min(ANSWER_TIME_MAX);
    let piece_time = options
        .between_bytes_timeout
        .unwrap_or(PIECE_TIME_MAX)
        .min(PIECE_TIME_MAX);
    // To a server a request names only path and query; the host stands in its header.
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(|| Uri::from_static("/"), Uri::from);
    let connection = timeout(connect_time, connect(destination, addresses));
    let stream = connection.await.map_err(|_| Error::ConnectionTimeout)??;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let answer = timeout(answer_time, sender.send_request(request)).await;
    let answer = match answer {
        Ok(answer) => answer.map_err(Error::from),
        Err(_) => Err(Error::ConnectionReadTimeout),
    };
    let answer = answer.inspect_err(|_| connection.abort())?;
    let answer = answer.map(|body| Paced::new(body, piece_time).boxed_unsync());
    let rest = async move {
        match connection.await {
            Ok(outcome) => outcome.map_err(Error::from),
            Err(_) => Err(Error::ConnectionTerminated),
        }
    };
    Ok((answer, Box::new(rest)))
}

/// A body whose next piece must come in time.
struct Paced {
    body: Incoming,
    piece_time: Duration,
    patience: Pin<Box<Sleep>>,
}

impl Paced {
    fn new(body: Incoming, piece_time: Duration) -> Self {
        Self {
            body,
            piece_time,
            patience: Box::pin(sleep(piece_time)),
        }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Poll::Ready(piece) = Pin::new(&mut self.body).poll_frame(context) {
            let next = Instant::now() + self.piece_time;
            self.patience.as_mut().reset(next);
            return Poll::Ready(piece.map(|piece| piece.map_err(Error::from)));
        }
        self.patience
            .as_mut()
            .poll(context)
            .map(|()| Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

async fn connect(
    destination: &Destination,
    addresses: &[SocketAddr],
) -> Result<Box<dyn Stream>, Error> {
    let stream = TcpStream::connect(addresses)
        .await
        .map_err(Error::Connect)?;
    stream.set_nodelay(true).map_err(Error::Connect)?;
    if destination.scheme == "http" {
        return Ok(Box::new(stream));
    }
    let name =
        ServerName::try_from(destination.host.clone()).map_err(|_| Error::HttpRequestUriInvalid)?;
    let secured = TlsConnector::from(tls()).connect(name, stream).await;
    Ok(Box::new(secured.map_err(Error::Tls)?))
}

/// The certificate authorities that browsers trust.
fn tls() -> Arc<ClientConfig> {
    static CONFIGURATION: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let configuration = CONFIGURATION.get_or_init(|| {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.into(),
        };
        let builder = ClientConfig::builder().with_root_certificates(roots);
        Arc::new(builder.with_no_client_auth())
    });
    configuration.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_has_the_usual_port_of_its_scheme_and_no_brackets() {
        let check = |uri: &'static str, scheme: &str, host: &str, port: u16| {
            let found = Destination::of(&Uri::from_static(uri)).unwrap();
            assert_eq!(
                (found.scheme, &*found.host, found.port),
                (scheme, host, port)
            );
        };
        check("http://example.com/x", "http", "example.com", 80);
        check("https://example.com:8443/", "https", "example.com", 8443);
        check("https://[::1]/", "https", "::1", 443);
        assert!(Destination::of(&Uri::from_static("/path")).is_err());
    }
}
