//! Who is asking: who acts for the platform, who reviews, who acts for an advertiser, who only reads.

use kernel::{Actor, ActorKind, Message, Refusal};

const READ: &str = "ads:read";
const WRITE: &str = "ads:write";
const REVIEW: &str = "ads:review";

/// Whether the caller keeps placements, bookings and exchanges for the platform.
#[must_use]
pub fn may_write(actor: &Actor) -> bool {
    changes(actor.kind) && actor.may(WRITE)
}

/// Whether the caller decides on creatives and articles.
#[must_use]
pub fn may_review(actor: &Actor) -> bool {
    changes(actor.kind) && actor.may(REVIEW)
}

/// Whether the caller reads what is of all advertisers.
#[must_use]
pub fn may_read(actor: &Actor) -> bool {
    actor.kind == ActorKind::Auditor
        || (actor.kind != ActorKind::Device
            && [READ, WRITE, REVIEW].iter().any(|name| actor.may(name)))
}

fn changes(kind: ActorKind) -> bool {
    !matches!(kind, ActorKind::Auditor | ActorKind::Device)
}

/// Lets those pass who act for the platform.
///
/// # Errors
/// 403 for everybody else.
pub fn check_writer(actor: &Actor) -> Result<(), Refusal> {
    if may_write(actor) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "operators_only",
        Message::new(
            "Only the platform's operators do this. Ask them for the permission ads:write.",
            "仅平台运营可以操作，请申请 ads:write 权限。",
        ),
    ))
}

/// Lets those pass who decide on creatives and articles.
///
/// # Errors
/// 403 for everybody else.
pub fn check_reviewer(actor: &Actor) -> Result<(), Refusal> {
    if may_review(actor) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "reviewers_only",
        Message::new(
            "Only those review who hold the permission ads:review.",
            "仅拥有 ads:review 权限的人员可以审核。",
        ),
    ))
}

/// Lets those pass who read what is of all advertisers.
///
/// # Errors
/// 403 for everybody else.
pub fn check_reader(actor: &Actor) -> Result<(), Refusal> {
    if may_read(actor) {
        return Ok(());
    }
    Err(readers_only())
}

/// Lets those pass who look for places to advertise in: advertisers' people, and who reads for the platform.
///
/// # Errors
/// 403 for everybody else.
pub fn check_advertiser(actor: &Actor) -> Result<(), Refusal> {
    if actor.kind == ActorKind::Merchant || may_read(actor) {
        return Ok(());
    }
    Err(readers_only())
}

fn readers_only() -> Refusal {
    Refusal::forbidden(
        "advertisers_only",
        Message::new(
            "Only advertisers and the platform's operators see this. Sign in with such an account.",
            "仅广告主和平台运营可以查看，请使用相应账号登录。",
        ),
    )
}

/// What a caller may do with what belongs to an advertiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// All that the platform does.
    Platform,
    /// What the advertiser does.
    Advertiser,
    /// Reading.
    Reader,
}

/// What the caller may do with what belongs to an advertiser for which they act or not; none for whom it is not there.
#[must_use]
pub fn hold(actor: &Actor, is_member: bool) -> Option<Hold> {
    if may_write(actor) {
        Some(Hold::Platform)
    } else if actor.kind == ActorKind::Merchant && is_member {
        Some(Hold::Advertiser)
    } else {
        may_read(actor).then_some(Hold::Reader)
    }
}

impl Hold {
    /// Lets those pass who change it: the advertiser, and the platform for it.
    ///
    /// # Errors
    /// 403 for those who only read.
    pub fn check_change(self) -> Result<(), Refusal> {
        if self != Self::Reader {
            return Ok(());
        }
        Err(Refusal::forbidden(
            "reading_only",
            Message::new(
                "You read this and do not change it. Ask the advertiser or an operator.",
                "您只有查看权限，请联系广告主或平台运营。",
            ),
        ))
    }
}

/// Lets those pass to whom advertisements are shown: everybody but auditors.
///
/// # Errors
/// 403 for auditors, who change nothing: what they would be shown would count.
pub fn check_viewer(actor: &Actor) -> Result<(), Refusal> {
    if actor.kind != ActorKind::Auditor {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "viewers_only",
        Message::new(
            "Auditors are shown no advertisements: showing one would count it.",
            "审计账号不展示广告，以免影响计数。",
        ),
    ))
}

/// Lets residents pass.
///
/// # Errors
/// 403 for everybody else.
pub fn check_resident(actor: &Actor) -> Result<(), Refusal> {
    if actor.kind == ActorKind::Resident {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "residents_only",
        Message::new(
            "Rewards are for residents. Sign in with a resident's account.",
            "奖品仅限业主和住户领取，请使用住户账号登录。",
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{ActorId, Scope, TenantId};

    fn actor(kind: ActorKind, scopes: &[&str]) -> Actor {
        Actor {
            tenant: TenantId::parse("demo").unwrap(),
            kind,
            id: ActorId::parse("li").unwrap(),
            communities: vec![],
            scopes: scopes
                .iter()
                .map(|name| Scope((*name).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn the_platform_keeps_advertisers_do_and_auditors_read() {
        let of = |kind, scopes: &[&str], member| hold(&actor(kind, scopes), member);
        assert_eq!(of(ActorKind::Operator, &[], false), Some(Hold::Platform));
        assert_eq!(of(ActorKind::Staff, &[WRITE], false), Some(Hold::Platform));
        assert_eq!(of(ActorKind::Staff, &[REVIEW], false), Some(Hold::Reader));
        assert_eq!(of(ActorKind::Merchant, &[], true), Some(Hold::Advertiser));
        assert_eq!(of(ActorKind::Merchant, &[], false), None);
        assert_eq!(of(ActorKind::Resident, &[], true), None);
        assert_eq!(of(ActorKind::Auditor, &[WRITE], false), Some(Hold::Reader));
        assert_eq!(of(ActorKind::Device, &[WRITE], true), None);
        assert!(check_reviewer(&actor(ActorKind::Staff, &[WRITE])).is_err());
        assert!(check_viewer(&actor(ActorKind::Auditor, &[])).is_err());
        assert!(check_resident(&actor(ActorKind::Staff, &[])).is_err());
    }
}
