//! Virtual time: sleeping sets the clock.

use std::sync::{
    Mutex,
    atomic::{AtomicI64, AtomicUsize},
};

use super::*;

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A clock at this time that moves when somebody waits, and the handle to move it.
fn virtual_clock(start: DateTime<Utc>) -> (Clock, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(start.timestamp_millis()));
    let (read, set) = (now.clone(), now.clone());
    let clock = Clock {
        now: Arc::new(move || {
            DateTime::from_timestamp_millis(read.load(Ordering::SeqCst)).unwrap()
        }),
        sleep_until: Arc::new(move |time| {
            set.fetch_max(time.timestamp_millis(), Ordering::SeqCst);
            Box::pin(tokio::task::yield_now())
        }),
    };
    (clock, now)
}

async fn ticks(
    expression: &str,
    start: &str,
    count: usize,
    seconds_per_run: i64,
) -> (Vec<String>, Counts) {
    let (clock, now) = virtual_clock(time(start));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let running = Arc::new(AtomicUsize::new(0));
    let stop = CancellationToken::new();
    let (log, until, busy) = (seen.clone(), stop.clone(), running.clone());
    let invoke: Invoke = Arc::new(move |component, tick| {
        let (log, until, busy, now) = (log.clone(), until.clone(), busy.clone(), now.clone());
        Box::pin(async move {
            assert_eq!(&*component, "doors");
            assert_eq!(busy.fetch_add(1, Ordering::SeqCst), 0, "two ticks at once");
            now.fetch_add(seconds_per_run * 1000, Ordering::SeqCst);
            tokio::task::yield_now().await;
            busy.fetch_sub(1, Ordering::SeqCst);
            let mut log = log.lock().unwrap();
            log.push(tick.format("%dT%H:%M:%S").to_string());
            if log.len() == count {
                until.cancel();
            }
            if log.len() == 1 {
                Ok(Err("not now".to_owned()))
            } else {
                Ok(Ok(()))
            }
        })
    });
    let counts = Arc::new(Counts::default());
    let trigger = Trigger {
        component: "doors".into(),
        schedule: Schedule::parse(expression).unwrap(),
    };
    run(vec![trigger], invoke, clock, counts.clone(), stop).await;
    let seen = seen.lock().unwrap().clone();
    (seen, Arc::into_inner(counts).unwrap())
}

#[tokio::test]
async fn every_five_seconds_is_every_five_seconds_also_after_a_failure() {
    let (seen, counts) = ticks("*/5 * * * * *", "2026-01-31T23:59:52Z", 3, 0).await;
    assert_eq!(seen, ["31T23:59:55", "01T00:00:00", "01T00:00:05"]);
    assert_eq!(
        (counts.failed.into_inner(), counts.succeeded.into_inner()),
        (1, 2)
    );
}

#[tokio::test]
async fn ticks_that_fall_into_a_running_one_are_skipped() {
    let (seen, counts) = ticks("* * * * * *", "2026-01-01T00:00:00Z", 3, 10).await;
    assert_eq!(seen, ["01T00:00:01", "01T00:00:12", "01T00:00:23"]);
    assert_eq!(counts.skipped.into_inner(), 20);
}

#[test]
fn six_fields_are_needed_and_anything_else_is_named() {
    for wrong in [
        "* * * * *",
        "0 0 0 1 1 * 2026",
        "",
        "60 * * * * *",
        "x * * * * *",
    ] {
        let error = format!("{:#}", Schedule::parse(wrong).unwrap_err());
        assert!(
            error.contains(wrong) && error.contains("cron_expression"),
            "{error}"
        );
    }
    let monthly = Schedule::parse("0 30 3 1 * *").unwrap();
    assert_eq!(
        monthly.next_after(time("2026-02-01T03:30:00Z")),
        Some(time("2026-03-01T03:30:00Z"))
    );
}
