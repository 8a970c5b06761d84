//! The words of the five machines of an order. What leads from one to the next stands in `step.rs`.

macro_rules! states {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
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

states! {
    /// The order itself.
    OrderState {
        /// The buyer wants it.
        Placed = "placed",
        /// The merchant takes it.
        Accepted = "accepted",
        /// It is over, and the merchant is settled for it.
        Completed = "completed",
        /// It came to nothing; what was paid goes back.
        Cancelled = "cancelled",
    }
    /// Its money.
    PaymentState {
        /// Nothing came yet.
        Unpaid = "unpaid",
        /// It is there.
        Paid = "paid",
        /// It will not come any more.
        Closed = "closed",
    }
    /// How it reaches the buyer.
    Delivery {
        /// A carrier brings it (快递).
        Carrier = "carrier",
        /// The merchant's own people bring it (商家自送).
        Own = "own",
        /// The buyer fetches it, with a code (自提).
        PickUp = "pick_up",
        /// A service at a time, proven by a code (预约服务).
        Appointment = "appointment",
    }
    /// How far it is on that way.
    Fulfilment {
        /// With the merchant.
        Waiting = "waiting",
        /// On its way.
        Shipped = "shipped",
        /// Ready to be fetched.
        Ready = "ready",
        /// With the buyer, or done.
        Delivered = "delivered",
    }
    /// What a buyer asks for afterwards.
    AfterSaleKind {
        /// Money back.
        Refund = "refund",
        /// Money back for what is sent back.
        Return = "return",
        /// Another one for what is sent back.
        Exchange = "exchange",
    }
    /// How far that is.
    AfterSaleState {
        /// The merchant has not answered.
        Requested = "requested",
        /// The merchant said yes and waits for the goods.
        Agreed = "agreed",
        /// The merchant said no.
        Refused = "refused",
        /// The buyer does not want it any more.
        Withdrawn = "withdrawn",
        /// The goods are on their way back.
        Returned = "returned",
        /// The goods are back; another one is to be sent.
        Received = "received",
        /// The money is on its way.
        Refunding = "refunding",
        /// The money is back.
        Refunded = "refunded",
        /// The channel would not take the money back; it can be tried again.
        RefundFailed = "refund_failed",
        /// Another one was sent.
        Reshipped = "reshipped",
    }
    /// A quarrel.
    DisputeState {
        /// Both sides bring their evidence.
        Open = "open",
        /// Decided, and what was decided is done.
        Executed = "executed",
        /// Who opened it does not want it any more.
        Withdrawn = "withdrawn",
    }
    /// What the operator decides.
    Decision {
        /// All of what is left goes back.
        Full = "full",
        /// A part goes back.
        Part = "part",
        /// Nothing goes back.
        Reject = "reject",
        /// The merchant sends another one.
        Exchange = "exchange",
    }
    /// Where the goods of an order stand in the merchant's stock.
    StockState {
        /// Nobody else can buy them.
        Reserved = "reserved",
        /// They are the buyer's.
        Taken = "taken",
        /// They can be bought again.
        Released = "released",
    }
    /// What becomes of money that goes back.
    RefundState {
        /// Payments was asked.
        Requested = "requested",
        /// It is back.
        Succeeded = "succeeded",
        /// The channel would not take it: all is as before the refund.
        Failed = "failed",
        /// The channel would not take it: it is in the buyer's wallet.
        Credited = "credited",
    }
}

impl AfterSaleState {
    /// Whether something is still to happen.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Self::Requested
                | Self::Agreed
                | Self::Returned
                | Self::Received
                | Self::Refunding
                | Self::RefundFailed
        )
    }
}
