//! The substitution macros of OpenRTB 2.6, section 4.4: an exchange puts values in their places.

/// What becomes of the macros of one bid.
#[derive(Debug, Clone, Default)]
pub struct Macros<'a> {
    /// The id of the request.
    pub auction_id: &'a str,
    /// The id of the response.
    pub bid_id: &'a str,
    /// The id of the impression.
    pub imp_id: &'a str,
    /// Who bids.
    pub seat_id: &'a str,
    /// The id of the advertisement.
    pub ad_id: &'a str,
    /// What is paid, as decimal text.
    pub price: &'a str,
    /// In which currency.
    pub currency: &'a str,
    /// How many views one is.
    pub multiplier: &'a str,
    /// Why it was lost; nothing for what won.
    pub loss: Option<Loss>,
}

/// Why a bid was lost: the reason codes of AdCOM that are said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// It won.
    Won,
    /// A higher bid won.
    Outbid,
}

impl Loss {
    fn code(self) -> &'static str {
        match self {
            Self::Won => "0",
            Self::Outbid => "102",
        }
    }
}

impl Macros<'_> {
    /// The text with all macros that are known in it replaced; what is no macro stays.
    #[must_use]
    pub fn replace(&self, text: &str) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${AUCTION_") {
            replaced.push_str(before);
            match after
                .split_once('}')
                .and_then(|(name, after)| Some((self.value(name)?, after)))
            {
                Some((value, after)) => {
                    replaced.push_str(value);
                    rest = after;
                }
                None => {
                    replaced.push_str("${AUCTION_");
                    rest = after;
                }
            }
        }
        replaced.push_str(rest);
        replaced
    }

    fn value(&self, name: &str) -> Option<&str> {
        match name {
            "ID" => Some(self.auction_id),
            "BID_ID" => Some(self.bid_id),
            "IMP_ID" => Some(self.imp_id),
            "SEAT_ID" => Some(self.seat_id),
            "AD_ID" => Some(self.ad_id),
            "PRICE" | "MIN_TO_WIN" => Some(self.price),
            "CURRENCY" => Some(self.currency),
            "MULTIPLIER" => Some(self.multiplier),
            "LOSS" => Some(self.loss.map_or("", Loss::code)),
            // The bid against the market's: not known here.
            "MBR" => Some(""),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn macros() -> Macros<'static> {
        Macros {
            auction_id: "r1",
            bid_id: "b1",
            imp_id: "1",
            seat_id: "m1",
            ad_id: "k1",
            price: "1.20",
            currency: "CNY",
            multiplier: "1",
            loss: Some(Loss::Outbid),
        }
    }

    #[test]
    fn every_macro_becomes_its_value_and_what_is_none_stays() {
        let check = |text, expected| assert_eq!(macros().replace(text), expected);
        check("p=${AUCTION_PRICE}&c=${AUCTION_CURRENCY}", "p=1.20&c=CNY");
        check(
            "${AUCTION_ID}/${AUCTION_BID_ID}/${AUCTION_IMP_ID}/${AUCTION_SEAT_ID}/${AUCTION_AD_ID}",
            "r1/b1/1/m1/k1",
        );
        check("${AUCTION_LOSS}${AUCTION_MBR}${AUCTION_MULTIPLIER}", "1021");
        check(
            "${AUCTION_WHAT} ${AUCTION_PRICE ${OTHER}",
            "${AUCTION_WHAT} ${AUCTION_PRICE ${OTHER}",
        );
    }

    proptest! {
        #[test]
        fn text_without_macros_stays_as_it_is(text in "[^A]{0,60}") {
            prop_assert_eq!(macros().replace(&text), text);
        }
    }
}
