//! Files into the register: whole or not at all, and a second time nothing.

use std::time::Instant;

use http::Method;
use serde_json::{Value, json};
use wire::event::{BindingStarted, ImportFinished};

use crate::support::{CHEN, HU, LI, WANG, World, each, on_each_engine};

const ROOMS: &str = "楼栋,单元,房号,面积（㎡）,楼层,用途,别名\n\
    1栋,1单元,101,89.5,1,住宅,\n\
    1栋,1单元,102,120,1,,老王家;北屋\n\
    2栋,,201,60.05,2,商铺,\n";

fn codes(report: &Value) -> Vec<(u64, &str, &str)> {
    let faults = report["faults"].as_array().unwrap();
    faults
        .iter()
        .map(|fault| {
            (
                fault["row"].as_u64().unwrap(),
                fault["column"].as_str().unwrap_or(""),
                fault["code"].as_str().unwrap(),
            )
        })
        .collect()
}

fn counts(report: &Value) -> (u64, u64, u64, u64) {
    let of = |name: &str| report[name].as_u64().unwrap();
    (of("created"), of("changed"), of("unchanged"), of("faulty"))
}

async fn places(world: &World) -> Vec<String> {
    let rooms = world.get("/api/rooms").by(CHEN).content().await;
    let mut places: Vec<String> = each(&rooms, "place")
        .into_iter()
        .map(str::to_owned)
        .collect();
    places.sort_unstable();
    places
}

#[tokio::test]
async fn a_file_is_checked_taken_and_a_second_time_changes_nothing() {
    on_each_engine(async |world| {
        let checked = world.import("rooms", ROOMS, json!({"dry_run": true})).await;
        assert_eq!(
            (&checked["state"], counts(&checked)),
            (&json!("checked"), (3, 0, 0, 0))
        );
        assert!(places(&world).await.is_empty());
        let done = world.import("rooms", ROOMS, json!({})).await;
        assert_eq!(
            (&done["state"], counts(&done)),
            (&json!("done"), (3, 0, 0, 0))
        );
        assert_eq!(
            places(&world).await,
            ["1栋1单元101", "1栋1单元102", "2栋1单元201"]
        );
        let again = world
            .import("rooms", &format!("\u{feff}{ROOMS}"), json!({}))
            .await;
        assert_eq!(counts(&again), (0, 0, 3, 0));
        assert_eq!(again["unchanged_rows"], json!([2, 3, 4]));
        let other = ROOMS
            .replace("89.5", "90")
            .replace("1栋,1单元,101", "1号楼,一单元,0101");
        let changed = world.import("rooms", &other, json!({})).await;
        assert_eq!(
            (counts(&changed), &changed["changed_rows"]),
            ((0, 1, 2, 0), &json!([2]))
        );
        let room = world.get("/api/rooms?q=1-1-101").by(CHEN).content().await;
        assert_eq!(
            (&room["items"][0]["area_dm2"], &room["items"][0]["version"]),
            (&json!(9000), &json!(2))
        );
        let facts: Vec<ImportFinished> = world.facts().await;
        assert_eq!(
            facts.iter().map(|fact| fact.created).collect::<Vec<_>>(),
            [3, 0, 0]
        );
    })
    .await;
}

