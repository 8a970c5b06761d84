//! `/n/`: what ntfy's clients publish and poll, unchanged. A topic's key is presented as a bearer token, or as the password
//! of any user; the owner's own token opens it, too. Errors are ntfy's. Clients that know a server but no path publish as
//! JSON to the root, which is served as `/n/` is.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::StatusCode;
use http::header::AUTHORIZATION;
use kernel::{TenantId, Timestamp};
use messaging::ntfy::{
    DELAY_MS_MAX, Message, MessageId, NtfyError, Parameters, Publication, Since, Topic,
};
use store::{Tx, tx};
use web::{Reply, Request};

use crate::context::{Context, random};
use crate::delivering::NOTE_MS;
use crate::keys::{TOPIC_KEY_PREFIX, digest};
use crate::store::notes::{self as sql, From, Note};
use crate::store::{quotas, terms};

/// The most notes of one poll.
const POLL_NOTES_MAX: i64 = 500;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// A result whose error is one that ntfy's clients know.
type Noted<T> = anyhow::Result<Result<T, NtfyError>>;

/// What a topic's clients ask first.
pub(super) fn health() -> anyhow::Result<Reply> {
    Ok(Reply::ok(&serde_json::json!({"healthy": true})))
}

/// There is nothing here that ntfy's clients know.
pub(super) fn not_found() -> anyhow::Result<Reply> {
    Ok(refused(NtfyError::NotFound))
}

fn refused(error: NtfyError) -> Reply {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let reply = Reply::with_body(status, "application/json", error.to_json().into());
    match error {
        NtfyError::Unauthorized => {
            reply.with_header(::http::header::WWW_AUTHENTICATE, "Basic realm=\"ntfy\"")
        }
        _ => reply,
    }
}

pub(super) async fn publish(
    context: &Context,
    request: &Request,
    topic: &str,
) -> anyhow::Result<Reply> {
    let read = Topic::parse(topic).and_then(|topic| {
        Publication::read(topic, &parameters(request), request.body(), context.now)
    });
    keep(context, request, read).await
}

pub(super) async fn publish_json(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let read = Publication::read_json(request.body(), parameters(request), context.now);
    keep(context, request, read).await
}

async fn keep(
    context: &Context,
    request: &Request,
    read: Result<Publication, NtfyError>,
) -> anyhow::Result<Reply> {
    let publication = match read {
        Ok(publication) => publication,
        Err(error) => return Ok(refused(error)),
    };
    let tenant = match opened(context, request, publication.topic.as_str()).await? {
        Ok(tenant) => tenant,
        Err(error) => return Ok(refused(error)),
    };
    let expires_at = publication.due_at.plus_millis(NOTE_MS);
    let id = MessageId::of(u128::from_be_bytes(random()?));
    let message = Message::of(&publication, id.clone(), expires_at);
    let line = message.to_line();
    let allowed = tx(&context.db, &tenant, async |tx| {
        if let Err(error) = quota(context, tx, publication.topic.as_str()).await? {
            return Ok(Err(error));
        }
        if publication.is_kept {
            let note = Note {
                topic: publication.topic.as_str(),
                id: id.as_str(),
                at: publication.due_at,
                expires_at,
                line: &line,
            };
            sql::publish(tx, &note).await?;
        }
        Ok(Ok(()))
    })
    .await?;
    if let Err(error) = allowed {
        return Ok(refused(error));
    }
    Ok(Reply::with_body(
        StatusCode::OK,
        "application/json",
        Bytes::from(line),
    ))
}

