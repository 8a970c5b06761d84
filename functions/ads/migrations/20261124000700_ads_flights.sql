-- What lines may still spend is asked of those in flight, without their rows: more are booked ahead than one answer holds.
drop index ads_line_shown;
create index ads_line_shown on ads_line (tenant, placement, live, id, pricing, starts_on, ends_on) where live = 1;
