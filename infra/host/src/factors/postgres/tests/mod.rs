//! Against a real PostgreSQL: `LINLI_TEST_POSTGRES` is the URL of a user who may create databases. Without it these
//! tests say loudly that they were skipped.

mod values;

use std::{sync::Arc, time::Duration};

use sqlx::{Connection, PgConnection};

use super::{Session, pool::Pools};
use crate::{
    bindings::postgres::{DbValue, Error, ParameterValue, QueryError},
    outbound::AllowedHosts,
};

const VARIABLE: &str = "LINLI_TEST_POSTGRES";

/// A database of its own, dropped by the next run that finds it.
struct Fixture {
    pools: Pools,
    hosts: AllowedHosts,
    url: String,
}

/// None, and a loud line, when there is no PostgreSQL to test with.
async fn fixture(name: &str) -> Option<Fixture> {
    let Ok(admin) = std::env::var(VARIABLE) else {
        eprintln!("SKIPPED: {name}: {VARIABLE} names no PostgreSQL");
        return None;
    };
    let database = format!("linli_host_{name}");
    let mut connection = PgConnection::connect(&admin).await.unwrap();
    for statement in [format!("drop database if exists {database} with (force)"), format!("create database {database}")] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
    let authority = admin.split_once("://").unwrap().1.split('/').next().unwrap();
    let host = authority.rsplit('@').next().unwrap();
    let hosts = AllowedHosts::parse(&[format!("postgres://{host}")]).unwrap();
    Some(Fixture { pools: Pools::default(), hosts, url: format!("postgres://{authority}/{database}") })
}

impl Fixture {
    async fn connect(&self) -> Session {
        self.pools.connect(&self.url, &self.hosts).await.unwrap()
    }

