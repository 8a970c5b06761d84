//! The log of facts: who reads it, what is found, and that nobody changes it.

use std::{fs, path::Path};

use kernel::ActorKind;
use serde_json::json;

use crate::support::{Function, PASSWORD, operator, run, token, token_of};

async fn found(function: &Function, query: &str) -> Vec<String> {
    let list = function
        .get(&format!("/api/audit{query}"), &operator())
        .await
        .expect(200, "");
    let items = list.body["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["kind"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_log_is_searched_by_person_kind_and_time_and_read_page_by_page() {
    run(async |mut function| {
        function.add("li", "resident", &["garden"]).await;
        function.wait(1_000);
        let later = function.context.now.to_string();
        function.sign_in("li", PASSWORD).await.expect(201, "");
        let all = found(&function, "").await;
        assert_eq!(
            all,
            [
                "tenant.founded",
                "person.registered",
                "person.registered",
                "session.opened"
            ]
        );
        assert_eq!(
            found(&function, "?person=li").await,
            ["person.registered", "session.opened"]
        );
        assert_eq!(found(&function, "?kind=session.opened").await.len(), 1);
        assert_eq!(found(&function, &format!("?from={later}")).await.len(), 1);
        assert_eq!(found(&function, &format!("?to={later}")).await.len(), 3);
        let first = function
            .get("/api/audit?limit=3", &operator())
            .await
            .expect(200, "");
        assert_eq!(first.body["next"], "3");
        assert_eq!(
            found(&function, "?limit=3&after=3").await,
            ["session.opened"]
        );
        let last = function.get("/api/audit?limit=4", &operator()).await;
        assert_eq!(last.body["next"], json!(null));
    });
}

#[test]
fn operators_and_auditors_read_it_and_nobody_reads_another_tenants() {
    run(async |function| {
        for kind in ActorKind::ALL {
            let answer = function
                .get("/api/audit", &token(kind, "x", &["garden"]))
                .await;
            match kind {
                ActorKind::Operator | ActorKind::Auditor => answer.expect(200, ""),
                _ => answer.expect(403, "audit_forbidden"),
            };
        }
        let stranger = token_of("other", ActorKind::Auditor, "x", &[]);
        let other = function.get("/api/audit", &stranger).await.expect(200, "");
        assert_eq!(other.body["items"], json!([]));
    });
}

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn no_statement_of_any_function_changes_or_removes_a_fact() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut all = Vec::new();
    for entry in fs::read_dir(root.join("functions")).unwrap() {
        let folder = entry.unwrap().path().join("src");
        if folder.is_dir() {
            sources(&folder, &mut all);
        }
    }
    sources(&root.join("components/shared/store/src"), &mut all);
    assert!(all.len() > 10);
    for source in all {
        let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
        for change in [
            "update event set",
            "delete from event where",
            "delete from event\"",
            "drop table event",
            "truncate event",
        ] {
            assert!(!source.contains(change), "{change}");
        }
    }
}
