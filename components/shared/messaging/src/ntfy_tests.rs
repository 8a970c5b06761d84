//! ntfy's wire as its clients use it.

use kernel::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::ntfy::*;

fn now() -> Timestamp {
    Timestamp::parse("2026-03-01T08:00:00Z").unwrap()
}

fn parameters(headers: &[(&str, &str)], query: &[(&str, &str)]) -> Parameters {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Parameters {
        headers: headers.iter().map(owned).collect(),
        query: query.iter().map(owned).collect(),
    }
}

fn read(
    headers: &[(&str, &str)],
    query: &[(&str, &str)],
    body: &[u8],
) -> Result<Publication, NtfyError> {
    let topic = Topic::parse("garden-notices").unwrap();
    Publication::read(topic, &parameters(headers, query), body, now())
}

fn error(header: &str, value: &str) -> NtfyError {
    read(&[(header, value)], &[], b"x").unwrap_err()
}

fn json(value: Value) -> Result<Publication, NtfyError> {
    json_with(value, &[], &[])
}

fn json_with(
    value: Value,
    headers: &[(&str, &str)],
    query: &[(&str, &str)],
) -> Result<Publication, NtfyError> {
    let parameters = parameters(headers, query);
    Publication::read_json(value.to_string().as_bytes(), parameters, now())
}

#[test]
fn a_publication_says_the_same_by_headers_by_the_query_and_as_json() {
    let headers = [
        ("X-Title", "停水通知"),
        ("X-Priority", "urgent"),
        ("X-Tags", "warning, 水,,"),
        ("X-Delay", "30m"),
        ("X-Click", "https://linli.cn/notices/1"),
        (
            "X-Actions",
            "view, 查看, https://linli.cn/notices/1, clear=true",
        ),
    ];
    let short = [
        ("title", "停水通知"),
        ("p", "5"),
        ("ta", "warning,水"),
        ("in", "1800s"),
        ("click", "https://linli.cn/notices/1"),
        (
            "actions",
            r#"[{"action":"view","label":"查看","url":"https://linli.cn/notices/1","clear":true}]"#,
        ),
    ];
    let document = json!({
        "topic": "garden-notices", "message": "明天 9 点", "title": "停水通知", "priority": 5,
        "tags": ["warning", "水"], "delay": "30 min", "click": "https://linli.cn/notices/1",
        "actions": [{"action": "view", "label": "查看", "url": "https://linli.cn/notices/1", "clear": true}],
    });
    let body = "明天 9 点\n".as_bytes();
    let publication = read(&headers, &[], body).unwrap();
    assert_eq!(publication.due_at, now().plus_millis(1_800_000));
    assert_eq!(publication.tags, ["warning", "水"]);
    assert_eq!(publication.actions[0]["id"], "1");
    assert_eq!(read(&[], &short, body).unwrap(), publication);
    assert_eq!(json(document).unwrap(), publication);
}

#[test]
fn json_counts_before_the_headers_and_they_say_what_it_leaves_out() {
    let headers = [
        ("X-Title", "other"),
        ("Priority", "high"),
        ("Ta", "warning,水"),
        ("X-Markdown", "yes"),
        ("X-Click", "https://linli.cn/notices/1"),
        ("X-Delay", "30m"),
        ("X-Message", "other"),
        ("Content-Type", "application/json"),
    ];
    let document = json!({"topic": "a", "title": "停水通知", "priority": 0, "tags": [], "click": "", "delay": null});
    let said = json_with(document, &headers, &[("icon", "https://linli.cn/icon.png")]).unwrap();
    assert_eq!(said.title.as_deref(), Some("停水通知"));
    assert_eq!((said.priority, said.is_markdown), (Some(4), true));
    assert_eq!(said.tags, ["warning", "水"]);
    assert_eq!(said.click.as_deref(), Some("https://linli.cn/notices/1"));
    assert_eq!(said.icon.as_deref(), Some("https://linli.cn/icon.png"));
    assert_eq!(said.due_at, now().plus_millis(1_800_000));
    // A text is the JSON's alone.
    assert_eq!(said.text, "triggered");

    let document =
        json!({"topic": "a", "priority": 2, "tags": ["droplet"], "delay": "1h", "cache": "yes"});
    let mut headers = headers.to_vec();
    headers.push(("X-Cache", "no"));
    let said = json_with(document, &headers, &[]).unwrap();
    assert_eq!((said.priority, said.is_kept), (Some(2), true));
    assert_eq!(said.tags, ["droplet"]);
    assert_eq!(said.due_at, now().plus_millis(3_600_000));

    let topic = || json!({"topic": "a"});
    for (header, value, expected) in [
        ("p", "9", NtfyError::PriorityInvalid),
        ("X-Email", "li@linli.cn", NtfyError::EmailDisabled),
        ("In", "1s", NtfyError::DelayTooSmall),
    ] {
        assert_eq!(json_with(topic(), &[(header, value)], &[]), Err(expected));
    }
}

