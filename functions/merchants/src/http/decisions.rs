//! `/api/merchant-applications/{application}/decision`: somebody else than the applicant lets a merchant in, or not.

use kernel::{Actor, ActorId, CategoryId};
use serde::Deserialize;
use store::Tx;
use web::{Reply, Request};
use wire::event::{MerchantApplicationDecided, MerchantMemberChanged};

use super::applications::{readable, shown_whole};
use super::{answer, caller, private, replied, write};
use crate::context::Context;
use crate::domain::{
    Application, ApplicationState, Decision, Member, Merchant, MerchantState, Reason, Role,
    check_auditor, decide as decided, unknown_application,
};
use crate::rows::first_profile;
use crate::store::applications as sql;
use crate::store::qualifications::{self, Owner};
use crate::store::{members, merchants};
use crate::{facts, keeping};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentDecision {
    decision: Decision,
    reason: Option<Reason>,
    /// The categories in which the merchant may sell; those that were wished for when they are left out.
    categories: Option<Vec<CategoryId>>,
}

pub(super) async fn decide(
    context: &Context,
    request: &Request,
    application: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = readable(context, &actor, application).await?.id;
    check_auditor(&actor)?;
    let sent: SentDecision = web::body(request)?;
    let changed = write(context, request, &actor, async |tx| {
        let before = sql::application(tx, tx.tenant(), &id).await?;
        let before = before.ok_or_else(unknown_application)?;
        let after = apply(context, tx, (&actor, &sent), &before).await?;
        answer(200, &shown_whole(tx, tx.tenant(), &after).await?)
    })
    .await?;
    Ok(private(replied(&changed)?))
}

async fn apply(
    context: &Context,
    tx: &Tx,
    (actor, sent): (&Actor, &SentDecision),
    before: &Application,
) -> anyhow::Result<Application> {
    let granted = sent
        .categories
        .as_ref()
        .unwrap_or(&before.content.categories);
    let needed = keeping::needed(&keeping::known_categories(tx, granted).await?);
    let papers = qualifications::papers(tx, tx.tenant(), Owner::Application(&before.id)).await?;
    let said = (actor, sent.decision, sent.reason.clone());
    let mut after = decided(before, said, (&needed, &papers), context.now)?;
    if after.state == ApplicationState::Approved {
        let merchant = let_in(context, tx, actor, (&after, granted)).await?;
        after.merchant = Some(merchant.id);
    }
    sql::update_application(tx, &after).await?;
    let fact = MerchantApplicationDecided {
        application: after.id.clone(),
        decision: after.state.as_str().to_owned(),
        reason: sent
            .reason
            .as_ref()
            .map(|reason| reason.as_str().to_owned()),
        merchant: after.merchant.clone(),
        applicant: after.applicant.clone(),
        actor: Some(actor.id.clone()),
    };
    facts::append(context, tx, &fact).await?;
    Ok(after)
}

/// Makes the merchant of an approved application; only now is an account asked for.
async fn let_in(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (application, granted): (&Application, &[CategoryId]),
) -> anyhow::Result<Merchant> {
    let content = &application.content;
    let mut categories = granted.to_vec();
    categories.sort();
    categories.dedup();
    let merchant = Merchant {
        id: context.new_id()?,
        application: application.id.clone(),
        company: content.company.clone(),
        credit_code: content.credit_code.as_str().to_owned(),
        contact: content.contact.clone(),
        phone: application.phone.clone(),
        phone_digest: application.phone_digest.clone(),
        profile: first_profile(content),
        mode: content.mode,
        state: MerchantState::Active,
        state_reason: None,
        wants_open: false,
        expires_at: None,
        standing: None,
        categories,
        version: 1,
        created_at: context.now,
    };
    qualifications::hand_over(tx, &application.id, &merchant.id, &actor.id).await?;
    let merchant = keeping::with_expiry(tx, merchant).await?;
    let due_at = keeping::due_at(&merchant, context.now);
    merchants::insert_merchant(tx, &merchant, due_at).await?;
    let (person, is_new) = owner_of(context, tx, application).await?;
    let owner = Member {
        person: person.clone(),
        role: Role::Owner,
        name: content.contact.clone(),
        phone: application.phone.masked(),
        added_by: actor.id.clone(),
        added_at: context.now,
    };
    members::insert_member(tx, &merchant.id, &owner).await?;
    if is_new {
        let account = (&person, application.phone_digest.as_str());
        facts::account_requested(context, tx, account, &actor.id).await?;
    }
    let fact = MerchantMemberChanged {
        merchant: merchant.id.clone(),
        person,
        role: Role::Owner.as_str().to_owned(),
        gone: false,
        actor: actor.id.clone(),
    };
    facts::append(context, tx, &fact).await?;
    facts::merchant_changed(context, tx, &merchant).await?;
    Ok(merchant)
}

/// Whose account is to act for the merchant: the applicant's when it acts for one already, else one that is to be made.
async fn owner_of(
    context: &Context,
    tx: &Tx,
    application: &Application,
) -> anyhow::Result<(ActorId, bool)> {
    if let Some(applicant) = &application.applicant
        && !members::shops_of(tx, applicant).await?.is_empty()
    {
        return Ok((applicant.clone(), false));
    }
    Ok((context.new_id()?, true))
}
