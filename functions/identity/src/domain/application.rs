//! Connected applications: what they may do, their keys, and how often a key may be used.

use kernel::{Actor, ActorId, ActorKind, Message, Refusal, Scope, TenantId, Timestamp};

use super::{Name, Permission, TextError, given, operators_only};

/// How long the token of an application holds, in seconds.
pub const APPLICATION_SECONDS: u32 = 15 * 60;

/// How often a minute one key is exchanged for a token when nobody says.
pub const SESSIONS_PER_MINUTE_DEFAULT: u32 = 60;

/// The most that may be said.
pub const SESSIONS_PER_MINUTE_MAX: u32 = 6_000;

/// The time that uses of a key are counted over, in milliseconds: a minute.
const WINDOW_MS: i64 = 60 * 1_000;

/// What a key's text starts with: who finds one in a log or a repository knows what it is.
const KEY_PREFIX: &str = "lk_";

/// An application that acts for its maker with an API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The id: the actor of everything it does.
    pub id: ActorId,
    /// What people call it.
    pub name: Name,
    /// What it may do, sorted.
    pub scopes: Vec<Permission>,
    /// How often a minute each of its keys may be exchanged.
    pub sessions_per_minute: u32,
    /// Whether it may do nothing for now.
    pub disabled: bool,
    /// Counts the changes, from 1.
    pub version: i64,
}

impl Application {
    /// The application as a caller.
    #[must_use]
    pub fn actor(&self, tenant: &TenantId) -> Actor {
        Actor {
            tenant: tenant.clone(),
            kind: ActorKind::Application,
            id: self.id.clone(),
            communities: Vec::new(),
            scopes: self
                .scopes
                .iter()
                .map(|scope| Scope(scope.as_str().to_owned()))
                .collect(),
        }
    }
}

/// What is said about a new application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApplication {
    /// The id.
    pub id: ActorId,
    /// What people call it.
    pub name: Name,
    /// What it may do.
    pub scopes: Vec<Permission>,
    /// How often a minute each of its keys may be exchanged.
    pub sessions_per_minute: Option<u32>,
}

/// What is changed about an application; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApplicationChange {
    /// What it may do from now on.
    pub scopes: Option<Vec<Permission>>,
    /// How often a minute each of its keys may be exchanged.
    pub sessions_per_minute: Option<u32>,
    /// Whether it may do nothing for now.
    pub disabled: Option<bool>,
}

/// A new application, by an operator.
///
/// # Errors
/// The caller may not, or lacks one of the permissions; the limit is out of range.
pub fn register_application(actor: &Actor, new: NewApplication) -> Result<Application, Refusal> {
    operators_only(actor)?;
    Ok(Application {
        id: new.id,
        name: new.name,
        scopes: given(actor, new.scopes)?,
        sessions_per_minute: limit(
            new.sessions_per_minute
                .unwrap_or(SESSIONS_PER_MINUTE_DEFAULT),
        )?,
        disabled: false,
        version: 1,
    })
}

/// The application after the change.
///
/// # Errors
/// As [`register_application`].
pub fn change_application(
    actor: &Actor,
    application: &Application,
    change: ApplicationChange,
) -> Result<Application, Refusal> {
    operators_only(actor)?;
    let scopes = match change.scopes {
        Some(scopes) => given(actor, scopes)?,
        None => application.scopes.clone(),
    };
    Ok(Application {
        scopes,
        sessions_per_minute: limit(
            change
                .sessions_per_minute
                .unwrap_or(application.sessions_per_minute),
        )?,
        disabled: change.disabled.unwrap_or(application.disabled),
        version: application.version + 1,
        ..application.clone()
    })
}

fn limit(sessions_per_minute: u32) -> Result<u32, Refusal> {
    if (1..=SESSIONS_PER_MINUTE_MAX).contains(&sessions_per_minute) {
        return Ok(sessions_per_minute);
    }
    Err(Refusal::invalid(
        "limit_out_of_range",
        Message::new(
            format!("A key is exchanged 1 to {SESSIONS_PER_MINUTE_MAX} times a minute."),
            format!("每个密钥每分钟可换取 1 到 {SESSIONS_PER_MINUTE_MAX} 次令牌。"),
        ),
    ))
}

/// The text of a key: `lk_<id>_<secret>`. The id names it, the secret proves it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText {
    /// Which key.
    pub id: String,
    /// Its secret, in clear.
    pub secret: String,
}

