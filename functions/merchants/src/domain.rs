//! What is decided about merchants, pure: time, ids and the caller come in as arguments, a refusal comes out as a value.
//!
//! One file a noun: applications and their audit, merchants and what they show, licences, categories, commission rules,
//! contracts, and what hosted shops ask for.

mod application;
mod caller;
mod category;
mod contract;
mod credit_code;
mod merchant;
mod profile;
mod qualification;
mod request;
mod rule;
mod text;

pub use application::{
    Application, ApplicationState, Content, DAY_APPLICATIONS_MAX, DRAFT_MS, Decision, Outcome,
    REGISTRATIONS_HOUR_MAX, check_rate, decide, edit, submit, withdraw,
};
pub use caller::{
    Relation, Role, check_auditor, check_people, check_reader, check_writer, may_audit, may_read,
    may_write, relation,
};
pub use category::{
    CATEGORIES_MAX, CATEGORY_DEPTH_MAX, Category, NewCategory, SHOPS_WANTED, below, category_taken,
};
pub use contract::{Contract, Month, Terms, agree};
pub use credit_code::CreditCode;
pub use merchant::{
    MEMBERS_MAX, Member, Merchant, MerchantState, check_edit, check_opening, close, mode_changed,
};
pub use profile::{DeliveryWay, Digest, Hours, Profile, Way};
pub use qualification::{
    FILE_BYTES_MAX, Media, QUALIFICATIONS_MAX, Qualification, QualificationKind,
    QualificationState, REMIND_MS, Validity, accepted, expiry, file_of,
};
pub use request::{ChangeRequest, RequestState, answer_request};
pub use rule::{Rule, RuleTerms, Scope, change_rule, overlap, withdraw_rule};
pub use text::{Answer, Name, Note, Reason, TextError};

use kernel::{Message, Refusal};

macro_rules! unknown {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $english:literal, $chinese:literal;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name() -> Refusal {
            Refusal::not_found($code, Message::new($english, $chinese))
        }
    )*};
}

unknown! {
    /// No application of that id, as far as the caller may know.
    unknown_application = "merchant_application_unknown", "There is no such application. Check its id.", "未找到该入驻申请，请检查编号。";
    /// No merchant of that id, as far as the caller may know.
    unknown_merchant = "merchant_unknown", "There is no such merchant. Check its id.", "未找到该商家，请检查编号。";
    /// Nobody of that id acts for the merchant.
    unknown_member = "member_unknown", "Nobody of that id acts for the merchant.", "该商家没有此成员。";
    /// No licence of that id, as far as the caller may know.
    unknown_qualification = "qualification_unknown", "There is no such licence. Check its id.", "未找到该资质文件，请检查编号。";
    /// No category of that id.
    unknown_category = "category_unknown", "There is no such category. Check its id.", "未找到该品类，请检查编号。";
    /// No commission rule of that id.
    unknown_rule = "commission_rule_unknown", "There is no such commission rule. Check its id.", "未找到该佣金规则，请检查编号。";
    /// No contract with that merchant.
    unknown_contract = "merchant_contract_unknown", "There is no contract with this merchant yet.", "该商家尚未签订合同。";
    /// No change request of that id, as far as the caller may know.
    unknown_request = "change_request_unknown", "There is no such change request. Check its id.", "未找到该变更申请，请检查编号。";
    /// No community of that id that has been heard of.
    unknown_community = "community_unknown", "There is no such community. Check its id.", "未找到该小区，请检查编号。";
}
