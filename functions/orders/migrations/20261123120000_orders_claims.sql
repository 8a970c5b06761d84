-- A claim says itself what was set aside, for which line, how many and when: that movement is not written twice.
create index orders_stock_claim_item on orders_stock_claim (tenant, item, line);

delete from orders_stock_movement where kind = 'reserved';
