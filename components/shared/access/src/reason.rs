//! The stable codes of decisions.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        /// Why a door opens or stays shut.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable code.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

reasons! {
    /// Allowed: belongs to a door group of the door.
    Member = "member";
    /// Allowed: holds a single grant for the door.
    Granted = "granted";
    /// Allowed: a pass that holds.
    Pass = "pass";
    /// Allowed: the door stands open for a fire.
    Released = "released";
    /// Allowed: somebody who runs the community gave a reason.
    Override = "override";
    /// Belongs to no group of the door and holds no grant.
    NoGrant = "no_grant";
    /// The single grant is suspended.
    GrantSuspended = "grant_suspended";
    /// The single grant, or the membership, holds only later.
    GrantNotYetValid = "grant_not_yet_valid";
    /// The single grant, or the membership, is over.
    GrantExpired = "grant_expired";
    /// Auditors, devices and applications open no doors.
    KindMayNotOpen = "kind_may_not_open";
    /// The person is suspended in the community.
    PersonSuspended = "person_suspended";
    /// The groups of the door are not open to the person now.
    OutsideSchedule = "outside_schedule";
    /// The door's gateway is known to be away.
    DoorOffline = "door_offline";
    /// The same person at the same door a moment ago.
    TooFast = "too_fast";
    /// The same person at the same door too often within the hour.
    TooOften = "too_often";
    /// No such card.
    CardUnknown = "card_unknown";
    /// The card is blocked.
    CardBlocked = "card_blocked";
    /// The text of a pass is too long.
    PassTooLong = "pass_too_long";
    /// The text is no pass.
    PassMalformed = "pass_malformed";
    /// The pass is signed under a key that is not known.
    PassKeyUnknown = "pass_key_unknown";
    /// The pass is not signed by the key it names.
    PassForged = "pass_forged";
    /// The pass holds only later.
    PassNotYetValid = "pass_not_yet_valid";
    /// The pass holds no longer.
    PassExpired = "pass_expired";
    /// The pass belongs to another tenant or community.
    PassForeign = "pass_foreign";
    /// The pass was revoked.
    PassRevoked = "pass_revoked";
    /// The pass was used up at this door.
    AlreadyUsed = "already_used";
    /// The number stands for no pass now.
    CodeUnknown = "code_unknown";
    /// The permissions at the gate are older than a day, and this is no card of staff.
    SnapshotExpired = "snapshot_expired";
    /// No such door at this gateway.
    DoorUnknown = "door_unknown";
}

impl Reason {
    /// The reason of that code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.code() == code)
    }

    /// Whether the door opens for it.
    #[must_use]
    pub fn allows(self) -> bool {
        matches!(
            self,
            Self::Member | Self::Granted | Self::Pass | Self::Released | Self::Override
        )
    }
}

impl From<wire::pass::PassError> for Reason {
    fn from(error: wire::pass::PassError) -> Self {
        use wire::pass::PassError;
        match error {
            PassError::TooLong => Self::PassTooLong,
            PassError::Malformed => Self::PassMalformed,
            PassError::KeyUnknown => Self::PassKeyUnknown,
            PassError::Forged => Self::PassForged,
            PassError::NotYetValid => Self::PassNotYetValid,
            PassError::Expired => Self::PassExpired,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_code_of_its_own() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.code()), Some(*reason));
        }
    }
}
