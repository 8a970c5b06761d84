//! Everybody pays what it costs the others (VCG): the plugin `linli:auction/ranking`. How rounds are held
//! stands in `components/shared/auction`.

auction::plug!(auction::Rule::Vcg);
