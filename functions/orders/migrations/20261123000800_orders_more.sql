-- What runs in a shop is looked for with every basket.
create index orders_promotion_shop on orders_promotion (tenant, merchant, state, ends_at);

-- Until when the buyer can give up what is booked; none for goods.
alter table orders_order add column cancel_until bigint;
