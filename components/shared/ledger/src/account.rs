//! The chart of accounts: what each kind is, who owns an account of it, and which may never go below zero.

use std::fmt;

use kernel::{ActorId, CommunityId, MerchantId, RoomId};

/// The longest owner, in characters.
pub const OWNER_CHARACTERS_MAX: usize = 64;

/// The side of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// 借.
    Debit,
    /// 贷.
    Credit,
}

impl Side {
    /// The name in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debit => "debit",
            Self::Credit => "credit",
        }
    }

    /// The side of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Debit, Self::Credit]
            .into_iter()
            .find(|side| side.as_str() == text)
    }

    /// The other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
}

macro_rules! chart {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $normal:ident, $owned:literal, $guarded:literal;)*) => {
        /// The kinds of accounts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AccountKind { $($(#[$doc])* $kind,)* }

        impl AccountKind {
            /// Every kind, in the order of the chart.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The name in front of the colon.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The side on which its balance stands.
            #[must_use]
            pub fn normal(self) -> Side {
                match self { $(Self::$kind => Side::$normal,)* }
            }

            /// Whether each account of it belongs to somebody.
            #[must_use]
            pub fn is_owned(self) -> bool {
                match self { $(Self::$kind => $owned,)* }
            }

            /// Whether it may never go below zero. Such accounts have one owner each, and keep their balance inline.
            #[must_use]
            pub fn is_guarded(self) -> bool {
                match self { $(Self::$kind => $guarded,)* }
            }
        }
    };
}

chart! {
    /// What a channel owes us until it pays out: one a channel.
    ChannelClearing = "channel_clearing", Debit, true, false;
    /// The bank account.
    Bank = "bank", Debit, false, false;
    /// The cash in the drawers of a community's counter: one a community.
    Cash = "cash", Debit, true, false;
    /// What a room owes: one a room.
    FeeReceivable = "fee_receivable", Debit, true, false;
    /// What a merchant owes: one a merchant.
    MerchantReceivable = "merchant_receivable", Debit, true, false;
    /// What is owed in goods.
    BarterReceivable = "barter_receivable", Debit, false, false;
    /// Goods that came in exchange for advertising and are not given away yet, at what they were agreed to be worth.
    BarterStock = "barter_stock", Debit, false, false;
    /// Coupons that the platform bears.
    CouponSubsidyExpense = "coupon_subsidy_expense", Debit, false, false;
    /// What channels charge.
    ChannelFeeExpense = "channel_fee_expense", Debit, false, false;
    /// Money that came and is not yet where it belongs.
    Suspense = "suspense", Credit, false, false;
    /// Money on its way back to a payer.
    RefundInTransit = "refund_in_transit", Credit, false, false;
    /// Money on its way to a merchant's bank.
    WithdrawalInTransit = "withdrawal_in_transit", Credit, false, false;
    /// What a merchant may draw: one a merchant.
    MerchantPayable = "merchant_payable", Credit, true, true;
    /// What a merchant has deposited: one a merchant.
    MerchantDeposit = "merchant_deposit", Credit, true, true;
    /// What a resident has paid ahead: one a person.
    ResidentWallet = "resident_wallet", Credit, true, true;
    /// What a property company or an owner has paid ahead for the platform: one a party.
    PlatformPrepaid = "platform_prepaid", Credit, true, true;
    /// What belongs to all owners of a community.
    OwnersCommonFund = "owners_common_fund", Credit, true, true;
    /// Property fees, water, electricity and the like: one a community.
    FeeIncome = "fee_income", Credit, true, false;
    /// Commissions.
    PlatformCommission = "platform_commission", Credit, false, false;
    /// Fees for the platform.
    PlatformFeeIncome = "platform_fee_income", Credit, false, false;
    /// Advertising.
    AdIncome = "ad_income", Credit, false, false;
    /// What the property company has a share of: one a community.
    CompanyPayable = "company_payable", Credit, true, false;
}

impl AccountKind {
    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

/// An account by its name: `suspense`, `resident_wallet:li`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    kind: AccountKind,
    name: String,
}

/// Why a text is no account's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountError;

impl fmt::Display for AccountError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "an account is a kind of the chart, with `:owner` where it belongs to somebody"
        )
    }
}

impl std::error::Error for AccountError {}

impl Account {
    /// The account of that kind and owner.
    ///
    /// # Errors
    /// An owner where there is none, none where there is one, or one with other characters than an id has.
    pub fn new(kind: AccountKind, owner: Option<&str>) -> Result<Self, AccountError> {
        match owner {
            None if !kind.is_owned() => Ok(Self::of(kind)),
            Some(owner) if kind.is_owned() && is_owner(owner) => Ok(Self::owned(kind, owner)),
            _ => Err(AccountError),
        }
    }

    /// The account of that name.
    ///
    /// # Errors
    /// As [`Account::new`]; a kind that is not in the chart.
    pub fn parse(name: &str) -> Result<Self, AccountError> {
        let (kind, owner) = match name.split_once(':') {
            Some((kind, owner)) => (kind, Some(owner)),
            None => (name, None),
        };
        Self::new(AccountKind::parse(kind).ok_or(AccountError)?, owner)
    }

