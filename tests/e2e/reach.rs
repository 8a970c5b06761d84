//! What a guest gets from the host, asked by a guest: keys, files, statements and fetches; and what it does not get.

use std::{fs, net::SocketAddr, path::PathBuf};

use linli_tests::{
    http::{Answer, Http},
    place,
    system::{Setup, System},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the component says when the host refuses.
const REFUSED: u16 = 418;

/// The same component twice: `open` may reach the server at `port`, `closed` may reach nothing.
fn manifest(folder: &TempDir, port: u16) -> PathBuf {
    let reach = place::component("reach");
    let files = folder.path().join("leaflets");
    fs::create_dir(&files).unwrap();
    fs::write(files.join("welcome.txt"), "Welcome to the garden").unwrap();
    fs::write(folder.path().join("secret.txt"), "not for guests").unwrap();
    let file = folder.path().join("spin.toml");
    let text = format!(
        r#"spin_manifest_version = 2
[application]
name = "reach"
version = "0.1.0"
[variables]
greeting = {{ default = "good morning" }}
unshared = {{ default = "not for guests" }}
[[trigger.http]]
route = "/open/..."
component = "open"
[[trigger.http]]
route = "/closed/..."
component = "closed"
[component.open]
source = {reach:?}
files = [{{ source = "leaflets", destination = "/leaflets" }}]
key_value_stores = ["default"]
sqlite_databases = ["default"]
allowed_outbound_hosts = ["http://127.0.0.1:{port}"]
environment = {{ SEASON = "spring" }}
[component.open.variables]
greeting = "{{{{ greeting }}}}"
[component.closed]
source = {reach:?}
"#
    );
    fs::write(&file, text).unwrap();
    file
}

async fn start(port: u16) -> (System, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start(Setup::of(manifest(&folder, port)));
    (system, folder)
}

async fn post(http: &Http, path: &str, text: &str) -> Answer {
    let request = http::Request::post(path)
        .body(text.to_owned().into())
        .unwrap();
    http.try_send(request).await.unwrap()
}

fn check(answer: &Answer, status: u16, text: &str) {
    let body = String::from_utf8_lossy(&answer.body);
    assert_eq!((answer.status.as_u16(), body.as_ref()), (status, text));
}

fn check_refused(answer: &Answer, because: &str) {
    let body = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, REFUSED, "{body}");
    assert!(body.to_lowercase().contains(because), "{body}");
}

#[tokio::test]
async fn keys_last_beyond_the_process_and_are_kept_from_those_without_the_store() {
    let (mut system, _folder) = start(9).await;
    let http = system.http();
    for (key, value) in [("b", "2"), ("a", "1"), ("c", "3"), ("b", "two")] {
        let request = http::Request::put(format!("/open/kv/default/{key}"));
        let request = request.body(value.to_owned().into()).unwrap();
        check(&http.try_send(request).await.unwrap(), 200, "");
    }
    let gone = http::Request::delete("/open/kv/default/c").body(bytes::Bytes::new());
    check(&http.try_send(gone.unwrap()).await.unwrap(), 200, "");
    system.host.kill();
    system.restart();
    let http = system.http();
    check(&http.get("/open/kv/default").await, 200, "a b");
    check(&http.get("/open/kv/default/b").await, 200, "two");
    check_refused(&http.get("/open/kv/default/c").await, "no such key");
    check_refused(&http.get("/closed/kv/default/b").await, "denied");
    check_refused(&http.get("/open/kv/other/b").await, "denied");
}

#[tokio::test]
async fn a_guest_sees_its_files_variables_and_environment_and_no_others() {
    let (system, folder) = start(9).await;
    let http = system.http();
    let file = post(&http, "/open/file", "/leaflets/welcome.txt").await;
    check(&file, 200, "Welcome to the garden");
    check(&http.get("/open/environment/SEASON").await, 200, "spring");
    check(
        &http.get("/open/variable/greeting").await,
        200,
        "good morning",
    );
    let secret = folder.path().join("secret.txt");
    for path in [
        "/leaflets/../secret.txt",
        secret.to_str().unwrap(),
        "/etc/hostname",
        "secret.txt",
    ] {
        assert_eq!(
            post(&http, "/open/file", path).await.status,
            REFUSED,
            "{path}"
        );
    }
    for path in ["/leaflets/new.txt", "/leaflets/welcome.txt"] {
        assert_eq!(
            post(&http, "/open/write", path).await.status,
            REFUSED,
            "{path}"
        );
    }
    assert_eq!(
        post(&http, "/closed/file", "/leaflets/welcome.txt")
            .await
            .status,
        REFUSED
    );
    assert_eq!(http.get("/open/variable/unshared").await.status, REFUSED);
    assert_eq!(http.get("/closed/environment/SEASON").await.status, REFUSED);
    assert_eq!(http.get("/open/environment/PATH").await.status, REFUSED);
}

#[tokio::test]
async fn a_refused_statement_says_why_and_a_closed_database_stays_closed() {
    let (system, _folder) = start(9).await;
    let http = system.http();
    check(
        &post(
            &http,
            "/open/sqlite/default",
            "create table note (text text not null)",
        )
        .await,
        200,
        " 0",
    );
    check(
        &post(
            &http,
            "/open/sqlite/default",
            "insert into note values ('a'), ('b')",
        )
        .await,
        200,
        " 0",
    );
    check(
        &post(&http, "/open/sqlite/default", "select text from note").await,
        200,
        "text 2",
    );
    check_refused(
        &post(
            &http,
            "/open/sqlite/default",
            "insert into note values (null)",
        )
        .await,
        "not null",
    );
    check_refused(
        &post(&http, "/open/sqlite/default", "selekt 1").await,
        "syntax",
    );
    check_refused(
        &post(&http, "/closed/sqlite/default", "select 1").await,
        "denied",
    );
    check_refused(
        &post(&http, "/open/sqlite/other", "select 1").await,
        "denied",
    );
}

#[tokio::test]
async fn a_guest_fetches_what_it_may_and_nothing_else() {
    let server = Server::start().await;
    let (system, _folder) = start(server.address.port()).await;
    let (http, port) = (system.http(), server.address.port());
    let found = post(
        &http,
        "/open/fetch",
        &format!("http://127.0.0.1:{port}/leaflet"),
    )
    .await;
    check(&found, 200, "200 leaflet");
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = elsewhere.local_addr().unwrap().port();
    for address in [
        format!("http://127.0.0.1:{other}/"),
        format!("http://localhost:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        system.http_address.clone(),
    ] {
        let refused = post(&http, "/open/fetch", &address).await;
        assert_eq!(refused.status, REFUSED, "{address}");
    }
    let closed = post(
        &http,
        "/closed/fetch",
        &format!("http://127.0.0.1:{port}/leaflet"),
    )
    .await;
    assert_eq!(closed.status, REFUSED);
    let broken = post(
        &http,
        "/open/fetch",
        &format!("http://127.0.0.1:{port}/broken"),
    )
    .await;
    assert_eq!(broken.status, REFUSED);
}

/// A server that says its path, or breaks off in the middle of its answer.
struct Server {
    address: SocketAddr,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream));
            }
        });
        Self { address }
    }
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut asked = vec![0; 4096];
    let length = stream.read(&mut asked).await?;
    let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
    let path = asked
        .split(' ')
        .nth(1)
        .unwrap_or_default()
        .trim_matches('/')
        .to_owned();
    let promised = if path == "broken" { 1_000 } else { path.len() };
    let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {promised}\r\n\r\n{path}");
    stream.write_all(text.as_bytes()).await
}
