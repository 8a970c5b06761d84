//! A Rust file seen as tidy needs it: code without comments and texts, the texts by themselves, and which
//! lines are tests. A scan of bytes, not a parser: it knows texts, comments and braces, and nothing else.

use std::ops::Range;

/// A text literal: where it starts, and what stands in it.
pub struct Literal {
    /// Its first line, counted from 1.
    pub line: usize,
    /// What stands between the quotes, escapes as written.
    pub text: String,
}

/// One file.
pub struct Source {
    /// The file's text with comments and the insides of texts blanked; lines and columns stay.
    pub code: String,
    /// The text literals outside of tests.
    pub literals: Vec<Literal>,
    tests: Vec<Range<usize>>,
}

impl Source {
    /// Reads a file's text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let (code, literals) = Scanner::new(text).scan();
        let tests = test_modules(&code);
        let is_test = |line: usize| tests.iter().any(|range| range.contains(&line));
        let literals = literals
            .into_iter()
            .filter(|literal| !is_test(literal.line))
            .collect();
        Self {
            code,
            literals,
            tests,
        }
    }

    /// The lines of code outside of tests, counted from 1.
    pub fn guest_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self
            .code
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line));
        lines.filter(|(line, _)| !self.tests.iter().any(|range| range.contains(line)))
    }

    /// Every function with a body: its name, and its lines counted from 1.
    #[must_use]
    pub fn functions(&self) -> Vec<(String, Range<usize>)> {
        let mut found = Vec::new();
        for (start, _) in self.code.match_indices("fn ") {
            let before = self
                .code
                .get(..start)
                .and_then(|text| text.chars().next_back());
            if before.is_some_and(|before| before.is_alphanumeric() || before == '_') {
                continue;
            }
            let rest = self.code.get(start + 3..).unwrap_or_default();
            let name: String = rest
                .chars()
                .take_while(|char| char.is_alphanumeric() || *char == '_')
                .collect();
            // No name: a function pointer's type. No body: a trait's method, an import.
            if let (false, Some(body)) = (name.is_empty(), body(&self.code, start)) {
                found.push((
                    name,
                    line_of(&self.code, start)..line_of(&self.code, body.end) + 1,
                ));
            }
        }
        found
    }
}

/// The line of an offset, counted from 1.
fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

/// The braces that follow an offset, unless a semicolon ends the item before.
fn body(code: &str, start: usize) -> Option<Range<usize>> {
    let mut brackets = 0_i32;
    let mut opened = None;
    for (offset, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets -= 1,
            b';' if brackets == 0 && opened.is_none() => return None,
            b'{' if opened.is_none() => opened = Some((offset, 1)),
            b'{' => opened = opened.map(|(from, depth)| (from, depth + 1)),
            b'}' => match opened {
                Some((from, 1)) => return Some(from..offset),
                other => opened = other.map(|(from, depth)| (from, depth - 1)),
            },
            _ => {}
        }
    }
    None
}

