//! Everybody pays its bid (第一价格): the plugin `linli:auction/ranking`. How rounds are held
//! stands in `components/shared/auction`.

auction::plug!(auction::Rule::FirstPrice);
