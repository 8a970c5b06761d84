//! Quiet hours on ordinary days and on those with other clocks, and the caps of marketing over random histories.

use std::collections::BTreeMap;

use kernel::{Timestamp, Zone};
use proptest::prelude::*;

use crate::timing::*;

const HOUR_MS: i64 = 3_600_000;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn hours(from: &str, until: &str, zone: &str, then: WhenQuiet) -> QuietHours {
    QuietHours {
        span: Span::parse(from, until).unwrap(),
        zone: Zone::parse(zone).unwrap(),
        then,
    }
}

fn asked(purpose: Purpose, now: Timestamp, quiet: Option<QuietHours>) -> Timing {
    let occasion = Occasion {
        purpose,
        now,
        expires_at: now.plus_millis(24 * HOUR_MS),
    };
    let person = Addressee {
        zone: quiet.map_or(Zone::SHANGHAI, |quiet| quiet.zone),
        quiet,
        consent: Consent::Given,
        marketing: &[],
    };
    timing(&occasion, &person, &MarketingRules::default())
}

#[test]
fn a_notice_waits_for_the_morning_of_its_reader_and_an_alarm_does_not() {
    let quiet = Some(hours("22:00", "07:00", "Asia/Shanghai", WhenQuiet::Defer));
    let night = at("2026-03-01T23:30:00+08:00");
    assert_eq!(
        asked(Purpose::Notice, night, quiet),
        Timing::At(at("2026-03-02T07:00:00+08:00"))
    );
    assert_eq!(
        asked(Purpose::Service, at("2026-03-02T03:00:00+08:00"), quiet),
        Timing::At(at("2026-03-02T07:00:00+08:00"))
    );
    assert_eq!(asked(Purpose::Safety, night, quiet), Timing::Now);
    for awake in ["2026-03-02T07:00:00+08:00", "2026-03-01T21:59:59+08:00"] {
        assert_eq!(
            asked(Purpose::Notice, at(awake), quiet),
            Timing::Now,
            "{awake}"
        );
    }
}

#[test]
fn quiet_hours_can_drop_and_a_message_does_not_outlive_itself() {
    let night = at("2026-03-01T23:30:00+08:00");
    let never = Timing::Never(Suppression::QuietHours);
    let drops = hours("22:00", "07:00", "Asia/Shanghai", WhenQuiet::Drop);
    assert_eq!(asked(Purpose::Notice, night, Some(drops)), never);
    let waits = hours("22:00", "07:00", "Asia/Shanghai", WhenQuiet::Defer);
    let short = Occasion {
        purpose: Purpose::Notice,
        now: night,
        expires_at: night.plus_millis(HOUR_MS),
    };
    let person = Addressee {
        zone: Zone::SHANGHAI,
        quiet: Some(waits),
        consent: Consent::Missing,
        marketing: &[],
    };
    assert_eq!(timing(&short, &person, &MarketingRules::default()), never);
}

#[test]
fn quiet_hours_end_once_on_days_with_other_clocks() {
    let quiet = Some(hours("01:00", "02:30", "Europe/Berlin", WhenQuiet::Defer));
    // In spring the clocks skip 02:30; in autumn they show it twice, and are quiet twice.
    for (now, end) in [
        ("2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"),
        ("2026-10-25T00:10:00Z", "2026-10-25T00:30:00Z"),
        ("2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z"),
    ] {
        assert_eq!(
            asked(Purpose::Notice, at(now), quiet),
            Timing::At(at(end)),
            "{now}"
        );
    }
}

#[test]
fn marketing_waits_for_its_window_and_asks_for_consent() {
    let night = at("2026-03-01T23:00:00+08:00");
    assert_eq!(
        asked(Purpose::Marketing, night, None),
        Timing::At(at("2026-03-02T07:00:00+08:00"))
    );
    assert_eq!(
        asked(Purpose::Marketing, night.plus_millis(-1), None),
        Timing::Now
    );
    let noon = at("2026-03-01T12:00:00+08:00");
    for (consent, reason) in [
        (Consent::Missing, Suppression::NoConsent),
        (Consent::Minor, Suppression::Minor),
    ] {
        let occasion = Occasion {
            purpose: Purpose::Marketing,
            now: noon,
            expires_at: noon.plus_millis(HOUR_MS),
        };
        let person = Addressee {
            zone: Zone::SHANGHAI,
            quiet: None,
            consent,
            marketing: &[],
        };
        let said = timing(&occasion, &person, &MarketingRules::default());
        assert_eq!(said, Timing::Never(reason));
    }
}

