//! Platform accounts, who acts for them, and the fees that were taken.

use anyhow::Context as _;
use kernel::{ActorId, TenantId, Timestamp};
use store::{Read, Row, Tx};
use web::Page;

use crate::domain::{Fee, Month, Party, PlatformAccount, Use};

statements! {
    PUT = "insert into settlement_platform_account (tenant, id, kind, name, community, fee_minor, charge_day, state,
            owed_period, owed_minor, charge_at, version, changed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        on conflict (tenant, id) do update set kind = excluded.kind, name = excluded.name,
            community = excluded.community, fee_minor = excluded.fee_minor, charge_day = excluded.charge_day,
            state = excluded.state, owed_period = excluded.owed_period, owed_minor = excluded.owed_minor,
            charge_at = excluded.charge_at, version = excluded.version, changed_at = excluded.changed_at";

    ACCOUNT = "select id, kind, name, community, fee_minor, charge_day, state, owed_period, owed_minor, charge_at, version
        from settlement_platform_account where tenant = $1 and id = $2";

    ACCOUNTS = "select id, kind, name, community, fee_minor, charge_day, state, owed_period, owed_minor, charge_at,
            version
        from settlement_platform_account
        where tenant = $1
          and (cast($2 as text) is null
            or id in (select account from settlement_holder where tenant = $1 and person = $2))
          and (cast($3 as text) is null or id > $3)
        order by id limit $4";

    DUE = "select tenant, id from settlement_platform_account where state = 'active' and charge_at <= $1
        order by charge_at, id limit $2";

    DROP_HOLDERS = "delete from settlement_holder where tenant = $1 and account = $2";

    ADD_HOLDER = "insert into settlement_holder (tenant, account, person) values ($1, $2, $3)
        on conflict (tenant, account, person) do nothing";

    HOLDERS = "select person from settlement_holder where tenant = $1 and account = $2 order by person limit 200";

    INSERT_CHARGE = "insert into settlement_charge (tenant, account, period, amount_minor, charged_at)
        values ($1, $2, $3, $4, $5)
        on conflict (tenant, account, period) do nothing returning period";

    CHARGES = "select period, amount_minor, charged_at from settlement_charge
        where tenant = $1 and account = $2 and (cast($3 as text) is null or period < $3) order by period desc limit $4";
}

/// A fee that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(crate) period: Month,
    pub(crate) amount_minor: i64,
    pub(crate) charged_at: Timestamp,
}

/// Stores an account.
pub(crate) async fn put(tx: &Tx, account: &PlatformAccount, now: Timestamp) -> anyhow::Result<()> {
    let (period, owed_minor) = match &account.state {
        Use::Suspended { period, owed_minor } => (Some(period.to_string()), *owed_minor),
        Use::Active | Use::Closed => (None, 0),
    };
    let parameters = [
        tx.tenant().into(),
        (&account.id).into(),
        account.party.as_str().into(),
        (&account.name).into(),
        (&account.community).into(),
        account.fee_minor.into(),
        u32::from(account.charge_day).into(),
        account.state.as_str().into(),
        period.into(),
        owed_minor.into(),
        account.charge_at.into(),
        account.version.into(),
        now.into(),
    ];
    tx.execute(PUT, &parameters).await
}

/// Says who acts for an account.
pub(crate) async fn put_holders(
    tx: &Tx,
    account: &ActorId,
    holders: &[ActorId],
) -> anyhow::Result<()> {
    tx.execute(DROP_HOLDERS, &[tx.tenant().into(), account.into()])
        .await?;
    for person in holders {
        tx.execute(
            ADD_HOLDER,
            &[tx.tenant().into(), account.into(), person.into()],
        )
        .await?;
    }
    Ok(())
}

/// Who acts for an account.
pub(crate) async fn holders(
    db: &impl Read,
    tenant: &TenantId,
    account: &ActorId,
) -> anyhow::Result<Vec<ActorId>> {
    let rows = db.rows(HOLDERS, &[tenant.into(), account.into()]).await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// The account.
pub(crate) async fn account(
    db: &impl Read,
    tenant: &TenantId,
    id: &ActorId,
) -> anyhow::Result<Option<PlatformAccount>> {
    let row = db.row(ACCOUNT, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read).transpose()
}

/// The accounts: all, or those that a person acts for.
pub(crate) async fn accounts(
    db: &impl Read,
    (tenant, person): (&TenantId, Option<&ActorId>),
    page: &Page<ActorId>,
) -> anyhow::Result<Vec<PlatformAccount>> {
    let parameters = [
        tenant.into(),
        person.into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(ACCOUNTS, &parameters).await?;
    rows.iter().map(read).collect()
}

/// The accounts whose charge day has come, at most `limit`.
pub(crate) async fn due(
    db: &impl Read,
    (now, limit): (Timestamp, i64),
) -> anyhow::Result<Vec<(TenantId, ActorId)>> {
    let rows = db.rows(DUE, &[now.into(), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}

/// Keeps that a fee was taken; whether that month's had not been.
pub(crate) async fn insert_charge(
    tx: &Tx,
    account: &ActorId,
    (fee, now): (Fee, Timestamp),
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        account.into(),
        fee.period.to_string().into(),
        fee.amount_minor.into(),
        now.into(),
    ];
    Ok(tx.row(INSERT_CHARGE, &parameters).await?.is_some())
}

/// The fees that were taken, the latest first.
pub(crate) async fn charges(
    db: &impl Read,
    (tenant, account): (&TenantId, &ActorId),
    page: &Page<Month>,
) -> anyhow::Result<Vec<Charge>> {
    let parameters = [
        tenant.into(),
        account.into(),
        page.after.map(|month| month.to_string()).into(),
        page.rows().into(),
    ];
    let rows = db.rows(CHARGES, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Charge {
                period: Month::parse(row.text(0)?)?,
                amount_minor: row.integer(1)?,
                charged_at: row.timestamp(2)?,
            })
        })
        .collect()
}

fn read(row: &Row) -> anyhow::Result<PlatformAccount> {
    let party = row.text(1)?;
    let party = Party::ALL.into_iter().find(|known| known.as_str() == party);
    let state = match row.text(6)? {
        "active" => Use::Active,
        "suspended" => Use::Suspended {
            period: Month::parse(row.text(7)?)?,
            owed_minor: row.integer(8)?,
        },
        "closed" => Use::Closed,
        other => anyhow::bail!("a platform account is {other:?}"),
    };
    Ok(PlatformAccount {
        id: row.id(0)?,
        party: party.context("a party is none")?,
        name: row.text(2)?.to_owned(),
        community: row.id(3)?,
        fee_minor: row.integer(4)?,
        charge_day: u8::try_from(row.integer(5)?)?,
        state,
        charge_at: row.timestamp(9)?,
        version: row.integer(10)?,
    })
}
