//! Web Push: the vectors of RFC 8188, 8291 and 8292, and what holds of every message.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use kernel::Timestamp;
use proptest::prelude::*;

use crate::endpoint::{Endpoint, Reach};
use crate::webpush::*;

const UA_PUBLIC: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const UA_PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
const AS_PRIVATE: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
const SALT: &str = "DGv6ra1nlYgDCS1FRnbzlw";
const WATERMELON: &[u8] = b"When I grow up, I want to be a watermelon";
const BODY: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
const ENDPOINT: &str = "https://push.linli-push.cn/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV";
const CONTACT: &str = "mailto:push@linli-push.cn";

fn bytes(text: &str) -> Vec<u8> {
    BASE64URL.decode(text).unwrap()
}

fn fixed<const N: usize>(text: &str) -> [u8; N] {
    bytes(text).try_into().unwrap()
}

fn once() -> Once {
    Once {
        ephemeral: fixed(AS_PRIVATE),
        salt: fixed(SALT),
    }
}

fn receiver() -> Receiver {
    Receiver::parse(UA_PUBLIC, AUTH).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

#[test]
fn rfc_8291_appendix_a_is_encrypted_to_the_byte_and_decrypted() {
    let body = encrypt(WATERMELON, &receiver(), &once()).unwrap();
    assert_eq!(BASE64URL.encode(&body), BODY);
    let read = decrypt(&body, &fixed(UA_PRIVATE), &fixed(AUTH)).unwrap();
    assert_eq!(read, WATERMELON);
}

#[test]
fn rfc_8188_section_3_1_is_encoded_to_the_byte_and_decoded() {
    let body = "I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg";
    let keying = bytes("yqdlZ-tYemfogSmv7Ws5PQ");
    let header = Header {
        salt: fixed("I1BsxtFttlv3u_Oo94xnmw"),
        record_bytes: 4_096,
        key_id: b"",
    };
    let encoded = encode(b"I am the walrus", &keying, &header).unwrap();
    assert_eq!(BASE64URL.encode(&encoded), body);
    let (read, records) = Header::read(&encoded).unwrap();
    assert_eq!(read, header);
    assert_eq!(decode(records, &keying, &read).unwrap(), b"I am the walrus");
}

#[test]
fn rfc_8188_section_3_2_has_two_records_and_padding() {
    let body = bytes(
        "uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_uA",
    );
    let (header, records) = Header::read(&body).unwrap();
    assert_eq!((header.key_id, header.record_bytes), (&b"a1"[..], 25));
    let keying = bytes("BO3ZVPxUlnLORbVGMpbT1Q");
    assert_eq!(
        decode(records, &keying, &header).unwrap(),
        b"I am the walrus"
    );
    let first = &records[..25];
    assert!(
        decode(first, &keying, &header).is_err(),
        "cut off after a record"
    );
}

#[test]
fn rfc_8292_section_2_4_is_a_valid_token() {
    let header = "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA,k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
    let expires_at = Timestamp::from_millis(1_453_523_768_000).unwrap();
    let claims = verify(header, expires_at.plus_millis(-1_000)).unwrap();
    assert_eq!(claims.aud, "https://push.example.net");
    assert_eq!(claims.sub.as_deref(), Some("mailto:push@example.com"));
    assert!(verify(header, expires_at).is_err(), "ended");
    assert!(verify(header, expires_at.plus_millis(-TOKEN_MS_MAX - 1)).is_err());
    assert!(
        verify(
            &header.replace("i3CYb7", "i3CYb8"),
            expires_at.plus_millis(-1)
        )
        .is_err()
    );
    for other in ["", "vapid", "vapid t=a.b.c,k=d", "Bearer t=a"] {
        assert_eq!(
            verify(other, expires_at).unwrap_err().code,
            "token_invalid",
            "{other}"
        );
    }
}

#[test]
fn what_a_sender_signs_is_for_the_origin_and_a_day_at_most() {
    let sender = Sender::new(AS_PRIVATE, CONTACT).unwrap();
    let endpoint = Endpoint::parse(ENDPOINT, Reach::Public).unwrap();
    let now = at("2026-03-01T08:00:00Z");
    let header = sender
        .authorization(&endpoint, now.plus_millis(TOKEN_MS_MAX), now)
        .unwrap();
    assert!(header.ends_with(&format!(",k={}", sender.public_key())));
    let claims = verify(&header, now).unwrap();
    assert_eq!(claims.aud, "https://push.linli-push.cn");
    assert_eq!(claims.sub.as_deref(), Some(CONTACT));
    for wrong in [0, -1, TOKEN_MS_MAX + 1] {
        let refused = sender.authorization(&endpoint, now.plus_millis(wrong), now);
        assert_eq!(refused.unwrap_err().code, "token_too_long", "{wrong}");
    }
}

#[test]
fn a_sender_has_a_key_and_a_contact_that_can_be_real() {
    let code =
        |key, contact| Sender::new(key, contact).map_or_else(|refusal| refusal.code, |_| "fine");
    assert_eq!(code(AS_PRIVATE, "https://linli-push.cn/contact"), "fine");
    for contact in [
        "",
        "push@linli-push.cn",
        "mailto:",
        "mailto:push",
        "mailto:@linli-push.cn",
        "mailto:push@localhost",
        "mailto:push@example.com",
        "mailto:a\"b@linli-push.cn",
        "http://linli-push.cn",
        "https://127.0.0.1",
        "https://www.example.org/x",
    ] {
        assert_eq!(code(AS_PRIVATE, contact), "contact_invalid", "{contact:?}");
    }
    for key in [
        "",
        "AAAA",
        "?",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ] {
        assert_eq!(code(key, CONTACT), "sender_key_invalid", "{key:?}");
    }
}

#[test]
fn a_request_always_says_how_long_it_is_kept() {
    let subscription = Subscription::parse(ENDPOINT, UA_PUBLIC, AUTH, Reach::Public).unwrap();
    let push = Push {
        plaintext: WATERMELON,
        ttl_seconds: 0,
        urgency: Urgency::VeryLow,
        topic: Some(Topic::parse("bill-2026-02").unwrap()),
    };
    let request = push
        .request(&subscription, "vapid t=a,k=b", &once())
        .unwrap();
    assert_eq!(request.url, ENDPOINT);
    assert_eq!(BASE64URL.encode(&request.body), BODY);
    let expected = [
        ("authorization", "vapid t=a,k=b"),
        ("content-encoding", "aes128gcm"),
        ("content-type", "application/octet-stream"),
        ("ttl", "0"),
        ("urgency", "very-low"),
        ("topic", "bill-2026-02"),
    ];
    assert_eq!(
        request.headers,
        expected.map(|(name, value)| (name, value.to_owned()))
    );
    let forever = Push {
        ttl_seconds: TTL_SECONDS_MAX + 1,
        ..push
    };
    let refused = forever.request(&subscription, "", &once());
    assert_eq!(refused.unwrap_err().code, "ttl_too_long");
}

#[test]
fn a_message_of_3993_bytes_fills_a_body_and_one_more_is_refused() {
    assert_eq!(PLAINTEXT_BYTES_MAX, 3_993);
    let body = encrypt(&[b'x'; 3_993], &receiver(), &once()).unwrap();
    assert_eq!(body.len(), 4_096);
    let refused = encrypt(&[b'x'; 3_994], &receiver(), &once()).unwrap_err();
    assert_eq!(refused.code, "plaintext_too_long");
    assert!(refused.message.english.contains("3994") && refused.message.english.contains("3993"));
}

#[test]
fn keys_that_are_none_are_refused() {
    let mut off_the_curve = bytes(UA_PUBLIC);
    off_the_curve[64] ^= 1;
    let off_the_curve = BASE64URL.encode(off_the_curve);
    for (key, auth) in [
        ("", AUTH),
        (UA_PUBLIC, ""),
        (UA_PUBLIC, "AAAA"),
        (off_the_curve.as_str(), AUTH),
        (AUTH, AUTH),
        ("?", AUTH),
    ] {
        let refused = Receiver::parse(key, auth).unwrap_err();
        assert_eq!(refused.code, "subscription_keys_invalid", "{key} {auth}");
    }
    assert!(Receiver::parse(&format!("{UA_PUBLIC}="), &format!("{AUTH}==")).is_ok());
    let zero = Once {
        ephemeral: [0; 32],
        salt: [0; 16],
    };
    assert!(encrypt(b"x", &receiver(), &zero).is_err());
}

#[test]
fn a_topic_fits_and_a_collapse_key_becomes_one() {
    for text in ["", "a b", "主题", "a+b", &"x".repeat(33)] {
        assert_eq!(
            Topic::parse(text).unwrap_err().code,
            "topic_invalid",
            "{text}"
        );
    }
    assert!(Topic::parse(&"x".repeat(32)).is_ok());
    let topic = Topic::of("账单/bill 2026-02 for a very long room");
    assert_eq!(topic, Topic::parse(topic.as_str()).unwrap());
    assert_ne!(topic, Topic::of("another"));
}

#[test]
fn only_two_answers_end_a_subscription() {
    let now = at("2026-03-01T08:00:00Z");
    let of = |status| Answer::of(status, Some("120"), now);
    let busy = Answer::Busy(Some(now.plus_millis(120_000)));
    for (status, expected) in [
        (201, Answer::Accepted),
        (202, Answer::Accepted),
        (404, Answer::Gone),
        (410, Answer::Gone),
        (401, Answer::Alarm),
        (403, Answer::Alarm),
        (413, Answer::TooLarge),
        (429, busy),
        (503, busy),
        (500, Answer::Failed),
        (408, Answer::Failed),
        (400, Answer::Refused),
        (301, Answer::Refused),
    ] {
        assert_eq!(of(status), expected, "{status}");
    }
    assert_eq!(Answer::of(503, Some("soon"), now), Answer::Busy(None));
    for status in 0..1_000 {
        assert_eq!(of(status) == Answer::Gone, [404, 410].contains(&status));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_message_is_read_by_its_receiver_and_by_nobody_else(
        plaintext in prop::collection::vec(any::<u8>(), 0..600),
        ephemeral in prop::array::uniform32(1_u8..=200),
        salt in prop::array::uniform16(any::<u8>()),
        flip in any::<prop::sample::Index>(),
    ) {
        let body = encrypt(&plaintext, &receiver(), &Once { ephemeral, salt }).unwrap();
        prop_assert_eq!(body.len(), plaintext.len() + 103);
        let private = fixed(UA_PRIVATE);
        prop_assert_eq!(decrypt(&body, &private, &fixed(AUTH)).unwrap(), plaintext);
        prop_assert!(decrypt(&body, &private, &[0; 16]).is_err());
        prop_assert!(decrypt(&body, &fixed(AS_PRIVATE), &fixed(AUTH)).is_err());
        let mut changed = body.clone();
        let index = flip.index(body.len());
        changed[index] ^= 1;
        // The size of a single record says nothing about its content.
        if !(16..20).contains(&index) {
            prop_assert!(decrypt(&changed, &private, &fixed(AUTH)).is_err());
        }
        prop_assert!(decrypt(&body[..index], &private, &fixed(AUTH)).is_err());
    }

    #[test]
    fn a_content_of_many_records_is_read_whole_or_not_at_all(
        plaintext in prop::collection::vec(any::<u8>(), 0..300),
        record_bytes in 18_u32..80,
        cut in any::<prop::sample::Index>(),
    ) {
        let header = Header { salt: [7; 16], record_bytes, key_id: b"k" };
        let body = encode(&plaintext, b"keying", &header).unwrap();
        let (read, records) = Header::read(&body).unwrap();
        prop_assert_eq!(decode(records, b"keying", &read).unwrap(), plaintext);
        prop_assert!(decode(&records[..cut.index(records.len())], b"keying", &read).is_err());
    }

    #[test]
    fn bytes_that_are_no_message_are_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(decrypt(&body, &fixed(UA_PRIVATE), &fixed(AUTH)).is_err());
    }
}
