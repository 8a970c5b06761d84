//! Flat, tiered and time of use in one: the plugin `linli:tariff/rating`. How it rates stands in `components/shared/tariff`.

tariff::plug!(tariff::Kinds::All);
