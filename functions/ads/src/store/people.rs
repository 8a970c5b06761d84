//! What is done to everything that is held of one person.

use kernel::ActorId;
use store::Tx;

/// What stands where a person stood who was forgotten. Four eyes stay four: each of the two has a name of its own.
const ERASED: &str = "erased";
const ERASED_REVIEWER: &str = "erased-reviewer";

statements! {
    JOIN_MEMBERS = "insert into ads_member (tenant, merchant, person)
        select tenant, merchant, cast($3 as text) from ads_member where tenant = $1 and person = $2
        on conflict (tenant, person, merchant) do nothing";

    LEAVE_MEMBERS = "delete from ads_member where tenant = $1 and person = $2";

    RENAME_IN_RATES = "update ads_rate set created_by = $3 where tenant = $1 and created_by = $2";

    RENAME_IN_ORDERS = "update ads_order set created_by = $3 where tenant = $1 and created_by = $2";

    RENAME_IN_LINES = "update ads_line set created_by = $3 where tenant = $1 and created_by = $2";

    RENAME_IN_BARTERS = "update ads_barter set
            created_by = case when created_by = $2 then cast($3 as text) else created_by end,
            platform_signed_by = case when platform_signed_by = $2 then cast($3 as text) else platform_signed_by end,
            merchant_signed_by = case when merchant_signed_by = $2 then cast($3 as text) else merchant_signed_by end
        where tenant = $1 and (created_by = $2 or platform_signed_by = $2 or merchant_signed_by = $2)";

    RENAME_IN_REWARDS = "update ads_reward set created_by = $3 where tenant = $1 and created_by = $2";

    RENAME_IN_CREATIVES = "update ads_creative set
            submitted_by = case when submitted_by = $2 and coalesce(reviewed_by, '') <> $3 then cast($3 as text)
                else submitted_by end,
            reviewed_by = case when reviewed_by = $2 and submitted_by <> $4 then cast($4 as text) else reviewed_by end
        where tenant = $1 and (submitted_by = $2 or reviewed_by = $2)";

    RENAME_IN_ARTICLES = "update ads_article set
            written_by = case when written_by = $2 and coalesce(reviewed_by, '') <> $3 then cast($3 as text)
                else written_by end,
            reviewed_by = case when reviewed_by = $2 and written_by <> $4 then cast($4 as text) else reviewed_by end
        where tenant = $1 and (written_by = $2 or reviewed_by = $2)";

    RENAME_IN_CLAIMS = "update ads_claim set person = $3
        where tenant = $1 and person = $2 and (reward, period) not in
            (select c.reward, c.period from ads_claim c where c.tenant = $1 and c.person = $3 and c.state <> 'lapsed')";

    ANONYMIZE_CLAIMS = "update ads_claim set person = 'erased-' || id where tenant = $1 and person = $2";

    FORGET_VIEWS = "delete from ads_frequency where tenant = $1 and viewer = $2";

    ANONYMIZE_REACH = "update ads_reach set viewer = $3 where tenant = $1 and viewer = $2";
}

async fn rename(tx: &Tx, person: &ActorId, (new, reviewer): (&str, &str)) -> anyhow::Result<()> {
    let three = [tx.tenant().into(), person.into(), new.into()];
    for statement in [
        RENAME_IN_RATES,
        RENAME_IN_ORDERS,
        RENAME_IN_LINES,
        RENAME_IN_BARTERS,
        RENAME_IN_REWARDS,
    ] {
        tx.execute(statement, &three).await?;
    }
    let [tenant, old, new] = three;
    let four = [tenant, old, new, reviewer.into()];
    for statement in [RENAME_IN_CREATIVES, RENAME_IN_ARTICLES] {
        tx.execute(statement, &four).await?;
    }
    Ok(())
}

/// A person goes by another id from now on.
pub async fn alias(tx: &Tx, alias: &ActorId, person: &ActorId) -> anyhow::Result<()> {
    let three = [tx.tenant().into(), alias.into(), person.into()];
    tx.execute(JOIN_MEMBERS, &three).await?;
    tx.execute(LEAVE_MEMBERS, &[tx.tenant().into(), alias.into()])
        .await?;
    tx.execute(RENAME_IN_CLAIMS, &three).await?;
    rename(tx, alias, (person.as_str(), person.as_str())).await
}

/// A person is forgotten: what they did stays, who did it does not, nor what they saw. `viewer` is the name under
/// which their views were counted, `nobody` what stands there from now on.
pub async fn erase(
    tx: &Tx,
    person: &ActorId,
    (viewer, nobody): (&str, &str),
) -> anyhow::Result<()> {
    let two = [tx.tenant().into(), person.into()];
    tx.execute(LEAVE_MEMBERS, &two).await?;
    tx.execute(ANONYMIZE_CLAIMS, &two).await?;
    tx.execute(FORGET_VIEWS, &[tx.tenant().into(), viewer.into()])
        .await?;
    tx.execute(
        ANONYMIZE_REACH,
        &[tx.tenant().into(), viewer.into(), nobody.into()],
    )
    .await?;
    rename(tx, person, (ERASED, ERASED_REVIEWER)).await
}
