-- Tenants, people with their passwords, devices with their credentials.
-- Portable: SQLite and PostgreSQL. Times are epoch milliseconds.

create table identity_tenant (
    id text not null primary key,
    name text not null,
    created_at bigint not null
);

create table identity_person (
    tenant text not null references identity_tenant (id),
    id text not null,
    -- What the person signs in with, in lower case.
    username text not null,
    name text not null,
    kind text not null check (kind in ('resident', 'staff', 'merchant', 'operator', 'auditor')),
    -- Argon2id, as a PHC string.
    password_hash text not null,
    disabled bigint not null check (disabled in (0, 1)),
    version bigint not null check (version > 0),
    created_at bigint not null,
    primary key (tenant, id)
);

create unique index identity_person_by_username on identity_person (tenant, username);

create table identity_membership (
    tenant text not null,
    person text not null,
    community text not null,
    primary key (tenant, person, community),
    foreign key (tenant, person) references identity_person (tenant, id)
);

-- Attempts to sign in that did not succeed (or are being checked); old ones are swept.
create table identity_failure (
    tenant text not null,
    username text not null,
    id text not null,
    failed_at bigint not null,
    primary key (tenant, username, id)
);

create index identity_failure_by_age on identity_failure (failed_at);

create table identity_device (
    tenant text not null references identity_tenant (id),
    id text not null,
    kind text not null,
    name text not null,
    -- The MQTT client id that is this device's alone, in all tenants.
    client_id text not null,
    version bigint not null check (version > 0),
    created_at bigint not null,
    primary key (tenant, id)
);

create unique index identity_device_by_client_id on identity_device (client_id);

-- The devices a gateway speaks for; each has one gateway.
create table identity_child (
    tenant text not null,
    kind text not null,
    child text not null,
    gateway text not null,
    primary key (tenant, kind, child),
    foreign key (tenant, gateway) references identity_device (tenant, id)
);

create index identity_child_by_gateway on identity_child (tenant, gateway);

create table identity_credential (
    tenant text not null,
    device text not null,
    id text not null,
    -- SHA-256 of a secret made here, or Argon2id of one that the caller chose.
    hash text not null,
    created_at bigint not null,
    -- Absent until a newer one takes its place.
    expires_at bigint,
    primary key (tenant, device, id),
    foreign key (tenant, device) references identity_device (tenant, id)
);
