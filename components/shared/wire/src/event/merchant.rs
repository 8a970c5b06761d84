//! What is known of merchants: who they are, what they may sell, what the platform takes of it, what was agreed.

use kernel::{
    ActorId, CategoryId, ChangeRequestId, CommissionRuleId, CommunityId, Currency,
    MerchantApplicationId, MerchantId, QualificationId, Timestamp,
};

use crate::mall::{Collection, MerchantMode, SaleKind};

events! {
    /// A merchant was approved, changed, closed or ended; each fact says everything anew.
    MerchantChanged = "merchant.changed", awaited {
        /// The merchant.
        merchant: MerchantId,
        /// What buyers read.
        name: String,
        /// Who keeps the shop.
        mode: MerchantMode,
        /// Whether it may trade as far as the platform's audit and its own wish go; its standing is another matter.
        open: bool,
        /// The communities that it serves; none means all of the tenant's.
        communities: Vec<CommunityId>,
        /// The categories in which it may sell.
        categories: Vec<CategoryId>,
        /// Whose accounts act for it.
        members: Vec<ActorId>,
        /// Counts up with each change.
        version: i64,
    }
    /// A category was made, renamed, given to another operator, or taken away.
    CategoryChanged = "category.changed", awaited {
        /// The category.
        category: CategoryId,
        /// The one it is a part of.
        parent: Option<CategoryId>,
        /// What buyers read.
        name: String,
        /// Whether goods or services are in it.
        kind: SaleKind,
        /// The platform's operator of it (品类专员).
        operator: Option<ActorId>,
        /// Whether nothing may be listed in it any more.
        gone: bool,
    }
    /// What the platform takes of sales, from when on. Of the rules that hold, the most particular counts: merchant
    /// before category before kind before none.
    CommissionRuleChanged = "commission_rule.changed", awaited {
        /// The rule.
        rule: CommissionRuleId,
        /// Counts up with each change.
        version: i64,
        /// Only for this merchant.
        merchant: Option<MerchantId>,
        /// Only for this category and those below it.
        category: Option<CategoryId>,
        /// Only for goods, or only for services.
        kind: Option<SaleKind>,
        /// The share, in 1/10,000.
        rate_bps: u32,
        /// Whether freight is part of the base.
        includes_freight: bool,
        /// The first moment at which it holds.
        from: Timestamp,
        /// The first at which it no longer does.
        until: Option<Timestamp>,
    }
    /// What was agreed with a merchant, from a month on.
    ContractChanged = "contract.changed", awaited {
        /// The merchant.
        merchant: MerchantId,
        /// Counts up with each change.
        version: i64,
        /// The first month for which it counts, `2026-11`.
        from: String,
        /// Who receives the money of sales.
        collection: Collection,
        /// The day of the next month by whose end a statement is to be paid, 1 to 28.
        due_day: u8,
        /// For how many days after a statement was sent lines can be disputed.
        objection_days: u8,
        /// How many days before the due day silence counts as a confirmation.
        confirm_days: u8,
        /// The deposit (保证金), in minor units.
        deposit_minor: i64,
        /// How many times the deposit it takes to open again after a freeze, in 1/100.
        reopening_percent: u32,
        /// Monthly fee for keeping the shop (托管), in minor units.
        hosting_fee_minor: i64,
        /// Monthly fee for technical maintenance, in minor units.
        maintenance_fee_minor: i64,
        /// Monthly fee for the platform (商家入驻月服务费), in minor units.
        platform_fee_minor: i64,
        /// The currency of all of them.
        currency: Currency,
    }
    /// The platform has parted from a merchant: nothing is agreed any more. What was sold is still settled.
    ContractEnded = "contract.ended", awaited {
        /// The merchant.
        merchant: MerchantId,
        /// The first month for which no contract counts, `2026-12`.
        from: String,
        /// When they parted.
        at: Timestamp,
    }
    /// Somebody asks to be let in as a merchant, for the first time or again.
    MerchantApplicationSubmitted = "merchant.application_submitted" {
        /// The application.
        application: MerchantApplicationId,
        /// The company.
        company: String,
        /// How often it has been submitted by now.
        round: i64,
        /// Whose account it is of; none for an applicant without one.
        applicant: Option<ActorId>,
    }
    /// An application was decided on, or taken back.
    MerchantApplicationDecided = "merchant.application_decided", unhurried {
        /// The application.
        application: MerchantApplicationId,
        /// `approved`, `rejected`, `changes_requested` or `withdrawn`.
        decision: String,
        /// Why.
        reason: Option<String>,
        /// The merchant that it made.
        merchant: Option<MerchantId>,
        /// Whose account it is of.
        applicant: Option<ActorId>,
        /// Who decided; none for an applicant without an account.
        actor: Option<ActorId>,
    }
    /// Somebody changed what a merchant shows or may do.
    MerchantEdited = "merchant.edited" {
        /// The merchant.
        merchant: MerchantId,
        /// Its version from then on.
        version: i64,
        /// What was changed.
        fields: Vec<String>,
        /// Whether an operator did it for the merchant.
        on_behalf: bool,
        /// Why, if it was said.
        reason: Option<String>,
        /// Who did it.
        actor: ActorId,
    }
    /// Somebody acts for a merchant from now on, or no longer.
    MerchantMemberChanged = "merchant.member_changed" {
        /// The merchant.
        merchant: MerchantId,
        /// Whose account.
        person: ActorId,
        /// `owner` or `clerk`.
        role: String,
        /// Whether it acts for the merchant no longer.
        gone: bool,
        /// Who did it.
        actor: ActorId,
    }
    /// A licence or certificate was accepted or refused.
    MerchantQualificationDecided = "merchant.qualification_decided" {
        /// The qualification.
        qualification: QualificationId,
        /// The merchant.
        merchant: MerchantId,
        /// Of what kind it is.
        kind: String,
        /// Whether it counts from now on.
        accepted: bool,
        /// Why not.
        reason: Option<String>,
        /// Who decided.
        actor: ActorId,
    }
    /// What a merchant needs to sell ends soon: its people are to be reminded.
    MerchantQualificationExpiring = "merchant.qualification_expiring", unhurried {
        /// The merchant.
        merchant: MerchantId,
        /// Whose accounts act for it.
        members: Vec<ActorId>,
        /// From when on it may sell no more.
        expires_at: Timestamp,
    }
    /// What a merchant needs to sell has ended: it is not open until it is renewed.
    MerchantQualificationExpired = "merchant.qualification_expired", unhurried {
        /// The merchant.
        merchant: MerchantId,
        /// Whose accounts act for it.
        members: Vec<ActorId>,
        /// Since when.
        expired_at: Timestamp,
    }
    /// A hosted merchant asks for a change in its shop.
    MerchantChangeRequested = "merchant.change_requested" {
        /// The request.
        request: ChangeRequestId,
        /// The merchant.
        merchant: MerchantId,
        /// Of which category the change is.
        category: Option<CategoryId>,
        /// Whose task it is.
        operator: Option<ActorId>,
        /// Who asked.
        actor: ActorId,
    }
    /// What a hosted merchant asked for was done, or not.
    MerchantChangeAnswered = "merchant.change_answered" {
        /// The request.
        request: ChangeRequestId,
        /// The merchant.
        merchant: MerchantId,
        /// Whether it was done.
        done: bool,
        /// What was said to it.
        answer: Option<String>,
        /// Who answered.
        actor: ActorId,
    }
}
