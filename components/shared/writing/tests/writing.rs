//! A write over HTTP: its effect and its answer, the first time and every time after it.

use bytes::Bytes;
use kernel::{Actor, ActorId, ActorKind, Message, Refusal, TenantId, Timestamp};
use store::testing::{Database, databases};
use store::{Answer, Db};
use web::{Problem, Request};
use writing::{At, answer, id_of, replied, stored, write, write_once};

fn request(key: Option<&str>, body: &'static str) -> Request {
    let mut builder = http::Request::post("/api/things");
    if let Some(key) = key {
        builder = builder.header("idempotency-key", key);
    }
    builder.body(Bytes::from_static(body.as_bytes())).unwrap()
}

fn actor(tenant: &str, id: &str) -> Actor {
    Actor {
        tenant: TenantId::parse(tenant).unwrap(),
        kind: ActorKind::Resident,
        id: ActorId::parse(id).unwrap(),
        communities: Vec::new(),
        scopes: Vec::new(),
    }
}

fn at(db: &Db) -> At<'_> {
    let now = Timestamp::EPOCH;
    At { db, now }
}

/// A database with a table to write into.
async fn made() -> Vec<Database> {
    let made = databases(&[]).await;
    for database in &made {
        let table = "create table probe_thing (tenant text not null, name text not null, primary key (tenant, name))";
        database.db.rows(table, &[]).await.unwrap();
    }
    made
}

/// Writes a thing down; refuses one that is there.
async fn put(db: &Db, request: &Request, (actor, name): (&Actor, &str)) -> anyhow::Result<Answer> {
    write(at(db), request, actor, async |tx| {
        let row = [tx.tenant().into(), name.into()];
        let insert = "insert into probe_thing (tenant, name) values ($1, $2) on conflict do nothing returning name";
        if tx.row(insert, &row).await?.is_none() {
            return Err(Refusal::conflict("taken", Message::new("Taken.", "已占用。")).into());
        }
        let shown = std::collections::BTreeMap::from([("id", name)]);
        answer(201, &shown)
    })
    .await
}

async fn count(db: &Db) -> usize {
    let all = "select tenant, name from probe_thing";
    db.rows(all, &[]).await.unwrap().len()
}

fn code(error: &anyhow::Error) -> &str {
    let refusal = error.downcast_ref::<Refusal>().map(|refusal| refusal.code);
    let problem = error.downcast_ref::<Problem>().map(|problem| problem.code);
    refusal.or(problem).unwrap()
}

#[tokio::test]
async fn under_a_key_it_is_done_once_and_answered_the_same_every_time() {
    for Database { db, .. } in &made().await {
        let li = actor("demo", "li");
        let first = put(db, &request(Some("k"), "{}"), (&li, "a")).await;
        let first = first.unwrap();
        // What the second one would have done or refused does not matter: it was answered.
        for name in ["a", "b"] {
            let again = put(db, &request(Some("k"), "{}"), (&li, name)).await;
            assert_eq!(again.unwrap(), first);
        }
        assert_eq!(count(db).await, 1);
        let reply = stored(&first, "/api/things").unwrap();
        assert_eq!(reply.status, 201);
        assert_eq!(reply.headers[http::header::LOCATION], "/api/things/a");
        assert_eq!(reply.body, replied(&first).unwrap().body);
        assert_eq!(id_of(&first).unwrap(), "a");
    }
}

#[tokio::test]
async fn a_key_belongs_to_one_caller_and_one_content() {
    for Database { db, .. } in &made().await {
        let li = actor("demo", "li");
        put(db, &request(Some("k"), "{}"), (&li, "a"))
            .await
            .unwrap();
        let other = put(db, &request(Some("k"), "[]"), (&li, "b")).await;
        assert_eq!(code(&other.unwrap_err()), "idempotency_key_reused");
        for somebody in [actor("demo", "wang"), actor("other", "li")] {
            let theirs = put(db, &request(Some("k"), "{}"), (&somebody, "c")).await;
            assert_eq!(id_of(&theirs.unwrap()).unwrap(), "c");
        }
        assert_eq!(count(db).await, 3);
    }
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_and_may_be_asked_again() {
    for Database { db, .. } in &made().await {
        let li = actor("demo", "li");
        put(db, &request(None, "{}"), (&li, "a")).await.unwrap();
        for key in [None, Some("k")] {
            let taken = put(db, &request(key, "{}"), (&li, "a")).await;
            assert_eq!(code(&taken.unwrap_err()), "taken");
        }
        put(db, &request(Some("k"), "{}"), (&li, "b"))
            .await
            .unwrap();
        let bad = put(db, &request(Some("two words"), "{}"), (&li, "c")).await;
        assert_eq!(code(&bad.unwrap_err()), "invalid_idempotency_key");
        assert_eq!(count(db).await, 2);
    }
}

#[tokio::test]
async fn where_a_repetition_would_do_harm_a_key_is_required() {
    for Database { db, .. } in &made().await {
        let li = actor("demo", "li");
        let pay = async |key| {
            let request = request(key, "{}");
            write_once(at(db), &request, &li, async |_| answer(200, &"paid")).await
        };
        assert_eq!(
            code(&pay(None).await.unwrap_err()),
            "idempotency_key_required"
        );
        assert_eq!(pay(Some("k")).await.unwrap().body, "\"paid\"");
        let nobody = (&li.tenant, "applicant/7");
        let request = request(Some("k"), "{}");
        let other = write(at(db), &request, nobody, async |_| answer(200, &"other")).await;
        assert_eq!(other.unwrap().body, "\"other\"");
    }
}
