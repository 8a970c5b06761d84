//! Which trigger answers a path: Spin's route syntax. A route is exact, ends in `/...` for everything below it,
//! and may have `:name` segments that match any one segment. Where several routes match, at the first segment in
//! which they differ a literal one wins over a `:name`, and that over `/...`.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};

/// The routes of an application, each with what it leads to.
pub struct Router<T> {
    /// Routes without `:name` and `/...`.
    exact: HashMap<String, Route<T>>,
    /// All others, the most specific first.
    patterns: Vec<Route<T>>,
}

/// One route.
pub struct Route<T> {
    /// As the manifest has it.
    pub raw: String,
    /// What it leads to.
    pub target: T,
    segments: Vec<Segment>,
}

/// The order is the order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Name(String),
    Rest,
}

/// What a path matched.
pub struct Match<'router, 'path, T> {
    /// The route.
    pub route: &'router Route<T>,
    /// The `:name` segments and what they stand for.
    pub names: Vec<(&'router str, &'path str)>,
    /// What `/...` stands for, with its leading slash; empty where nothing is left.
    pub rest: &'path str,
}

impl<T> Router<T> {
    /// A router of these routes.
    ///
    /// # Errors
    /// When a route is malformed, or two match the same paths.
    pub fn new(routes: impl IntoIterator<Item = (String, T)>) -> Result<Self> {
        let mut router = Self {
            exact: HashMap::new(),
            patterns: Vec::new(),
        };
        for (raw, target) in routes {
            let segments = parse(&raw).with_context(|| format!("the route {raw:?}"))?;
            let route = Route {
                raw,
                target,
                segments,
            };
            if route
                .segments
                .iter()
                .all(|segment| matches!(segment, Segment::Literal(_)))
            {
                let path = format!("/{}", trim(&route.raw));
                let taken = router.exact.insert(path, route);
                ensure!(
                    taken.is_none(),
                    "two routes match the same paths: {:?}",
                    taken.map(|route| route.raw)
                );
            } else {
                router.patterns.push(route);
            }
        }
        router
            .patterns
            .sort_by_cached_key(|route| shape(&route.segments));
        for pair in router.patterns.windows(2) {
            if let [left, right] = pair {
                let same = shape(&left.segments) == shape(&right.segments);
                ensure!(
                    !same,
                    "two routes match the same paths: {:?} and {:?}",
                    left.raw,
                    right.raw
                );
            }
        }
        Ok(router)
    }

    /// The route of a path, which has no query. One slash at the end of the path makes no difference.
    #[must_use]
    pub fn find<'path>(&self, path: &'path str) -> Option<Match<'_, 'path, T>> {
        let trimmed = path
            .strip_suffix('/')
            .filter(|rest| !rest.is_empty())
            .unwrap_or(path);
        if let Some(route) = self.exact.get(trimmed) {
            return Some(Match {
                route,
                names: Vec::new(),
                rest: "",
            });
        }
        self.patterns.iter().find_map(|route| route.matches(path))
    }

    /// Every route, to change what it leads to.
    pub fn routes_mut(&mut self) -> impl Iterator<Item = &mut Route<T>> {
        self.exact.values_mut().chain(&mut self.patterns)
    }

    /// Every route.
    pub fn routes(&self) -> impl Iterator<Item = &Route<T>> {
        self.exact.values().chain(&self.patterns)
    }
}

impl<T> Route<T> {
    fn matches<'path>(&self, path: &'path str) -> Option<Match<'_, 'path, T>> {
        let mut names = Vec::new();
        let mut rest = path;
        for segment in &self.segments {
            if *segment == Segment::Rest {
                return Some(Match {
                    route: self,
                    names,
                    rest,
                });
            }
            let (found, after) = split_first(rest)?;
            match segment {
                Segment::Literal(literal) if literal == found => {}
                Segment::Name(name) if !found.is_empty() => names.push((name.as_str(), found)),
                _ => return None,
            }
            rest = after;
        }
        matches!(rest, "" | "/").then_some(Match {
            route: self,
            names,
            rest: "",
        })
    }

    /// The route without its `/...`, as `spin-component-route` gives it.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.raw.strip_suffix("/...").unwrap_or(&self.raw)
    }
}

