-- Gateways and terminals, whether gateways are there, and what they are told.
-- Portable: SQLite and PostgreSQL. Times are epoch milliseconds, JSON is text.

create table devices_device (
    tenant text not null,
    id text not null,
    kind text not null,
    -- Where it stands and what it is; absent until somebody says.
    community text,
    name text,
    model text,
    location text,
    -- The gateway that speaks for it; of a gateway, the one it hangs on.
    gateway text,
    -- Whether its gateway reaches it, as far as that was told.
    reachable bigint check (reachable in (0, 1)),
    version bigint not null check (version > 0),
    primary key (tenant, id),
    check ((community is null) = (name is null))
);

create index devices_device_by_gateway on devices_device (tenant, gateway, id);

create table devices_gateway (
    tenant text not null,
    id text not null,
    profile text not null check (profile in ('wired', 'cellular', 'battery')),
    -- Absent until it was heard for the first time.
    online bigint check (online in (0, 1)),
    since bigint,
    cause text check (cause in ('session', 'last_will', 'inactivity')),
    -- To the minute: a heartbeat within a minute of the last one writes nothing.
    last_seen bigint,
    -- When silence makes it offline; absent while it is not online.
    silent_at bigint,
    software text,
    started_at bigint,
    configuration text not null,
    configuration_version bigint not null check (configuration_version >= 0),
    applied_version bigint,
    primary key (tenant, id),
    foreign key (tenant, id) references devices_device (tenant, id),
    check ((online is null) = (since is null) and (online is null) = (cause is null)),
    check (online is not null or silent_at is null)
);

create index devices_gateway_silent on devices_gateway (silent_at) where silent_at is not null;

create table devices_command (
    tenant text not null,
    id text not null,
    gateway text not null,
    action text not null check (action in ('configure', 'restart', 'ping')),
    -- Of a configuration.
    configuration_version bigint,
    requested_by text,
    requested_at bigint not null,
    expires_at bigint not null,
    state text not null
        check (state in ('queued', 'sent', 'accepted', 'done', 'failed', 'timeout', 'expired', 'cancelled')),
    state_at bigint not null,
    reason text,
    primary key (tenant, id),
    foreign key (tenant, gateway) references devices_gateway (tenant, id),
    check ((action = 'configure') = (configuration_version is not null))
);

create index devices_command_by_gateway on devices_command (tenant, gateway, id);
create index devices_command_open on devices_command (expires_at) where state in ('queued', 'sent', 'accepted');
