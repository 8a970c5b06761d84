//! The little of SQL's grammar that both engines share and we must know: where quotes and comments end.

use std::borrow::Cow;
use std::fmt::Write as _;

/// What a stretch of a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Code,
    Quoted,
    Comment,
}

/// Rewrites `$n` to `?n`. SQLite takes `$n` for a name and numbers names by first appearance, so that a host that
/// binds by position would put the second parameter into a statement's first `$2`.
pub(crate) fn numbered(sql: &str) -> Cow<'_, str> {
    if !sql.contains('$') {
        return Cow::Borrowed(sql);
    }
    let mut text = String::with_capacity(sql.len());
    for (piece, part) in pieces(sql) {
        if piece == Piece::Code {
            text.push_str(&part.replace('$', "?"));
        } else {
            text.push_str(part);
        }
    }
    Cow::Owned(text)
}

/// An `insert ... values ($1, .., $n)` with its list of parameters repeated for that many rows.
///
/// # Errors
/// When the statement has no such list.
pub(crate) fn with_rows(sql: &str, rows: usize) -> anyhow::Result<String> {
    let shape = || anyhow::anyhow!("no `values ($1, .., $n)` to repeat in: {sql}");
    let (head, list) = sql.split_once("values (").ok_or_else(shape)?;
    let (list, tail) = list.split_once(')').ok_or_else(shape)?;
    let width = list.split(',').count();
    let is_list = list.split(',').enumerate().all(|(index, name)| {
        let number = name.trim().strip_prefix('$').map(str::parse::<usize>);
        matches!(number, Some(Ok(number)) if number == index + 1)
    });
    anyhow::ensure!(is_list, shape());
    let mut text = String::with_capacity(sql.len() + rows * width * "$1234, ".len());
    text.push_str(head);
    text.push_str("values ");
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=width {
            text.push_str(if column == 1 { "$" } else { ", $" });
            write!(text, "{}", row * width + column)?;
        }
        text.push(')');
    }
    text.push_str(tail);
    Ok(text)
}

/// The statements of a script, without comments and without their semicolons.
///
/// # Errors
/// An open quote or comment, dollar quoting (only one engine knows it), or a statement that begins or ends a
/// transaction (the caller owns it).
#[cfg(not(target_family = "wasm"))]
pub(crate) fn statements(script: &str) -> anyhow::Result<Vec<String>> {
    let mut statements = Vec::new();
    let mut statement = String::new();
    for (piece, part) in pieces(script) {
        let open = match piece {
            Piece::Code => {
                anyhow::ensure!(!part.contains("$$"), "dollar quoting is not portable");
                for (index, fragment) in part.split(';').enumerate() {
                    if index > 0 {
                        statements.push(std::mem::take(&mut statement));
                    }
                    statement.push_str(fragment);
                }
                false
            }
            Piece::Quoted => {
                statement.push_str(part);
                part.len() < 2 || part.chars().next() != part.chars().last()
            }
            Piece::Comment => {
                statement.push(' ');
                part.starts_with("/*") && !part.ends_with("*/")
            }
        };
        anyhow::ensure!(!open, "a quote or comment does not end: {part:?}");
    }
    statements.push(statement);
    let statements: Vec<String> = statements
        .iter()
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect();
    for statement in &statements {
        let word = statement
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let forbidden = [
            "begin",
            "start",
            "commit",
            "end",
            "rollback",
            "savepoint",
            "release",
        ];
        anyhow::ensure!(
            !forbidden.contains(&word.as_str()),
            "a migration already runs in a transaction: {word:?}"
        );
    }
    Ok(statements)
}

fn pieces(sql: &str) -> Vec<(Piece, &str)> {
    let mut pieces = Vec::new();
    let mut rest = sql;
    while let Some((start, piece, end)) = next_special(rest) {
        let (code, special) = rest.split_at(start);
        let (special, after) = special.split_at(end);
        pieces.push((Piece::Code, code));
        pieces.push((piece, special));
        rest = after;
    }
    pieces.push((Piece::Code, rest));
    pieces
}

/// Where the next quote or comment starts, what it is, and how many bytes it has.
fn next_special(text: &str) -> Option<(usize, Piece, usize)> {
    let starts = [
        ("'", Piece::Quoted, "'"),
        ("\"", Piece::Quoted, "\""),
        ("--", Piece::Comment, "\n"),
        ("/*", Piece::Comment, "*/"),
    ];
    let (start, (open, piece, close)) = starts
        .into_iter()
        .filter_map(|kind| Some((text.find(kind.0)?, kind)))
        .min_by_key(|(start, _)| *start)?;
    let inside = text.get(start + open.len()..)?;
    let length = inside
        .find(close)
        .map_or(inside.len(), |end| end + close.len());
    Some((start, piece, open.len() + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parameters_are_numbered_only_where_they_are_parameters() {
        assert_eq!(
            numbered("select $2, '$1 it''s $3', \"$4\" -- $5\n from t where a = $1 /* $6 */"),
            "select ?2, '$1 it''s $3', \"$4\" -- $5\n from t where a = ?1 /* $6 */"
        );
    }

    #[test]
    fn a_list_of_parameters_is_repeated_for_each_row() {
        let one = "insert into t (a, b) values ($1, $2) on conflict (a) do nothing";
        assert_eq!(
            with_rows(one, 2).unwrap(),
            "insert into t (a, b) values ($1, $2), ($3, $4) on conflict (a) do nothing"
        );
        for other in ["select 1", "insert into t (a) values ($2)", "values (1"] {
            assert!(with_rows(other, 2).is_err(), "{other}");
        }
    }

    #[test]
    fn a_script_is_split_only_between_statements() {
        let script = "-- first; of all\ncreate table a (b text default ';''');\n\n/* ; */ insert into a (b) values ('x'); ;";
        assert_eq!(
            statements(script).unwrap(),
            [
                "create table a (b text default ';''')",
                "insert into a (b) values ('x')"
            ]
        );
    }

    #[test]
    fn a_script_that_is_open_or_ends_the_transaction_is_refused() {
        for script in [
            "select 'a",
            "select 1 /* a",
            "create table a (b text); COMMIT;",
            "select $$a$$",
            "'",
        ] {
            assert!(statements(script).is_err(), "{script:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_the_text_again(text in "[a'\"/*\\-\n$1;门]*") {
            let joined: String = pieces(&text).into_iter().map(|(_, part)| part).collect();
            prop_assert_eq!(joined, text);
        }
    }
}
