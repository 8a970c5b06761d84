//! Text with `{{ name }}` expressions, as the manifest has it in variables, hosts and MQTT settings.

use std::{collections::BTreeMap, fmt};

use anyhow::{Context, Result, ensure};

/// A parsed text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Name(String),
}

impl Template {
    /// Parses a text.
    ///
    /// # Errors
    /// When an expression is not closed, or is not the name of a variable.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once("{{") {
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let (name, after) = after
                .split_once("}}")
                .with_context(|| format!("{text:?}: '{{{{' without '}}}}'"))?;
            let name = name.trim();
            ensure!(
                is_variable_name(name),
                "{text:?}: {name:?} is not the name of a variable"
            );
            parts.push(Part::Name(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The names it uses.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The text with every expression replaced.
    ///
    /// # Errors
    /// When a name has no value.
    pub fn resolve(&self, values: &BTreeMap<String, String>) -> Result<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Name(name) => {
                    text.push_str(
                        values
                            .get(name)
                            .with_context(|| format!("the variable {name:?} has no value"))?,
                    );
                }
            }
        }
        Ok(text)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Literal(literal) => formatter.write_str(literal),
            Part::Name(name) => write!(formatter, "{{{{ {name} }}}}"),
        })
    }
}

/// Whether a name is words of lower-case letters and digits, each begun by a letter, joined by single underscores.
#[must_use]
pub fn is_variable_name(name: &str) -> bool {
    is_words(name, '_')
}

/// Whether a text is words of lower-case letters and digits, each begun by a letter, joined by the separator.
#[must_use]
pub fn is_words(text: &str, separator: char) -> bool {
    text.split(separator).all(|word| {
        word.starts_with(|first: char| first.is_ascii_lowercase())
            && word
                .chars()
                .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Result<String> {
        let values = [("host", "example.com"), ("port", "1883")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Template::parse(text)?.resolve(&BTreeMap::from(values))
    }

    #[test]
    fn expressions_are_replaced_and_the_rest_stays() {
        assert_eq!(
            resolve("mqtt://{{ host }}:{{port}}/").unwrap(),
            "mqtt://example.com:1883/"
        );
        assert_eq!(resolve("").unwrap(), "");
        assert_eq!(resolve("} { }}").unwrap(), "} { }}");
        assert_eq!(
            Template::parse("a{{ host }}b")
                .unwrap()
                .names()
                .collect::<Vec<_>>(),
            ["host"]
        );
    }

    #[test]
    fn a_broken_expression_is_refused() {
        for text in [
            "{{ host",
            "{{ }}",
            "{{ Host }}",
            "{{ a b }}",
            "{{ _a }}",
            "{{ nobody }}",
        ] {
            assert!(resolve(text).is_err(), "{text:?}");
        }
    }
}
