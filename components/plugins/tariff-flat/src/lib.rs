//! One price for every unit: the plugin `linli:tariff/rating`. How it rates stands in `components/shared/tariff`.

tariff::plug!(tariff::Kinds::Flat);
