//! What the event log hears of a change: the audit trail, and what other capabilities consume.

use kernel::{ActorId, MerchantId};
use store::{Tx, events};
use wire::event::{
    AccountRequested, CategoryChanged, CommissionRuleChanged, ContractChanged, ContractEnded,
    Event, MerchantChanged,
};

use crate::context::Context;
use crate::domain::{Category, Contract, Merchant, Month, Rule};
use crate::store::members;

/// Appends a fact.
pub(crate) async fn append<Fact: Event>(
    context: &Context,
    tx: &Tx,
    fact: &Fact,
) -> anyhow::Result<()> {
    events::append(tx, &context.new_id()?, context.now, fact).await?;
    Ok(())
}

/// A merchant is new or otherwise than before.
pub(crate) async fn merchant_changed(
    context: &Context,
    tx: &Tx,
    merchant: &Merchant,
) -> anyhow::Result<()> {
    let members = member_ids(tx, merchant).await?;
    let fact = MerchantChanged {
        merchant: merchant.id.clone(),
        name: merchant.profile.name.as_str().to_owned(),
        mode: merchant.mode,
        open: merchant.is_open(context.now),
        communities: merchant.profile.communities.clone(),
        categories: merchant.categories.clone(),
        members,
        version: merchant.version,
    };
    append(context, tx, &fact).await
}

/// Whose accounts act for the merchant.
pub(crate) async fn member_ids(tx: &Tx, merchant: &Merchant) -> anyhow::Result<Vec<ActorId>> {
    let members = members::members(tx, tx.tenant(), &merchant.id).await?;
    Ok(members.into_iter().map(|member| member.person).collect())
}

/// Somebody who acts for a merchant needs an account.
pub(crate) async fn account_requested(
    context: &Context,
    tx: &Tx,
    (person, phone_digest): (&ActorId, &str),
    actor: &ActorId,
) -> anyhow::Result<()> {
    let fact = AccountRequested {
        person: person.clone(),
        kind: kernel::ActorKind::Merchant,
        phone: phone_digest.to_owned(),
        actor: actor.clone(),
    };
    append(context, tx, &fact).await
}

/// A category is new or otherwise than before.
pub(crate) async fn category_changed(
    context: &Context,
    tx: &Tx,
    category: &Category,
) -> anyhow::Result<()> {
    let fact = CategoryChanged {
        category: category.id.clone(),
        parent: category.parent.clone(),
        name: category.name.as_str().to_owned(),
        kind: category.kind,
        operator: category.operator.clone(),
        gone: category.gone,
    };
    append(context, tx, &fact).await
}

/// A commission rule is new or otherwise than before.
pub(crate) async fn rule_changed(context: &Context, tx: &Tx, rule: &Rule) -> anyhow::Result<()> {
    let fact = CommissionRuleChanged {
        rule: rule.id.clone(),
        version: rule.version,
        merchant: rule.scope.merchant.clone(),
        category: rule.scope.category.clone(),
        kind: rule.scope.kind,
        rate_bps: rule.terms.rate_bps,
        includes_freight: rule.terms.includes_freight,
        from: rule.terms.from,
        until: rule.terms.until,
    };
    append(context, tx, &fact).await
}

/// Nothing is agreed with a merchant any more, from the next month on.
pub(crate) async fn contract_ended(
    context: &Context,
    tx: &Tx,
    merchant: &MerchantId,
) -> anyhow::Result<()> {
    let fact = ContractEnded {
        merchant: merchant.clone(),
        from: Month::of(context.now).next().to_string(),
        at: context.now,
    };
    append(context, tx, &fact).await
}

/// A contract has a version more.
pub(crate) async fn contract_changed(
    context: &Context,
    tx: &Tx,
    contract: &Contract,
) -> anyhow::Result<()> {
    let terms = contract.terms;
    let fact = ContractChanged {
        merchant: contract.merchant.clone(),
        version: contract.version,
        from: contract.from.to_string(),
        collection: terms.collection,
        due_day: terms.due_day,
        objection_days: terms.objection_days,
        confirm_days: terms.confirm_days,
        deposit_minor: terms.deposit_minor,
        reopening_percent: terms.reopening_percent,
        hosting_fee_minor: terms.hosting_fee_minor,
        maintenance_fee_minor: terms.maintenance_fee_minor,
        platform_fee_minor: terms.platform_fee_minor,
        currency: terms.currency,
    };
    append(context, tx, &fact).await
}
