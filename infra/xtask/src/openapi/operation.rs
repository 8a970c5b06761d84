//! One operation of a contract: whom it is for, and the examples it is tried with.

use anyhow::{Context, Result};
use serde_yaml_ng::Value;

const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "head"];

/// Whom an operation is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without a token: `security: []`.
    Open,
    /// Whoever presents the internal token: paths under `/internal/`.
    Internal,
    /// People with a token, except the kinds named by `x-linli-refused`.
    Token {
        /// The kinds that are refused whatever they ask.
        refused: Vec<String>,
    },
}

/// One operation of a function.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The folder of the function.
    pub function: String,
    /// Its `operationId`.
    pub id: String,
    /// The method in upper case.
    pub method: String,
    /// The path with its parameters in braces.
    pub path: String,
    /// Whom it is for.
    pub access: Access,
    /// The kind of actor that sends the example, by `x-linli-caller`, and an id where it matters; an operator unless it
    /// says otherwise.
    pub caller: Option<String>,
    /// What the example finds besides what those before it made, by `x-linli-given`.
    pub given: Option<String>,
    /// Why the example cannot be sent, by `x-linli-not-replayed`: it needs what no walk over the API has.
    pub not_replayed: Option<String>,
    /// The operation as written, references resolved one level deep where this module looks.
    pub value: Value,
    /// The document it stands in, to resolve references.
    pub document: Value,
}

/// The operations of a document, in its order.
pub(super) fn operations_of(
    function: &str,
    document: &Value,
    fault: &mut impl FnMut(String),
) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document
        .get("paths")
        .and_then(Value::as_mapping)
        .into_iter()
        .flatten()
    {
        let path = path.as_str().unwrap_or_default();
        for (method, value) in item.as_mapping().into_iter().flatten() {
            let method = method.as_str().unwrap_or_default();
            if !METHODS.contains(&method) {
                continue;
            }
            let Some(id) = value.get("operationId").and_then(Value::as_str) else {
                fault(format!("{method} {path} has no operationId"));
                continue;
            };
            let mut value = value.clone();
            inherit_parameters(item, &mut value);
            match access(path, document, &value) {
                Ok(access) => found.push(Operation {
                    function: function.to_owned(),
                    id: id.to_owned(),
                    method: method.to_uppercase(),
                    path: path.to_owned(),
                    access,
                    caller: text(&value, "x-linli-caller"),
                    given: text(&value, "x-linli-given"),
                    not_replayed: text(&value, "x-linli-not-replayed"),
                    value,
                    document: document.clone(),
                }),
                Err(error) => fault(format!("{id}: {error}")),
            }
        }
    }
    found
}

