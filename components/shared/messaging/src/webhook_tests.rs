//! Standard Webhooks: its vector, rotation, tolerance, and the schedule.

use kernel::Timestamp;
use proptest::prelude::*;

use crate::webhook::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SENT_SECONDS: i64 = 1_614_265_330;
const MESSAGE: Signed<'static> = Signed {
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    timestamp_seconds: SENT_SECONDS,
    body: br#"{"test": 2432232314}"#,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000).unwrap()
}

fn secret(fill: u8) -> Secret {
    Secret::from_bytes(vec![fill; 32]).unwrap()
}

fn signature(message: &Signed<'_>, secrets: &[Secret]) -> String {
    let [_, _, (name, value)] = headers(message, secrets).unwrap();
    assert_eq!(name, "webhook-signature");
    value
}

fn verdict(message: &Signed<'_>, signed: &str, by: &[Secret], now: Timestamp) -> &'static str {
    verify(message, signed, by, now).map_or_else(|refusal| refusal.code, |()| "fine")
}

#[test]
fn the_vector_of_the_specification_is_signed_and_verified() {
    let secrets = [Secret::parse(SECRET).unwrap()];
    let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    assert_eq!(signature(&MESSAGE, &secrets), expected);
    assert_eq!(
        verdict(&MESSAGE, expected, &secrets, at(SENT_SECONDS)),
        "fine"
    );
    assert_eq!(secrets[0].reveal(), SECRET);
    assert_eq!(format!("{secrets:?}"), "[Secret(..)]");
}

#[test]
fn while_secrets_are_rotated_both_sides_understand_each_other() {
    let (old, new) = (secret(1), secret(2));
    let both = signature(&MESSAGE, &[new.clone(), old.clone()]);
    assert_eq!(both.split(' ').count(), 2);
    let now = at(SENT_SECONDS);
    assert_eq!(
        verdict(&MESSAGE, &both, std::slice::from_ref(&old), now),
        "fine"
    );
    assert_eq!(
        verdict(&MESSAGE, &both, std::slice::from_ref(&new), now),
        "fine"
    );
    assert_eq!(
        verdict(&MESSAGE, &both, &[secret(3)], now),
        "webhook_not_signed"
    );
    let others = format!(
        "v1a,AAAA v1,not-base64 {}",
        signature(&MESSAGE, std::slice::from_ref(&old))
    );
    assert_eq!(verdict(&MESSAGE, &others, &[new, old], now), "fine");
}

#[test]
fn a_webhook_holds_for_five_minutes_around_its_time() {
    let secrets = [secret(1)];
    let signed = signature(&MESSAGE, &secrets);
    for (seconds, expected) in [
        (-301, "webhook_too_old"),
        (-300, "fine"),
        (300, "fine"),
        (301, "webhook_too_old"),
    ] {
        let now = at(SENT_SECONDS + seconds);
        assert_eq!(
            verdict(&MESSAGE, &signed, &secrets, now),
            expected,
            "{seconds}"
        );
    }
    let far = Signed {
        timestamp_seconds: i64::MAX,
        ..MESSAGE
    };
    assert_eq!(
        verdict(&far, &signed, &secrets, at(SENT_SECONDS)),
        "webhook_too_old"
    );
}

#[test]
fn what_was_changed_is_not_signed() {
    let secrets = [secret(1)];
    let signed = signature(&MESSAGE, &secrets);
    let now = at(SENT_SECONDS);
    let changed = [
        Signed {
            id: "msg_other",
            ..MESSAGE
        },
        Signed {
            timestamp_seconds: SENT_SECONDS + 1,
            ..MESSAGE
        },
        Signed {
            body: b"{}",
            ..MESSAGE
        },
    ];
    for message in changed {
        assert_eq!(
            verdict(&message, &signed, &secrets, now),
            "webhook_not_signed"
        );
    }
    for signatures in ["", "v1,", "v2,AAAA", signed.trim_start_matches("v1,")] {
        assert_eq!(
            verdict(&MESSAGE, signatures, &secrets, now),
            "webhook_not_signed"
        );
    }
}

#[test]
fn secrets_and_ids_are_refused_when_they_are_none() {
    for text in [
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_AAAA",
        "whsec_?",
    ] {
        assert_eq!(
            Secret::parse(text).unwrap_err().code,
            "webhook_secret_invalid",
            "{text:?}"
        );
    }
    assert!(Secret::from_bytes(vec![0; 65]).is_err());
    for id in ["", "a.b", "a b", "a\n"] {
        let message = Signed { id, ..MESSAGE };
        assert_eq!(
            headers(&message, &[secret(1)]).unwrap_err().code,
            "webhook_id_invalid"
        );
    }
    assert!(headers(&MESSAGE, &[]).is_err());
}

#[test]
fn an_answer_delivers_disables_or_is_a_failure() {
    let now = at(SENT_SECONDS);
    let of = |status| Answer::of(status, Some("60"), now);
    let later = Some(now.plus_millis(60_000));
    assert_eq!((of(200), of(204)), (Answer::Delivered, Answer::Delivered));
    assert_eq!(of(410), Answer::Disabled);
    for status in [301, 302, 400, 404, 429, 500, 503] {
        assert_eq!(of(status), Answer::Failed(later), "{status}");
    }
    assert_eq!(Answer::of(500, None, now), Answer::Failed(None));
}

#[test]
fn there_are_ten_tries_and_then_no_more() {
    assert_eq!(wait_ms(0, u64::MAX), Some(0));
    assert_eq!(wait_ms(1, 0), Some(5_000));
    assert_eq!(wait_ms(1, u64::MAX), Some(5_500));
    assert_eq!(wait_ms(9, 0), Some(86_400_000));
    assert_eq!((wait_ms(10, 0), wait_ms(u32::MAX, 0)), (None, None));
}

proptest! {
    #[test]
    fn what_one_signs_the_other_verifies_and_nothing_else(
        body in prop::collection::vec(any::<u8>(), 0..200),
        flip in any::<prop::sample::Index>(),
        key in prop::collection::vec(any::<u8>(), 24..=64),
    ) {
        let secrets = [Secret::from_bytes(key).unwrap()];
        let message = Signed { body: &body, ..MESSAGE };
        let signed = signature(&message, &secrets);
        let now = at(SENT_SECONDS);
        prop_assert_eq!(verdict(&message, &signed, &secrets, now), "fine");
        if !body.is_empty() {
            let mut other = body.clone();
            other[flip.index(body.len())] ^= 1;
            let message = Signed { body: &other, ..MESSAGE };
            prop_assert_eq!(verdict(&message, &signed, &secrets, now), "webhook_not_signed");
        }
    }

    #[test]
    fn a_wait_is_at_least_its_step_and_at_most_a_tenth_more(tries in 0_u32..10, random in any::<u64>()) {
        let step = WAITS_MS[tries as usize];
        let wait = wait_ms(tries, random).unwrap();
        prop_assert!((step..=step + step / 10).contains(&wait));
    }
}
