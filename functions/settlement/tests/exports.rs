//! Exports: the same statement is the same bytes, whatever happens after it was sent.

use crate::events::{completed, refunded};
use crate::support::{DUE, MEI, RUN, on_each_engine};

#[tokio::test]
async fn an_export_is_byte_equal_when_repeated_whatever_was_paid_or_run_since() {
    on_each_engine(async |mut world| {
        for line in ["l1", "l2"] {
            world
                .record(&completed(("m1", line), 1_961, "2026-10-11T00:00:00Z"))
                .await;
        }
        world
            .record(&refunded(("m1", "l1"), (961, 0), "2026-10-12T00:00:00Z"))
            .await;
        world.tick_at(RUN).await;
        let id = world.statement("m1").await["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let path = |format: &str| format!("/api/statements/{id}/export?format={format}");
        let first = [
            world.get(&path("csv")).by(MEI).reply().await,
            world.get(&path("xlsx")).by(MEI).reply().await,
        ];
        let text = String::from_utf8(first[0].body.to_vec()).unwrap();
        assert!(
            text.starts_with('\u{feff}') && text.lines().count() == 5 + 3 + 2 + 1,
            "{text}"
        );
        assert!(
            text.contains("commission,l1,o-l1,2026-10-11 08:00:00,196.10,19.61,0.00,0.00,19.61,")
        );
        assert!(
            text.contains("refund,r-l1-l1,o-l1,2026-10-12 08:00:00,-96.10,-9.61,0.00,0.00,-9.61,")
        );
        assert!(
            text.contains("合计 / total,,,3,296.10,29.61,0.00,0.00,29.61,"),
            "{text}"
        );
        assert!(first[1].body.starts_with(b"PK"));
        let name = first[1].headers["content-disposition"].to_str().unwrap();
        assert_eq!(name, "attachment; filename=\"statement-m1-2026-10.xlsx\"");
        world.pay((MEI, "m1"), 1_000, "pay").await;
        world.tick_at(DUE).await;
        world.run("2026-10", false).await;
        for (format, first) in ["csv", "xlsx"].into_iter().zip(first) {
            let again = world.get(&path(format)).by(MEI).reply().await;
            assert!(again.body == first.body, "{format}");
        }
        world
            .get(&path("pdf"))
            .by(MEI)
            .refused(400, "invalid_parameter")
            .await;
    })
    .await;
}
