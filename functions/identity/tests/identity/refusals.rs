//! Every route refuses nobody in particular, a forged token, and the wrong method. The list is the route table itself,
//! so that a new route without its refusals fails here; who else is refused stands with each story.

use kernel::ActorKind;

use crate::support::{INTERNAL, operator, run, token_of};

/// Routes that anybody may ask: what proves the caller is in the body.
const OPEN: [&str; 6] = [
    "POST /api/sessions",
    "POST /api/sessions/refresh",
    "POST /api/codes",
    "POST /api/registrations",
    "POST /api/device-sessions",
    "POST /api/application-sessions",
];

/// The arms of the route table: method, path with its places filled in, path as written.
fn arms() -> Vec<(String, String, String)> {
    let source = include_str!("../../src/http.rs");
    let arms = source.lines().filter_map(|line| {
        let (method, rest) = line.trim().strip_prefix("(\"")?.split_once("\", [")?;
        let (segments, _) = rest.split_once("])")?;
        let (mut filled, mut written) = (String::new(), String::new());
        for segment in segments.split(", ") {
            match segment.strip_prefix('"') {
                Some(literal) => {
                    let literal = literal.trim_end_matches('"');
                    filled.push_str(&format!("/{literal}"));
                    written.push_str(&format!("/{literal}"));
                }
                None => {
                    filled.push_str(if segment == "kind" { "/door" } else { "/x" });
                    written.push_str("/{}");
                }
            }
        }
        Some((method.to_owned(), filled, written))
    });
    arms.collect()
}

#[test]
fn nobody_and_a_forged_token_are_refused_everywhere() {
    run(async |function| {
        let before = function.facts().await;
        for (method, path, _) in arms() {
            if OPEN.contains(&format!("{method} {path}").as_str()) {
                let answer = function.send(&method, &path, &[], "{}").await;
                assert!(
                    [401, 422].contains(&answer.status),
                    "{method} {path}: {answer:?}"
                );
                continue;
            }
            function
                .send(&method, &path, &[], "")
                .await
                .expect(401, "token_missing");
            function
                .send(&method, &path, &[("authorization", "Bearer a.b.c")], "")
                .await
                .expect(401, "token_invalid");
        }
        assert_eq!(function.facts().await, before);
    });
}

#[test]
fn the_tokens_of_people_open_no_internal_route_and_the_internal_token_no_other() {
    run(async |function| {
        for (method, path, _) in arms() {
            if OPEN.contains(&format!("{method} {path}").as_str()) {
                continue;
            }
            let wrong = if path.starts_with("/internal") {
                operator()
            } else {
                INTERNAL.to_owned()
            };
            let bearer = format!("Bearer {wrong}");
            function
                .send(&method, &path, &[("authorization", &bearer)], "")
                .await
                .expect(401, "token_invalid");
        }
    });
}

#[test]
fn another_tenants_operator_finds_nothing_behind_any_id() {
    run(async |function| {
        let stranger = token_of("other", ActorKind::Operator, "boss", &[]);
        function.add("x", "resident", &["garden"]).await;
        let bodies = [
            ("keys", "{}"),
            ("answer", r#"{"text":"x"}"#),
            ("password", r#"{"password":"a long enough password"}"#),
            ("phone", r#"{"phone":"13900139000"}"#),
            ("consents", r#"{"text_version":"1"}"#),
        ];
        let before = function.facts().await;
        for (method, path, written) in arms() {
            if !written.contains("{}") {
                continue;
            }
            let named = bodies.iter().find(|(part, _)| path.contains(part));
            let body = match (method.as_str(), named) {
                ("GET" | "DELETE", _) => "",
                (_, Some((_, body))) => body,
                ("PUT", None) if path.ends_with("/x/roles") => r#"{"roles":[]}"#,
                ("PUT", None) if path.contains("roles") => r#"{"permissions":[]}"#,
                (_, None) => "{}",
            };
            let bearer = format!("Bearer {stranger}");
            let headers = [("authorization", bearer.as_str()), ("if-match", "*")];
            let answer = function.send(&method, &path, &headers, body).await;
            assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
        }
        assert_eq!(function.facts().await, before);
    });
}

#[test]
fn a_known_path_with_another_method_names_the_right_ones() {
    run(async |function| {
        let arms = arms();
        for (_, path, written) in &arms {
            let answer = function.send("OPTIONS", path, &[], "").await;
            let mut expected: Vec<&str> = arms
                .iter()
                .filter(|(_, _, other)| other == written)
                .map(|(method, _, _)| method.as_str())
                .collect();
            expected.sort_unstable();
            assert_eq!(answer.status, 405, "{path}");
            assert_eq!(answer.header("allow"), expected.join(", "), "{path}");
        }
        for path in ["/", "/api", "/api/codes/x", "/internal/ticks/doors"] {
            function
                .get(path, &operator())
                .await
                .expect(404, "not_found");
        }
    });
}

#[test]
fn every_operation_of_the_contract_is_a_route_and_the_other_way_round() {
    let contract = include_str!("../../openapi.yaml");
    let mut path = String::new();
    let mut promised = Vec::new();
    for line in contract.lines() {
        if let Some(found) = line.strip_prefix("  /") {
            let parts = found.trim_end_matches(':').split('/');
            path = parts
                .map(|part| {
                    if part.starts_with('{') {
                        "/{}".to_owned()
                    } else {
                        format!("/{part}")
                    }
                })
                .collect();
        }
        for method in ["get", "post", "put", "patch", "delete"] {
            if line == format!("    {method}:") {
                promised.push(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    let mut answered: Vec<String> = arms()
        .into_iter()
        .map(|(method, _, written)| format!("{method} {written}"))
        .collect();
    promised.sort();
    answered.sort();
    assert_eq!(promised, answered);
}