fn text(operation: &Value, key: &str) -> Option<String> {
    operation
        .get(key)
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// Parameters of the path hold for each of its operations.
fn inherit_parameters(item: &Value, operation: &mut Value) {
    let Some(shared) = item.get("parameters").and_then(Value::as_sequence) else {
        return;
    };
    let own = operation
        .get("parameters")
        .and_then(Value::as_sequence)
        .cloned()
        .unwrap_or_default();
    let all: Vec<Value> = shared.iter().cloned().chain(own).collect();
    if let Some(mapping) = operation.as_mapping_mut() {
        mapping.insert("parameters".into(), all.into());
    }
}

fn access(path: &str, document: &Value, operation: &Value) -> Result<Access> {
    let security = operation
        .get("security")
        .or_else(|| document.get("security"));
    if security
        .and_then(Value::as_sequence)
        .is_some_and(Vec::is_empty)
    {
        return Ok(Access::Open);
    }
    if path.starts_with("/internal/") {
        return Ok(Access::Internal);
    }
    let refused = operation.get("x-linli-refused").and_then(Value::as_sequence).context(
        "says neither `security: []` (open to all) nor `x-linli-refused: [kind, ...]` (the kinds of actor that may not)",
    )?;
    let refused: Option<Vec<String>> = refused
        .iter()
        .map(|kind| kind.as_str().map(str::to_owned))
        .collect();
    Ok(Access::Token {
        refused: refused.context("x-linli-refused holds something else than names")?,
    })
}

/// Names what an operation lacks.
pub(super) fn check(operation: &Operation, fault: &mut impl FnMut(String)) {
    let Operation {
        id,
        value,
        document,
        ..
    } = operation;
    if value
        .get("summary")
        .and_then(Value::as_str)
        .is_none_or(str::is_empty)
    {
        fault(format!("{id} has no summary"));
    }
    let named: Vec<&str> = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .collect();
    for name in named {
        if !operation
            .parameters()
            .any(|parameter| parameter.get("name").and_then(Value::as_str) == Some(name))
        {
            fault(format!(
                "{id}: the path names {{{name}}}, the parameters do not"
            ));
        }
    }
    if value.get("requestBody").is_some() && operation.body_example().is_none() {
        fault(format!("{id}: the request body has no example"));
    }
    let answers: Vec<(u16, &Value)> = operation.answers().collect();
    if !answers
        .iter()
        .any(|(status, _)| (200..400).contains(status))
    {
        fault(format!("{id} has no answer of success"));
    }
    for (status, answer) in answers.iter().filter(|(status, _)| *status < 300) {
        let content = answer.get("content").and_then(Value::as_mapping);
        let without = content
            .into_iter()
            .flatten()
            .any(|(_, media)| example(document, media).is_none());
        if without {
            fault(format!("{id}: the answer {status} has no example"));
        }
    }
}

impl Operation {
    /// Its parameters, references resolved.
    pub fn parameters(&self) -> impl Iterator<Item = &Value> {
        let all = self.value.get("parameters").and_then(Value::as_sequence);
        all.into_iter()
            .flatten()
            .map(|parameter| resolve(&self.document, parameter))
    }

    /// Its documented answers by status, references resolved.
    pub fn answers(&self) -> impl Iterator<Item = (u16, &Value)> {
        let all = self.value.get("responses").and_then(Value::as_mapping);
        all.into_iter().flatten().filter_map(|(status, answer)| {
            let number = status
                .as_u64()
                .map(|number| number.to_string())
                .or_else(|| status.as_str().map(str::to_owned))?;
            Some((number.parse().ok()?, resolve(&self.document, answer)))
        })
    }

    /// The example of its request body: content type and value.
    #[must_use]
    pub fn body_example(&self) -> Option<(&str, &Value)> {
        let body = resolve(&self.document, self.value.get("requestBody")?);
        body.get("content")?
            .as_mapping()?
            .iter()
            .find_map(|(kind, media)| Some((kind.as_str()?, example(&self.document, media)?)))
    }

    /// Its path with the examples of its parameters in place, and the query of those that are required or have an
    /// example of their own.
    #[must_use]
    pub fn example_path(&self) -> String {
        let (mut path, mut query) = (self.path.clone(), Vec::new());
        for parameter in self.parameters() {
            let text = |key| parameter.get(key).and_then(Value::as_str);
            let name = text("name").unwrap_or_default();
            let Some(value) = example(&self.document, parameter).map(plain) else {
                continue;
            };
            path = path.replace(&format!("{{{name}}}"), &value);
            let is_required = parameter.get("required").and_then(Value::as_bool);
            let is_sent = is_required == Some(true) || parameter.get("example").is_some();
            if text("in") == Some("query") && is_sent {
                query.push(format!("{name}={value}"));
            }
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        path
    }

    /// Whether a header has to be sent.
    #[must_use]
    pub fn requires_header(&self, name: &str) -> bool {
        self.parameters().any(|parameter| {
            let is_named = parameter
                .get("name")
                .and_then(Value::as_str)
                .is_some_and(|own| own.eq_ignore_ascii_case(name));
            is_named
                && parameter
                    .get("required")
                    .and_then(Value::as_bool)
                    .unwrap_or_default()
        })
    }

    /// The example of a header parameter.
    #[must_use]
    pub fn header_examples(&self) -> Vec<(String, String)> {
        let headers = self
            .parameters()
            .filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some("header"));
        headers
            .filter_map(|header| {
                Some((
                    header.get("name")?.as_str()?.to_owned(),
                    plain(example(&self.document, header)?),
                ))
            })
            .collect()
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

/// The example of a parameter or media type: its own, the first of its named ones, or its schema's.
#[must_use]
pub fn example<'a>(document: &'a Value, holder: &'a Value) -> Option<&'a Value> {
    let own = holder.get("example");
    let named = || {
        resolve(
            document,
            holder.get("examples")?.as_mapping()?.values().next()?,
        )
        .get("value")
    };
    let schema = || {
        let schema = resolve(document, holder.get("schema")?);
        schema
            .get("example")
            .or_else(|| schema.get("examples")?.as_sequence()?.first())
    };
    own.or_else(named).or_else(schema)
}

/// Follows a reference, if the value is one.
#[must_use]
pub fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
        return value;
    };
    pointer(document, reference).unwrap_or(value)
}

/// What a reference inside the document leads to.
pub(super) fn pointer<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    reference
        .strip_prefix("#/")?
        .split('/')
        .try_fold(document, |value, key| {
            value.get(key.replace("~1", "/").replace("~0", "~").as_str())
        })
}
