//! What meters measure, and the bands of the day that electricity is priced by.

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every one, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name on the wire and in the database.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The one of that name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == text)
            }
        }
    };
}

named! {
    /// What a meter measures.
    Commodity {
        /// Electricity (电), in kWh.
        Electricity = "electricity",
        /// Cold water (水), in m3.
        Water = "water",
        /// Hot water (热水), in m3.
        HotWater = "hot_water",
        /// Heat (暖), in kWh.
        Heat = "heat",
        /// Gas (燃气), in m3.
        Gas = "gas",
    }
}

named! {
    /// The unit of a register; a [`crate::Quantity`] counts thousandths of it.
    MeterUnit {
        /// Kilowatt hours.
        Kwh = "kwh",
        /// Cubic metres.
        M3 = "m3",
    }
}

named! {
    /// A band of the day with a price of its own (尖峰平谷).
    TimeBand {
        /// 尖: the dearest hours.
        Sharp = "sharp",
        /// 峰: dear hours.
        Peak = "peak",
        /// 平: ordinary hours.
        Flat = "flat",
        /// 谷: cheap hours, at night.
        Valley = "valley",
    }
}

impl Commodity {
    /// The unit that usage of it is counted in.
    #[must_use]
    pub fn unit(self) -> MeterUnit {
        match self {
            Self::Electricity | Self::Heat => MeterUnit::Kwh,
            Self::Water | Self::HotWater | Self::Gas => MeterUnit::M3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_the_database_is_the_name_on_the_wire() {
        for commodity in Commodity::ALL {
            assert_eq!(Commodity::parse(commodity.as_str()), Some(*commodity));
            assert_eq!(serde_json::to_value(commodity).unwrap(), commodity.as_str());
        }
        for unit in MeterUnit::ALL {
            assert_eq!(serde_json::to_value(unit).unwrap(), unit.as_str());
        }
        for band in TimeBand::ALL {
            assert_eq!(serde_json::to_value(band).unwrap(), band.as_str());
        }
    }
}
