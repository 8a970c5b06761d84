//! Every route refuses: nobody in particular, the wrong kind of caller, the caller of another tenant. The list is
//! checked against the route table itself, so that a new route without its refusals fails here.

use serde_json::json;
use testing::{Places, Route, arms, is_listed, other_methods, refuse, route};

use crate::support::{AUDITOR, CHEN, DEVICE, HU, LI, STRANGER, World, ZHAO, each, on_each_engine};

#[rustfmt::skip]
fn routes() -> Vec<Route> {
    let operators = || vec![(LI, 403, "operator_only"), (CHEN, 403, "operator_only"), (AUDITOR, 403, "operator_only"), (DEVICE, 403, "operator_only")];
    // Who may not manage at all, and who may elsewhere.
    let managers = |unknown| vec![(LI, 403, "managers_only"), (AUDITOR, 403, "managers_only"), (DEVICE, 403, "managers_only"), (HU, 404, unknown), (STRANGER, 404, unknown)];
    let register = |unknown| vec![(LI, 404, unknown), (DEVICE, 404, unknown), (HU, 404, unknown), (STRANGER, 404, unknown)];
    let people = || vec![(DEVICE, 403, "people_only")];
    let company = json!({"id": "blue", "name": "蓝天物业"});
    let community = json!({"id": "hill", "name": "山"});
    let resident = json!({"community": "garden", "name": "周八"});
    let request = json!({"role": "family", "community": "garden", "place": "1栋101", "name": "赵六"});
    vec![
        route("POST", "/api/companies", Some(company), operators()),
        route("GET", "/api/companies", None, vec![]),
        route("GET", "/api/companies/{company}", None, vec![(STRANGER, 404, "company_unknown")]),
        route("PATCH", "/api/companies/{company}", Some(json!({"name": "x"})), [operators(), vec![(STRANGER, 404, "company_unknown")]].concat()),
        route("POST", "/api/communities", Some(community), operators()),
        route("GET", "/api/communities", None, vec![]),
        route("GET", "/api/communities/{community}", None, vec![(STRANGER, 404, "community_unknown")]),
        route("PATCH", "/api/communities/{community}", Some(json!({"name": "x"})), [operators(), vec![(STRANGER, 404, "community_unknown")]].concat()),
        route("POST", "/api/communities/{community}/buildings", Some(json!({"name": "9栋"})), vec![(LI, 403, "managers_only"), (AUDITOR, 403, "managers_only"), (HU, 404, "community_unknown"), (STRANGER, 404, "community_unknown")]),
        route("GET", "/api/communities/{community}/buildings", None, register("community_unknown")),
        route("GET", "/api/buildings/{building}", None, register("building_unknown")),
        route("PATCH", "/api/buildings/{building}", Some(json!({"name": "9栋"})), managers("building_unknown")),
        route("POST", "/api/buildings/{building}/units", Some(json!({"name": "9单元"})), managers("building_unknown")),
        route("GET", "/api/buildings/{building}/units", None, register("building_unknown")),
        route("GET", "/api/units/{unit}", None, register("unit_unknown")),
        route("PATCH", "/api/units/{unit}", Some(json!({"name": "9单元"})), managers("unit_unknown")),
        route("POST", "/api/units/{unit}/rooms", Some(json!({"number": "909", "area_dm2": 1})), managers("unit_unknown")),
        route("GET", "/api/rooms", None, people()),
        route("GET", "/api/rooms/{room}", None, register("room_unknown")),
        route("PATCH", "/api/rooms/{room}", Some(json!({"floor": 2})), managers("room_unknown")),
        route("POST", "/api/residents", Some(resident), vec![(LI, 403, "managers_only"), (AUDITOR, 403, "managers_only"), (HU, 404, "community_unknown"), (STRANGER, 404, "community_unknown")]),
        route("GET", "/api/residents", None, people()),
        route("GET", "/api/residents/{resident}", None, vec![(LI, 404, "resident_unknown"), (DEVICE, 403, "people_only"), (HU, 404, "resident_unknown"), (STRANGER, 404, "resident_unknown")]),
        route("PATCH", "/api/residents/{resident}", Some(json!({"notes": "x"})), managers("resident_unknown")),
        route("POST", "/api/residents/{resident}/bindings", Some(json!({"role": "staff", "community": "garden"})), managers("resident_unknown")),
        route("GET", "/api/bindings", None, people()),
        route("GET", "/api/bindings/{binding}", None, register("binding_unknown")),
        route("PUT", "/api/bindings/{binding}/end", None, managers("binding_unknown")),
        route("POST", "/api/binding-requests", Some(request), vec![(AUDITOR, 403, "people_only"), (DEVICE, 403, "people_only"), (STRANGER, 404, "room_unknown")]),
        route("GET", "/api/binding-requests", None, people()),
        route("GET", "/api/binding-requests/{asked}", None, register("binding_request_unknown")),
        route("PUT", "/api/binding-requests/{asked}/approval", None, managers("binding_request_unknown")),
        route("PUT", "/api/binding-requests/{asked}/rejection", Some(json!({"reason": "x"})), managers("binding_request_unknown")),
        route("POST", "/api/parking-spaces", Some(json!({"community": "garden", "name": "Z-9"})), vec![(LI, 403, "managers_only"), (AUDITOR, 403, "managers_only"), (HU, 404, "community_unknown"), (STRANGER, 404, "community_unknown")]),
        route("GET", "/api/parking-spaces", None, people()),
        route("GET", "/api/parking-spaces/{space}", None, register("parking_space_unknown")),
        route("PATCH", "/api/parking-spaces/{space}", Some(json!({"name": "Z-8"})), managers("parking_space_unknown")),
        route("POST", "/api/plates", Some(json!({"plate": "京A99999", "community": "garden", "place": "1栋101"})), vec![(LI, 403, "managers_only"), (AUDITOR, 403, "managers_only"), (HU, 404, "community_unknown"), (STRANGER, 404, "room_unknown")]),
        route("GET", "/api/plates", None, people()),
        route("GET", "/api/plates/{plate}", None, register("plate_unknown")),
        route("DELETE", "/api/plates/{plate}", None, managers("plate_unknown")),
        route("POST", "/api/imports", Some(json!({"community": "garden", "kind": "rooms", "format": "csv"})), vec![(LI, 403, "managers_only"), (AUDITOR, 403, "managers_only"), (HU, 404, "community_unknown"), (STRANGER, 404, "community_unknown")]),
        route("GET", "/api/imports/{import}", None, managers("import_unknown")),
        route("PUT", "/api/imports/{import}/parts/{part}", Some(json!("x")), managers("import_unknown")),
        route("POST", "/api/imports/{import}/run", None, managers("import_unknown")),
        route("GET", "/api/exports/{community}/{what}", None, register("community_unknown")),
        route("POST", "/internal/ticks/community", None, vec![(LI, 401, "token_invalid"), (STRANGER, 401, "token_invalid")]),
    ]
}