/// The first segment of a path and what follows it, with its slash.
fn split_first(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix('/')?;
    let end = path.find('/').unwrap_or(path.len());
    Some(path.split_at(end))
}

fn trim(raw: &str) -> &str {
    let raw = raw.strip_prefix('/').unwrap_or(raw);
    raw.strip_suffix('/').unwrap_or(raw)
}

fn parse(raw: &str) -> Result<Vec<Segment>> {
    let mut segments = Vec::new();
    let trimmed = trim(raw);
    if trimmed.is_empty() {
        return Ok(segments);
    }
    let mut texts = trimmed.split('/').peekable();
    while let Some(text) = texts.next() {
        segments.push(match text {
            "..." | "*" => {
                ensure!(texts.peek().is_none(), "{text:?} stands at the end only");
                Segment::Rest
            }
            _ => match text.strip_prefix(':') {
                Some(name) => {
                    let valid = |character: char| {
                        character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
                    };
                    ensure!(
                        !name.is_empty() && name.chars().all(valid),
                        "{text:?} is not a named segment"
                    );
                    Segment::Name(name.to_owned())
                }
                None => Segment::Literal(text.to_owned()),
            },
        });
    }
    Ok(segments)
}

/// The segments without the names in them, which make no difference to what matches.
fn shape(segments: &[Segment]) -> Vec<Segment> {
    let nameless = |segment: &Segment| match segment {
        Segment::Name(_) => Segment::Name(String::new()),
        other => other.clone(),
    };
    segments.iter().map(nameless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[&str]) -> Router<()> {
        Router::new(routes.iter().map(|route| ((*route).to_owned(), ()))).unwrap()
    }

    fn found(router: &Router<()>, path: &str) -> Option<String> {
        router.find(path).map(|found| found.route.raw.clone())
    }

    #[test]
    fn the_most_specific_route_answers() {
        let router = router(&[
            "/...",
            "/doors/...",
            "/doors/:door",
            "/doors/open",
            "/doors/:door/openings",
            "/doors/a/...",
        ]);
        let check = |path: &str, expected: &str| {
            assert_eq!(found(&router, path).as_deref(), Some(expected), "{path}")
        };
        check("/", "/...");
        check("/other", "/...");
        check("/doorsteps", "/...");
        check("/doors", "/doors/...");
        check("/doors/", "/doors/...");
        check("/doors/open", "/doors/open");
        check("/doors/open/", "/doors/open");
        check("/doors/d1", "/doors/:door");
        check("/doors/d1/openings", "/doors/:door/openings");
        check("/doors/d1/other", "/doors/...");
        check("/doors/a/other", "/doors/a/...");
        check("/doors/a/openings", "/doors/a/...");
    }

    #[test]
    fn a_path_that_no_route_matches_has_none() {
        let router = router(&["/a", "/b/:name"]);
        for path in ["/", "/A", "/aa", "/a/b", "/b", "/b/", "//a", "/b/c/d", ""] {
            assert_eq!(found(&router, path), None, "{path:?}");
        }
        assert_eq!(
            found(&super::tests::router(&["/"]), "/").as_deref(),
            Some("/")
        );
    }

    #[test]
    fn what_the_wildcards_stand_for_is_told() {
        let router = router(&["/a/:x/b/:y", "/foo/..."]);
        let found = router.find("/a/1/b/2").unwrap();
        assert_eq!(found.names, [("x", "1"), ("y", "2")]);
        let rest = |path| router.find(path).map(|found| found.rest.to_owned());
        assert_eq!(rest("/foo").as_deref(), Some(""));
        assert_eq!(rest("/foo/").as_deref(), Some("/"));
        assert_eq!(rest("/foo/bar").as_deref(), Some("/bar"));
        assert_eq!(rest("/foo/bar/").as_deref(), Some("/bar/"));
        assert_eq!(router.find("/foo/bar").unwrap().route.prefix(), "/foo");
    }

    #[test]
    fn malformed_and_ambiguous_routes_are_refused() {
        for routes in [
            vec!["/a/.../b"],
            vec!["/a/:"],
            vec!["/a", "/a/"],
            vec!["/a/:x", "/a/:y"],
        ] {
            let routes = routes.into_iter().map(|route| (route.to_owned(), ()));
            assert!(Router::new(routes).is_err());
        }
    }
}
