//! What people say about being told: kept with what shows it, and counted before the next delivery is leased.

use kernel::ActorId;
use serde_json::Value;
use store::Tx;
use wire::event::PushConsentChanged;

use crate::context::Context;
use crate::domain::{Channel, Use};
use crate::facts;
use crate::store::consents::{self, Word, channel_name};
use crate::store::people;

/// What somebody says.
pub(crate) struct Says<'a> {
    pub(crate) person: &'a ActorId,
    pub(crate) purpose: Use,
    /// None for every one.
    pub(crate) channel: Option<Channel>,
    pub(crate) given: bool,
    pub(crate) text_version: Option<&'a str>,
    /// How it came: `app`, `stop_link`, `consents` or `staff`.
    pub(crate) via: &'a str,
    pub(crate) evidence: Value,
    pub(crate) actor: &'a ActorId,
}

/// Keeps a word and lets it count.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn say(context: &Context, tx: &Tx, says: &Says<'_>) -> anyhow::Result<()> {
    people::meet(tx, says.person).await?;
    let id = web::new_id(context.now)?;
    let word = Word {
        id: &id,
        person: says.person,
        purpose: says.purpose,
        channel: says.channel,
        given: says.given,
        text_version: says.text_version,
        via: says.via,
        evidence: says.evidence.to_string(),
        actor: says.actor,
        at: context.now,
    };
    consents::append(tx, &word).await?;
    let fact = PushConsentChanged {
        person: says.person.clone(),
        purpose: says.purpose.as_str().to_owned(),
        channel: channel_name(says.channel).to_owned(),
        given: says.given,
        via: says.via.to_owned(),
        actor: says.actor.clone(),
    };
    facts::append(context, tx, &fact).await
}
