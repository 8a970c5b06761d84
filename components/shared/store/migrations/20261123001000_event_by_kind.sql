-- Consumers look for the kinds of facts that concern them: whoever is woken in vain finds that out in one statement.
create index event_by_kind on event (tenant, kind, seq);
