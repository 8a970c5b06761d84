//! What people agreed to and took back.

use kernel::{ActorId, TenantId, Timestamp};
use store::{Read, Tx};
use web::Page;

use super::ranges::agreement;
use crate::domain::{Agreement, Channel, EVERY_CHANNEL, Use};

statements! {
    APPEND = "insert into push_consent (tenant, id, person, purpose, channel, given, text_version, via, evidence, actor, at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

    SETTLE = "insert into push_agreement (tenant, person, purpose, channel, given, at) values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant, person, purpose, channel) do update set given = excluded.given, at = excluded.at
        where push_agreement.at <= excluded.at";

    AGREEMENTS = "select purpose, channel, given, at from push_agreement where tenant = $1 and person = $2
        order by purpose, channel";

    HISTORY = "select id, purpose, channel, given, text_version, via, actor, at from push_consent
        where tenant = $1 and person = $2 and (cast($3 as text) is null or id < $3)
        order by id desc limit $4";
}

/// A word of somebody.
pub(crate) struct Word<'a> {
    pub(crate) id: &'a str,
    pub(crate) person: &'a ActorId,
    pub(crate) purpose: Use,
    /// None for every one.
    pub(crate) channel: Option<Channel>,
    pub(crate) given: bool,
    pub(crate) text_version: Option<&'a str>,
    /// How it came: `app`, `stop_link`, `consents` or `staff`.
    pub(crate) via: &'a str,
    /// What shows it, as JSON.
    pub(crate) evidence: String,
    pub(crate) actor: &'a ActorId,
    pub(crate) at: Timestamp,
}

/// The name of a channel, or of all of them.
pub(crate) fn channel_name(channel: Option<Channel>) -> &'static str {
    channel.map_or(EVERY_CHANNEL, Channel::as_str)
}

/// Somebody said something.
pub(crate) async fn append(tx: &Tx, word: &Word<'_>) -> anyhow::Result<()> {
    let channel = channel_name(word.channel);
    let parameters = [
        tx.tenant().into(),
        word.id.into(),
        word.person.into(),
        word.purpose.as_str().into(),
        channel.into(),
        word.given.into(),
        word.text_version.into(),
        word.via.into(),
        (&word.evidence).into(),
        word.actor.into(),
        word.at.into(),
    ];
    tx.execute(APPEND, &parameters).await?;
    let parameters = [
        tx.tenant().into(),
        word.person.into(),
        word.purpose.as_str().into(),
        channel.into(),
        word.given.into(),
        word.at.into(),
    ];
    tx.execute(SETTLE, &parameters).await
}

/// The last words of somebody.
pub(crate) async fn agreements(
    db: &impl Read,
    tenant: &TenantId,
    person: &ActorId,
) -> anyhow::Result<Vec<Agreement>> {
    let rows = db.rows(AGREEMENTS, &[tenant.into(), person.into()]).await?;
    rows.iter().map(|row| agreement(row, 0)).collect()
}

/// A word as it is shown.
#[derive(serde::Serialize)]
pub(crate) struct Said {
    pub(crate) id: String,
    purpose: String,
    channel: String,
    given: bool,
    text_version: Option<String>,
    via: String,
    actor: ActorId,
    at: Timestamp,
}

/// All words of somebody, the latest first.
pub(crate) async fn history(
    db: &impl Read,
    (tenant, person): (&TenantId, &ActorId),
    page: &Page<ActorId>,
) -> anyhow::Result<Vec<Said>> {
    let parameters = [
        tenant.into(),
        person.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(HISTORY, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Said {
                id: row.text(0)?.to_owned(),
                purpose: row.text(1)?.to_owned(),
                channel: row.text(2)?.to_owned(),
                given: row.boolean(3)?,
                text_version: row.optional_text(4)?.map(str::to_owned),
                via: row.text(5)?.to_owned(),
                actor: row.id(6)?,
                at: row.timestamp(7)?,
            })
        })
        .collect()
}
