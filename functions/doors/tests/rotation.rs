//! Another `pass_secret`: what the one before signed holds on, and gateways that only know that one learn the new key.

use serde_json::{Value, json};
use wire::pass::{PassKey, seed_of};
use wire::snapshot::{Snapshot, verify};

use crate::access::{bound, gates, happens, tick};
use crate::gates::{check, visitor_text};
use crate::support::{DEVICE, World, ZHAO, on_each_engine};

const NEW: &str = "another secret of at least 32 bytes";

/// What Zhao shows: the text, and the number for the north gate.
async fn codes_of_zhao(world: &World) -> [Value; 2] {
    let ask = json!({"community": "garden", "door": "north"});
    let pass = world.post("/api/passes").by(ZHAO).json(&ask);
    let pass = pass.content().await;
    [
        json!({"text": pass["text"]}),
        json!({"number": pass["number"]}),
    ]
}

/// The snapshot that the gateway is given, as it is read with this key alone.
async fn snapshot_by(world: &World, key: &PassKey) -> Option<Snapshot> {
    let ask = world.get("/api/gateways/gateway-1/snapshot").by(DEVICE);
    let reply = ask.reply().await;
    verify(&reply.body, std::slice::from_ref(key)).ok()
}

#[tokio::test]
async fn what_was_signed_before_a_rotation_holds_until_the_old_secret_is_taken_away() {
    on_each_engine(async |mut world| {
        gates(&world, json!({"visitors": true})).await;
        happens(&world, &bound("zhao", "u1", "101", world.context.now)).await;
        let old = world.context.pass_seed;
        let visitors = json!({"text": visitor_text(&world, "v1", 5)});
        let [text, number] = codes_of_zhao(&world).await;
        assert_eq!(check(&world, &visitors).await["allowed"], true);

        world.context.pass_seed = seed_of(NEW);
        world.context.pass_seed_previous = Some(old);
        assert_eq!(check(&world, &visitors).await["allowed"], true);
        assert_eq!(check(&world, &text).await["allowed"], true);
        // Known by its number as well, and used by its text already.
        assert_eq!(check(&world, &number).await["reason"], "already_used");
        let [new_text, _] = codes_of_zhao(&world).await;
        assert_ne!(text, new_text);

        world.context.pass_seed_previous = None;
        assert_eq!(check(&world, &visitors).await["reason"], "pass_key_unknown");
        assert_eq!(check(&world, &number).await["reason"], "code_unknown");
    })
    .await;
}

#[tokio::test]
async fn every_gateway_gets_a_snapshot_with_both_keys_that_either_of_them_verifies() {
    on_each_engine(async |mut world| {
        gates(&world, json!({})).await;
        tick(&world).await;
        let (old, new) = (world.context.pass_seed, seed_of(NEW));
        let [old_key, new_key] = [old, new].map(|seed| PassKey::of_seed(&seed));
        let before = snapshot_by(&world, &old_key).await.unwrap();
        assert_eq!(tick(&world).await["snapshots"], 0);

        (world.context.pass_seed, world.context.pass_seed_previous) = (new, Some(old));
        assert_eq!(tick(&world).await["snapshots"], 2);
        assert_eq!(tick(&world).await["snapshots"], 0);
        let after = snapshot_by(&world, &old_key).await.unwrap();
        assert_eq!(snapshot_by(&world, &new_key).await.as_ref(), Some(&after));
        assert_eq!(after.version, before.version + 1);
        assert_eq!(after.keys, [new_key.clone(), old_key.clone()]);
        let listed = world.get("/api/passes/keys").by(ZHAO).content().await;
        assert_eq!(listed["keys"].as_array().unwrap().len(), 2);

        world.context.pass_seed_previous = None;
        assert_eq!(tick(&world).await["snapshots"], 2);
        assert_eq!(snapshot_by(&world, &old_key).await, None);
        let last = snapshot_by(&world, &new_key).await.unwrap();
        assert_eq!(last.keys, [new_key]);
    })
    .await;
}
