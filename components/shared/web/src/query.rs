//! Query parameters with types, and the pages of a list.

use http::StatusCode;
use kernel::Message;
use serde::Serialize;

use crate::{Problem, Request};

/// The most items of one page.
pub const PAGE_ITEMS_MAX: i64 = 200;
/// The items of a page when the caller does not say.
pub const PAGE_ITEMS_DEFAULT: i64 = 50;

/// The parameters of a request, taken one by one; what is left at the end was a mistake of the caller.
#[derive(Debug)]
pub struct Query {
    parameters: Vec<(String, String)>,
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<Cursor> {
    /// At most that many items, 1 to [`PAGE_ITEMS_MAX`].
    pub limit: i64,
    /// Only what comes after this one.
    pub after: Option<Cursor>,
}

/// One page of a list as it stands on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// What to send as `after` for the next page; `null` on the last one.
    pub next: Option<String>,
}

impl Query {
    /// The parameters of the request.
    ///
    /// # Errors
    /// 400 when an escape is malformed or a parameter stands twice.
    pub fn of(request: &Request) -> Result<Self, Problem> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        let text = request.uri().query().unwrap_or("");
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)
                .ok_or_else(|| invalid("query", "an escape is malformed", "转义不正确"))?;
            let value = decode(value)
                .ok_or_else(|| invalid(&name, "an escape is malformed", "转义不正确"))?;
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(invalid(&name, "it stands twice", "重复出现"));
            }
            parameters.push((name, value));
        }
        Ok(Self { parameters })
    }

    /// Takes a parameter, parsed; `None` when it is absent.
    ///
    /// # Errors
    /// 400 naming the parameter when `parse` refuses it.
    pub fn take<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let Some(index) = self.parameters.iter().position(|(known, _)| known == name) else {
            return Ok(None);
        };
        let (_, value) = self.parameters.swap_remove(index);
        match parse(&value) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(invalid(name, &error.to_string(), "取值不正确")),
        }
    }

    /// Takes `limit` and `after`.
    ///
    /// # Errors
    /// 400 when `limit` is not a number from 1 to [`PAGE_ITEMS_MAX`], or `parse` refuses `after`.
    pub fn page<Cursor, E: std::fmt::Display>(
        &mut self,
        parse: impl FnOnce(&str) -> Result<Cursor, E>,
    ) -> Result<Page<Cursor>, Problem> {
        let limit = self.take("limit", |text| match text.parse() {
            Ok(limit) if (1..=PAGE_ITEMS_MAX).contains(&limit) => Ok(limit),
            _ => Err(format!("it is a number from 1 to {PAGE_ITEMS_MAX}")),
        })?;
        Ok(Page {
            limit: limit.unwrap_or(PAGE_ITEMS_DEFAULT),
            after: self.take("after", parse)?,
        })
    }

    /// Refuses what nobody took.
    ///
    /// # Errors
    /// 400 naming an unknown parameter: a filter that is silently ignored would show what nobody asked for.
    pub fn finish(self) -> Result<(), Problem> {
        match self.parameters.first() {
            None => Ok(()),
            Some((name, _)) => Err(invalid(name, "it is not known here", "不支持该参数")),
        }
    }
}

impl<Cursor> Page<Cursor> {
    /// How many rows to read: one more than the page holds tells whether there is another page.
    #[must_use]
    pub fn rows(&self) -> i64 {
        self.limit + 1
    }

    /// The page made of the rows read, each shown by `show`; `cursor` names the last one.
    pub fn listing<Row, T>(
        &self,
        mut rows: Vec<Row>,
        cursor: impl FnOnce(&Row) -> String,
        show: impl FnMut(Row) -> T,
    ) -> Listing<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        Listing {
            next: rows.last().filter(|_| more).map(cursor),
            items: rows.into_iter().map(show).collect(),
        }
    }
}

fn invalid(name: &str, english: &str, chinese: &str) -> Problem {
    let message = Message::new(
        format!("The parameter {name} cannot be accepted: {english}."),
        format!("参数 {name} 不正确：{chinese}。"),
    );
    Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", message).at_field(name)
}

/// Undoes `application/x-www-form-urlencoded`.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => nibble(rest.next()?)? << 4 | nibble(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn nibble(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use kernel::{DeviceId, Timestamp};
    use proptest::prelude::*;

    fn query(text: &str) -> Result<Query, Problem> {
        Query::of(
            &http::Request::get(format!("/x?{text}"))
                .body(Bytes::new())
                .unwrap(),
        )
    }

    #[test]
    fn parameters_have_types_and_none_is_ignored() {
        let mut parameters = query("from=2026-03-01T08:00:00%2B08:00&limit=7&after=d1").unwrap();
        let from = parameters.take("from", Timestamp::parse).unwrap().unwrap();
        assert_eq!(from.to_string(), "2026-03-01T00:00:00.000Z");
        let page = parameters.page(DeviceId::parse).unwrap();
        assert_eq!((page.limit, page.rows()), (7, 8));
        assert_eq!(page.after.unwrap().as_str(), "d1");
        parameters.finish().unwrap();
    }

    #[test]
    fn what_cannot_be_understood_is_refused_by_name() {
        let field = |text: &str| {
            let refused = query(text).and_then(|mut query| {
                query.page(DeviceId::parse)?;
                query.finish()
            });
            let problem = refused.unwrap_err();
            assert_eq!(
                (problem.status.as_u16(), problem.code),
                (400, "invalid_parameter"),
                "{text}"
            );
            problem.field.unwrap()
        };
        for limit in ["0", "201", "-1", "1.5", "x", "", "99999999999999999999"] {
            assert_eq!(field(&format!("limit={limit}")), "limit");
        }
        assert_eq!(field("after=a/b"), "after");
        assert_eq!(field("after=%zz"), "after");
        assert_eq!(field("after=%ff"), "after");
        assert_eq!(field("limit=1&limit=2"), "limit");
        assert_eq!(field("colour=red"), "colour");
    }

    #[test]
    fn a_page_says_where_the_next_one_starts() {
        let page = Page {
            limit: 2,
            after: None::<String>,
        };
        let listing = |rows: Vec<u8>| page.listing(rows, u8::to_string, |row| row);
        assert_eq!(
            listing(vec![1, 2, 3]),
            Listing {
                items: vec![1, 2],
                next: Some("2".into())
            }
        );
        assert_eq!(
            listing(vec![1, 2]),
            Listing {
                items: vec![1, 2],
                next: None
            }
        );
        assert_eq!(
            listing(vec![]),
            Listing {
                items: vec![],
                next: None
            }
        );
    }

    proptest! {
        #[test]
        fn any_query_is_parameters_or_a_problem(text in "[ -\"$-~]{0,60}") {
            if let Ok(request) = http::Request::get(format!("/x?{text}")).body(Bytes::new()) {
                let _either = Query::of(&request);
            }
        }
    }
}
