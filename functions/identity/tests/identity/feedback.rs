//! Feedback: told by people, answered by staff and operators.

use kernel::ActorKind;
use serde_json::json;

use crate::support::{operator, run, token, token_of};

#[test]
fn a_person_tells_something_and_staff_answer_once() {
    run(async |function| {
        let li = token(ActorKind::Resident, "li", &["garden"]);
        let body = json!({ "text": "路灯坏了", "community": "garden" });
        let given = function
            .post_once("/api/feedback", &li, "k1", body.clone())
            .await
            .expect(201, "");
        let again = function.post_once("/api/feedback", &li, "k1", body).await;
        assert_eq!(given, again);
        let path = format!("/api/feedback/{}", given.text("id"));
        let answer = format!("{path}/answer");
        let text = json!({ "text": "今晚修好" });
        let far = token(ActorKind::Staff, "cook", &["harbour"]);
        for (caller, status, code) in [
            (&li, 403, "feedback_answer_forbidden"),
            (&far, 404, "feedback_unknown"),
        ] {
            function
                .post(&answer, caller, text.clone())
                .await
                .expect(status, code);
        }
        let butler = token(ActorKind::Staff, "butler", &["garden"]);
        let answered = function
            .post(&answer, &butler, text.clone())
            .await
            .expect(200, "");
        assert_eq!(answered.body["answer"]["by"], "butler");
        function
            .post(&answer, &operator(), text)
            .await
            .expect(409, "feedback_answered");
        assert_eq!(function.get(&path, &li).await.body, answered.body);
        assert_eq!(function.fact("feedback.answered").await["person"], "li");
    });
}

#[test]
fn a_list_holds_what_the_caller_may_see() {
    run(async |function| {
        for (person, community) in [("li", "garden"), ("wang", "harbour")] {
            let caller = token(ActorKind::Resident, person, &[community]);
            for text in ["一", "二"] {
                let body = json!({ "text": text, "community": community });
                function
                    .post("/api/feedback", &caller, body)
                    .await
                    .expect(201, "");
            }
        }
        let boss = json!({ "text": "三" });
        let path = "/api/feedback";
        function.post(path, &operator(), boss).await.expect(201, "");
        for (caller, count) in [
            (operator(), 5),
            (token(ActorKind::Auditor, "au", &[]), 5),
            (token(ActorKind::Staff, "butler", &["garden"]), 2),
            (token(ActorKind::Resident, "wang", &["harbour"]), 2),
            (token(ActorKind::Merchant, "shop", &[]), 0),
            (token_of("other", ActorKind::Operator, "boss", &[]), 0),
        ] {
            let list = function.get(path, &caller).await.expect(200, "");
            assert_eq!(list.body["items"].as_array().unwrap().len(), count);
        }
        let first = function
            .get("/api/feedback?limit=3", &operator())
            .await
            .expect(200, "");
        let next = format!("/api/feedback?limit=3&after={}", first.text("next"));
        let rest = function.get(&next, &operator()).await.expect(200, "");
        assert_eq!(rest.body["items"].as_array().unwrap().len(), 2);
        let device = token(ActorKind::Device, "d", &["garden"]);
        function.get(path, &device).await.expect(403, "people_only");
        function
            .post(path, &device, json!({ "text": "x" }))
            .await
            .expect(403, "people_only");
    });
}
