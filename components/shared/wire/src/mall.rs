//! Words that merchants, orders and settlement share.

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// Every one, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the wire and in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one of that name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    )*};
}

pub(crate) use words;

words! {
    /// Who keeps a shop.
    MerchantMode {
        /// The merchant itself (自营).
        SelfRun = "self_run",
        /// The platform's operators on its behalf (托管).
        Hosted = "hosted",
    }
    /// Who receives the money of sales.
    Collection {
        /// The merchant; the commission is a receivable.
        Direct = "direct",
        /// The platform; the commission is netted, the rest can be withdrawn.
        Platform = "platform",
    }
    /// What is sold.
    SaleKind {
        /// Things that are brought or picked up (日用商品).
        Goods = "goods",
        /// Life services at a time (生活服务).
        Service = "service",
    }
    /// How a merchant stands with the platform.
    Standing {
        /// The deposit was never paid: nothing can be sold yet.
        DepositDue = "deposit_due",
        /// All is in order.
        Good = "good",
        /// The deposit was drawn on and is to be topped up; trade goes on.
        TopUpRequired = "top_up_required",
        /// The debt is larger than the deposit: no new carts, orders, listings or withdrawals; products are hidden.
        Frozen = "frozen",
    }
}

impl Standing {
    /// Whether new orders can be placed and products listed and shown.
    #[must_use]
    pub fn may_trade(self) -> bool {
        matches!(self, Self::Good | Self::TopUpRequired)
    }
}
