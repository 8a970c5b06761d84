//! What a manifest may say, and how what it may not say is named.

use std::path::Path;

use super::*;

const SMALL: &str = r#"
spin_manifest_version = 2
[application]
name = "small"
[variables]
host = { default = "example.com" }
token = { required = true, secret = true }
[application.trigger.mqtt]
address = "mqtt://{{ host }}:1883"
username = "u"
password = "{{ token }}"
keep_alive_interval = "30"
[[trigger.http]]
route = "/doors/..."
component = "doors"
[[trigger.http]]
route = "/up"
static_response = { status_code = 204, headers = { "x-a" = "b" } }
[[trigger.mqtt]]
topic = "linli/+/ack"
qos = "1"
component = "doors"
[[trigger.cron]]
cron_expression = "*/5 * * * * *"
component = "doors"
[component.doors]
source = "doors.wasm"
allowed_outbound_hosts = ["https://{{ host }}"]
key_value_stores = ["default"]
sqlite_databases = ["default"]
[component.doors.variables]
token = "{{ token }}"
[component.doors.build]
command = "cargo build"
[component.doors.dependencies]
"linli:tariff/rating@1.0.0" = { component = "tariff-flat" }
[component.doors.tool.linli]
migrations = "doors/migrations"
[component.tariff-flat]
source = "tariff.wasm"
[component.leaflets]
source = "leaflets.wasm"
files = [{ source = "static", destination = "/static" }, "assets/*.css"]
[component.leaflets.environment]
A = "b"
[application.tool.linli]
migrations = ["store/migrations"]
[application.tool.linli.limits]
request_ms = 700
[application.tool.other]
whatever = true
"#;

fn parse(text: &str) -> Result<Manifest> {
    Manifest::parse(text, Path::new("/app"))
}

#[test]
fn everything_supported_is_read() {
    let manifest = parse(SMALL).unwrap();
    assert_eq!(manifest.http.len(), 2);
    assert!(matches!(&manifest.http[1].target, HttpTarget::Static(fixed) if fixed.status == 204));
    assert_eq!(manifest.mqtt_triggers[0].qos, 1);
    assert_eq!(manifest.cron_triggers[0].expression, "*/5 * * * * *");
    let doors = &manifest.components["doors"];
    assert_eq!(doors.source, Path::new("/app/doors.wasm"));
    assert_eq!(manifest.components["leaflets"].files.len(), 2);
    assert_eq!(doors.build, ["cargo build"]);
    assert_eq!(
        doors.dependencies["linli:tariff/rating@1.0.0"].component,
        "tariff-flat"
    );
    assert_eq!(manifest.linli.limits.request_ms, 700);
    assert_eq!(
        manifest.linli.limits.body_bytes,
        Limits::default().body_bytes
    );
    let folders = ["/app/store/migrations", "/app/doors/migrations"].map(PathBuf::from);
    assert_eq!(manifest.migration_folders(), folders);
    assert!(manifest.variables["token"].secret);
}

#[test]
fn the_manifest_of_this_repository_is_supported() {
    Manifest::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spin.toml")).unwrap();
}

fn with(found: &str, instead: &str) -> String {
    assert!(SMALL.contains(found), "{found}");
    SMALL.replacen(found, instead, 1)
}

fn doors(line: &str) -> String {
    with(
        "source = \"doors.wasm\"",
        &format!("source = \"doors.wasm\"\n{line}"),
    )
}

fn check_refused(cases: &[(String, &str)]) {
    for (text, named) in cases {
        let error = format!("{:#}", parse(text).expect_err(named));
        assert!(error.contains(named), "{error:?} does not name {named:?}");
    }
}

#[test]
fn what_is_not_supported_is_refused_by_its_full_name() {
    check_refused(&[
        (
            with("version = 2", "version = 1"),
            "spin_manifest_version is 1",
        ),
        (
            with("name = \"small\"", "name = \"small\"\nnom = 1"),
            "application.nom is not supported",
        ),
        (
            doors("ai_models = [\"llama\"]"),
            "component.doors.ai_models is not supported by linli",
        ),
        (
            doors("exclude_files = [\"a\"]"),
            "component.doors.exclude_files is not supported by linli",
        ),
        (
            doors("profile = {}"),
            "component.doors.profile is not supported by linli",
        ),
        (
            with(
                "source = \"doors.wasm\"",
                "source = { url = \"https://x\", digest = \"y\" }",
            ),
            "component.doors.source",
        ),
        (
            with("source = \"doors.wasm\"", ""),
            "component.doors.source is missing",
        ),
        (
            with("{ component = \"tariff-flat\" }", "\"1.0.0\""),
            "component.doors.dependencies.\"linli:tariff/rating@1.0.0\"",
        ),
        (
            with("{ component = \"tariff-flat\" }", "{ path = \"a.wasm\" }"),
            "a dependency from a file",
        ),
        (
            with("linli:tariff/rating@1.0.0", "linli:tariff"),
            "exact name",
        ),
    ]);
}

#[test]
fn what_is_malformed_or_leads_nowhere_is_refused_by_its_full_name() {
    check_refused(&[
        (
            with("[[trigger.cron]]", "[[trigger.redis]]"),
            "trigger.redis is not supported by linli",
        ),
        (
            with(
                "cron_expression = \"*/5 * * * * *\"",
                "cron_expression = \"* * * * *\"",
            ),
            "5 fields",
        ),
        (with("qos = \"1\"", "qos = \"3\""), "trigger.mqtt[0].qos"),
        (
            with("component = \"doors\"", "component = \"windows\""),
            "\"windows\"",
        ),
        (with("{{ token }}", "{{ tokn }}"), "\"tokn\""),
        (with("https://{{ host }}", "https://{{ hos }}"), "\"hos\""),
        (with("https://{{ host }}", "example.com"), "example.com"),
        (with("https://{{ host }}", "http://self"), "http://self"),
        (
            with("request_ms = 700", "request_ms = 0"),
            "request_ms must be above 0",
        ),
        (
            with("request_ms = 700", "request_s = 7"),
            "application.tool.linli.limits.request_s is not supported",
        ),
        (
            with("route = \"/up\"", "route = \"/doors/...\""),
            "is taken",
        ),
        (
            doors("files = [\"leaflets/*\"]"),
            "component.doors: a component with dependencies",
        ),
        (
            with("{ default = \"example.com\" }", "{}"),
            "variables.host needs a default",
        ),
        (with("[variables]", "[variables"), "line 5"),
        (with("name = \"small\"", ""), "application.name is missing"),
        (
            with(
                "source = \"tariff.wasm\"",
                "source = \"tariff.wasm\"\nsqlite_databases = [\"default\"]",
            ),
            "component.tariff-flat",
        ),
    ]);
}