#[tokio::test]
async fn a_file_with_a_fault_is_taken_in_no_part_unless_that_is_asked_for() {
    on_each_engine(async |world| {
        let file = format!("{ROOMS}3栋,1单元,301,很大,1,,\n1幢,1,101,50,1,,\n");
        let refused = world.import("rooms", &file, json!({})).await;
        assert_eq!(
            (&refused["state"], counts(&refused)),
            (&json!("refused"), (3, 0, 0, 2))
        );
        assert_eq!(
            codes(&refused),
            [
                (5, "面积", "cell_invalid"),
                (6, "房号", "duplicate_in_file")
            ]
        );
        let message = &refused["faults"][1]["message"];
        assert!(
            message["en"].as_str().unwrap().contains("row 2"),
            "{message}"
        );
        assert!(
            message["zh"].as_str().unwrap().contains("第 2 行"),
            "{message}"
        );
        assert!(places(&world).await.is_empty());
        assert!(world.facts::<ImportFinished>().await.is_empty());
        let partly = world.import("rooms", &file, json!({"partial": true})).await;
        assert_eq!(
            (&partly["state"], counts(&partly)),
            (&json!("done"), (3, 0, 0, 2))
        );
        assert_eq!(places(&world).await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_column_and_a_wrong_encoding_are_named() {
    on_each_engine(async |world| {
        let wrong = world
            .import("rooms", "楼栋,颜色,房号\n1栋,red,101\n", json!({}))
            .await;
        assert_eq!(
            codes(&wrong),
            [(1, "颜色", "column_unknown"), (1, "面积", "column_missing")]
        );
        let id = world
            .upload("rooms", &[0xc2, 0xa5, 0xb6, 0xb0, b'\n'])
            .await;
        let run = world
            .post(&format!("/api/imports/{id}/run"))
            .by(CHEN)
            .content()
            .await;
        assert_eq!(
            (&run["state"], codes(&run)),
            (&json!("refused"), vec![(1, "", "file_gb18030")])
        );
        // What was refused may be sent again, corrected.
        let put = world
            .ask(Method::PUT, &format!("/api/imports/{id}/parts/1"))
            .by(CHEN);
        put.bytes("text/csv; charset=utf-8", ROOMS).content().await;
        let run = world
            .post(&format!("/api/imports/{id}/run"))
            .by(CHEN)
            .content()
            .await;
        assert_eq!(run["state"], "done");
        let again = world
            .post(&format!("/api/imports/{id}/run"))
            .by(CHEN)
            .content()
            .await;
        assert_eq!(again, run);
        let put = world
            .ask(Method::PUT, &format!("/api/imports/{id}/parts/1"))
            .by(CHEN);
        put.bytes("text/csv", ROOMS)
            .refused(409, "import_done")
            .await;
    })
    .await;
}

const PEOPLE: &str = "房屋,姓名,手机号,身份,起始日期,截止日期,单位,备注\n\
    1栋101,李雷,13800138000,业主,2026-03-01,,,\n\
    1-1-101,韩梅梅,13800138001,业主,,,,\n\
    1号楼1单元102室,王五,,租户,2027-01-01,2027-12-31,某公司,夜班\n\
    2-201,李雷,13800138000,业主,,,,\n";

#[tokio::test]
async fn people_come_with_what_binds_them_and_a_second_time_nothing_changes() {
    on_each_engine(async |world| {
        world.import("rooms", ROOMS, json!({})).await;
        let done = world.import("residents", PEOPLE, json!({})).await;
        assert_eq!(
            (&done["state"], counts(&done)),
            (&json!("done"), (4, 0, 0, 0)),
            "{done}"
        );
        let again = world.import("residents", PEOPLE, json!({})).await;
        assert_eq!(counts(&again), (0, 0, 4, 0), "{again}");
        let facts: Vec<BindingStarted> = world.facts().await;
        assert_eq!(facts.len(), 4);
        let people = world.get("/api/residents").by(CHEN).content().await;
        let mut names = each(&people, "name");
        names.sort_unstable();
        assert_eq!(names, ["李雷", "王五", "韩梅梅"]);
        let bindings = world
            .get("/api/bindings?current=true")
            .by(CHEN)
            .content()
            .await;
        let items = bindings["items"].as_array().unwrap();
        let tenant = items.iter().find(|item| item["role"] == "tenant").unwrap();
        assert_eq!(tenant["from"], "2026-12-31T16:00:00.000Z");
        assert_eq!(tenant["until"], "2027-12-31T16:00:00.000Z");
        let noted = PEOPLE.replace("某公司,夜班", "别的公司,");
        let changed = world.import("residents", &noted, json!({})).await;
        assert_eq!(counts(&changed), (0, 1, 3, 0));
    })
    .await;
}

#[tokio::test]
async fn what_contradicts_the_register_is_named_and_ends_nothing() {
    on_each_engine(async |world| {
        world.import("rooms", ROOMS, json!({})).await;
        world.import("residents", PEOPLE, json!({})).await;
        let file = "房屋,姓名,手机号,身份,起始日期\n\
            1-1-101,李雷,13800138000,租户,\n\
            1-1-101,周八,13800138008,业主,\n\
            1-1-102,吴九,13800138001,家属,\n\
            9-9-909,周八,13800138008,家属,\n";
        let refused = world.import("residents", file, json!({})).await;
        assert_eq!(
            codes(&refused),
            [
                (5, "房屋", "room_unknown"),
                (2, "身份", "binding_exists"),
                (3, "身份", "owner_exists"),
                (4, "手机号", "phone_taken")
            ]
        );
        let facts: Vec<BindingStarted> = world.facts().await;
        assert_eq!(facts.len(), 4);
    })
    .await;
}

#[tokio::test]
async fn parking_comes_in_and_a_plate_of_another_is_named() {
    on_each_engine(async |world| {
        world.import("rooms", ROOMS, json!({})).await;
        let file = "车位,房屋,车牌\nA-1,1栋101,京A12345\nA-2,,\n,2-201,粤BDF1234\n";
        assert_eq!(
            counts(&world.import("parking", file, json!({})).await),
            (3, 0, 0, 0)
        );
        assert_eq!(
            counts(&world.import("parking", file, json!({})).await),
            (0, 0, 3, 0)
        );
        let other = "车位,房屋,车牌\nA-2,1-1-102,\n,1-1-102,粤B·DF1234\n";
        let refused = world.import("parking", other, json!({})).await;
        assert_eq!(codes(&refused), [(3, "车牌", "plate_taken")]);
        let partly = world
            .import("parking", other, json!({"partial": true}))
            .await;
        assert_eq!(counts(&partly), (0, 1, 0, 1));
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_too_large_or_not_whole_is_refused_early() {
    on_each_engine(async |world| {
        let open = |bytes: i64| {
            let content =
                json!({"community": "garden", "kind": "rooms", "format": "csv", "bytes": bytes});
            world.post("/api/imports").by(CHEN).json(&content)
        };
        let problem = open(1 << 30).refused(413, "import_too_large").await;
        assert!(
            problem["detail"].as_str().unwrap().contains("4 MiB"),
            "{problem}"
        );
        let opened = open(4 << 20).content().await;
        let id = opened["id"].as_str().unwrap();
        let part = |number: &str, size: usize| {
            let put = world
                .ask(Method::PUT, &format!("/api/imports/{id}/parts/{number}"))
                .by(CHEN);
            put.bytes("text/csv", vec![b'x'; size])
        };
        part("1", (1 << 20) + 1)
            .refused(413, "body_too_large")
            .await;
        part("0", 1).refused(404, "part_unknown").await;
        part("65", 1).refused(404, "part_unknown").await;
        part("x", 1).refused(404, "part_unknown").await;
        world
            .post(&format!("/api/imports/{id}/run"))
            .by(CHEN)
            .refused(409, "import_incomplete")
            .await;
        for number in ["1", "2", "4", "5"] {
            part(number, 1 << 20).content().await;
        }
        part("6", 1).refused(413, "import_too_large").await;
        part("5", 10).content().await;
        part("6", 10).content().await;
        world
            .post(&format!("/api/imports/{id}/run"))
            .by(CHEN)
            .refused(409, "import_incomplete")
            .await;
        let json = world
            .ask(Method::PUT, &format!("/api/imports/{id}/parts/1"))
            .by(CHEN);
        json.json(&json!({}))
            .refused(415, "content_type_unsupported")
            .await;
        let shown = world
            .get(&format!("/api/imports/{id}"))
            .by(CHEN)
            .content()
            .await;
        assert_eq!(shown["parts"].as_array().unwrap().len(), 5);
        world
            .get(&format!("/api/imports/{id}"))
            .by(HU)
            .refused(404, "import_unknown")
            .await;
        world
            .get(&format!("/api/imports/{id}"))
            .by(LI)
            .refused(403, "managers_only")
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_file_left_lying_is_forgotten_after_a_day() {
    on_each_engine(async |mut world| {
        let id = world.upload("rooms", ROOMS.as_bytes()).await;
        world.pass_ms(86_400_000);
        assert_eq!(world.tick().await["forgotten"], 1);
        world
            .get(&format!("/api/imports/{id}"))
            .by(CHEN)
            .refused(404, "import_unknown")
            .await;
        assert_eq!(world.tick().await["forgotten"], 0);
    })
    .await;
}

#[tokio::test]
async fn five_thousand_rooms_and_their_people_come_in_and_the_time_is_told() {
    on_each_engine(async |world| {
        let mut rooms = String::from("楼栋,单元,房号,面积,楼层\n");
        let mut people = String::from("房屋,姓名,手机号,身份\n");
        for number in 0..5_000 {
            let (building, unit, floor, door) = (
                number / 250 + 1,
                number / 125 % 2 + 1,
                number / 5 % 25 + 1,
                number % 5 + 1,
            );
            rooms.push_str(&format!(
                "{building}栋,{unit}单元,{floor}0{door},{}.5,{floor}\n",
                60 + door
            ));
            people.push_str(&format!(
                "{building}-{unit}-{floor}0{door},住户{number},1390000{number:04},业主\n"
            ));
        }
        for (kind, file) in [("rooms", &rooms), ("residents", &people)] {
            for expected in [(5_000, 0, 0, 0), (0, 0, 5_000, 0)] {
                let start = Instant::now();
                let report = world.import(kind, file, json!({})).await;
                println!(
                    "5,000 rows of {kind}, {} new: {:?}",
                    expected.0,
                    start.elapsed()
                );
                assert_eq!(counts(&report), expected);
            }
        }
        let found = world.get("/api/rooms?q=20-2-2505").by(WANG).content().await;
        assert_eq!(each(&found, "place"), ["20栋2单元2505"]);
    })
    .await;
}
