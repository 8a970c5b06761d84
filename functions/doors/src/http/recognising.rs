//! Who stands at a reader that cannot tell by itself: by the text of a code, by a card, or by a 64-bit number.

use access::{Reason as Why, Shown};
use kernel::{ActorId, PassId, Timestamp};
use serde::Deserialize;
use store::Tx;
use wire::audit::Credential;
use wire::pass::{self, Holder, PassClaims, personal_pass, short_key, short_step};

use crate::context::Context;
use crate::domain::Door;
use crate::store as sql;
use crate::store::short::VisitorPass;

/// What a reader saw: exactly one of them.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Seen {
    /// The text of a code.
    Text(String),
    /// The number of a card.
    Card(u64),
    /// The short form of a code, in decimal: JSON's own numbers lose bits of it in many a reader's language.
    Number(ShortNumber),
}

/// 64 bits in decimal.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct ShortNumber(u64);

impl TryFrom<String> for ShortNumber {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| is_plain);
        number
            .map(Self)
            .ok_or("a number is 64 bits in decimal digits")
    }
}

/// Who was recognised: the credential, the person, the pass with its step, and what that counts for.
pub(super) struct Recognised {
    pub(super) credential: Credential,
    pub(super) person: Option<ActorId>,
    pub(super) pass: Option<(PassId, u64)>,
    pub(super) shown: Result<Shown, Why>,
}

/// Tells who it is. Somebody who is nobody is recognised too, with the reason.
pub(super) async fn recognise(
    context: &Context,
    tx: &Tx,
    door: &Door,
    seen: &Seen,
) -> anyhow::Result<Recognised> {
    match seen {
        Seen::Text(text) => by_text(context, tx, text).await,
        Seen::Card(number) => by_card(tx, door, *number).await,
        Seen::Number(ShortNumber(number)) => by_number(context, tx, door, *number).await,
    }
}

async fn by_text(context: &Context, tx: &Tx, text: &str) -> anyhow::Result<Recognised> {
    let keys = context.pass_keys();
    let read = pass::read(text, &keys);
    let (person, pass) = match &read {
        Ok(claims) => (
            claims.person.clone(),
            Some((claims.pass.clone(), claims.step)),
        ),
        Err(_) => (None, None),
    };
    let shown = match read.and_then(|_| pass::verify(text, &keys, context.now)) {
        Err(error) => Err(Why::from(error)),
        Ok(mut claims) => {
            let kept = sql::consume::pass_ended(tx, tx.tenant(), &claims.pass).await?;
            if let Some((_, uses_max)) = kept {
                claims.uses_max = uses_max;
            }
            let revoked = kept.is_some_and(|(ended, _)| ended);
            Ok(Shown::Pass { claims, revoked })
        }
    };
    Ok(Recognised {
        credential: Credential::Pass,
        person,
        pass,
        shown,
    })
}

async fn by_card(tx: &Tx, door: &Door, number: u64) -> anyhow::Result<Recognised> {
    let card = sql::cards::card_of_number(tx, number).await?;
    let card = card.filter(|card| card.community == door.community);
    Ok(Recognised {
        credential: Credential::Card,
        person: card.as_ref().map(|card| card.person.clone()),
        pass: None,
        shown: match card {
            None => Err(Why::CardUnknown),
            Some(card) if card.state == crate::domain::CardState::Active => Ok(Shown::Person),
            Some(_) => Ok(Shown::BlockedCard),
        },
    })
}

/// The gate does the same with its snapshot: the handle finds who may stand behind the number, the key tells who does.
async fn by_number(
    context: &Context,
    tx: &Tx,
    door: &Door,
    number: u64,
) -> anyhow::Result<Recognised> {
    let mut recognised = Recognised {
        credential: Credential::ShortCode,
        person: None,
        pass: None,
        shown: Err(Why::CodeUnknown),
    };
    let seeds = context.pass_seeds();
    let key = |seed| short_key(seed, tx.tenant(), door.gateway.as_str());
    let keys: Vec<[u8; 32]> = seeds.iter().filter_map(key).collect();
    let step_of = |pass: &PassId, rotates| {
        let mut steps = keys
            .iter()
            .map(|key| short_step(key, pass, rotates, number, context.now));
        steps.find_map(|step| step)
    };
    let handle = i64::try_from(number >> 40)?;
    for person in sql::short::people(tx, handle).await? {
        let Some(own) = personal_pass(tx.tenant(), &person) else {
            continue;
        };
        if let Some(step) = step_of(&own, true) {
            recognised.person = Some(person);
            recognised.pass = Some((own, step));
            recognised.shown = Ok(Shown::Number);
            return Ok(recognised);
        }
    }
    for visitor in sql::short::visitors(tx, handle).await? {
        if step_of(&visitor.id, false).is_some() {
            recognised.pass = Some((visitor.id.clone(), 0));
            recognised.shown = visitor_shown(tx, visitor, context.now);
            return Ok(recognised);
        }
    }
    Ok(recognised)
}

fn visitor_shown(tx: &Tx, visitor: VisitorPass, now: Timestamp) -> Result<Shown, Why> {
    if now.millis() < visitor.window.from {
        return Err(Why::PassNotYetValid);
    }
    if visitor.window.until <= now.millis() {
        return Err(Why::PassExpired);
    }
    let moment = |millis| Timestamp::from_millis(millis).map_err(|_| Why::PassMalformed);
    let claims = PassClaims {
        not_before: moment(visitor.window.from)?,
        expires_at: moment(visitor.window.until)?,
        pass: visitor.id,
        tenant: tx.tenant().clone(),
        community: visitor.community,
        holder: Holder::Visitor,
        person: None,
        targets: vec![visitor.target],
        uses_max: visitor.uses_max,
        step: 0,
    };
    Ok(Shown::Pass {
        claims,
        revoked: visitor.ended,
    })
}
