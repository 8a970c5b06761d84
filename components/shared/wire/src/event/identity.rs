//! What identity records: tenants, people, their sessions and consent, devices' credentials, applications.

use kernel::{ActorId, ActorKind, CommunityId, DeviceId};

use crate::DeviceKind;

events! {
    /// A tenant began, with its first operator.
    TenantFounded = "tenant.founded" {
        /// What people call it.
        name: String,
        /// Its first operator.
        operator: ActorId,
    }
    /// A person was added.
    PersonRegistered = "person.registered", awaited {
        /// The person.
        person: ActorId,
        /// What the person is.
        kind: ActorKind,
        /// Where the person lives or works.
        communities: Vec<CommunityId>,
        /// The digest of the phone number the person is reached at, if one is known; see `web::phone_digest`.
        #[serde(default)]
        phone: Option<String>,
        /// Who added the person.
        actor: ActorId,
    }
    /// An account is to be made for somebody who was let in elsewhere: a merchant's owner or clerk.
    AccountRequested = "account.requested", awaited {
        /// The account's id.
        person: ActorId,
        /// What the account is for.
        kind: ActorKind,
        /// The digest of the phone number that the account is handed over to; see `web::phone_digest`.
        phone: String,
        /// Who asked for it.
        actor: ActorId,
    }
    /// Two ids turned out to be one person: the same phone was recorded before the account was known.
    PersonAliased = "person.aliased", awaited {
        /// The id that is given up.
        alias: ActorId,
        /// The id that stays: the account.
        person: ActorId,
    }
    /// A person asked to be forgotten; every capability deletes or makes anonymous what it holds.
    PersonErased = "person.erased", awaited {
        /// The person.
        person: ActorId,
        /// Who carried it out.
        actor: ActorId,
    }
    /// A session was ended before its time: signed out, revoked, or a refresh token was used twice.
    SessionRevoked = "session.revoked" {
        /// The person.
        person: ActorId,
        /// The session.
        session: String,
        /// Who ended it.
        actor: ActorId,
        /// The stable code of the reason.
        reason: String,
    }
    /// A person was signed out everywhere or locked: no token issued before this moment holds.
    PersonSignedOut = "person.signed_out" {
        /// The person.
        person: ActorId,
        /// Who did it.
        actor: ActorId,
    }
    /// A person agreed to, or withdrew from, a use of personal data.
    ConsentChanged = "consent.changed", awaited {
        /// The person.
        person: ActorId,
        /// For what.
        purpose: String,
        /// Whether it holds from now on.
        given: bool,
        /// The version of the text that was shown.
        text_version: String,
    }
    /// A role was made or has other permissions.
    RoleChanged = "role.changed" {
        /// The role's name.
        role: String,
        /// The permissions it gives from now on; none when it is gone.
        permissions: Vec<String>,
        /// Who changed it.
        actor: ActorId,
    }
    /// A person has other roles.
    PersonRolesChanged = "person.roles_changed" {
        /// The person.
        person: ActorId,
        /// The roles from now on.
        roles: Vec<String>,
        /// Who changed them.
        actor: ActorId,
    }
    /// A connected application was added, changed or ended.
    ApplicationChanged = "application.changed" {
        /// The application.
        application: ActorId,
        /// What it may do from now on.
        scopes: Vec<String>,
        /// Whether it may do anything at all.
        disabled: bool,
        /// Who changed it.
        actor: ActorId,
    }
    /// An application has a new key, or one of its keys was ended.
    ApplicationKeyChanged = "application.key_changed" {
        /// The application.
        application: ActorId,
        /// The key's id; never its secret.
        key: String,
        /// Whether it was ended.
        revoked: bool,
        /// Who did it.
        actor: ActorId,
    }
    /// A person told the operator something.
    FeedbackGiven = "feedback.given" {
        /// The feedback's id.
        feedback: String,
        /// Who gave it.
        person: ActorId,
    }
    /// The operator or staff answered what a person told them.
    FeedbackAnswered = "feedback.answered", unhurried {
        /// The feedback's id.
        feedback: String,
        /// Who gave it.
        person: ActorId,
        /// Who answered.
        actor: ActorId,
    }
    /// The text that people agree to for a purpose has a new version.
    ConsentTextPublished = "consent.text_published" {
        /// For what personal data is used.
        purpose: String,
        /// The version of the text.
        text_version: String,
        /// Who published it.
        actor: ActorId,
    }
    /// A person is reached at another phone number.
    PersonPhoneChanged = "person.phone_changed", awaited {
        /// The person.
        person: ActorId,
        /// The digest of the number; see `web::phone_digest`.
        phone: String,
        /// Who changed it.
        actor: ActorId,
    }
    /// A person was changed.
    PersonChanged = "person.changed", unhurried {
        /// The person.
        person: ActorId,
        /// Where the person lives or works from now on.
        communities: Vec<CommunityId>,
        /// Whether signing in is refused from now on.
        disabled: bool,
        /// The version of the person after the change.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A person has another password.
    PersonPasswordChanged = "person.password_changed" {
        /// The person.
        person: ActorId,
        /// Who set it.
        actor: ActorId,
    }
    /// A person signed in.
    SessionOpened = "session.opened" {
        /// The person.
        person: ActorId,
        /// The session; absent in facts from before sessions were kept.
        #[serde(default)]
        session: Option<String>,
    }
    /// A device was added.
    DeviceRegistered = "device.registered", awaited {
        /// The device.
        device: DeviceId,
        /// What it is.
        kind: DeviceKind,
        /// Who added it.
        actor: ActorId,
    }
    /// A device has a new credential.
    DeviceCredentialIssued = "device.credential_issued" {
        /// The device.
        device: DeviceId,
        /// The credential's id; never its secret.
        credential: String,
        /// Who asked for it.
        actor: ActorId,
    }
    /// A gateway speaks for a device from now on.
    DeviceChildAssigned = "device.child_assigned", awaited {
        /// The gateway.
        gateway: DeviceId,
        /// What the child is.
        kind: DeviceKind,
        /// The child.
        child: DeviceId,
        /// Who assigned it.
        actor: ActorId,
    }
}
