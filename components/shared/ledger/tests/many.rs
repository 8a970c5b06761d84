//! How many postings a second the books take: printed, and not asserted, for a machine's speed is no law.

use std::time::{Duration, Instant};

use ledger::Posting;

use crate::support::{income, moving, post, post_many, receivable, run, verify};

const SINGLY: usize = 500;
const BATCHES: usize = 10;
const BATCH: usize = 500;
/// The rooms that owe: as many accounts stand across from one.
const ROOMS: usize = 1_000;

fn owed(number: usize) -> Posting {
    let room = format!("r{}", number % ROOMS);
    moving(
        &format!("bill-{number}"),
        receivable(&room),
        income(),
        12_345,
    )
}

fn told(what: &str, count: usize, took: Duration) {
    let rate = count as u128 * 1_000_000 / took.as_micros().max(1);
    println!("measured: ledger postings, {what}: {rate}/s");
}

#[test]
fn postings_are_taken_singly_and_in_batches_and_the_books_are_clean() {
    run(async {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let db = store::testing::sqlite(&[("ledger", folder)]).await;
        let start = Instant::now();
        for number in 0..SINGLY {
            let posted = post(&db, &owed(number)).await.unwrap();
            assert!(posted.fresh);
        }
        told("each in a transaction", SINGLY, start.elapsed());
        let batches: Vec<Vec<Posting>> = (0..BATCHES)
            .map(|batch| {
                (0..BATCH)
                    .map(|n| owed(SINGLY + batch * BATCH + n))
                    .collect()
            })
            .collect();
        let start = Instant::now();
        for batch in &batches {
            let posted = post_many(&db, batch).await.unwrap();
            assert!(posted.iter().all(|posted| posted.fresh));
        }
        let what = format!("{BATCH} in a transaction");
        told(&what, BATCHES * BATCH, start.elapsed());
        let start = Instant::now();
        let report = verify(&db).await;
        let took = start.elapsed();
        println!(
            "measured: verifying {} transactions: {took:.2?}",
            report.transactions
        );
        assert_eq!(report.wrong, 0, "{:?}", report.findings);
    });
}
