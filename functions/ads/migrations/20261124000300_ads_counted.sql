-- What is counted for a viewer besides what the seen line itself limits: somebody's line limits it, so that views of
-- every line count. `spans` is the sum of 1 for hours, 2 for days, 4 for weeks and 8 for months.
create table ads_counted (
    tenant text not null,
    subject text not null,
    spans bigint not null check (spans between 1 and 15),
    primary key (tenant, subject)
);

-- Lines that limited something before this was known: all of it is counted.
insert into ads_counted (tenant, subject, spans)
    select distinct tenant, 'advertiser:' || merchant, 15 from ads_line where caps like '%"advertiser"%';
insert into ads_counted (tenant, subject, spans)
    select distinct tenant, 'placement:' || placement, 15 from ads_line where caps like '%"placement"%';
insert into ads_counted (tenant, subject, spans)
    select distinct lc.tenant, 'creative:' || lc.creative, 15 from ads_line_creative lc
        join ads_line l on l.tenant = lc.tenant and l.id = lc.line where l.caps like '%"creative"%';
