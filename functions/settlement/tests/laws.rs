//! Laws over whole stories: whatever happens in a month, the lines sum to the statement, the books to the statements,
//! and no deposit is below zero.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::events::{completed, refunded};
use crate::support::{MEI, WANG, World, on_each_engine};

/// What happens on one day.
#[derive(Debug, Clone)]
enum Event {
    Sale(i64),
    /// Of the sale of that number, if there was one and it was not given back.
    Refund(usize),
    Payment(i64),
    Deposit(i64),
    Adjustment(i64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1_i64..5_000).prop_map(Event::Sale),
        2 => (0_usize..20).prop_map(Event::Refund),
        2 => (1_i64..8_000).prop_map(Event::Payment),
        1 => (1_i64..9_000).prop_map(Event::Deposit),
        1 => (-2_000_i64..2_000).prop_map(Event::Adjustment),
    ]
}

struct Story<'a> {
    world: &'a mut World,
    sales: Vec<Option<i64>>,
    step: usize,
}

impl Story<'_> {
    async fn happens(&mut self, event: &Event) {
        self.step += 1;
        let key = format!("k{}", self.step);
        let now = self.world.context.now.to_string();
        match event {
            Event::Sale(commission) => {
                let line = format!("l{}", self.sales.len());
                let line = completed(("m1", &line), *commission, &now);
                self.world.record(&line).await;
                self.sales.push(Some(*commission));
            }
            Event::Refund(number) => {
                if let Some(commission) = self.sales.get_mut(*number).and_then(Option::take) {
                    let line = format!("l{number}");
                    let refund = refunded(("m1", &line), (commission, 0), &now);
                    self.world.record(&refund).await;
                }
            }
            Event::Payment(minor) => {
                let owed: i64 = self.unpaid().await;
                if owed > 0 {
                    self.world.pay((MEI, "m1"), (*minor).min(owed), &key).await;
                }
            }
            Event::Deposit(minor) => self.world.deposit("m1", *minor, &key).await,
            Event::Adjustment(minor) => {
                let body = serde_json::json!({"merchant": "m1", "revenue": "hosting", "amount_minor": minor, "reason": "x"});
                let ask = self.world.post("/api/settlements/adjustments");
                let reply = ask.by(WANG).key(&key).json(&body).reply().await;
                assert!(reply.status == 201 || *minor == 0);
            }
        }
    }

    async fn unpaid(&self) -> i64 {
        let all = self.world.statements("m1").await;
        all.iter()
            .map(|statement| statement["unpaid_minor"].as_i64().unwrap())
            .sum()
    }

    /// Every statement is what its lines sum to, by kind and in all.
    async fn lines_sum(&self) {
        for statement in self.world.statements("m1").await {
            let id = statement["id"].as_str().unwrap();
            let path = format!("/api/statements/{id}/lines?limit=200");
            let lines = self.world.get(&path).by(MEI).content().await;
            let lines = lines["items"].as_array().unwrap().clone();
            let sum = |field: &str| -> i64 {
                let of = |line: &Value| line[field].as_i64().unwrap();
                lines.iter().map(of).sum()
            };
            assert_eq!(statement["lines"], lines.len());
            assert_eq!(statement["revenue_minor"], sum("revenue_minor"));
            assert_eq!(statement["debt_minor"], sum("debt_minor"));
            assert_eq!(statement["total_minor"], sum("owed_minor"));
        }
    }
}

async fn check(mut world: World, days: &[Vec<Event>]) {
    let mut story = Story {
        world: &mut world,
        sales: Vec::new(),
        step: 0,
    };
    // Four months, each with some events and its end; dues fall in between.
    for (month, events) in days.iter().enumerate() {
        story
            .world
            .at(&format!("2027-{:02}-10T00:00:00Z", month + 1));
        story.world.tick().await;
        for event in events {
            story.happens(event).await;
        }
        story
            .world
            .tick_at(&format!("2027-{:02}-20T00:00:00Z", month + 1))
            .await;
        story.world.books_are_right().await;
    }
    story.world.tick_at("2027-05-20T00:00:00Z").await;
    story.world.tick().await;
    story.lines_sum().await;
    story.world.books_are_right().await;
    // Commission lines less reversals are commission income.
    let income: i64 = story.world.balance("platform_commission").await;
    let kept: i64 = story.sales.iter().flatten().sum();
    assert_eq!(income, kept);
}

#[test]
fn whatever_happens_the_books_say_what_the_statements_say() {
    let mut runner = TestRunner::new(Config {
        cases: 8,
        failure_persistence: None,
        ..Config::default()
    });
    let months = prop::collection::vec(prop::collection::vec(event(), 0..7), 4);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runner
        .run(&months, |days| {
            runtime.block_on(on_each_engine(async |world| check(world, &days).await));
            Ok(())
        })
        .unwrap();
}
