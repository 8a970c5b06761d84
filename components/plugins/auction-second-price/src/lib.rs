//! Everybody pays the next bid and an increment (第二价格加价): the plugin `linli:auction/ranking`. How rounds are held
//! stands in `components/shared/auction`.

auction::plug!(auction::Rule::SecondPrice);
