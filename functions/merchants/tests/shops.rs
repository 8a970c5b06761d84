//! Shops: what their people keep themselves, what operators do on their behalf, who acts for them, when they are open.

use kernel::{ActorId, MerchantId};
use serde_json::{Value, json};
use wire::event::{MerchantStandingChanged, PersonAliased, PersonErased};
use wire::mall::Standing;

use crate::support::{Ask, LI, Person, START, WANG, WRITER, World, on_each_engine, owner_of};

fn profile(name: &str) -> Value {
    json!({
        "name": name, "description": "新鲜\n水果", "phone": "010-12345678",
        "hours": [{"weekday": 1, "from_minute": 480, "until_minute": 1200}],
        "communities": ["garden"], "delivery": [{"way": "own", "note": null}, {"way": "carrier", "note": "中通"}],
        "return_address": "一号楼", "pictures": ["a".repeat(64)],
    })
}

/// A change by that person, of whatever version there is.
fn put<'a>(world: &'a World, person: Person<'_>, path: &str, sent: &Value) -> Ask<'a> {
    world.put(path).by(person).json(sent)
}

#[tokio::test]
async fn a_shop_that_keeps_itself_is_edited_by_its_people_and_on_their_behalf_with_a_reason() {
    on_each_engine(async |world| {
        let (merchant, owner) = world.merchant().await;
        let path = format!("/api/merchants/{merchant}");
        let sent = |name: &str| json!({"profile": profile(name)});
        let edited = world
            .put(&path)
            .by(owner_of(&owner))
            .json(&sent("林记"))
            .content()
            .await;
        assert_eq!(
            (&edited["profile"]["name"], &edited["version"]),
            (&json!("林记"), &json!(2))
        );
        let fact = world.last_fact("merchant.edited").await;
        assert_eq!(
            (&fact["on_behalf"], &fact["actor"]),
            (&json!(false), &json!(owner))
        );
        assert_eq!(world.last_fact("merchant.changed").await["name"], "林记");

        world
            .put(&path)
            .by(WRITER)
            .json(&sent("林氏"))
            .refused(422, "reason_required")
            .await;
        let because = json!({"profile": profile("林氏"), "reason": "商家来电要求"});
        world.put(&path).by(WRITER).json(&because).content().await;
        let edits = world
            .get(&format!("{path}/edits"))
            .by(owner_of(&owner))
            .content()
            .await;
        let last = &edits["items"][0];
        assert_eq!(
            (&last["on_behalf"], &last["actor"], &last["fields"]),
            (&json!(true), &json!("xu"), &json!(["name"]))
        );
        assert_eq!(last["reason"], "商家来电要求");
        let stale = world
            .ask(http::Method::PUT, &path)
            .by(owner_of(&owner))
            .header("if-match", "\"1\"");
        stale.json(&sent("x")).refused(412, "version_changed").await;
    })
    .await;
}

#[tokio::test]
async fn what_no_shop_can_be_is_refused() {
    on_each_engine(async |world| {
        let (merchant, owner) = world.merchant().await;
        let path = format!("/api/merchants/{merchant}");
        let put = |name: &str, value: Value| {
            let mut profile = profile("林记");
            profile[name] = value;
            world.put(&path).by(owner_of(&owner)).json(&json!({"profile": profile}))
        };
        let hours = |from: u16, until: u16| json!([{"weekday": 1, "from_minute": 480, "until_minute": 720}, {"weekday": 1, "from_minute": from, "until_minute": until}]);
        put("hours", hours(700, 800)).refused(422, "merchant_profile_invalid").await;
        put("hours", hours(800, 800)).refused(422, "merchant_profile_invalid").await;
        put("hours", hours(800, 1441)).refused(422, "merchant_profile_invalid").await;
        put("delivery", json!([{"way": "carrier", "note": null}])).refused(422, "merchant_profile_invalid").await;
        put("pictures", json!(["x"])).refused(422, "wrong_type").await;
        put("communities", json!(["nowhere"])).refused(404, "community_unknown").await;
        put("hours", hours(720, 1440)).content().await;
    })
    .await;
}

