//! Storing merchants: with who changed what, with the moment at which their papers end, and with the facts of it.

use kernel::{Actor, CategoryId, Timestamp};
use store::Tx;
use wire::event::MerchantEdited;

use crate::context::Context;
use crate::domain::{
    Category, Merchant, MerchantState, QualificationKind, REMIND_MS, Reason, expiry,
    unknown_category,
};
use crate::facts;
use crate::store::merchants::{self, Edit};
use crate::store::qualifications::{self, Owner};
use crate::store::{categories, contracts};

/// What somebody changed, and why.
pub(crate) struct Changed<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// What.
    pub fields: &'a [&'static str],
    /// Whether it was done for the merchant by the platform.
    pub on_behalf: bool,
    /// Why.
    pub reason: Option<&'a Reason>,
}

/// When something of the papers of a merchant is to be told: a while before the first of them ends.
pub(crate) fn due_at(merchant: &Merchant, now: Timestamp) -> Option<Timestamp> {
    let ends = merchant.expires_at.filter(|ends| *ends > now)?;
    Some(ends.plus_millis(-REMIND_MS))
}

/// Stores a merchant's next version, keeps who made it, and tells both.
pub(crate) async fn save(
    context: &Context,
    tx: &Tx,
    after: &Merchant,
    changed: &Changed<'_>,
) -> anyhow::Result<()> {
    merchants::update_merchant(tx, after, due_at(after, context.now)).await?;
    if after.state == MerchantState::Ended {
        merchants::set_due(tx, &after.id, None).await?;
        if contracts::last(tx, tx.tenant(), &after.id).await?.is_some() {
            facts::contract_ended(context, tx, &after.id).await?;
        }
    }
    let fields = changed.fields.iter().map(|field| (*field).to_owned());
    let edit = Edit {
        version: after.version,
        fields: fields.collect(),
        on_behalf: changed.on_behalf,
        reason: changed.reason.map(|reason| reason.as_str().to_owned()),
        actor: changed.actor.id.clone(),
        at: context.now,
    };
    merchants::insert_edit(tx, &after.id, &edit).await?;
    let fact = MerchantEdited {
        merchant: after.id.clone(),
        version: edit.version,
        fields: edit.fields,
        on_behalf: edit.on_behalf,
        reason: edit.reason,
        actor: edit.actor,
    };
    facts::append(context, tx, &fact).await?;
    facts::merchant_changed(context, tx, after).await
}

/// The categories of these ids, each with those above it.
pub(crate) async fn known_categories(tx: &Tx, ids: &[CategoryId]) -> anyhow::Result<Vec<Category>> {
    let mut known: Vec<Category> = Vec::new();
    for id in ids {
        let category = category_of(tx, id).await?;
        let mut above = category.parent.clone();
        known.push(category);
        while let Some(id) = above {
            let category = category_of(tx, &id).await?;
            above = category.parent.clone();
            known.push(category);
        }
    }
    Ok(known)
}

async fn category_of(tx: &Tx, id: &CategoryId) -> anyhow::Result<Category> {
    let found = categories::category(tx, tx.tenant(), id).await?;
    Ok(found.ok_or_else(unknown_category)?)
}

/// The kinds of papers that selling in these categories needs.
pub(crate) fn needed(categories: &[Category]) -> Vec<QualificationKind> {
    let own = categories.iter().flat_map(|category| &category.required);
    let mut kinds: Vec<QualificationKind> = own.copied().collect();
    kinds.push(QualificationKind::BusinessLicence);
    kinds.sort();
    kinds.dedup();
    kinds
}

/// The merchant with the moment at which its papers end, by what is stored of them.
pub(crate) async fn with_expiry(tx: &Tx, merchant: Merchant) -> anyhow::Result<Merchant> {
    let needed = needed(&known_categories(tx, &merchant.categories).await?);
    let owner = Owner::Merchant(&merchant.id);
    let papers = qualifications::papers(tx, tx.tenant(), owner).await?;
    Ok(Merchant {
        expires_at: expiry(&needed, &papers),
        ..merchant
    })
}
