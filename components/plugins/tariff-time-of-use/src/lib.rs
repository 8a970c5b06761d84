//! Prices by the time of day (峰谷): the plugin `linli:tariff/rating`. How it rates stands in `components/shared/tariff`.

tariff::plug!(tariff::Kinds::TimeOfUse);
