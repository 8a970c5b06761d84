//! Audiences: what they mean, what is refused and where, and their laws.

use std::collections::BTreeSet;

use kernel::{ActorId, BuildingId, CommunityId, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::audience::*;

const DAY_MS: i64 = 86_400_000;

fn now() -> Timestamp {
    Timestamp::parse("2026-03-01T08:00:00Z").unwrap()
}

fn li() -> Facts {
    let labels = |list: &[&str]| list.iter().map(|label| (*label).to_owned()).collect();
    Facts {
        communities: [CommunityId::parse("garden").unwrap()].into(),
        buildings: [BuildingId::parse("b1").unwrap()].into(),
        roles: labels(&["owner"]),
        tags: labels(&["有车", "dog"]),
        segments: labels(&["new"]),
        rfm: Some("high".to_owned()),
        last_active_at: Some(now().plus_millis(-10 * DAY_MS)),
    }
}

fn fits(expression: Value) -> bool {
    Audience::parse(&expression).unwrap().fits(&li(), now())
}

fn refused(expression: Value) -> (&'static str, String) {
    let refusal = Audience::parse(&expression).unwrap_err();
    (refusal.code, refusal.message.english)
}

#[test]
fn each_condition_means_what_it_says() {
    for (fitting, other) in [
        (json!({"all": true}), json!({"not": {"all": true}})),
        (json!({"community": "garden"}), json!({"community": "lake"})),
        (json!({"building": "b1"}), json!({"building": "b2"})),
        (json!({"role": "owner"}), json!({"role": "staff"})),
        (json!({"tag": "有车"}), json!({"tag": "cat"})),
        (json!({"segment": "new"}), json!({"segment": "old"})),
        (json!({"rfm": "high"}), json!({"rfm": "at-risk"})),
        (
            json!({"last_active": {"within_days": 10}}),
            json!({"last_active": {"within_days": 9}}),
        ),
        (
            json!({"last_active": {"not_within_days": 9}}),
            json!({"last_active": {"not_within_days": 10}}),
        ),
        (
            json!({"and": [{"tag": "dog"}, {"or": [{"tag": "cat"}, {"not": {"role": "staff"}}]}]}),
            json!({"and": [{"tag": "dog"}, {"tag": "cat"}]}),
        ),
    ] {
        assert!(fits(fitting.clone()), "{fitting}");
        assert!(!fits(other.clone()), "{other}");
    }
}

#[test]
fn who_was_never_active_was_not_active_lately() {
    let nobody = Facts::default();
    let parse = |value| Audience::parse(&value).unwrap();
    assert!(parse(json!({"last_active": {"not_within_days": 1}})).fits(&nobody, now()));
    assert!(!parse(json!({"last_active": {"within_days": 3650}})).fits(&nobody, now()));
}

#[test]
fn what_is_refused_is_named_by_its_path() {
    for (expression, start) in [
        (json!(null), "audience: "),
        (json!({}), "audience: "),
        (json!({"tag": "a", "role": "b"}), "audience: "),
        (json!({"everybody": true}), "audience: "),
        (json!({"all": false}), "audience.all: "),
        (json!({"community": "a/b"}), "audience.community: "),
        (json!({"building": 1}), "audience.building: "),
        (json!({"tag": ""}), "audience.tag: "),
        (json!({"tag": " a"}), "audience.tag: "),
        (json!({"rfm": "x".repeat(65)}), "audience.rfm: "),
        (json!({"and": []}), "audience.and: "),
        (json!({"or": {"tag": "a"}}), "audience.or: "),
        (
            json!({"last_active": {"within_days": 0}}),
            "audience.last_active: ",
        ),
        (
            json!({"last_active": {"within_days": 1.5}}),
            "audience.last_active: ",
        ),
        (
            json!({"last_active": {"days": 1}}),
            "audience.last_active: ",
        ),
        (
            json!({"and": [{"tag": "a"}, {"not": {"role": 7}}]}),
            "audience.and[1].not.role: ",
        ),
    ] {
        let (code, message) = refused(expression.clone());
        assert_eq!(code, "audience_invalid", "{expression}");
        assert!(message.starts_with(start), "{expression}: {message}");
    }
}

#[test]
fn four_levels_are_enough() {
    let mut expression = json!({"tag": "a"});
    for _ in 0..3 {
        expression = json!({"not": expression});
    }
    assert!(Audience::parse(&expression).is_ok());
    let (code, message) = refused(json!({"or": [expression]}));
    assert_eq!(code, "audience_too_deep");
    assert!(
        message.starts_with("audience.or[0].not.not.not: "),
        "{message}"
    );
    let many: Vec<Value> = (0..PARTS_MAX).map(|_| json!({"tag": "a"})).collect();
    assert_eq!(refused(json!({"or": many})).0, "audience_too_large");
}

#[test]
fn a_household_is_not_sold() {
    let people = |count: u64| -> BTreeSet<ActorId> {
        (0..count)
            .map(|number| ActorId::parse(&format!("p{number}")).unwrap())
            .collect()
    };
    let frozen = Frozen::of(&people(49));
    assert_eq!(frozen.can_be_sold().unwrap_err().code, "audience_too_small");
    let larger = Frozen::of(&people(50));
    assert!(larger.can_be_sold().is_ok());
    assert_eq!((larger.count, larger.digest.len()), (50, 64));
    assert_ne!(frozen.digest, larger.digest);
    assert_eq!(larger, Frozen::of(&people(50)));
}

fn audience() -> impl Strategy<Value = Audience> {
    let leaf = prop_oneof![
        Just(Audience::All),
        Just(Audience::Community(CommunityId::parse("garden").unwrap())),
        Just(Audience::Building(BuildingId::parse("b2").unwrap())),
        prop::sample::select(vec!["owner", "staff"]).prop_map(|label| Audience::Role(label.into())),
        prop::sample::select(vec!["dog", "cat"]).prop_map(|label| Audience::Tag(label.into())),
        Just(Audience::Segment("new".into())),
        Just(Audience::Rfm("high".into())),
        (1_u32..20).prop_map(Audience::ActiveWithin),
        (1_u32..20).prop_map(Audience::NotActiveWithin),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Audience::And),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Audience::Or),
            inner.prop_map(|part| Audience::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(audience in audience()) {
        prop_assert_eq!(Audience::parse(&audience.to_json()).unwrap(), audience);
    }

    #[test]
    fn not_and_or_keep_the_laws_of_logic(one in audience(), other in audience()) {
        let fits = |audience: &Audience| audience.fits(&li(), now());
        let not = |audience: &Audience| Audience::Not(Box::new(audience.clone()));
        prop_assert_ne!(fits(&one), fits(&not(&one)));
        let and = Audience::And(vec![one.clone(), other.clone()]);
        let or = Audience::Or(vec![not(&one), not(&other)]);
        prop_assert_eq!(fits(&and), fits(&not(&or)));
    }
}