#[test]
fn a_header_counts_before_the_query_and_its_encoded_words_are_read() {
    for (written, title) in [
        ("=?UTF-8?B?5YGc5rC0?=", "停水"),
        ("=?utf-8?q?=E5=81=9C=E6=B0=B4_now?=", "停水 now"),
        ("A =?UTF-8?B?5YGc?= =?UTF-8?B?5rC0?= Z", "A 停水 Z"),
        ("=?iso-8859-1?Q?=E4?=", "=?iso-8859-1?Q?=E4?="),
        ("is this =? a word", "is this =? a word"),
        ("=?UTF-8?B?%%%?=", "=?UTF-8?B?%%%?="),
    ] {
        let publication = read(&[("t", written)], &[("title", "other")], b"x").unwrap();
        assert_eq!(publication.title.as_deref(), Some(title));
    }
}

#[test]
fn a_message_without_a_text_says_that_it_was_triggered() {
    assert_eq!(read(&[], &[], b" \n").unwrap().text, "triggered");
    assert_eq!(json(json!({"topic": "a"})).unwrap().text, "triggered");
    assert_eq!(
        read(&[], &[("message", "one\\ntwo")], b"").unwrap().text,
        "one\ntwo"
    );
    assert_eq!(
        read(&[("message", "one")], &[], b"two").unwrap().text,
        "two"
    );
}

#[test]
fn priorities_have_numbers_and_names() {
    for (text, expected) in [
        ("1", Some(1)),
        ("min", Some(1)),
        ("LOW", Some(2)),
        ("default", Some(3)),
        ("high", Some(4)),
        ("max", Some(5)),
        ("0", None),
        ("u=4, i", None),
    ] {
        assert_eq!(
            read(&[("Priority", text)], &[], b"x").unwrap().priority,
            expected
        );
    }
    for text in ["6", "-1", "very", "1.5"] {
        assert_eq!(error("p", text), NtfyError::PriorityInvalid, "{text}");
    }
    assert_eq!(
        json(json!({"topic": "a", "priority": 6})),
        Err(NtfyError::PriorityInvalid)
    );
}

#[test]
fn a_delay_is_between_ten_seconds_and_three_days() {
    let later = |text: &str| {
        read(&[("Delay", text)], &[], b"x")
            .map(|publication| publication.due_at.millis_since(now()))
    };
    assert_eq!(later("10s"), Ok(10_000));
    assert_eq!(later("1h30m"), Ok(5_400_000));
    assert_eq!(later("3 days"), Ok(DELAY_MS_MAX));
    let unix = (now().millis() / 1_000 + 60).to_string();
    assert_eq!(later(&unix), Ok(60_000));
    for (text, expected) in [
        ("9s", NtfyError::DelayTooSmall),
        ("1700000000", NtfyError::DelayTooSmall),
        ("4d", NtfyError::DelayTooLarge),
        ("tomorrow, 10am", NtfyError::DelayCannotParse),
        ("-5m", NtfyError::DelayCannotParse),
        ("5 moons", NtfyError::DelayCannotParse),
        ("99999999999999999999d", NtfyError::DelayCannotParse),
        ("9223372036854775807d", NtfyError::DelayCannotParse),
    ] {
        assert_eq!(later(text), Err(expected), "{text}");
    }
    let unkept = read(&[("Delay", "1h"), ("Cache", "no")], &[], b"x");
    assert_eq!(unkept, Err(NtfyError::DelayNoCache));
}