fn test_modules(code: &str) -> Vec<Range<usize>> {
    let starts = code
        .match_indices("#[cfg(test)]")
        .chain(code.match_indices("#[cfg(all(test"));
    starts
        .filter_map(|(start, _)| {
            Some(line_of(code, start)..line_of(code, body(code, start)?.end) + 1)
        })
        .collect()
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
    code: Vec<u8>,
    literals: Vec<Literal>,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: 0,
            line: 1,
            code: Vec::with_capacity(text.len()),
            literals: Vec::new(),
        }
    }

    fn scan(mut self) -> (String, Vec<Literal>) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'/' if self.peek(1) == Some(b'/') => {
                    self.blank_while(|scanner| scanner.peek(0) != Some(b'\n'))
                }
                b'/' if self.peek(1) == Some(b'*') => self.block_comment(),
                b'"' => self.text(0),
                b'r' if !self.follows_a_name() && self.raw_hashes().is_some() => {
                    let hashes = self.raw_hashes().unwrap_or_default();
                    (0..=hashes).for_each(|_| self.keep());
                    self.text(hashes + 1);
                }
                b'\'' => self.character(),
                _ => self.keep(),
            }
        }
        (
            String::from_utf8_lossy(&self.code).into_owned(),
            self.literals,
        )
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn step(&mut self, written: u8) {
        if self.peek(0) == Some(b'\n') {
            self.line += 1;
            self.code.push(b'\n');
        } else {
            self.code.push(written);
        }
        self.at += 1;
    }

    fn keep(&mut self) {
        if let Some(byte) = self.peek(0) {
            self.step(byte);
        }
    }

    fn blank_while(&mut self, holds: impl Fn(&Self) -> bool) {
        while self.peek(0).is_some() && holds(self) {
            self.step(b' ');
        }
    }

    fn block_comment(&mut self) {
        self.blank_while(|scanner| scanner.bytes.get(scanner.at..scanner.at + 2) != Some(b"*/"));
        self.step(b' ');
        self.step(b' ');
    }

    fn follows_a_name(&self) -> bool {
        self.code
            .last()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            && !matches!(self.code.last(), Some(b'b'))
    }

    /// How many `#` a raw text here has, if it is one.
    fn raw_hashes(&self) -> Option<usize> {
        let hashes = self
            .bytes
            .iter()
            .skip(self.at + 1)
            .take_while(|byte| **byte == b'#')
            .count();
        (self.peek(1 + hashes) == Some(b'"')).then_some(hashes)
    }

    /// A text from its opening quote. `raw` is 0 for a text with escapes, else one more than its hashes.
    fn text(&mut self, raw: usize) {
        self.keep();
        let (from, line) = (self.at, self.line);
        while let Some(byte) = self.peek(0) {
            let ends = byte == b'"'
                && (0..raw.saturating_sub(1)).all(|index| self.peek(1 + index) == Some(b'#'));
            if ends {
                break;
            }
            if raw == 0 && byte == b'\\' {
                self.step(b' ');
            }
            self.step(b' ');
        }
        let text =
            String::from_utf8_lossy(self.bytes.get(from..self.at).unwrap_or_default()).into_owned();
        self.literals.push(Literal { line, text });
        (0..raw.max(1)).for_each(|_| self.keep());
    }

    /// A character literal, or the tick of a lifetime.
    fn character(&mut self) {
        self.keep();
        let escaped = self.peek(0) == Some(b'\\');
        let width = self.bytes.get(self.at).map_or(1, |byte| match byte {
            0xF0.. => 4,
            0xE0.. => 3,
            0xC0.. => 2,
            _ => 1,
        });
        if escaped {
            self.step(b' ');
            self.step(b' ');
            self.blank_while(|scanner| scanner.peek(0) != Some(b'\''));
            self.keep();
        } else if self.peek(width) == Some(b'\'') {
            (0..width).for_each(|_| self.step(b' '));
            self.keep();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_comments_are_no_code() {
        let source = Source::new(
            "let a = \"fn x() {\"; // unwrap()\nlet c = '\"'; let r = r#\"sel\"ect\"#; /* { */ fn f<'a>() { b }",
        );
        assert!(
            !source.code.contains("unwrap")
                && !source.code.contains("x()")
                && !source.code.contains("ect")
        );
        let texts: Vec<&str> = source
            .literals
            .iter()
            .map(|literal| literal.text.as_str())
            .collect();
        assert_eq!(texts, ["fn x() {", "sel\"ect"]);
        assert_eq!(source.functions(), [("f".to_owned(), 2..3)]);
    }

    #[test]
    fn tests_are_no_guest_code() {
        let source = Source::new(
            "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { c.unwrap(); }\n}\nfn d() {}\n",
        );
        let lines: Vec<usize> = source.guest_lines().map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 6]);
    }

    #[test]
    fn a_function_is_as_long_as_its_braces() {
        let source = Source::new(
            "trait T { fn no(&self); }\nfn long(\n    a: [u8; 4],\n) {\n    if a {\n    }\n}\n",
        );
        assert_eq!(source.functions(), [("long".to_owned(), 2..8)]);
    }
}