impl KeyText {
    /// Parses a key.
    ///
    /// # Errors
    /// When it is no `lk_<id>_<secret>`.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let parts = text
            .strip_prefix(KEY_PREFIX)
            .and_then(|rest| rest.split_once('_'));
        match parts {
            Some((id, secret)) if ActorId::parse(id).is_ok() && !secret.is_empty() => Ok(Self {
                id: id.to_owned(),
                secret: secret.to_owned(),
            }),
            _ => Err(TextError("a key is written as lk_<id>_<secret>")),
        }
    }

    /// The key as the application presents it.
    #[must_use]
    pub fn write(&self) -> String {
        format!("{KEY_PREFIX}{}_{}", self.id, self.secret)
    }
}

/// How often a key was used in the minute that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uses {
    /// When the minute began.
    pub window_at: Timestamp,
    /// How often since then.
    pub count: u32,
}

/// One use more, where the limit has room for it.
///
/// # Errors
/// With the seconds until the next minute; at least 1.
pub fn count_use(uses: Uses, limit: u32, now: Timestamp) -> Result<Uses, u32> {
    let since_ms = now.millis_since(uses.window_at);
    if !(0..WINDOW_MS).contains(&since_ms) {
        return Ok(Uses {
            window_at: now,
            count: 1,
        });
    }
    if uses.count < limit {
        return Ok(Uses {
            count: uses.count + 1,
            ..uses
        });
    }
    let left_ms = WINDOW_MS - since_ms;
    let seconds = left_ms.div_euclid(1_000) + i64::from(left_ms.rem_euclid(1_000) > 0);
    Err(u32::try_from(seconds).unwrap_or(u32::MAX).max(1))
}

/// There is no application of that id.
#[must_use]
pub fn unknown_application() -> Refusal {
    Refusal::not_found(
        "application_unknown",
        Message::new(
            "There is no such application here. Check the id.",
            "没有这个接入应用，请检查编号。",
        ),
    )
}

/// The application has no such key that still holds.
#[must_use]
pub fn unknown_key() -> Refusal {
    Refusal::not_found(
        "key_unknown",
        Message::new(
            "The application has no such key that still holds. Check the id.",
            "该应用没有这个有效密钥，请检查编号。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::{actor, at};
    use proptest::prelude::*;

    fn new(scopes: &[&str], limit: Option<u32>) -> NewApplication {
        NewApplication {
            id: ActorId::parse("erp").unwrap(),
            name: Name::parse("ERP").unwrap(),
            scopes: scopes
                .iter()
                .map(|name| Permission::parse(name).unwrap())
                .collect(),
            sessions_per_minute: limit,
        }
    }

    #[test]
    fn only_operators_connect_applications() {
        for kind in ActorKind::ALL {
            let made = register_application(&actor(kind, "x", &[]), new(&["doors:read"], None));
            assert_eq!(made.is_ok(), kind == ActorKind::Operator);
        }
    }

    #[test]
    fn a_limit_has_its_range_and_an_application_speaks_with_its_scopes() {
        let operator = actor(ActorKind::Operator, "op", &[]);
        for wrong in [0, SESSIONS_PER_MINUTE_MAX + 1] {
            let refused = register_application(&operator, new(&[], Some(wrong)));
            assert_eq!(refused.unwrap_err().code, "limit_out_of_range");
        }
        let made = register_application(&operator, new(&["doors:read"], None)).unwrap();
        let tenant = TenantId::parse("demo").unwrap();
        assert!(made.actor(&tenant).may("doors:read") && !made.actor(&tenant).may("doors:write"));
        let changed = change_application(
            &operator,
            &made,
            ApplicationChange {
                scopes: Some(vec![]),
                disabled: Some(true),
                ..ApplicationChange::default()
            },
        )
        .unwrap();
        assert_eq!((changed.version, changed.disabled), (2, true));
        assert!(changed.scopes.is_empty());
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let key = KeyText {
            id: "0199c0de-0000".to_owned(),
            secret: "a_b-c".to_owned(),
        };
        assert!(KeyText::parse(&key.write()).unwrap() == key);
        for wrong in ["", "lk_", "lk_a", "lk_a_", "lk__b", "xx_a_b", "lk_门_b"] {
            assert!(KeyText::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_minute_counts_more_than_the_limit(limit in 1_u32..5, waits in prop::collection::vec(0_i64..40_000, 0..60)) {
            let mut uses = Uses { window_at: at(0), count: 0 };
            let mut now = 0;
            for wait in waits {
                now += wait;
                match count_use(uses, limit, at(now)) {
                    Ok(next) => uses = next,
                    Err(seconds) => {
                        let later = at(now + i64::from(seconds) * 1_000);
                        prop_assert!(count_use(uses, limit, later).is_ok());
                    }
                }
                prop_assert!(uses.count <= limit);
            }
        }
    }
}