#[test]
fn a_part_of_the_day_is_two_times() {
    for (from, until) in [
        ("", ""),
        ("22:00", "22:00"),
        ("24:00", "07:00"),
        ("22", "07:00"),
        ("7:00", "08:00"),
        ("22:60", "07:00"),
        ("25:00", "07:00"),
        ("+1:00", "07:00"),
        ("00:00", "00:00"),
    ] {
        let refused = Span::parse(from, until).unwrap_err();
        assert_eq!(refused.code, "span_invalid", "{from} {until}");
    }
    assert_eq!(Span::parse("20:00", "00:00"), Span::parse("20:00", "24:00"));
    assert!(Span::parse("00:00", "24:00").unwrap().has(1_439));
}

proptest! {
    #[test]
    fn a_deferred_message_is_asked_for_outside_of_quiet_hours(
        from in 0_u16..1_440, length in 1_u16..1_440, minutes in 0_i64..800_000,
        zone in prop::sample::select(vec!["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"]),
    ) {
        let until = (from + length) % 1_440;
        let text = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let quiet = hours(&text(from), &text(until), zone, WhenQuiet::Defer);
        let now = at("2026-01-01T00:00:00Z").plus_millis(minutes * 60_000 + 17_123);
        match asked(Purpose::Notice, now, Some(quiet)) {
            Timing::Now => prop_assert!(!quiet.span.has(quiet.zone.local(now).minute)),
            Timing::At(then) => {
                prop_assert!(then > now);
                prop_assert_eq!(asked(Purpose::Notice, then, Some(quiet)), Timing::Now);
            }
            // Quiet for longer than the day that the message holds.
            Timing::Never(reason) => {
                prop_assert_eq!(reason, Suppression::QuietHours);
                prop_assert!(length > 1_300);
            }
        }
    }

    #[test]
    fn no_history_has_marketing_outside_the_window_or_above_the_caps(
        steps in prop::collection::vec((-3_000_i64..9_000, any::<bool>()), 1..120),
        zone in prop::sample::select(vec!["Asia/Shanghai", "Europe/Berlin", "America/Los_Angeles"]),
        per_day in 1_u32..3,
        per_week in 1_u32..6,
    ) {
        let zone = Zone::parse(zone).unwrap();
        let rules = MarketingRules { per_day, per_week, ..MarketingRules::default() };
        let mut now = at("2026-03-20T00:00:00Z");
        let mut sent: Vec<Timestamp> = Vec::new();
        for (minutes, consented) in steps {
            // Replicas' clocks differ: time also goes back.
            now = now.plus_millis(minutes * 20_000);
            let occasion = Occasion { purpose: Purpose::Marketing, now, expires_at: now.plus_millis(48 * HOUR_MS) };
            let consent = if consented { Consent::Given } else { Consent::Missing };
            let quiet = Some(QuietHours { span: Span::parse("12:00", "14:00").unwrap(), zone, then: WhenQuiet::Defer });
            let person = Addressee { zone, quiet, consent, marketing: &sent };
            match timing(&occasion, &person, &rules) {
                Timing::Now => {
                    prop_assert!(consented);
                    let minute = zone.local(now).minute;
                    prop_assert!((420..1_380).contains(&minute) && !(720..840).contains(&minute));
                    sent.push(now);
                }
                Timing::At(then) => prop_assert!(then > now && then < occasion.expires_at),
                Timing::Never(_) => {}
            }
        }
        let mut dates = BTreeMap::new();
        for at in &sent {
            *dates.entry(zone.local(*at).date).or_insert(0_u32) += 1;
        }
        for date in dates.keys() {
            prop_assert!(dates[date] <= per_day);
            let week: u32 = dates.range(*date..*date + chrono::Days::new(7)).map(|(_, count)| count).sum();
            prop_assert!(week <= per_week);
        }
    }
}
