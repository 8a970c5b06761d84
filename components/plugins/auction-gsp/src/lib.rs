//! Everybody pays what keeps its slot (广义第二价格): the plugin `linli:auction/ranking`. How rounds are held
//! stands in `components/shared/auction`.

auction::plug!(auction::Rule::Gsp);
