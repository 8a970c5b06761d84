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

    LEAVE_HOUSEHOLDS = "delete from fees_household where tenant = $1 and person = $2";
}

/// Puts another id wherever this person stands.
pub(crate) async fn rename(tx: &Tx, person: &ActorId, new: &str) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), person.into(), new.into()];
    for statement in [
        RENAME_IN_HOUSEHOLDS,
        RENAME_IN_PAYMENTS,
        RENAME_IN_REFUNDS,
        RENAME_IN_RECHARGES,
        RENAME_IN_RULES,
        RENAME_IN_TARIFFS,
        RENAME_IN_RUNS,
    ] {
        tx.execute(statement, &parameters).await?;
    }
    Ok(())
}

/// Forgets a person: what they owed and paid stays, without them.
pub(crate) async fn erase(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), person.into()];
    tx.execute(LEAVE_HOUSEHOLDS, &parameters).await?;
    rename(tx, person, ERASED).await
}