#[tokio::test]
async fn a_hosted_shop_asks_and_the_operator_of_the_category_does_it() {
    on_each_engine(async |world| {
        let (merchant, owner) = world.merchant().await;
        let owner = owner_of(&owner);
        let path = format!("/api/merchants/{merchant}");
        let ask = json!({"merchant": merchant, "category": "fruit", "title": "换图片", "detail": "请换成附件\n中的图片"});
        world.post("/api/merchant-change-requests").by(owner).json(&ask).refused(409, "merchant_self_run").await;
        let hosted = json!({"mode": "hosted"});
        world.put(&format!("{path}/mode")).by(WANG).json(&hosted).content().await;
        world.put(&format!("{path}/mode")).by(WANG).json(&hosted).refused(409, "merchant_mode_same").await;
        assert_eq!(world.last_fact("merchant.changed").await["mode"], "hosted");
        let sent = json!({"profile": profile("林记")});
        world.put(&path).by(owner).json(&sent).refused(409, "merchant_hosted").await;
        world.post("/api/merchant-change-requests").by(WANG).json(&ask).refused(403, "members_only").await;

        let asked = world.post("/api/merchant-change-requests").by(owner).json(&ask).content().await;
        assert_eq!((&asked["state"], &asked["operator"]), (&json!("open"), &json!("wang")));
        let tasks = world.get("/api/merchant-change-requests?operator=wang&state=open").by(WANG).content().await;
        assert_eq!(tasks["items"][0]["id"], asked["id"]);
        let answer = format!("/api/merchant-change-requests/{}/answer", asked["id"].as_str().unwrap());
        world.post(&answer).by(WANG).json(&json!({"done": false})).refused(422, "reason_required").await;
        world.post(&answer).by(owner).json(&json!({"done": true})).refused(403, "operators_only").await;
        let done = world.post(&answer).by(WANG).json(&json!({"done": true})).content().await;
        assert_eq!(done["state"], "done");
        let again = json!({"done": false, "answer": "不"});
        world.post(&answer).by(WANG).json(&again).refused(409, "change_request_answered").await;
        let own = world.get(&format!("/api/merchant-change-requests?merchant={merchant}")).by(owner).content().await;
        assert_eq!(own["items"][0]["answered_by"], "wang");
    })
    .await;
}

#[tokio::test]
async fn a_shop_opens_with_a_contract_and_closes_by_the_owners_or_the_operators_word() {
    on_each_engine(async |world| {
        let (merchant, owner) = world.merchant().await;
        let owner = owner_of(&owner);
        let path = format!("/api/merchants/{merchant}");
        let opening = format!("{path}/opening");
        let open = json!({"open": true});
        put(&world, owner, &opening, &open)
            .refused(409, "contract_missing")
            .await;
        world.contract(&merchant, "2026-12").await;
        put(&world, owner, &opening, &open)
            .refused(409, "contract_missing")
            .await;
        let shown = world.get(&path).by(LI).content().await;
        assert_eq!(
            (&shown["open"], &shown["credit_code"]),
            (&json!(false), &Value::Null)
        );
    })
    .await;
}

#[tokio::test]
async fn what_the_operator_has_closed_its_owner_does_not_open_and_what_has_ended_stays_so() {
    on_each_engine(async |world| {
        let open = json!({"open": true});
        let (second, owner_id) = world.open_merchant().await;
        let owner = owner_of(&owner_id);
        assert_eq!(world.last_fact("merchant.changed").await["open"], true);
        let shops = world.get("/api/merchants").by(LI).content().await;
        assert_eq!(shops["items"].as_array().unwrap().len(), 1);
        let state = format!("/api/merchants/{second}/state");
        let closed = json!({"state": "closed", "reason": "投诉核实中"});
        put(&world, WANG, &state, &json!({"state": "closed"}))
            .refused(422, "reason_required")
            .await;
        world.put(&state).by(WANG).json(&closed).content().await;
        assert_eq!(world.last_fact("merchant.changed").await["open"], false);
        put(&world, WANG, &state, &closed)
            .refused(409, "merchant_state")
            .await;
        let opening = format!("/api/merchants/{second}/opening");
        put(&world, owner, &opening, &open)
            .refused(409, "merchant_state")
            .await;
        put(&world, WANG, &opening, &open)
            .refused(403, "owner_only")
            .await;
        put(&world, WANG, &state, &json!({"state": "active"}))
            .content()
            .await;
        assert_eq!(world.last_fact("merchant.changed").await["open"], true);
        put(&world, owner, &opening, &json!({"open": false}))
            .content()
            .await;
        put(
            &world,
            WANG,
            &state,
            &json!({"state": "ended", "reason": "合同到期"}),
        )
        .content()
        .await;
        assert_eq!(world.last_fact("contract.ended").await["merchant"], second);
        let ended = put(&world, WANG, &state, &json!({"state": "active"}))
            .refused(409, "merchant_state")
            .await;
        assert!(
            ended["detail"].as_str().unwrap().contains("nothing"),
            "{ended}"
        );
        world
            .get(&format!("/api/merchants/{second}"))
            .by(LI)
            .refused(404, "merchant_unknown")
            .await;
    })
    .await;
}

