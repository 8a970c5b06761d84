//! Every route with those whom it refuses: nobody in particular, the wrong kind of caller, the caller of another tenant.

use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;

use crate::{Ask, Function, Person, SECRET, content_of};

/// Who is refused, with which status and code.
pub type Refusals = Vec<(Person<'static>, u16, &'static str)>;

/// A route, a body that it would accept, and who is refused how.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its method.
    pub method: &'static str,
    /// Its path, with places as `{door}`.
    pub path: &'static str,
    /// A body that it would accept, with places too.
    pub body: Option<Value>,
    /// Who is refused how.
    pub refusals: Refusals,
}

/// A route of the table.
#[must_use]
pub fn route(
    method: &'static str,
    path: &'static str,
    body: Option<Value>,
    refusals: Refusals,
) -> Route {
    Route {
        method,
        path,
        body,
        refusals,
    }
}

/// All of these are refused like that.
#[must_use]
pub fn with(code: &'static str, status: u16, who: &[Person<'static>]) -> Refusals {
    who.iter().map(|person| (*person, status, code)).collect()
}

/// What stands in the places of paths and bodies, by the names of the places; and queries, by `METHOD /path/{place}`.
#[derive(Debug, Clone, Default)]
pub struct Places(pub Vec<(&'static str, String)>);

impl Places {
    /// A text with its places filled in.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }
}

impl Route {
    /// As it stands in the table: `METHOD /path/{place}`.
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// A request that it would accept from whom it does not refuse.
    ///
    /// # Panics
    /// When it can be none.
    pub fn ask<'a, Of: Function>(&self, function: &'a Of, places: &Places) -> Ask<'a, Of> {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let mut uri = places.fill(self.path);
        if let Some((_, query)) = places.0.iter().find(|(name, _)| *name == self.name()) {
            uri = format!("{uri}?{query}");
        }
        // A key of its own: a refusal may be an answer that is kept.
        let ask = Ask::new(function, method, &uri)
            .header("if-match", "*")
            .key(&format!("{}{}", self.method, self.path));
        match &self.body {
            Some(body) => ask.raw(places.fill(&body.to_string())),
            None => ask,
        }
    }
}

/// Each of these routes refuses nobody in particular, a forged token, and everybody whom it must; those under `/api` the
/// internal token, too.
///
/// # Panics
/// When one does not.
pub async fn refuse(function: &impl Function, routes: &[Route], places: &Places) {
    for route in routes {
        let ask = || route.ask(function, places);
        let mut refused = vec![
            (ask(), 401, "token_missing", "nobody"),
            (ask().bearer("a.b.c"), 401, "token_invalid", "a forger"),
        ];
        if route.path.starts_with("/api") {
            let internal = ask().bearer(SECRET);
            refused.push((internal, 401, "token_invalid", "the deployment"));
        }
        for (person, status, code) in &route.refusals {
            refused.push((ask().by(*person), *status, code, person.1));
        }
        for (ask, status, code, whom) in refused {
            let reply = ask.reply().await;
            let problem = content_of(&reply);
            assert_eq!(
                (reply.status.as_u16(), problem["code"].as_str()),
                (status, Some(code)),
                "{} by {whom}: {problem}",
                route.name(),
            );
            assert_eq!(reply.headers["content-type"], "application/problem+json");
        }
    }
}

/// The internal token has the heartbeat of that function beat.
///
/// # Panics
/// When it does not.
pub async fn beats(function: &impl Function, name: &str) {
    let path = format!("/internal/ticks/{name}");
    let ask = Ask::new(function, Method::POST, &path).bearer(SECRET);
    assert_eq!(ask.reply().await.status, 200, "{path}");
}

/// Each path answers another method with those that it has, and none of the others is there.
///
/// # Panics
/// When one does not.
pub async fn other_methods(
    function: &impl Function,
    routes: &[Route],
    places: &Places,
    unknown: &[&str],
) {
    for route in routes {
        let path = places.fill(route.path);
        let others = routes.iter().filter(|other| other.path == route.path);
        let mut expected: BTreeSet<&str> = others.map(|other| other.method).collect();
        // What pages ask for beforehand is no method that is named.
        let other = match expected.remove("OPTIONS") {
            true => Method::PATCH,
            false => Method::OPTIONS,
        };
        let reply = Ask::new(function, other, &path).reply().await;
        let allowed = reply.headers.get("allow");
        let allowed = allowed.map_or("", |allow| allow.to_str().unwrap());
        assert_eq!(reply.status, 405, "{path}");
        let expected: Vec<&str> = expected.into_iter().collect();
        assert_eq!(allowed, expected.join(", "), "{path}");
    }
    for path in unknown {
        let ask = Ask::new(function, Method::GET, path);
        ask.refused(404, "not_found").await;
    }
}

/// The arms of a route table, as `METHOD /path/{place}`.
#[must_use]
pub fn arms(source: &str) -> Vec<String> {
    let arms = source.lines().filter_map(|line| {
        let (method, rest) = line.trim().strip_prefix("(\"")?.split_once("\", [")?;
        let (segments, _) = rest.split_once("])")?;
        let path = segments
            .split(", ")
            .map(|segment| match segment.strip_prefix('"') {
                Some(literal) => format!("/{}", literal.trim_end_matches('"')),
                None => format!("/{{{segment}}}"),
            });
        Some(format!("{method} {}", path.collect::<String>()))
    });
    arms.collect()
}

/// The routes are those of the table, in its order, so that a new one without its refusals fails.
///
/// # Panics
/// When they are not.
pub fn is_listed(routes: &[Route], arms: &[String]) {
    let listed: Vec<String> = routes.iter().map(Route::name).collect();
    assert_eq!(arms, listed);
}
