//! What is done to everything that is held of one person.

use kernel::ActorId;
use store::Tx;

/// What stands where a person stood who was forgotten. Four eyes stay four: each of the two has a name of its own.
pub(crate) const ERASED: &str = "erased";
const ERASED_REVIEWER: &str = "erased-reviewer";

statements! {
    JOIN_MEMBERS = "insert into settlement_member (tenant, merchant, person)
        select tenant, merchant, cast($3 as text) from settlement_member where tenant = $1 and person = $2
        on conflict (tenant, merchant, person) do nothing";

    LEAVE_MEMBERS = "delete from settlement_member where tenant = $1 and person = $2";

    JOIN_HOLDERS = "insert into settlement_holder (tenant, account, person)
        select tenant, account, cast($3 as text) from settlement_holder where tenant = $1 and person = $2
        on conflict (tenant, account, person) do nothing";

    LEAVE_HOLDERS = "delete from settlement_holder where tenant = $1 and person = $2";

    RENAME_IN_PAYMENTS = "update settlement_payment set payer = $3 where tenant = $1 and payer = $2";

    RENAME_IN_OBJECTIONS = "update settlement_objection set
            raised_by = case when raised_by = $2 then cast($3 as text) else raised_by end,
            decided_by = case when decided_by = $2 then cast($4 as text) else decided_by end
        where tenant = $1 and (raised_by = $2 or decided_by = $2)";

    RENAME_IN_STATEMENTS = "update settlement_statement set reviewed_by = $3 where tenant = $1 and reviewed_by = $2";

    RENAME_IN_WITHDRAWALS = "update settlement_withdrawal set
            requested_by = case when requested_by = $2 and coalesce(reviewed_by, '') <> $3 and coalesce(paid_by, '') <> $3
                then cast($3 as text) else requested_by end,
            reviewed_by = case when reviewed_by = $2 and requested_by <> $4 then cast($4 as text) else reviewed_by end,
            paid_by = case when paid_by = $2 and requested_by <> $4 then cast($4 as text) else paid_by end
        where tenant = $1 and (requested_by = $2 or reviewed_by = $2 or paid_by = $2)";

    RENAME_IN_DEPOSIT_REFUNDS = "update settlement_deposit_refund set
            requested_by = case when requested_by = $2 and coalesce(decided_by, '') <> $3 then cast($3 as text)
                else requested_by end,
            decided_by = case when decided_by = $2 and requested_by <> $4 then cast($4 as text) else decided_by end
        where tenant = $1 and (requested_by = $2 or decided_by = $2)";

    RENAME_IN_RUNS = "update settlement_run set created_by = $3 where tenant = $1 and created_by = $2";
}

/// Puts other ids wherever this person stands: one for what they asked for, one for what they decided. Where the one
/// who asked and the one who decided turn out to be the same, the old id stays, for all to see.
async fn rename(tx: &Tx, person: &ActorId, (new, reviewer): (&str, &str)) -> anyhow::Result<()> {
    let three = [tx.tenant().into(), person.into(), new.into()];
    for statement in [RENAME_IN_PAYMENTS, RENAME_IN_STATEMENTS, RENAME_IN_RUNS] {
        tx.execute(statement, &three).await?;
    }
    let four = [
        tx.tenant().into(),
        person.into(),
        new.into(),
        reviewer.into(),
    ];
    for statement in [
        RENAME_IN_OBJECTIONS,
        RENAME_IN_WITHDRAWALS,
        RENAME_IN_DEPOSIT_REFUNDS,
    ] {
        tx.execute(statement, &four).await?;
    }
    Ok(())
}

/// One person was known by two ids.
pub(crate) async fn alias(tx: &Tx, alias: &ActorId, person: &ActorId) -> anyhow::Result<()> {
    let three = [tx.tenant().into(), alias.into(), person.into()];
    tx.execute(JOIN_MEMBERS, &three).await?;
    tx.execute(JOIN_HOLDERS, &three).await?;
    leave(tx, alias).await?;
    rename(tx, alias, (person.as_str(), person.as_str())).await
}

/// Forgets a person: what was decided and paid stays, without them.
pub(crate) async fn erase(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    leave(tx, person).await?;
    rename(tx, person, (ERASED, ERASED_REVIEWER)).await
}

async fn leave(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    let two = [tx.tenant().into(), person.into()];
    tx.execute(LEAVE_MEMBERS, &two).await?;
    tx.execute(LEAVE_HOLDERS, &two).await
}
