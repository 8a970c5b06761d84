//! Creatives: what can be shown, and what a review is of.

use super::*;

fn content(title: &str) -> Content {
    Content {
        format: Format::Banner,
        width: 750,
        height: 300,
        landing: Note::parse("https://fruit.example/sale").unwrap(),
        title: Name::parse(title).unwrap(),
        body: None,
        image: Some(Note::parse("https://fruit.example/a.png").unwrap()),
        video: None,
        domain: Note::parse("fruit.example").unwrap(),
        subject: Subject::General,
        approval_number: None,
        qualified_until: None,
    }
}

fn who(id: &str) -> ActorId {
    ActorId::parse(id).unwrap()
}

fn creative() -> Creative {
    Creative {
        id: CreativeId::parse("c1").unwrap(),
        merchant: MerchantId::parse("m1").unwrap(),
        content: content("苹果"),
        state: CreativeState::Pending,
        approved_hash: None,
        reason: None,
        submitted_by: who("mei"),
        submitted_at: Timestamp::EPOCH,
        reviewed_by: None,
        reviewed_at: None,
        version: 1,
    }
}

fn today() -> NaiveDate {
    "2026-11-02".parse().unwrap()
}

#[test]
fn what_changes_after_its_approval_is_reviewed_again_and_changed_back_is_not() {
    let when = (who("wang"), Timestamp::EPOCH);
    let approved = creative().reviewed(when.clone(), today(), None).unwrap();
    assert_eq!(approved.state, CreativeState::Approved);
    let changed = approved.changed(content("梨"), who("mei"), Timestamp::EPOCH);
    assert_eq!(changed.state, CreativeState::Changed);
    let back = changed
        .clone()
        .changed(content("苹果"), who("mei"), Timestamp::EPOCH);
    assert_eq!(back.state, CreativeState::Approved);
    let reason = Reason::parse("夸大").ok();
    let denied = changed.reviewed(when.clone(), today(), reason).unwrap();
    assert_eq!(denied.state, CreativeState::Denied);
    assert_eq!(
        denied.reviewed(when, today(), None).unwrap_err().code,
        "creative_state"
    );
}

#[test]
fn nobody_reviews_their_own_and_nothing_is_approved_on_a_paper_that_ran_out() {
    let own = creative().reviewed((who("mei"), Timestamp::EPOCH), today(), None);
    assert_eq!(own.unwrap_err().code, "own_review");
    let mut old = creative();
    old.content.qualified_until = Some(today());
    let refused = old.reviewed((who("wang"), Timestamp::EPOCH), today(), None);
    assert_eq!(refused.unwrap_err().code, "creative_qualification_over");
}

#[test]
fn medical_needs_a_number_and_links_are_safe() {
    let medical = Content {
        subject: Subject::Medical,
        ..content("x")
    };
    assert!(medical.clone().checked().is_err());
    let numbered = Content {
        approval_number: Name::parse("京医广【2026】第1号").ok(),
        ..medical
    };
    assert!(numbered.checked().is_ok());
    let open = Content {
        landing: Note::parse("http://a.example").unwrap(),
        ..content("x")
    };
    assert_eq!(open.checked().unwrap_err().code, "creative_invalid");
}

#[test]
fn a_video_and_nothing_else_has_a_video_that_is_neither_too_short_nor_too_long() {
    let video = |url: &str, millis| Content {
        format: Format::Video,
        video: Some(Video {
            url: Note::parse(url).unwrap(),
            millis,
        }),
        ..content("苹果")
    };
    let url = "https://fruit.example/a.mp4";
    assert!(video(url, 1_000).checked().is_ok() && video(url, VIDEO_MS_MAX).checked().is_ok());
    let still = Content {
        format: Format::Video,
        ..content("苹果")
    };
    let banner = Content {
        format: Format::Banner,
        ..video(url, 15_000)
    };
    let wrong = [
        video(url, 999),
        video(url, VIDEO_MS_MAX + 1),
        video("http://fruit.example/a.mp4", 15_000),
        still,
        banner,
    ];
    for content in wrong {
        assert_eq!(content.checked().unwrap_err().code, "creative_invalid");
    }
    // Another film is reviewed again; what has none has the digest of before.
    assert_ne!(video(url, 15_000).hash(), video(url, 15_001).hash());
    assert_ne!(
        video(url, 15_000).hash(),
        video("https://fruit.example/b.mp4", 15_000).hash()
    );
}
