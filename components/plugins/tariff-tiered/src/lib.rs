//! Prices by how much was used in a cycle (阶梯): the plugin `linli:tariff/rating`. How it rates stands in `components/shared/tariff`.

tariff::plug!(tariff::Kinds::Tiered);