    async fn returned(&self, session: Session) {
        let pool = Arc::clone(session.pool());
        let slots = pool.slots_free();
        drop(session);
        for _ in 0..5_000 {
            if pool.slots_free() > slots {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("the connection did not come back");
    }
}

impl Session {
    async fn ok(&mut self, statement: &str, parameters: &[ParameterValue]) -> Vec<Vec<DbValue>> {
        let answer = self.query(statement.to_owned(), parameters).await;
        match answer {
            Ok(answer) if answer.end.is_ok() => answer.rows,
            other => panic!("{statement}: {other:?}"),
        }
    }

    async fn command(&mut self, statement: &str) -> u64 {
        self.execute(statement.to_owned(), &[]).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"))
    }

    async fn integer(&mut self, statement: &str) -> i64 {
        match self.ok(statement, &[]).await.as_slice() {
            [row] => match row.as_slice() {
                [DbValue::Int64(found)] => *found,
                other => panic!("{statement}: {other:?}"),
            },
            other => panic!("{statement}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_guest_reaches_only_what_its_manifest_allows() {
    let Some(mut fixture) = fixture("allowed").await else { return };
    fixture.hosts = AllowedHosts::parse(&["postgres://db.example"]).unwrap();
    let refused = fixture.pools.connect(&fixture.url, &fixture.hosts).await.err();
    assert!(matches!(&refused, Some(Error::ConnectionFailed(why)) if why.contains("not permitted")), "{refused:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_clear_error() {
    let hosts = AllowedHosts::parse(&["postgres://127.0.0.1:1"]).unwrap();
    let failed = Pools::default().connect("postgres://me:secret@127.0.0.1:1/shop", &hosts).await.err();
    let Some(Error::ConnectionFailed(why)) = failed else { panic!("{failed:?}") };
    assert!(why.contains("refused") && !why.contains("secret"), "{why}");
}

#[tokio::test]
async fn a_transaction_left_open_is_rolled_back_before_the_next_guest() {
    let Some(fixture) = fixture("left_open").await else { return };
    let mut first = fixture.connect().await;
    first.command("create table item (id bigint primary key)").await;
    first.command("begin").await;
    first.command("insert into item (id) values (1)").await;
    first.command("set application_name = 'somebody'").await;
    let backend = first.integer("select pg_backend_pid()::bigint").await;
    fixture.returned(first).await;
    let mut second = fixture.connect().await;
    assert_eq!(second.integer("select pg_backend_pid()::bigint").await, backend, "the connection is reused");
    assert_eq!(second.integer("select count(*) from item").await, 0);
    let name = second.ok("select current_setting('application_name')", &[]).await;
    assert!(!format!("{name:?}").contains("somebody"), "{name:?}");
    // Also when the transaction has failed.
    second.command("begin").await;
    second.execute("select 1 / 0".to_owned(), &[]).await.unwrap_err();
    fixture.returned(second).await;
    assert_eq!(fixture.connect().await.integer("select count(*) from item").await, 0);
}

#[tokio::test]
async fn a_guest_dropped_in_the_middle_of_a_statement_leaves_no_connection() {
    let Some(fixture) = fixture("cut_off").await else { return };
    let mut session = fixture.connect().await;
    let pool = Arc::clone(session.pool());
    let running = tokio::spawn(async move { session.execute("select pg_sleep(600)".to_owned(), &[]).await });
    let mut other = fixture.connect().await;
    let sleeping = "select count(*) from pg_stat_activity where query like 'select pg_sleep%' and state = 'active' \
        and datname = current_database()";
    while other.integer(sleeping).await == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    fixture.returned(other).await;
    assert_eq!((pool.idle(), pool.slots_free()), (1, super::CONNECTIONS_PER_ADDRESS_MAX));
}

#[tokio::test]
async fn errors_carry_what_the_server_says() {
    let Some(fixture) = fixture("errors").await else { return };
    let mut session = fixture.connect().await;
    session.command("create table item (id bigint primary key, name text)").await;
    session.command("insert into item (id) values (1)").await;
    let failed = session.execute("insert into item (id) values (1)".to_owned(), &[]).await;
    let Err(Error::QueryFailed(QueryError::DbError(found))) = failed else { panic!("{failed:?}") };
    assert_eq!((found.severity.as_str(), found.code.as_str()), ("ERROR", "23505"));
    assert!(found.message.contains("duplicate key") && found.detail.is_some_and(|detail| detail.contains("(1)")));
    assert!(found.extras.contains(&("constraint".to_owned(), "item_pkey".to_owned())), "{:?}", found.extras);
    let syntax = session.query("selec 1".to_owned(), &[]).await;
    assert!(matches!(&syntax, Err(Error::QueryFailed(QueryError::DbError(found))) if found.code == "42601"), "{syntax:?}");
    // What fails while it runs stands at the end, after the rows before it.
    let late = session.query("select 10 / (3 - i)::bigint from generate_series(1, 5) as t(i)".to_owned(), &[]).await.unwrap();
    assert_eq!((late.columns.len(), late.rows.len()), (1, 2), "{late:?}");
    assert!(matches!(&late.end, Err(Error::QueryFailed(QueryError::DbError(found))) if found.code == "22012"), "{late:?}");
    assert_eq!(session.integer("select count(*) from item").await, 1);
}

#[tokio::test]
async fn a_parameter_of_another_kind_is_refused_as_on_spin() {
    let Some(fixture) = fixture("strict").await else { return };
    let mut session = fixture.connect().await;
    session.command("create table item (small integer, day date)").await;
    for (statement, parameter, expected) in [
        ("insert into item (small) values ($1)", ParameterValue::Int64(1), "expects INT4, not int64"),
        ("insert into item (day) values ($1)", ParameterValue::Str("2026-01-01".to_owned()), "expects DATE, not str"),
        ("select 1", ParameterValue::Int64(1), "has 0 parameters, 1 are given"),
    ] {
        let failed = session.execute(statement.to_owned(), &[parameter]).await;
        let Err(Error::QueryFailed(QueryError::Text(why))) = failed else { panic!("{failed:?}") };
        assert!(why.contains(expected), "{why}");
    }
    let malformed = session.query("select $1::date".to_owned(), &[ParameterValue::Date((2026, 2, 30))]).await;
    assert!(matches!(&malformed, Err(Error::BadParameter(why)) if why.contains("2026-2-30")), "{malformed:?}");
    assert_eq!(session.integer("select count(*) from item").await, 0);
}

#[tokio::test]
async fn too_large_an_answer_ends_with_an_error() {
    let Some(fixture) = fixture("large").await else { return };
    let mut session = fixture.connect().await;
    let answer = session.query("select repeat('x', 1000000) from generate_series(1, 100)".to_owned(), &[]).await.unwrap();
    assert!(matches!(&answer.end, Err(Error::QueryFailed(QueryError::Text(why))) if why.contains("exceeds limit")));
    assert!(answer.rows.len() < 40);
}