#[tokio::test]
async fn clerks_keep_the_profile_and_owners_keep_the_clerks() {
    on_each_engine(async |world| {
        let (merchant, owner_id) = world.merchant().await;
        let owner = owner_of(&owner_id);
        let path = format!("/api/merchants/{merchant}");
        let members = format!("{path}/members");
        let new = json!({"name": "小王", "phone": "13600136000"});
        let clerk = world
            .post(&members)
            .by(owner)
            .key("clerk")
            .json(&new)
            .content()
            .await;
        let again = world
            .post(&members)
            .by(owner)
            .key("clerk")
            .json(&new)
            .content()
            .await;
        assert_eq!(
            (&clerk["role"], &clerk["phone"]),
            (&json!("clerk"), &json!("+86136****6000"))
        );
        assert_eq!(again["id"], clerk["id"]);
        let account = world.last_fact("account.requested").await;
        assert_eq!(
            (&account["person"], &account["actor"]),
            (&clerk["id"], &json!(owner_id))
        );
        let clerk_id = clerk["id"].as_str().unwrap().to_owned();
        let clerk = owner_of(&clerk_id);
        put(&world, clerk, &path, &json!({"profile": profile("林记")}))
            .content()
            .await;
        world
            .post(&members)
            .by(clerk)
            .json(&new)
            .refused(403, "owner_only")
            .await;
        put(
            &world,
            clerk,
            &format!("{path}/opening"),
            &json!({"open": true}),
        )
        .refused(403, "owner_only")
        .await;
        let delete = |who: &str| {
            world
                .ask(http::Method::DELETE, &format!("{members}/{who}"))
                .by(owner)
        };
        delete(&owner_id).refused(409, "last_owner").await;
        delete("nobody").refused(404, "member_unknown").await;
        assert_eq!(delete(&clerk_id).reply().await.status, 204);
        assert_eq!(
            world.last_fact("merchant.changed").await["members"],
            json!([owner_id])
        );
        world
            .get(&members)
            .by(clerk)
            .refused(404, "merchant_unknown")
            .await;
    })
    .await;
}

#[tokio::test]
async fn the_standing_that_settlement_tells_is_shown_and_old_news_is_not() {
    on_each_engine(async |world| {
        let (merchant, _) = world.open_merchant().await;
        let say = async |standing, version| {
            let said = MerchantStandingChanged {
                merchant: MerchantId::parse(&merchant).unwrap(),
                standing,
                version,
                at: kernel::Timestamp::parse(START).unwrap(),
            };
            world.record(&said).await;
            world.tick().await;
            let shown = world.shown(&merchant).await;
            (shown["standing"].clone(), shown["trades"].clone())
        };
        assert_eq!(say(Standing::Good, 2).await, (json!("good"), json!(true)));
        assert_eq!(
            say(Standing::DepositDue, 1).await,
            (json!("good"), json!(true))
        );
        assert_eq!(
            say(Standing::Frozen, 3).await,
            (json!("frozen"), json!(false))
        );
    })
    .await;
}

#[tokio::test]
async fn one_person_all_along_acts_on_and_a_forgotten_one_does_not() {
    on_each_engine(async |world| {
        let (merchant, owner) = world.merchant().await;
        let person = |id: &str| ActorId::parse(id).unwrap();
        let aliased = PersonAliased {
            alias: person(&owner),
            person: person("lin"),
        };
        world.record(&aliased).await;
        world.tick().await;
        assert_eq!(
            world.last_fact("merchant.changed").await["members"],
            json!(["lin"])
        );
        world
            .record(&PersonErased {
                person: person("lin"),
                actor: person("wang"),
            })
            .await;
        world
            .record(&PersonErased {
                person: person("li"),
                actor: person("wang"),
            })
            .await;
        world.tick().await;
        assert_eq!(
            world.last_fact("merchant.changed").await["members"],
            json!([])
        );
        let shown = world.shown(&merchant).await;
        let path = format!(
            "/api/merchant-applications/{}",
            shown["application"].as_str().unwrap()
        );
        assert_eq!(
            world.get(&path).by(WANG).content().await["applicant"],
            Value::Null
        );
    })
    .await;
}
