//! Every kind of value, there and back; the server itself says what it has understood.

use super::*;
use crate::bindings::postgres::{Interval, RangeBoundKind};

use ParameterValue as P;

/// Without the names of the enums, which differ between parameters and results.
fn plain(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
        .replace("DbValue::", "")
        .replace("ParameterValue::", "")
}

/// The type, the value, and how the server writes it.
type Case = (&'static str, P, &'static str);

fn single_values() -> Vec<Case> {
    vec![
        ("bool", P::Boolean(true), "true"),
        ("smallint", P::Int16(-7), "-7"),
        ("integer", P::Int32(i32::MIN), "-2147483648"),
        ("bigint", P::Int64(i64::MAX), "9223372036854775807"),
        ("real", P::Floating32(1.5), "1.5"),
        ("double precision", P::Floating64(-0.1), "-0.1"),
        ("text", P::Str("门 door".to_owned()), "门 door"),
        ("varchar", P::Str(String::new()), ""),
        ("bytea", P::Binary(vec![0, 255]), "\\x00ff"),
        ("date", P::Date((1969, 12, 31)), "1969-12-31"),
        ("date", P::Date((2026, 2, 28)), "2026-02-28"),
        (
            "time",
            P::Time((23, 59, 59, 999_999_000)),
            "23:59:59.999999",
        ),
        (
            "timestamp",
            P::Datetime((1999, 12, 31, 23, 0, 1, 5_000)),
            "1999-12-31 23:00:01.000005",
        ),
        (
            "uuid",
            P::Uuid("01890a5d-ac96-774b-bcce-b302099a8057".to_owned()),
            "01890a5d-ac96-774b-bcce-b302099a8057",
        ),
        (
            "jsonb",
            P::Jsonb(br#"{"a": [1]}"#.to_vec()),
            r#"{"a": [1]}"#,
        ),
        (
            "numeric",
            P::Decimal("-12345678901234567890.00012300".to_owned()),
            "-12345678901234567890.00012300",
        ),
        ("numeric", P::Decimal("0.5".to_owned()), "0.5"),
        ("numeric", P::Decimal("10000".to_owned()), "10000"),
        ("numeric", P::Decimal("0".to_owned()), "0"),
    ]
}

fn compound_values() -> Vec<Case> {
    let inclusive = |value| Some((value, RangeBoundKind::Inclusive));
    vec![
        (
            "int4range",
            P::RangeInt32((inclusive(1), Some((5, RangeBoundKind::Exclusive)))),
            "[1,5)",
        ),
        (
            "int8range",
            P::RangeInt64((None, Some((9, RangeBoundKind::Exclusive)))),
            "(,9)",
        ),
        (
            "numrange",
            P::RangeDecimal((Some(("1.5".to_owned(), RangeBoundKind::Exclusive)), None)),
            "(1.5,)",
        ),
        ("integer[]", P::ArrayInt32(vec![Some(1), None]), "{1,NULL}"),
        ("bigint[]", P::ArrayInt64(vec![]), "{}"),
        (
            "numeric[]",
            P::ArrayDecimal(vec![Some("0.25".to_owned())]),
            "{0.25}",
        ),
        (
            "text[]",
            P::ArrayStr(vec![Some("a b".to_owned()), None]),
            "{\"a b\",NULL}",
        ),
        (
            "interval",
            P::Interval(Interval {
                micros: 1_000_000,
                days: 2,
                months: 3,
            }),
            "3 mons 2 days 00:00:01",
        ),
    ]
}

#[tokio::test]
async fn every_kind_of_value_comes_back_as_it_went_in() {
    let Some(fixture) = fixture("values").await else {
        return;
    };
    let mut session = fixture.connect().await;
    for (name, parameter, text) in single_values().into_iter().chain(compound_values()) {
        let statement = format!("select $1::{name}, ($1::{name})::text");
        let rows = session
            .ok(&statement, std::slice::from_ref(&parameter))
            .await;
        let [row] = rows.as_slice() else {
            panic!("{name}: {rows:?}")
        };
        let [value, DbValue::Str(understood)] = row.as_slice() else {
            panic!("{name}: {row:?}")
        };
        assert_eq!(understood, text, "{name}");
        assert_eq!(plain(value), plain(&parameter), "{name}");
    }
}

#[tokio::test]
async fn what_has_no_counterpart_is_named() {
    let Some(fixture) = fixture("unsupported").await else {
        return;
    };
    let mut session = fixture.connect().await;
    session
        .command("create type colour as enum ('red', 'green')")
        .await;
    let statement =
        "select 'red'::colour, '10.0.0.1'::inet, null::bigint, to_timestamp(1.5), 'x'::\"char\""
            .to_owned();
    let answer = session.query(statement, &[]).await.unwrap();
    answer.end.unwrap();
    let types: Vec<String> = answer
        .columns
        .iter()
        .map(|column| format!("{:?}", column.data_type))
        .collect();
    assert!(
        types[0].contains("colour") && types[1].contains("inet"),
        "{types:?}"
    );
    let [
        DbValue::Unsupported(red),
        DbValue::Unsupported(_),
        DbValue::DbNull,
        DbValue::Datetime(at),
        DbValue::Unsupported(_),
    ] = answer.rows[0].as_slice()
    else {
        panic!("{:?}", answer.rows)
    };
    assert_eq!(
        (red.as_slice(), *at),
        (&b"red"[..], (1970, 1, 1, 0, 0, 1, 500_000_000))
    );
    let empty = session
        .query("select 1::bigint as one where false".to_owned(), &[])
        .await
        .unwrap();
    assert_eq!(
        (empty.columns.len(), empty.columns[0].name.as_str()),
        (1, "one")
    );
}

#[tokio::test]
async fn null_and_seconds_are_accepted_where_they_belong() {
    let Some(fixture) = fixture("nulls").await else {
        return;
    };
    let mut session = fixture.connect().await;
    session
        .command("create table item (a bigint, b text, c timestamptz, d json, e uuid)")
        .await;
    let insert = "insert into item (a, b, c, d, e) values ($1, $2, $3, $4, $5)".to_owned();
    let values = [
        P::DbNull,
        P::DbNull,
        P::Timestamp(-1),
        P::Jsonb(b"[]".to_vec()),
        P::DbNull,
    ];
    assert_eq!(session.execute(insert, &values).await.unwrap(), 1);
    let rows = session.ok("select a, b, c, e from item", &[]).await;
    assert_eq!(
        plain(&rows[0]),
        "[DbNull, DbNull, Datetime((1969, 12, 31, 23, 59, 59, 0)), DbNull]"
    );
}

#[tokio::test]
async fn values_the_interface_cannot_express_end_the_query_with_their_column() {
    let Some(fixture) = fixture("inexpressible").await else {
        return;
    };
    let mut session = fixture.connect().await;
    for statement in [
        "select 'infinity'::timestamp as x",
        "select 'empty'::int4range as x",
        "select '{{1},{2}}'::integer[] as x",
    ] {
        let answer = session.query(statement.to_owned(), &[]).await.unwrap();
        let Err(Error::QueryFailed(QueryError::Text(why))) = answer.end else {
            panic!("{statement}")
        };
        assert!(why.contains("column \"x\""), "{why}");
    }
    let rows = session
        .ok("select 'NaN'::numeric, '-Infinity'::numeric", &[])
        .await;
    assert_eq!(plain(&rows), "[[Decimal(\"NaN\"), Decimal(\"-Infinity\")]]");
}