/// Uses one message of the topic's minute and day.
async fn quota(context: &Context, tx: &Tx, topic: &str) -> Noted<()> {
    let (terms, _) = terms::terms(tx, tx.tenant()).await?;
    let caller = format!("topic/{topic}");
    for (kind, span, most, error) in [
        (
            "minute",
            MINUTE_MS,
            terms.calls_per_minute,
            NtfyError::TooManyRequests,
        ),
        (
            "day",
            DAY_MS,
            terms.messages_per_day,
            NtfyError::TooManyMessages,
        ),
    ] {
        let begins = context
            .now
            .plus_millis(-context.now.millis().rem_euclid(span));
        if quotas::use_one(tx, (&caller, kind), begins).await? > most {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

pub(super) async fn poll(
    context: &Context,
    request: &Request,
    topics: &str,
) -> anyhow::Result<Reply> {
    match polled(context, request, topics).await? {
        Ok(text) => Ok(Reply::with_body(
            StatusCode::OK,
            "application/x-ndjson; charset=utf-8",
            Bytes::from(text),
        )),
        Err(error) => Ok(refused(error)),
    }
}

async fn polled(context: &Context, request: &Request, topics: &str) -> Noted<String> {
    let parameters = parameters(request);
    // Connections are not held open: what a client gets without `poll` is what there is, and it asks again.
    let since = parameters.get(&["x-since", "since", "si"]);
    let topics = match Topic::parse_list(topics) {
        Ok(topics) => topics,
        Err(error) => return Ok(Err(error)),
    };
    let since = match Since::parse(since.as_deref(), true, context.now) {
        Ok(since) => since,
        Err(error) => return Ok(Err(error)),
    };
    let until = match parameters.is_on(&["x-scheduled", "scheduled", "sched"]) {
        // What waits for its moment is told beforehand to who asks for it.
        Some(true) => context.now.plus_millis(DELAY_MS_MAX),
        _ => context.now,
    };
    let mut lines: Vec<sql::Line> = Vec::new();
    for topic in &topics {
        let tenant = match opened(context, request, topic.as_str()).await? {
            Ok(tenant) => tenant,
            Err(error) => return Ok(Err(error)),
        };
        lines.extend(of_topic(context, (&tenant, topic.as_str()), (&since, until)).await?);
    }
    lines.sort();
    Ok(Ok(lines.into_iter().map(|(_, _, line)| line).collect()))
}

async fn of_topic(
    context: &Context,
    topic: (&TenantId, &str),
    (since, until): (&Since, Timestamp),
) -> anyhow::Result<Vec<sql::Line>> {
    let (db, now) = (&context.db, context.now);
    let from = match since {
        Since::None => return Ok(Vec::new()),
        Since::Latest => return Ok(sql::latest(db, topic, now).await?.into_iter().collect()),
        Since::All => From {
            at: Timestamp::EPOCH,
            until,
            after: None,
        },
        Since::At(at) => From {
            at: *at,
            until,
            after: None,
        },
        Since::After(id) => From {
            at: sql::at(db, topic, id.as_str())
                .await?
                .unwrap_or(Timestamp::EPOCH),
            until,
            after: Some(id.as_str()),
        },
    };
    sql::since(db, topic, &from, (now, POLL_NOTES_MAX)).await
}

/// Whether what was presented opens a topic: what clients ask before they subscribe.
pub(super) async fn auth(
    context: &Context,
    request: &Request,
    topic: &str,
) -> anyhow::Result<Reply> {
    let known = Topic::parse(topic);
    let opened = match known {
        Ok(topic) => opened(context, request, topic.as_str()).await?.map(drop),
        Err(error) => Err(error),
    };
    Ok(match opened {
        Ok(()) => Reply::ok(&serde_json::json!({"success": true})),
        Err(error) => refused(error),
    })
}

/// Whose topic it is, if what was presented opens it.
async fn opened(context: &Context, request: &Request, topic: &str) -> Noted<TenantId> {
    let Some(presented) = presented(request) else {
        return Ok(Err(NtfyError::Unauthorized));
    };
    if presented.starts_with(TOPIC_KEY_PREFIX) {
        let found = sql::by_key(&context.db, &digest(&presented)).await?;
        return Ok(match found {
            Some(found) if found.id == topic => Ok(found.tenant),
            Some(_) => Err(NtfyError::Forbidden),
            None => Err(NtfyError::Unauthorized),
        });
    }
    let Ok(actor) = web::token::verify(&context.token_secret, &presented, context.now) else {
        return Ok(Err(NtfyError::Unauthorized));
    };
    let found = sql::topic(&context.db, &actor.tenant, topic).await?;
    Ok(match found {
        Some(found) if found.owner == actor.id => Ok(found.tenant),
        _ => Err(NtfyError::Forbidden),
    })
}

/// The token or the password: in the header, or in the query as `auth`, which is the header in base64.
fn presented(request: &Request) -> Option<String> {
    let header = request.headers().get(AUTHORIZATION);
    let header = header.and_then(|value| value.to_str().ok().map(str::to_owned));
    let text = header.or_else(|| {
        let query = query(request);
        let (_, value) = query.into_iter().find(|(name, _)| name == "auth")?;
        let value = value.trim_end_matches('=');
        String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()
    })?;
    let (scheme, rest) = text.trim().split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (_, password) = pair.split_once(':')?;
    Some(password.to_owned())
}

fn parameters(request: &Request) -> Parameters {
    Parameters {
        headers: headers(request),
        query: query(request),
    }
}

fn headers(request: &Request) -> Vec<(String, String)> {
    let pairs = request.headers().iter();
    pairs
        .filter_map(|(name, value)| {
            // What is no ASCII is UTF-8, as clients send it.
            let value = std::str::from_utf8(value.as_bytes()).ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        })
        .collect()
}

fn query(request: &Request) -> Vec<(String, String)> {
    let text = request.uri().query().unwrap_or_default();
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

/// Undoes the escapes of a query; what is malformed stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                match (digit(rest.next()), digit(rest.next())) {
                    (Some(high), Some(low)) => {
                        bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                    }
                    _ => return text.to_owned(),
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
