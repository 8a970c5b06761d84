//! A function that loops, traps, leaks or sleeps is stopped at its limit while its neighbours answer; a client
//! that leaves does not hurt; SIGTERM drains.

use std::{
    fs,
    io::Write as _,
    net::TcpStream,
    path::PathBuf,
    time::{Duration, Instant},
};

use linli_tests::{
    http::{Answer, Http},
    place, poll,
    system::{Setup, System},
};
use tempfile::TempDir;

/// Short enough that a test can wait for it; a limit is a limit.
const REQUEST_MS: u64 = 700;
const MEMORY_BYTES: u64 = 32 * 1024 * 1024;

/// The same component twice: one misbehaves, one is the neighbour.
fn manifest(folder: &TempDir) -> PathBuf {
    let probe = place::component("probe");
    let file = folder.path().join("spin.toml");
    let text = format!(
        r#"spin_manifest_version = 2
[application]
name = "misdeeds"
version = "0.1.0"
[application.tool.linli.limits]
request_ms = {REQUEST_MS}
memory_bytes = {MEMORY_BYTES}
instances = 8
[[trigger.http]]
route = "/bad/..."
component = "bad"
[[trigger.http]]
route = "/good/..."
component = "good"
[component.bad]
source = {probe:?}
[component.good]
source = {probe:?}
"#
    );
    fs::write(&file, text).unwrap();
    file
}

/// Asks the misbehaving component something while the neighbours, in the same component and in another one,
/// are asked all the time.
async fn misbehave(path: &str, times: usize) -> Vec<Answer> {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start(Setup::of(manifest(&folder)));
    let http = system.http();
    let bad: Vec<_> = (0..times)
        .map(|_| {
            let (http, path) = (http.clone(), path.to_owned());
            tokio::spawn(async move { http.get(&path).await })
        })
        .collect();
    while !bad.iter().all(tokio::task::JoinHandle::is_finished) {
        neighbours_answer(&http).await;
    }
    neighbours_answer(&http).await;
    let mut answers = Vec::new();
    for task in bad {
        answers.push(task.await.unwrap());
    }
    answers
}

async fn neighbours_answer(http: &Http) {
    for path in ["/good/hello", "/bad/hello"] {
        let answer = http.get(path).await.expect(200);
        assert_eq!(&answer.body[..], b"Hello, neighbour!");
    }
}

#[tokio::test]
async fn a_function_that_loops_is_stopped_and_its_neighbours_answer() {
    for answer in misbehave("/bad/loop", 2).await {
        assert_eq!(answer.expect(504).problem(), "timeout");
    }
}

#[tokio::test]
async fn a_function_that_traps_fails_alone() {
    for answer in misbehave("/bad/trap", 3).await {
        assert_eq!(answer.expect(502).problem(), "function_failed");
    }
}

#[tokio::test]
async fn a_function_that_panics_fails_alone() {
    for answer in misbehave("/bad/panic", 3).await {
        assert_eq!(answer.expect(502).problem(), "function_failed");
    }
}

#[tokio::test]
async fn a_function_that_leaks_memory_is_stopped_at_its_limit() {
    for answer in misbehave("/bad/leak", 3).await {
        assert_eq!(answer.expect(502).problem(), "function_failed");
    }
}

#[tokio::test]
async fn an_instance_that_has_taken_much_memory_serves_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start(Setup::of(manifest(&folder)));
    let http = system.http();
    let served = async || {
        let answer = http.get("/good/served").await.expect(200);
        String::from_utf8_lossy(&answer.body).into_owned()
    };
    assert_eq!(served().await, "0");
    assert_eq!(served().await, "1", "a modest one is kept");
    http.get("/good/hold").await.expect(200);
    assert_eq!(served().await, "0");
}

