//! Whatever the channel does with its notices, and whenever the payer pays: each payment is paid once, or its money goes
//! back, and the books are whole.

use proptest::prelude::*;
use serde_json::json;

use crate::support::on_each_engine;

/// How one payment goes: what becomes of its notices, and when it is paid, in seconds after it was started.
#[derive(Debug, Clone)]
struct Way {
    delay_s: i64,
    repeats: i64,
    lose: bool,
    reorder: bool,
    paid_after_s: i64,
}

fn way() -> impl Strategy<Value = Way> {
    let treated = (0..400_i64, 0..3_i64, any::<bool>(), any::<bool>());
    (treated, 0..90_i64).prop_map(|((delay_s, repeats, lose, reorder), paid_after_s)| Way {
        delay_s,
        repeats,
        lose,
        reorder,
        paid_after_s,
    })
}

/// All payments are asked for at once, and go their ways for two hours.
async fn story(ways: &[Way]) {
    on_each_engine(async |mut world| {
        let names: Vec<String> = (0..ways.len()).map(|number| format!("p{number}")).collect();
        for (name, way) in names.iter().zip(ways) {
            world.asked(name, 100).await;
            world.started(name).await;
            let behaviour = json!({
                "payment": name, "delay_s": way.delay_s, "repeats": way.repeats, "lose": way.lose, "reorder": way.reorder,
            });
            world.behaves(behaviour).await;
        }
        for second in (0..7_200).step_by(30) {
            for (name, way) in names.iter().zip(ways) {
                if (second - 30..second).contains(&way.paid_after_s) {
                    world.pays(name).await;
                }
            }
            world.tick().await;
            world.pass_ms(30_000);
        }
        let count = i64::try_from(ways.len()).unwrap();
        assert_eq!(world.facts("payment.succeeded").await.len(), ways.len());
        assert_eq!(world.stands("suspense").await, 100 * count);
        assert_eq!(world.stands("channel_clearing:simulated").await, 100 * count);
        assert_eq!(world.stands("refund_in_transit").await, 0);
        world.books_are_clean().await;
    })
    .await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn any_weather_comes_to_the_same_books(ways in prop::collection::vec(way(), 1..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(story(&ways));
    }
}