#[test]
fn actions_are_checked_so_far_that_clients_understand_them() {
    let actions = |text: &str| read(&[("Actions", text)], &[], b"x").map(|read| read.actions);
    let found = actions(
        "view, \"Open; now\", https://a.cn, clear=true; action=http, label=It's on, url='https://a.cn/b', method=PUT, headers.x-key=1, body={\"a\": 1}",
    );
    let expected = [
        json!({"id": "1", "action": "view", "label": "Open; now", "url": "https://a.cn", "clear": true}),
        json!({"id": "2", "action": "http", "label": "It's on", "url": "https://a.cn/b", "method": "PUT",
            "headers": {"x-key": "1"}, "body": "{\"a\": 1}"}),
    ];
    assert_eq!(found.unwrap(), expected);
    for text in [
        "view",
        "view, Open",
        "fly, Open, https://a.cn",
        "view, , https://a.cn",
        "view, Open, https://a.cn, surplus",
        "view, \"Open, https://a.cn",
        "[{]",
        "[1]",
        "view, a, b; view, a, b; view, a, b; view, a, b",
    ] {
        assert_eq!(actions(text), Err(NtfyError::ActionsInvalid), "{text}");
    }
}

#[test]
fn what_is_not_offered_is_refused_by_its_code() {
    for (header, expected) in [
        ("X-Email", NtfyError::EmailDisabled),
        ("Call", NtfyError::CallsDisabled),
        ("Attach", NtfyError::AttachmentsDisallowed),
        ("Filename", NtfyError::AttachmentsDisallowed),
    ] {
        assert_eq!(error(header, "x"), expected, "{header}");
        let document = json!({"topic": "a", (header.trim_start_matches("X-").to_lowercase()): "x"});
        assert_eq!(json(document), Err(expected));
    }
    let large = vec![b'x'; MESSAGE_BYTES_MAX + 1];
    assert_eq!(
        read(&[], &[], &large),
        Err(NtfyError::AttachmentsDisallowed)
    );
    assert!(read(&[], &[], &large[1..]).is_ok());
    let large = json!({"topic": "a", "message": "x".repeat(4_097)});
    assert_eq!(json(large), Err(NtfyError::AttachmentsDisallowed));
    assert_eq!(
        read(&[], &[], b"\xff\x00"),
        Err(NtfyError::AttachmentsDisallowed)
    );
    for wrong in [
        json!([]),
        json!({"topic": 1}),
        json!("x"),
        json!({"topic": "a", "tags": "b"}),
    ] {
        assert_eq!(json(wrong), Err(NtfyError::MessageJsonInvalid));
    }
    assert_eq!(json(json!({"message": "x"})), Err(NtfyError::TopicInvalid));
    assert_eq!(NtfyError::TopicInvalid.status(), 400);
    let body: Value = serde_json::from_str(&NtfyError::TooManyMessages.to_json()).unwrap();
    assert_eq!((&body["code"], &body["http"]), (&json!(42908), &json!(429)));
    let codes: std::collections::BTreeSet<u32> =
        NtfyError::ALL.iter().map(|error| error.code()).collect();
    assert_eq!(codes.len(), NtfyError::ALL.len());
}

#[test]
fn bytes_of_unified_push_are_carried_in_base64() {
    let publication = read(&[], &[("up", "1")], b"\xff\x00\x01").unwrap();
    assert_eq!(
        (publication.text.as_str(), publication.is_base64),
        ("/wAB", true)
    );
    assert!(read(&[], &[("up", "1")], &[0xff; 4_096]).is_ok());
    assert!(read(&[], &[("up", "1")], &[0xff; 4_097]).is_err());
}