#[tokio::test]
async fn a_function_that_sleeps_too_long_is_stopped() {
    for path in ["/bad/sleep", "/bad/block"] {
        for answer in misbehave(path, 3).await {
            assert_eq!(answer.expect(504).problem(), "timeout", "{path}");
        }
    }
}

#[tokio::test]
async fn a_function_that_returns_an_error_is_answered_for() {
    for answer in misbehave("/bad/error", 3).await {
        assert_eq!(answer.expect(502).problem(), "function_failed");
    }
}

#[tokio::test]
async fn a_client_that_leaves_does_not_hurt() {
    let folder = tempfile::tempdir().unwrap();
    let system = System::start(Setup::of(manifest(&folder)));
    let address = system.http_address.trim_start_matches("http://").to_owned();
    for round in 0..40 {
        let mut stream = TcpStream::connect(&address).unwrap();
        let path = if round % 2 == 0 {
            "/bad/sleep"
        } else {
            "/bad/nap"
        };
        write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
        if round % 3 == 0 {
            // Half a request, too.
            let mut half = TcpStream::connect(&address).unwrap();
            half.write_all(
                b"POST /bad/echo HTTP/1.1\r\nhost: test\r\ncontent-length: 100\r\n\r\nhalf",
            )
            .unwrap();
        }
    }
    neighbours_answer(&system.http()).await;
    // The instances come back: as many requests at once as before are served.
    let http = system.http();
    poll::until("every instance serves again", async || {
        let asked: Vec<_> = (0..8)
            .map(|_| {
                let http = http.clone();
                tokio::spawn(async move { http.get("/bad/nap").await })
            })
            .collect();
        let mut served = 0;
        for task in asked {
            served += usize::from(task.await.unwrap().status == 200);
        }
        (served == 8).then_some(())
    })
    .await;
}

#[tokio::test]
async fn too_many_requests_are_told_to_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = manifest(&folder);
    // One instance, two may wait, and time enough for both: whoever is refused is refused for their number.
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replace("instances = 8", "instances = 1\nrequests_waiting = 2");
    let text = text.replace(&format!("request_ms = {REQUEST_MS}"), "request_ms = 20000");
    fs::write(&file, text).unwrap();
    let system = System::start(Setup::of(file));
    let asked: Vec<_> = (0..12)
        .map(|_| {
            let http = system.http();
            tokio::spawn(async move { http.get("/bad/nap").await })
        })
        .collect();
    let (mut served, mut refused) = (0, 0);
    for task in asked {
        let answer = task.await.unwrap();
        if answer.status == 200 {
            served += 1;
        } else {
            assert_eq!(answer.clone().expect(503).problem(), "overloaded");
            assert!(answer.headers.contains_key("retry-after"), "{answer}");
            refused += 1;
        }
    }
    assert!(
        served >= 1 && refused >= 1,
        "{served} served, {refused} refused"
    );
    neighbours_answer(&system.http()).await;
}

#[tokio::test]
async fn sigterm_lets_requests_in_progress_finish() {
    let folder = tempfile::tempdir().unwrap();
    let mut system = System::start(Setup::of(manifest(&folder)));
    let http = system.http();
    // Asked before, so that the naps below hit a compiled and running component.
    http.get("/good/hello").await.expect(200);
    let naps: Vec<_> = (0..4)
        .map(|_| {
            let http = http.clone();
            tokio::spawn(async move { http.try_json("GET", "/good/nap", None, &[]).await })
        })
        .collect();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(100) {
        tokio::task::yield_now().await;
    }
    system.host.signal("TERM");
    for nap in naps {
        let answer = nap
            .await
            .unwrap()
            .unwrap_or_else(|error| panic!("cut off: {error}"));
        assert_eq!(answer.status, 200, "{answer}");
    }
    assert!(system.host.wait().success(), "{}", system.host.shown());
    assert!(
        system
            .http()
            .try_json("GET", "/good/hello", None, &[])
            .await
            .is_err(),
        "it still listens"
    );
}
