//! The README's day in the estate: every command, as it stands there, against the demo.

use std::{fs, process::Command};

use linli_tests::{estate::Estate, place};

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_readmes_day_works() {
    let estate = Estate::start().await;
    estate.demo.write(estate.system.data()).unwrap();
    let readme = fs::read_to_string(place::root().join("README.md")).unwrap();
    let blocks = readme.split("```sh demo\n").skip(1);
    let script: String = blocks
        .filter_map(|rest| rest.split_once("```"))
        .map(|(commands, _)| commands)
        .collect();
    assert!(
        script.lines().count() > 20,
        "the day has become short:\n{script}"
    );
    let output = Command::new("bash")
        .args(["-e", "-u", "-o", "pipefail", "-x", "-c", &script])
        .env("BASE", &estate.system.http_address)
        .env("DATA", estate.system.data())
        .output()
        .unwrap();
    let (said, traced) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{traced}\n{said}");
    for known in [
        "\"state\":\"requested\"",
        "L1.",
        "1栋",
        "erp",
        "tenant.founded",
    ] {
        assert!(
            said.contains(known) || traced.contains(known),
            "no {known} in:\n{said}"
        );
    }
}
