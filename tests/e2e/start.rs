//! What cannot start says why in one sentence, and exits.

use std::{fs, net::TcpListener, path::Path, process::Command};

use linli_tests::{place, process::Process, system::Setup};

/// Starts a host that is expected to fail, and returns its last words.
fn fails(setup: &Setup, data: &Path, listen: &str, mqtt: &str) -> String {
    let mut host = Process::spawn("linli", setup.command(data, listen, mqtt));
    let status = host.wait();
    assert_eq!(status.code(), Some(1), "{}", host.shown());
    let words: Vec<String> = host
        .log()
        .into_iter()
        .filter(|line| !line.starts_with('{') && !line.trim().is_empty())
        .collect();
    assert!(!words.is_empty(), "it said nothing: {}", host.shown());
    let said = words.join("\n");
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[test]
fn a_broken_manifest_is_named_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let good = fs::read_to_string(place::root().join("spin.toml")).unwrap();
    for (what, text, named) in [
        (
            "not TOML",
            good.replacen("[application]", "[application", 1),
            "spin.toml",
        ),
        (
            "an unknown key",
            good.replacen("sqlite_databases", "sqlite_database", 1),
            "sqlite_database",
        ),
        (
            "a component that is not there",
            good.replacen("component = \"doors\"", "component = \"windows\"", 1),
            "windows",
        ),
        (
            "another version",
            good.replacen("spin_manifest_version = 2", "spin_manifest_version = 3", 1),
            "spin_manifest_version",
        ),
    ] {
        let file = folder.path().join("spin.toml");
        fs::write(&file, text).unwrap();
        let said = fails(
            &Setup::of(file.clone()),
            &folder.path().join("data"),
            "127.0.0.1:0",
            "none",
        );
        assert!(said.contains(named), "{what}: {said}");
        let checked = Command::new(place::binary("linli"))
            .args(["check", "--manifest"])
            .arg(&file)
            .output()
            .unwrap();
        assert!(!checked.status.success(), "{what}: linli check accepts it");
    }
    assert!(
        !folder.path().join("data/linli.db").exists(),
        "a refused manifest made a database"
    );
}

#[test]
fn a_missing_manifest_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let said = fails(
        &Setup::of(folder.path().join("nowhere.toml")),
        folder.path(),
        "127.0.0.1:0",
        "none",
    );
    assert!(said.contains("nowhere.toml"), "{said}");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let said = fails(&Setup::functions(), folder.path(), &address, "none");
    assert!(said.contains(&address), "{said}");
    let said = fails(&Setup::functions(), folder.path(), "127.0.0.1:0", &address);
    assert!(said.contains(&address), "{said}");
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named() {
    // A file where the folder should be: that stops root, too, whom permissions do not.
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::write(&data, "no folder").unwrap();
    let said = fails(&Setup::functions(), &data, "127.0.0.1:0", "none");
    assert!(said.contains(&data.display().to_string()), "{said}");
    assert_eq!(fs::read_to_string(&data).unwrap(), "no folder");
    // A read-only place: the kernel's own, which is read-only for root as well.
    let said = fails(
        &Setup::functions(),
        Path::new("/proc/linli"),
        "127.0.0.1:0",
        "none",
    );
    assert!(said.contains("/proc/linli"), "{said}");
}
