//! The process dies at any point of a decision, a view, a click or a tick: its transaction is rolled back, and what was
//! answered before stands. Spend never passes the budget, and whatever was promised in vain is free again.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use kernel::Timestamp;
use proptest::prelude::*;
use serde_json::Value;
use store::testing::sqlite;

use crate::booking::days;
use crate::delivery::{metered, priced};
use crate::support::{LI, MEI, MIGRATIONS, START, Step, World, content_of, on_each_engine};

const OFFER_MS: i64 = 2 * 60 * 60 * 1_000;
/// So often most of what happens here waits for the database.
const WAITS_MAX: usize = 30;
/// So often nothing does, however slow the database and however many packets an answer comes in.
const WAITS_ENDLESS: usize = 1_000;
/// How long it is known of each offer what became of it.
const KEPT_MS: i64 = 48 * 60 * 60 * 1_000;
/// What an offer costs that costs something.
const BID_MICROS: i64 = 1_000_000;

/// Does the work until it has waited so often, and drops it there, as a process that dies; none when it came to no end.
async fn cut<Out>(work: impl Future<Output = Out>, waits: usize) -> Option<Out> {
    let (mut work, mut left) = (pin!(work), waits);
    poll_fn(|task| match work.as_mut().poll(task) {
        Poll::Ready(out) => Poll::Ready(Some(out)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// What stands in the books of the one line, all read at one moment.
#[derive(Debug)]
struct Books {
    limit: i64,
    reserved: i64,
    spent: i64,
    open: i64,
    viewed: i64,
    clicked: i64,
    views: i64,
    clicks: i64,
    cost: i64,
}

async fn books(world: &World) -> Books {
    let sums = "select
        cast(coalesce((select sum(limit_micros) from ads_budget), 0) as bigint),
        cast(coalesce((select sum(reserved_micros) from ads_budget), 0) as bigint),
        cast(coalesce((select sum(spent_micros) from ads_budget), 0) as bigint),
        cast(coalesce((select sum(bid_micros) from ads_offer where open = 1), 0) as bigint),
        (select count(*) from ads_offer where viewed_at is not null),
        (select count(*) from ads_offer where clicked_at is not null),
        cast(coalesce((select sum(views) from ads_tally), 0) as bigint),
        cast(coalesce((select sum(clicks) from ads_tally), 0) as bigint),
        cast(coalesce((select sum(micros) from ads_tally), 0) as bigint)";
    let rows = world.context.db.rows(sums, &[]).await.unwrap();
    let sum = |position| rows[0].integer(position).unwrap();
    Books {
        limit: sum(0),
        reserved: sum(1),
        spent: sum(2),
        open: sum(3),
        viewed: sum(4),
        clicked: sum(5),
        views: sum(6),
        clicks: sum(7),
        cost: sum(8),
    }
}

/// What somebody did, and what they were told came of it.
#[derive(Default)]
struct Viewer {
    offers: Vec<Value>,
    /// Views and clicks of which it was answered that they count.
    counted: [i64; 2],
}

impl Viewer {
    /// Does a step; the process dies after so many waits. Whether it came to its end before.
    async fn step(&mut self, world: &mut World, step: Step, waits: usize) -> bool {
        let (at, what, kind) = match step {
            Step::Offer => {
                let decided = cut(world.decide(LI, "home-top"), waits).await;
                let is_ended = decided.is_some();
                self.offers.extend(decided.flatten());
                return is_ended;
            }
            Step::Wait => {
                world.pass_ms(OFFER_MS);
                return cut(world.tick(), waits).await.is_some();
            }
            Step::View(at) => (at, "views", 0),
            Step::Click(at) => (at, "clicks", 1),
        };
        let Some(offer) = self.offers.get(at) else {
            return true;
        };
        let told = cut(world.tell(offer, what).reply(), waits).await;
        let is_counted = told
            .as_ref()
            .is_some_and(|reply| reply.status == 200 && content_of(reply)["counted"] == true);
        self.counted[kind] += i64::from(is_counted);
        told.is_some()
    }

    /// An offer, its view and its click, of which one dies after so many waits, or the tick after them does. Whether
    /// that one came to its end before: then there is no later point at which it could die.
    async fn round(
        &mut self,
        world: &mut World,
        pricing: &str,
        (dying, waits): (usize, usize),
    ) -> bool {
        let at = self.offers.len();
        let steps = [Step::Offer, Step::View(at), Step::Click(at), Step::Wait];
        let mut is_ended = false;
        for (whose, step) in steps.into_iter().enumerate() {
            let is_dying = whose == dying;
            if is_dying || !matches!(step, Step::Wait) {
                let waits = if is_dying { waits } else { usize::MAX };
                let ended = self.step(world, step, waits).await;
                self.check(world, pricing).await;
                is_ended |= is_dying && ended;
                assert!(dying == 0 || self.offers.len() > at, "nothing is offered");
            }
        }
        is_ended
    }

    /// Nothing is spent that was not counted, nothing promised that is not out, and all that was answered is there.
    async fn check(&self, world: &World, pricing: &str) {
        let books = books(world).await;
        assert!(books.spent + books.reserved <= books.limit, "{books:?}");
        assert_eq!(books.reserved, books.open, "{books:?}");
        assert_eq!(books.spent, books.cost, "{books:?}");
        assert!(books.viewed <= books.views && books.clicked <= books.clicks);
        let begun = Timestamp::parse(START).unwrap();
        if world.context.now < begun.plus_millis(KEPT_MS) {
            assert_eq!((books.viewed, books.clicked), (books.views, books.clicks));
        }
        let price = match pricing {
            "cpm" => books.views * BID_MICROS,
            "cpc" => books.clicks * BID_MICROS,
            _ => 0,
        };
        assert_eq!(books.spent, price, "{books:?}");
        let [views, clicks] = self.counted;
        assert!(views <= books.views && clicks <= books.clicks, "{books:?}");
    }
}

/// A line with room for so many offers and a half, or one of paid days.
async fn line(world: &World, pricing: &str, offers: i64) {
    let price = if pricing == "cpm" { 100_000 } else { 100 };
    priced(world, pricing, price).await;
    let wish = match pricing {
        "day" => days("home-top", "2026-11-02", "2026-11-09"),
        _ => metered(pricing, offers * 100 + 50),
    };
    world.booked((MEI, "m1"), &wish).await;
}

/// After all that died: two hours later nothing is promised any more, and what was not spent is offered again.
async fn mended(world: &mut World, viewer: &Viewer, pricing: &str) {
    world.pass_ms(OFFER_MS);
    world.tick().await;
    viewer.check(world, pricing).await;
    let before = books(world).await;
    assert_eq!((before.reserved, before.open), (0, 0), "{before:?}");
    let is_borne = pricing == "day" || before.limit - before.spent >= BID_MICROS;
    let is_offered = world.decide(LI, "home-top").await.is_some();
    assert_eq!(is_offered, is_borne, "{before:?}");
}

/// Each of an offer, its view, its click and the tick after it dies at every point that there is.
#[tokio::test]
async fn whatever_dies_at_whatever_point_no_more_is_spent_than_was_counted() {
    for pricing in ["cpc", "cpm", "day"] {
        on_each_engine(async |mut world| {
            line(&world, pricing, 1_000).await;
            let mut viewer = Viewer::default();
            for dying in 0..4 {
                let mut waits = 0;
                while !viewer.round(&mut world, pricing, (dying, waits)).await {
                    waits += 1;
                    assert!(waits < WAITS_ENDLESS, "step {dying} never ends");
                }
            }
            mended(&mut world, &viewer, pricing).await;
        })
        .await;
    }
}

async fn any_history(pricing: &str, steps: &[(Step, usize)]) {
    let mut world = World::on(sqlite(&MIGRATIONS).await);
    world.found().await;
    line(&world, pricing, 3).await;
    let mut viewer = Viewer::default();
    for (step, waits) in steps {
        viewer.step(&mut world, *step, *waits).await;
        viewer.check(&world, pricing).await;
    }
    mended(&mut world, &viewer, pricing).await;
}

fn step() -> impl Strategy<Value = (Step, usize)> {
    let waits = prop_oneof![1 => Just(usize::MAX), 2 => 0..WAITS_MAX];
    (Step::any(10), waits)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn spend_never_passes_the_budget_whatever_dies_in_any_history(
        pricing in prop::sample::select(vec!["cpc", "cpm", "day"]),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(any_history(pricing, &steps));
    }
}