    fn of(kind: AccountKind) -> Self {
        Self {
            kind,
            name: kind.as_str().to_owned(),
        }
    }

    fn owned(kind: AccountKind, owner: &str) -> Self {
        Self {
            kind,
            name: format!("{}:{owner}", kind.as_str()),
        }
    }

    /// Money that came and is not yet where it belongs.
    #[must_use]
    pub fn suspense() -> Self {
        Self::of(AccountKind::Suspense)
    }

    /// Money on its way back to a payer.
    #[must_use]
    pub fn refund_in_transit() -> Self {
        Self::of(AccountKind::RefundInTransit)
    }

    /// The bank account.
    #[must_use]
    pub fn bank() -> Self {
        Self::of(AccountKind::Bank)
    }

    /// The cash at a community's counter.
    #[must_use]
    pub fn cash(community: &CommunityId) -> Self {
        Self::owned(AccountKind::Cash, community.as_str())
    }

    /// What channels charge.
    #[must_use]
    pub fn channel_fee_expense() -> Self {
        Self::of(AccountKind::ChannelFeeExpense)
    }

    /// What a room owes.
    #[must_use]
    pub fn fee_receivable(room: &RoomId) -> Self {
        Self::owned(AccountKind::FeeReceivable, room.as_str())
    }

    /// What a community's bills bring.
    #[must_use]
    pub fn fee_income(community: &CommunityId) -> Self {
        Self::owned(AccountKind::FeeIncome, community.as_str())
    }

    /// What belongs to all owners of a community.
    #[must_use]
    pub fn owners_common_fund(community: &CommunityId) -> Self {
        Self::owned(AccountKind::OwnersCommonFund, community.as_str())
    }

    /// What a resident has paid ahead.
    #[must_use]
    pub fn resident_wallet(person: &ActorId) -> Self {
        Self::owned(AccountKind::ResidentWallet, person.as_str())
    }

    /// What a company or an owner has paid ahead for the platform.
    #[must_use]
    pub fn platform_prepaid(party: &ActorId) -> Self {
        Self::owned(AccountKind::PlatformPrepaid, party.as_str())
    }

    /// What a merchant may draw.
    #[must_use]
    pub fn merchant_payable(merchant: &MerchantId) -> Self {
        Self::owned(AccountKind::MerchantPayable, merchant.as_str())
    }

    /// What a merchant owes.
    #[must_use]
    pub fn merchant_receivable(merchant: &MerchantId) -> Self {
        Self::owned(AccountKind::MerchantReceivable, merchant.as_str())
    }

    /// What a merchant has deposited.
    #[must_use]
    pub fn merchant_deposit(merchant: &MerchantId) -> Self {
        Self::owned(AccountKind::MerchantDeposit, merchant.as_str())
    }

    /// Money on its way to merchants' banks.
    #[must_use]
    pub fn withdrawal_in_transit() -> Self {
        Self::of(AccountKind::WithdrawalInTransit)
    }

    /// Coupons that the platform bears.
    #[must_use]
    pub fn coupon_subsidy_expense() -> Self {
        Self::of(AccountKind::CouponSubsidyExpense)
    }

    /// Commissions.
    #[must_use]
    pub fn platform_commission() -> Self {
        Self::of(AccountKind::PlatformCommission)
    }

    /// Fees for the platform.
    #[must_use]
    pub fn platform_fee_income() -> Self {
        Self::of(AccountKind::PlatformFeeIncome)
    }

    /// Advertising.
    #[must_use]
    pub fn ad_income() -> Self {
        Self::of(AccountKind::AdIncome)
    }

    /// What is owed in goods.
    #[must_use]
    pub fn barter_receivable() -> Self {
        Self::of(AccountKind::BarterReceivable)
    }

    /// Goods that came in exchange for advertising.
    #[must_use]
    pub fn barter_stock() -> Self {
        Self::of(AccountKind::BarterStock)
    }

    /// What a community's property company has a share of.
    #[must_use]
    pub fn company_payable(community: &CommunityId) -> Self {
        Self::owned(AccountKind::CompanyPayable, community.as_str())
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> AccountKind {
        self.kind
    }

    /// The name, kind and owner.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

impl TryFrom<String> for Account {
    type Error = AccountError;
    fn try_from(name: String) -> Result<Self, AccountError> {
        Self::parse(&name)
    }
}

fn is_owner(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.len() <= OWNER_CHARACTERS_MAX && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_kind_of_the_chart_and_an_owner_where_there_is_one() {
        for name in [
            "suspense",
            "bank",
            "resident_wallet:li",
            "fee_income:garden",
        ] {
            assert_eq!(Account::parse(name).unwrap().as_str(), name);
        }
        for wrong in [
            "",
            "cash",
            "suspense:li",
            "resident_wallet",
            "resident_wallet:",
            "resident_wallet:a b",
            "fee_income:a:b",
        ] {
            assert_eq!(Account::parse(wrong), Err(AccountError), "{wrong:?}");
        }
    }

    #[test]
    fn only_accounts_of_one_owner_are_guarded() {
        for kind in AccountKind::ALL {
            assert!(!kind.is_guarded() || kind.is_owned(), "{kind:?}");
            assert_eq!(AccountKind::parse(kind.as_str()), Some(*kind));
        }
    }
}