async fn places(world: &World) -> Places {
    let house = world.house().await;
    let resident = world.resident("孙七", "13800138007").await;
    let binding = world.bound(&resident, &house.room, "owner").await;
    let asked = json!({"role": "family", "room": house.room, "name": "赵六"});
    let asked = world
        .post("/api/binding-requests")
        .by(ZHAO)
        .json(&asked)
        .content()
        .await;
    let space = world
        .made(
            "/api/parking-spaces",
            json!({"community": "garden", "name": "A-1"}),
        )
        .await;
    let plate = world
        .made(
            "/api/plates",
            json!({"plate": "京A12345", "room": house.room}),
        )
        .await;
    let import = world.upload("rooms", b"x").await;
    Places(vec![
        ("company", "green".to_owned()),
        ("community", "garden".to_owned()),
        ("building", house.building),
        ("unit", house.unit),
        ("room", house.room),
        ("resident", resident),
        ("binding", binding),
        ("asked", asked["id"].as_str().unwrap().to_owned()),
        ("space", space),
        ("plate", plate),
        ("import", import),
        ("part", "1".to_owned()),
        ("what", "rooms".to_owned()),
    ])
}

#[tokio::test]
async fn every_route_refuses_whom_it_must_and_nothing_changes() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let before = world.log().await.len();
        refuse(&world, &routes(), &places).await;
        assert_eq!(world.log().await.len(), before);
    })
    .await;
}

#[tokio::test]
async fn no_list_holds_anything_of_another_tenant() {
    on_each_engine(async |world| {
        places(&world).await;
        for path in [
            "companies",
            "communities",
            "rooms",
            "residents",
            "bindings",
            "binding-requests",
            "parking-spaces",
            "plates",
        ] {
            let list = world
                .get(&format!("/api/{path}"))
                .by(STRANGER)
                .content()
                .await;
            assert!(each(&list, "id").is_empty(), "{path}: {list}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_known_path_with_another_method_names_the_right_ones() {
    on_each_engine(async |world| {
        let places = places(&world).await;
        let unknown = [
            "/",
            "/api",
            "/api/units",
            "/api/exports",
            "/internal/ticks/doors",
        ];
        other_methods(&world, &routes(), &places, &unknown).await;
    })
    .await;
}

#[test]
fn every_route_of_the_table_stands_in_the_list_of_refusals() {
    is_listed(&routes(), &arms(include_str!("../src/http.rs")));
}

#[tokio::test]
async fn the_internal_token_opens_the_heartbeat() {
    on_each_engine(async |world| testing::beats(&world, "community").await).await;
}
