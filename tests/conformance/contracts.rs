//! The routes that `http.rs` answers are the operations that `openapi.yaml` promises.

use std::{collections::BTreeSet, fs};

use linli_tests::place;
use xtask::openapi::{self, Operation};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// A route without the names of its parameters: `POST /api/doors/{}/openings`.
type Shape = String;

fn promised(operations: &[Operation], function: &str) -> BTreeSet<Shape> {
    let own = operations
        .iter()
        .filter(|operation| operation.function == function);
    own.map(|operation| {
        shape(&operation.method, operation.path.split('/'), |part| {
            part.starts_with('{')
        })
    })
    .collect()
}

fn shape<'a>(
    method: &str,
    parts: impl Iterator<Item = &'a str>,
    is_parameter: impl Fn(&str) -> bool,
) -> Shape {
    let parts: Vec<&str> = parts
        .filter(|part| !part.is_empty())
        .map(|part| if is_parameter(part) { "{}" } else { part })
        .collect();
    format!("{method} /{}", parts.join("/"))
}

/// The arms of the route table: `("POST", ["api", "doors", door, "openings"]) => ...`. Arms of any method,
/// `(_, [..])`, only say which methods there are.
fn answered(source: &str) -> BTreeSet<Shape> {
    let mut found = BTreeSet::new();
    for method in METHODS {
        let start = format!("(\"{method}\", [");
        for (at, _) in source.match_indices(&start) {
            let Some((list, _)) = source[at + start.len()..].split_once("])") else {
                continue;
            };
            let parts: Vec<&str> = list.split(',').map(str::trim).collect();
            let parts = parts.iter().map(|part| match part.strip_prefix('"') {
                Some(text) => text.trim_end_matches('"'),
                None => "{}",
            });
            found.insert(shape(method, parts, |part| part == "{}"));
        }
    }
    found
}

#[test]
fn routes_and_contracts_are_the_same() {
    let merged = openapi::merge(&place::root()).unwrap_or_else(|error| panic!("{error:#}"));
    let functions: BTreeSet<&str> = merged
        .operations
        .iter()
        .map(|operation| operation.function.as_str())
        .collect();
    for function in functions {
        let file = place::root()
            .join("functions")
            .join(function)
            .join("src/http.rs");
        let source =
            fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let (promised, answered) = (promised(&merged.operations, function), answered(&source));
        assert!(
            !answered.is_empty(),
            "functions/{function}/src/http.rs has no arm like (\"GET\", [\"api\", ..])"
        );
        let missing: Vec<&Shape> = promised.difference(&answered).collect();
        let secret: Vec<&Shape> = answered.difference(&promised).collect();
        assert!(
            missing.is_empty() && secret.is_empty(),
            "{function}: promised but not answered {missing:?}, answered but not promised {secret:?}"
        );
    }
}

#[test]
fn the_scan_of_a_route_table_knows_names_from_texts() {
    let source = r#"("GET", ["api", "door", door]) => a, ("POST", ["api", "doors"]) => b, (_, ["api"]) => c"#;
    assert_eq!(
        answered(source),
        BTreeSet::from(["GET /api/door/{}".to_owned(), "POST /api/doors".to_owned()])
    );
}
