//! The published example of the encryption, and keys of our own for everything that is signed.

use super::*;
use crate::protocol::keys::generate;

const NOW_MS: i64 = 1_800_000_000_000;

fn now() -> Timestamp {
    Timestamp::from_millis(NOW_MS).unwrap()
}

#[test]
fn the_published_resource_opens_and_any_other_does_not() {
    let resource = Resource {
        algorithm: ALGORITHM.to_owned(),
        ciphertext: "FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC".to_owned(),
        associated_data: "Dl56FrqWQJF1t9LtC3vEUsniZKvbqdR8".to_owned(),
        nonce: "wCq51qZv4Yfg".to_owned(),
        original_type: None,
    };
    let key = b"testAPIv3Key0000";
    assert_eq!(open(key, &resource).unwrap(), b"Hello World");
    assert_eq!(
        open(b"testAPIv3Key0001", &resource),
        Err(Distrust::Resource)
    );
    let change = |change: fn(&mut Resource)| {
        let mut changed = resource.clone();
        change(&mut changed);
        open(key, &changed)
    };
    assert!(change(|resource| resource.associated_data.push('x')).is_err());
    assert!(change(|resource| resource.nonce = "wCq51qZv4Yfh".to_owned()).is_err());
    assert!(change(|resource| resource.nonce = "short".to_owned()).is_err());
    assert!(
        change(|resource| resource.ciphertext = "GsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC".to_owned())
            .is_err()
    );
    assert!(change(|resource| resource.ciphertext.clear()).is_err());
}

#[test]
fn what_is_sealed_with_a_whole_key_opens_with_it() {
    let key = b"0123456789abcdef0123456789abcdef";
    let sealed = seal(key, ("abcdefghijkl", "transaction"), "金额".as_bytes()).unwrap();
    assert_eq!(open(key, &sealed).unwrap(), "金额".as_bytes());
    assert!(seal(b"short", ("abcdefghijkl", "transaction"), b"x").is_err());
}

#[test]
fn a_notice_is_believed_only_unchanged_in_time_and_from_the_platform() {
    let (key, other) = (generate().unwrap(), generate().unwrap());
    let (key, other) = (
        PrivateKey::from_pem(&key).unwrap(),
        PrivateKey::from_pem(&other).unwrap(),
    );
    let body = r#"{"id":"EV-1"}"#;
    let seconds = NOW_MS / 1_000;
    let signed = Signed::of(&key, "A1", (seconds, "n0nce"), body).unwrap();
    let public = key.public();
    assert_eq!(signed.verify(body, ("A1", &public), now()), Ok(()));
    assert_eq!(
        signed.verify(r#"{"id":"EV-2"}"#, ("A1", &public), now()),
        Err(Distrust::Signature)
    );
    assert_eq!(
        signed.verify(body, ("A2", &public), now()),
        Err(Distrust::Serial)
    );
    assert_eq!(
        signed.verify(body, ("A1", &other.public()), now()),
        Err(Distrust::Signature)
    );
    for (away_ms, believed) in [
        (300_000, true),
        (-300_000, true),
        (300_001, false),
        (-300_001, false),
    ] {
        let verified = signed.verify(body, ("A1", &public), now().plus_millis(away_ms));
        assert_eq!(verified.is_ok(), believed, "{away_ms}");
    }
    let nonce_changed = Signed {
        nonce: "other".to_owned(),
        ..signed.clone()
    };
    assert_eq!(
        nonce_changed.verify(body, ("A1", &public), now()),
        Err(Distrust::Signature)
    );
    let no_time = Signed {
        timestamp: "soon".to_owned(),
        ..signed
    };
    assert_eq!(
        no_time.verify(body, ("A1", &public), now()),
        Err(Distrust::Window)
    );
}

#[test]
fn a_request_says_who_signed_it_and_over_what() {
    let key = PrivateKey::from_pem(&generate().unwrap()).unwrap();
    let signer = Signer {
        merchant: "1900000001",
        serial: "5157F09EFDC096DE15EBE81A47057A72",
    };
    let (method, path, body) = ("POST", "/v3/pay/transactions/native?x=1", r#"{"a":1}"#);
    let header = signer
        .authorization(
            &key,
            (method, path, body),
            (1_554_208_460, "593BEC0C930BF1AFEB40B4A08C8FB242"),
        )
        .unwrap();
    assert!(header.starts_with("WECHATPAY2-SHA256-RSA2048 mchid=\"1900000001\",nonce_str=\"593BEC0C930BF1AFEB40B4A08C8FB242\","));
    let parsed = Authorization::parse(&header).unwrap();
    assert_eq!(
        (parsed.merchant.as_str(), parsed.timestamp),
        ("1900000001", 1_554_208_460)
    );
    let message = request_message(method, path, (parsed.timestamp, &parsed.nonce), body);
    assert_eq!(
        message,
        "POST\n/v3/pay/transactions/native?x=1\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n{\"a\":1}\n"
    );
    assert!(key.public().verifies(message.as_bytes(), &parsed.signature));
    for wrong in [
        "",
        "Bearer x",
        "WECHATPAY2-SHA256-RSA2048 mchid=1",
        "WECHATPAY2-SHA256-RSA2048 mchid=\"1\"",
    ] {
        assert_eq!(Authorization::parse(wrong), None, "{wrong:?}");
    }
}

#[test]
fn times_are_written_to_the_second_on_chinas_clocks() {
    assert_eq!(
        written(now().plus_millis(999)).unwrap(),
        "2027-01-15T16:00:00+08:00"
    );
}
