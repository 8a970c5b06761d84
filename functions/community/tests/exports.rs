//! The register as files.

use http::Method;
use serde_json::json;

use crate::support::{AUDITOR, CHEN, HU, LI, World, on_each_engine};

async fn exported(world: &World, what: &str) -> Vec<u8> {
    let reply = world
        .get(&format!("/api/exports/garden/{what}"))
        .by(CHEN)
        .reply()
        .await;
    assert_eq!(reply.status, 200);
    reply.body.to_vec()
}

async fn filled(world: &World) {
    let rooms = "楼栋,单元,房号,面积,别名\n10栋,1单元,101,89.5,=危险\n2栋,1单元,1001,60,\n2栋,1单元,201,60.05,\n";
    world.import("rooms", rooms, json!({})).await;
    let people = "房屋,姓名,手机号,身份,起始日期,截止日期,备注\n2-201,李雷,13800138000,业主,2026-03-01,,@1\n\
        10栋101,John,+85223456789,租户,2026-03-01,2028-02-29,\n";
    world.import("residents", people, json!({})).await;
    let parking = "车位,房屋,车牌\nA-1,2-201,京A12345\nA-1,2-201,京AD12345\nA-2,,\n";
    world.import("parking", parking, json!({})).await;
}

#[tokio::test]
async fn an_export_is_sorted_guarded_and_the_same_every_time() {
    on_each_engine(async |world| {
        filled(&world).await;
        let text = String::from_utf8(exported(&world, "rooms").await).unwrap();
        assert_eq!(
            text,
            "\u{feff}楼栋,单元,房号,面积,楼层,用途,别名\r\n2栋,1单元,201,60.05,,住宅,\r\n\
             2栋,1单元,1001,60.00,,住宅,\r\n10栋,1单元,101,89.50,,住宅,'=危险\r\n"
        );
        let text = String::from_utf8(exported(&world, "residents").await).unwrap();
        assert_eq!(
            text,
            "\u{feff}房屋,姓名,手机号,身份,起始日期,截止日期,单位,备注\r\n\
             2-1-201,李雷,13800138000,业主,2026-03-01,,,'@1\r\n\
             10-1-101,John,'+85223456789,租户,2026-03-01,2028-02-29,,\r\n"
        );
        let text = String::from_utf8(exported(&world, "parking").await).unwrap();
        assert_eq!(
            text,
            "\u{feff}车位,房屋,车牌\r\nA-1,2-1-201,京A12345\r\nA-1,2-1-201,京AD12345\r\nA-2,,\r\n"
        );
        for what in [
            "rooms",
            "residents",
            "parking",
            "rooms?format=xlsx",
            "residents?format=xlsx",
        ] {
            assert_eq!(
                exported(&world, what).await,
                exported(&world, what).await,
                "{what}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_exported_is_imported_as_it_is() {
    on_each_engine(async |world| {
        filled(&world).await;
        for (kind, rows) in [("rooms", 3), ("residents", 2), ("parking", 3)] {
            let csv = String::from_utf8(exported(&world, kind).await).unwrap();
            let report = world.import(kind, &csv, json!({})).await;
            assert_eq!(
                (&report["unchanged"], &report["faults"]),
                (&json!(rows), &json!([])),
                "{kind}"
            );
            let workbook = exported(&world, &format!("{kind}?format=xlsx")).await;
            let content = json!({"community": "garden", "kind": kind, "format": "xlsx"});
            let id = world.made("/api/imports", content).await;
            let media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            let put = world
                .ask(Method::PUT, &format!("/api/imports/{id}/parts/1"))
                .by(CHEN);
            put.bytes(media, workbook).content().await;
            let report = world
                .post(&format!("/api/imports/{id}/run"))
                .by(CHEN)
                .content()
                .await;
            assert_eq!(
                (&report["unchanged"], &report["faults"]),
                (&json!(rows), &json!([])),
                "{kind}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn auditors_get_masked_numbers_and_others_nothing() {
    on_each_engine(async |world| {
        filled(&world).await;
        let path = "/api/exports/garden/residents";
        let reply = world.get(path).by(AUDITOR).reply().await;
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        assert!(
            text.contains("'+86138****8000")
                && !text.contains("13800138000")
                && !text.contains("@1"),
            "{text}"
        );
        world
            .get(path)
            .by(LI)
            .refused(404, "community_unknown")
            .await;
        world
            .get(path)
            .by(HU)
            .refused(404, "community_unknown")
            .await;
        world
            .get("/api/exports/garden/secrets")
            .by(CHEN)
            .refused(404, "export_unknown")
            .await;
        world
            .get("/api/exports/garden/rooms?format=pdf")
            .by(CHEN)
            .refused(400, "invalid_parameter")
            .await;
    })
    .await;
}
