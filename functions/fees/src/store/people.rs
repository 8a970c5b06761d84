//! What is done to everything that is held of one person.

use kernel::ActorId;
use store::Tx;

/// What stands where a person stood who was forgotten.
pub(crate) const ERASED: &str = "erased";

statements! {
    RENAME_IN_HOUSEHOLDS = "update fees_household set person = $3 where tenant = $1 and person = $2";

    RENAME_IN_PAYMENTS = "update fees_payment set payer = $3 where tenant = $1 and payer = $2";

    RENAME_IN_REFUNDS = "update fees_refund set
            payer = case when payer = $2 then cast($3 as text) else payer end,
            requested_by = case when requested_by = $2 then cast($3 as text) else requested_by end
        where tenant = $1 and (payer = $2 or requested_by = $2)";

    RENAME_IN_RECHARGES = "update fees_recharge set payer = $3 where tenant = $1 and payer = $2";

    RENAME_IN_RULES = "update fees_rule set changed_by = $3 where tenant = $1 and changed_by = $2";

    RENAME_IN_TARIFFS = "update fees_tariff set changed_by = $3 where tenant = $1 and changed_by = $2";

    RENAME_IN_RUNS = "update fees_run set created_by = $3 where tenant = $1 and created_by = $2";

    RENAME_IN_TAKEN = "update fees_payment set taken_by = $3 where tenant = $1 and taken_by = $2";

    RENAME_IN_COUPONS = "update fees_coupon set person = $3 where tenant = $1 and person = $2";

    RENAME_IN_ISSUED = "update fees_coupon set issued_by = $3 where tenant = $1 and issued_by = $2";

    RENAME_IN_POINTS = "update fees_points_entry set person = $3 where tenant = $1 and person = $2";

    RENAME_IN_GRANTS = "update fees_points_entry set actor = $3 where tenant = $1 and actor = $2";

    RENAME_IN_CASH = "update fees_cash_entry set cashier = $3 where tenant = $1 and cashier = $2";

    RENAME_IN_CLOSES = "update fees_cash_close set cashier = $3 where tenant = $1 and cashier = $2";

    ADD_POINTS = "insert into fees_points (tenant, community, person, balance)
        select tenant, community, cast($3 as text), balance from fees_points where tenant = $1 and person = $2
        on conflict (tenant, community, person) do update set balance = fees_points.balance + excluded.balance";

    LEAVE_POINTS = "delete from fees_points where tenant = $1 and person = $2";

    LEAVE_HOUSEHOLDS = "delete from fees_household where tenant = $1 and person = $2";
}

/// Puts another id wherever this person stands.
async fn rename(tx: &Tx, person: &ActorId, new: &str) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), person.into(), new.into()];
    for statement in [
        RENAME_IN_HOUSEHOLDS,
        RENAME_IN_PAYMENTS,
        RENAME_IN_REFUNDS,
        RENAME_IN_RECHARGES,
        RENAME_IN_RULES,
        RENAME_IN_TARIFFS,
        RENAME_IN_RUNS,
        RENAME_IN_TAKEN,
        RENAME_IN_COUPONS,
        RENAME_IN_ISSUED,
        RENAME_IN_POINTS,
        RENAME_IN_GRANTS,
        RENAME_IN_CASH,
        RENAME_IN_CLOSES,
    ] {
        tx.execute(statement, &parameters).await?;
    }
    Ok(())
}

/// Two ids turned out to be one person: what the one has is the other's.
pub(crate) async fn merge(tx: &Tx, alias: &ActorId, person: &ActorId) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), alias.into(), person.into()];
    tx.execute(ADD_POINTS, &parameters).await?;
    tx.execute(LEAVE_POINTS, &[tx.tenant().into(), alias.into()])
        .await?;
    rename(tx, alias, person.as_str()).await
}

/// Forgets a person: what they owed and paid stays, without them.
pub(crate) async fn erase(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), person.into()];
    tx.execute(LEAVE_HOUSEHOLDS, &parameters).await?;
    tx.execute(LEAVE_POINTS, &parameters).await?;
    rename(tx, person, ERASED).await
}
