//! Rules on one Rust file: its size, what pure code may not name, and what a guest may not do.

use std::path::Path;

use super::{Offender, source::Source};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// What pure code does not name: time, randomness, I/O, waiting, floats and unordered maps.
const IMPURE: [&str; 17] = [
    "async",
    "await",
    "f32",
    "f64",
    "HashMap",
    "HashSet",
    "SystemTime",
    "Instant",
    "tokio",
    "spin_sdk",
    "sqlx",
    "rand",
    "getrandom",
    "now_v7",
    "new_v4",
    "thread",
    "println",
];
/// What a panic in a guest is made of: it fails every request of its instance.
const PANICS: [&str; 8] = [
    ".unwrap()",
    ".expect(",
    "panic!(",
    "todo!(",
    "unimplemented!(",
    "unreachable!(",
    ".unwrap_err()",
    ".expect_err(",
];

/// Adds the file's offences.
pub fn check(path: &Path, text: &str, source: &Source, found: &mut Vec<Offender>) {
    let mut add = |line: Option<usize>, reason: String| {
        found.push(Offender {
            path: path.to_owned(),
            line,
            reason,
        })
    };
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        add(None, format!("{lines} lines, at most {FILE_LINES_MAX}"));
    }
    for (name, range) in source.functions() {
        if range.len() > FUNCTION_LINES_MAX {
            add(
                Some(range.start),
                format!(
                    "`{name}` has {} lines, at most {FUNCTION_LINES_MAX}",
                    range.len()
                ),
            );
        }
    }
    if !text.trim_start().starts_with("//!") {
        add(Some(1), "a module opens with //!: what it is".to_owned());
    }
    for (line, code) in source.guest_lines() {
        if is_pure(path) {
            let named = IMPURE
                .iter()
                .copied()
                .chain(is_domain(path).then_some("Serialize"))
                .find(|word| has_word(code, word));
            if let Some(word) = named {
                add(Some(line), format!("pure code names `{word}`"));
            }
        }
        if is_guest(path) {
            if let Some(call) = PANICS.iter().find(|call| code.contains(**call)) {
                add(Some(line), format!("a guest panics with `{call}`"));
            }
            if let Some(expression) = indexing(code) {
                add(
                    Some(line),
                    format!("a guest panics when `{expression}[..]` is out of bounds: use get"),
                );
            }
        }
        if [concat!("TO", "DO"), concat!("FIX", "ME")]
            .iter()
            .any(|word| has_word(text.lines().nth(line - 1).unwrap_or_default(), word))
        {
            add(Some(line), "unfinished: do it, or file it".to_owned());
        }
    }
}

fn is_domain(path: &Path) -> bool {
    path.starts_with("functions")
        && (path.ends_with("src/domain.rs") || path.to_string_lossy().contains("/src/domain/"))
}

fn is_pure(path: &Path) -> bool {
    is_domain(path)
        || path.starts_with("components/shared/kernel/src")
        || path.starts_with("components/shared/wire/src")
}

/// Code that is linked into components. Files of tests, and what a library keeps for native builds only, are none.
fn is_guest(path: &Path) -> bool {
    let inside = path.starts_with("functions") || path.starts_with("components");
    let names = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy());
    let names: Vec<String> = names
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .collect();
    let is_other = |name: &String| {
        ["native", "tests", "testing"].contains(&name.as_str()) || name.ends_with("_tests")
    };
    inside && names.iter().any(|name| name == "src") && !names.iter().any(is_other)
}

/// Whether a word stands in code by itself.
fn has_word(code: &str, word: &str) -> bool {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    code.match_indices(word).any(|(start, _)| {
        let before = code.get(..start).and_then(|text| text.chars().next_back());
        let after = code
            .get(start + word.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// The first expression that is indexed in a line. A type, an attribute, a macro or a list is none.
fn indexing(code: &str) -> Option<String> {
    code.match_indices('[').find_map(|(start, _)| {
        let before = code.get(..start)?;
        let last = before.chars().next_back()?;
        let is_name = |char: char| char.is_alphanumeric() || char == '_';
        let expression: String = before
            .chars()
            .rev()
            .take_while(|char| is_name(*char))
            .collect::<String>()
            .chars()
            .rev()
            .collect();
        let is_lifetime =
            before.len() > expression.len() && before.trim_end_matches(is_name).ends_with('\'');
        let is_full_range = code.get(start..)?.starts_with("[..]");
        let indexed = (is_name(last) && !is_lifetime) || matches!(last, ')' | ']' | '?');
        (indexed && !is_full_range).then_some(if expression.is_empty() {
            ")".to_owned()
        } else {
            expression
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offences(path: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        check(Path::new(path), text, &Source::new(text), &mut found);
        found
            .into_iter()
            .map(|offender| offender.to_string())
            .collect()
    }

    #[test]
    fn a_file_and_a_function_have_a_length() {
        let long = format!("//! x\nfn long() {{\n{}}}\n", "    a();\n".repeat(69));
        assert_eq!(
            offences("infra/host/src/a.rs", &long),
            ["infra/host/src/a.rs:2: `long` has 71 lines, at most 70"]
        );
        let file = format!("//! x\n{}", "// y\n".repeat(400));
        assert_eq!(
            offences("infra/host/src/a.rs", &file),
            ["infra/host/src/a.rs: 401 lines, at most 400"]
        );
    }

    #[test]
    fn a_domain_knows_no_clock_and_no_wire() {
        let text = "//! x\nasync fn f() -> f64 { Utc }\n#[derive(Serialize)]\nstruct A;\n#[cfg(test)]\nmod tests { use std::collections::HashMap; }\n";
        let expected = [
            "functions/a/src/domain.rs:2: pure code names `async`",
            "functions/a/src/domain.rs:3: pure code names `Serialize`",
        ];
        assert_eq!(offences("functions/a/src/domain.rs", text), expected);
        assert!(offences("infra/host/src/domain.rs", text).is_empty());
    }

    #[test]
    fn a_file_of_tests_is_no_guest() {
        for path in [
            "functions/a/src/domain/opening_tests.rs",
            "functions/a/src/tests.rs",
            "functions/a/tests/routes.rs",
        ] {
            assert!(
                offences(path, "//! x\na[0].unwrap();\n").is_empty(),
                "{path}"
            );
        }
    }

    #[test]
    fn a_guest_does_not_panic() {
        let offends = |line: &str| {
            !offences("functions/a/src/http.rs", &format!("//! x\n{line}\n")).is_empty()
        };
        assert!(
            offends("let a = b.unwrap();")
                && offends("a[0]")
                && offends("f()[1]")
                && offends("&text[1..]")
        );
        for fine in [
            "let a: [u8; 4] = [1, 2];",
            "#[derive(Debug)]",
            "vec![1]",
            "&'a [u8]",
            "fn f(a: &[u8]) {}",
            "unwrap_or(0)",
            "&all[..]",
        ] {
            assert!(!offends(fine), "{fine}");
        }
        assert!(offences("infra/host/src/http.rs", "//! x\na[0].unwrap();\n").is_empty());
    }
}
