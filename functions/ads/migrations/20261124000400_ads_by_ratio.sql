-- Ranks that are sold for a ratio of the sale: the auction is `rank`, and its reserve and bids are in 1/10,000 of the sale.
alter table ads_placement add column by_ratio bigint not null default 0 check (by_ratio in (0, 1));