#[test]
fn topics_are_letters_digits_and_strokes() {
    for text in ["", "a b", "主题", "a/b", &"x".repeat(65)] {
        assert_eq!(Topic::parse(text), Err(NtfyError::TopicInvalid), "{text}");
    }
    assert_eq!(Topic::parse("docs"), Err(NtfyError::TopicDisallowed));
    let topics = Topic::parse_list("a,b_1,a,C-2").unwrap();
    let names: Vec<&str> = topics.iter().map(Topic::as_str).collect();
    assert_eq!(names, ["a", "b_1", "C-2"]);
    assert!(Topic::parse_list("a,,b").is_err());
    let many: Vec<String> = (0..=TOPICS_MAX)
        .map(|number| format!("t{number}"))
        .collect();
    assert_eq!(
        Topic::parse_list(&many.join(",")),
        Err(NtfyError::TooManyTopics)
    );
}

#[test]
fn since_is_a_duration_a_time_an_id_or_a_word() {
    let parse = |text| Since::parse(Some(text), true, now());
    assert_eq!(parse("all"), Ok(Since::All));
    assert_eq!(parse("none"), Ok(Since::None));
    assert_eq!(parse("latest"), Ok(Since::Latest));
    assert_eq!(parse("10m"), Ok(Since::At(now().plus_millis(-600_000))));
    let unix = Timestamp::from_millis(1_700_000_000_000).unwrap();
    assert_eq!(parse("1700000000"), Ok(Since::At(unix)));
    let id = MessageId::parse("nFS3knfcQ1xe").unwrap();
    assert_eq!(parse("nFS3knfcQ1xe"), Ok(Since::After(id)));
    assert_eq!(Since::parse(None, true, now()), Ok(Since::All));
    assert_eq!(Since::parse(Some(""), false, now()), Ok(Since::None));
    for text in ["yesterday", "10x", "-1h", "99999999999999999999"] {
        assert_eq!(parse(text), Err(NtfyError::SinceInvalid), "{text}");
    }
}

#[test]
fn a_message_is_one_line_of_json() {
    let publication = read(&[("Title", "A"), ("md", "yes")], &[], b"one\ntwo").unwrap();
    let id = MessageId::parse("nFS3knfcQ1xe").unwrap();
    let message = Message::of(&publication, id.clone(), now().plus_millis(43_200_000));
    let line = message.to_line();
    assert_eq!(
        line,
        "{\"id\":\"nFS3knfcQ1xe\",\"time\":1772352000,\"expires\":1772395200,\"event\":\"message\",\
         \"topic\":\"garden-notices\",\"title\":\"A\",\"message\":\"one\\ntwo\",\"content_type\":\"text/markdown\"}\n"
    );
    let topics = Topic::parse_list("a,b").unwrap();
    let open = Message::of_subscription(Event::Open, &topics, id, now()).to_line();
    assert_eq!(
        open,
        "{\"id\":\"nFS3knfcQ1xe\",\"time\":1772352000,\"event\":\"open\",\"topic\":\"a,b\"}\n"
    );
}

proptest! {
    #[test]
    fn no_header_and_no_body_breaks_a_publication(
        name in prop::sample::select(vec!["title", "priority", "tags", "delay", "click", "actions", "message", "cache"]),
        value in "\\PC{0,60}",
        body in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        if let Ok(publication) = read(&[(name, &value)], &[], &body) {
            let line = Message::of(&publication, MessageId::of(7), now()).to_line();
            prop_assert_eq!(line.matches('\n').count(), 1);
            prop_assert!(serde_json::from_str::<Value>(&line).is_ok());
        }
        let _ = Publication::read_json(&body, Parameters::default(), now());
    }

    #[test]
    fn an_id_is_read_as_it_is_written(random in any::<u128>()) {
        let id = MessageId::of(random);
        prop_assert_eq!(MessageId::parse(id.as_str()), Some(id.clone()));
        prop_assert_eq!(Since::parse(Some(id.as_str()), true, now()), Ok(Since::After(id)));
    }
}
