//! What is counted of a viewer because some line limits it: a limit on what is of an advertiser, in a placement or shows
//! a creative is about the views of every line, also of those that limit nothing.

use std::collections::BTreeMap;

use advertising::{CapScope, Subject, Window};
use kernel::CreativeId;
use store::Tx;

use crate::domain::Line;

statements! {
    COUNT = "insert into ads_counted (tenant, subject, spans) values ($1, $2, $3)
        on conflict (tenant, subject) do update set spans = ads_counted.spans | excluded.spans";
}

/// What a column says of a window: a number of its own, so that several are a sum.
fn bit(window: Window) -> i64 {
    match window {
        Window::Hour => 1,
        Window::Day => 2,
        Window::Week => 4,
        Window::Month => 8,
    }
}

/// The windows of such a sum.
pub(super) fn windows(spans: i64) -> impl Iterator<Item = Window> {
    let all = Window::ALL.iter().copied();
    all.filter(move |window| spans & bit(*window) != 0)
}

/// From now on all that a line limits is counted, whichever line is seen; of its creatives, these.
pub async fn count(tx: &Tx, line: &Line, creatives: &[CreativeId]) -> anyhow::Result<()> {
    let named = |scope, creative| {
        let subject = Subject {
            creative,
            line: line.id.as_str(),
            advertiser: line.merchant.as_str(),
            placement: line.placement.as_str(),
        };
        subject.named(scope)
    };
    let mut counted: BTreeMap<String, i64> = BTreeMap::new();
    for cap in &line.wish.caps {
        let subjects = match cap.scope {
            // A line's own views it counts itself.
            CapScope::Line => Vec::new(),
            CapScope::Creative => creatives
                .iter()
                .map(|creative| named(cap.scope, creative.as_str()))
                .collect(),
            CapScope::Advertiser | CapScope::Placement => vec![named(cap.scope, "")],
        };
        for subject in subjects {
            *counted.entry(subject).or_default() |= bit(cap.window);
        }
    }
    let rows: Vec<_> = counted
        .into_iter()
        .map(|(subject, spans)| vec![tx.tenant().into(), subject.into(), spans.into()])
        .collect();
    tx.insert_many(COUNT, &rows).await
}
