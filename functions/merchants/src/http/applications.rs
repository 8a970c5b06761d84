//! `/api/merchant-applications`: somebody with an account asks to be let in as a merchant.

use kernel::{Actor, MerchantApplicationId, Message, Phone, Refusal, TenantId};
use serde::Deserialize;
use serde_json::Value;
use store::{Answer, Read, Tx};
use web::{IfMatch, Query, Reply, Request};
use wire::event::{MerchantApplicationDecided, MerchantApplicationSubmitted};

use super::qualifications::too_many_papers;
use super::shown::{self, file_reply, sent_paper};
use super::{answer, caller, path_id, private, replied, stored, write};
use crate::context::Context;
use crate::domain::{
    Application, ApplicationState, Content, QUALIFICATIONS_MAX, Role, check_people, check_rate,
    edit, may_read, submit as submitted, unknown_application, unknown_category, unknown_community,
    unknown_qualification, withdraw as withdrawn,
};
use crate::store::applications as sql;
use crate::store::qualifications::{self, Owner};
use crate::store::{categories, members, people};
use crate::{facts, inbox};

/// What an applicant sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sent {
    /// The number that the account will be handed over to.
    pub(super) phone: Phone,
    #[serde(flatten)]
    pub(super) content: Content,
}

/// Who changes an application, and which; none is an applicant without an account.
pub(super) struct Party<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) actor: Option<&'a Actor>,
    pub(super) application: &'a MerchantApplicationId,
}

impl Party<'_> {
    /// The name among those who send idempotency keys.
    fn name(&self) -> String {
        match self.actor {
            Some(actor) => web::name_of(actor),
            None => format!("applicant/{}", self.application),
        }
    }

    /// The application as it stands, for the one whose it is.
    async fn own(&self, db: &impl Read) -> anyhow::Result<Application> {
        let found = sql::application(db, self.tenant, self.application).await?;
        let found = found.ok_or_else(unknown_application)?;
        let is_person = self.actor.is_none_or(|actor| check_people(actor).is_ok());
        if is_person && found.applicant.as_ref() == self.actor.map(|actor| &actor.id) {
            return Ok(found);
        }
        match self.actor {
            Some(actor) if may_read(actor) => Err(applicant_only().into()),
            _ => Err(unknown_application().into()),
        }
    }
}

pub(super) async fn begin(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_people(&actor)?;
    let sent: Sent = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let id = context.new_id()?;
    let party = Party {
        tenant: &actor.tenant,
        actor: Some(&actor),
        application: &id,
    };
    let made = begin_as(context, request, &party, sent).await?;
    Ok(private(stored(&made, "/api/merchant-applications")?))
}

/// Begins an application. The answer names it.
pub(super) async fn begin_as(
    context: &Context,
    request: &Request,
    party: &Party<'_>,
    sent: Sent,
) -> anyhow::Result<Answer> {
    let new = Application {
        id: party.application.clone(),
        state: ApplicationState::Draft,
        applicant: party.actor.map(|actor| actor.id.clone()),
        phone_digest: web::phone_digest(&context.token_secret, party.tenant, &sent.phone)?,
        phone: sent.phone,
        content: sent.content.checked()?,
        round: 0,
        version: 1,
        created_at: context.now,
        submitted_at: None,
        outcome: None,
        merchant: None,
    };
    // Whoever has no account yet is known by the number.
    let name = match party.actor {
        Some(actor) => web::name_of(actor),
        None => format!("applicant/{}", new.phone_digest),
    };
    write(
        context,
        request,
        (party.tenant, name.as_str()),
        async |tx| {
            check_content(tx, &new.content).await?;
            let (of_phone, strangers) = sql::recent(tx, &new.phone_digest, context.now).await?;
            let of_tenant = if new.applicant.is_some() {
                0
            } else {
                strangers
            };
            check_rate(of_phone, of_tenant)?;
            sql::insert_application(tx, &new).await?;
            answer(201, &shown::application(&new, &[], None))
        },
    )
    .await
}

/// The community and the categories are there.
async fn check_content(tx: &Tx, content: &Content) -> anyhow::Result<()> {
    if !people::is_community(tx, tx.tenant(), &content.community).await? {
        return Err(unknown_community().into());
    }
    for id in &content.categories {
        let found = categories::category(tx, tx.tenant(), id).await?;
        if found.is_none_or(|category| category.gone) {
            return Err(unknown_category().into());
        }
    }
    Ok(())
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let state = query.take("state", |text| {
        ApplicationState::parse(text).ok_or("no such state")
    })?;
    let page = query.page(MerchantApplicationId::parse)?;
    query.finish()?;
    let found = if may_read(&actor) {
        sql::applications(&context.db, &actor.tenant, state, &page).await?
    } else {
        check_people(&actor)?;
        let mut own = sql::applications_of(&context.db, (&actor.tenant, &actor.id), &page).await?;
        own.retain(|one| state.is_none_or(|state| state == one.state));
        own
    };
    let listing = page.listing(
        found,
        |one| one.id.to_string(),
        |one| shown::application_to(&actor, &one, shown::application(&one, &[], None)),
    );
    Ok(private(Reply::ok(&listing)))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    application: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let found = readable(context, &actor, application).await?;
    let version = found.version;
    let shown = shown_whole(&context.db, &actor.tenant, &found).await?;
    let shown = shown::application_to(&actor, &found, shown);
    Ok(private(Reply::ok(&shown).with_etag(version)))
}

/// The application, for its applicant and those who read all of them.
pub(super) async fn readable(
    context: &Context,
    actor: &Actor,
    application: &str,
) -> anyhow::Result<Application> {
    let id: MerchantApplicationId = path_id(application, unknown_application)?;
    let found = sql::application(&context.db, &actor.tenant, &id).await?;
    let reads = |found: &Application| {
        may_read(actor)
            || (check_people(actor).is_ok() && found.applicant.as_ref() == Some(&actor.id))
    };
    Ok(found.filter(reads).ok_or_else(unknown_application)?)
}

/// The application with its papers, and the account that was asked for.
pub(super) async fn shown_whole(
    db: &impl Read,
    tenant: &TenantId,
    application: &Application,
) -> anyhow::Result<Value> {
    let owner = Owner::Application(&application.id);
    let papers = qualifications::papers(db, tenant, owner).await?;
    let members = match &application.merchant {
        Some(merchant) => members::members(db, tenant, merchant).await?,
        None => Vec::new(),
    };
    let account = members.iter().find(|member| member.role == Role::Owner);
    let account = account.map(|member| &member.person);
    Ok(shown::application(application, &papers, account))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    application: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(application, unknown_application)?;
    change_as(context, request, &party(&actor, &id)).await
}

fn party<'a>(actor: &'a Actor, id: &'a MerchantApplicationId) -> Party<'a> {
    Party {
        tenant: &actor.tenant,
        actor: Some(actor),
        application: id,
    }
}

pub(super) async fn change_as(
    context: &Context,
    request: &Request,
    party: &Party<'_>,
) -> anyhow::Result<Reply> {
    party.own(&context.db).await?;
    let if_match: IfMatch = web::required_if_match(request)?;
    let sent: Sent = web::body(request)?;
    let digest = web::phone_digest(&context.token_secret, party.tenant, &sent.phone)?;
    let phone = (sent.phone, digest);
    let content = sent.content.checked()?;
    change_stored(context, request, party, async |tx, before| {
        if_match.check(before.version)?;
        check_content(tx, &content).await?;
        Ok(edit(before, content.clone(), phone.clone())?)
    })
    .await
}

/// Stores what becomes of one's own application, and shows it.
async fn change_stored(
    context: &Context,
    request: &Request,
    party: &Party<'_>,
    change: impl AsyncFn(&Tx, &Application) -> anyhow::Result<Application>,
) -> anyhow::Result<Reply> {
    let changed = write(
        context,
        request,
        (party.tenant, party.name().as_str()),
        async |tx| {
            let before = party.own(tx).await?;
            let after = change(tx, &before).await?;
            sql::update_application(tx, &after).await?;
            if before.state != after.state {
                told(context, tx, party, &after).await?;
            }
            answer(200, &shown_whole(tx, party.tenant, &after).await?)
        },
    )
    .await?;
    Ok(private(replied(&changed)?))
}

/// Others hear that an application was submitted or taken back.
async fn told(
    context: &Context,
    tx: &Tx,
    party: &Party<'_>,
    after: &Application,
) -> anyhow::Result<()> {
    if after.state == ApplicationState::Submitted {
        let fact = MerchantApplicationSubmitted {
            application: after.id.clone(),
            company: after.content.company.as_str().to_owned(),
            round: after.round,
            applicant: after.applicant.clone(),
        };
        return facts::append(context, tx, &fact).await;
    }
    let fact = MerchantApplicationDecided {
        application: after.id.clone(),
        decision: after.state.as_str().to_owned(),
        reason: None,
        merchant: None,
        applicant: after.applicant.clone(),
        actor: party.actor.map(|actor| actor.id.clone()),
    };
    facts::append(context, tx, &fact).await
}

pub(super) async fn hand_in(
    context: &Context,
    request: &Request,
    application: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(application, unknown_application)?;
    hand_in_as(context, request, &party(&actor, &id)).await
}

pub(super) async fn hand_in_as(
    context: &Context,
    request: &Request,
    party: &Party<'_>,
) -> anyhow::Result<Reply> {
    party.own(&context.db).await?;
    let by = party.actor.map(|actor| &actor.id);
    let (paper, content) = sent_paper(context, request, by)?;
    let kept = write(
        context,
        request,
        (party.tenant, party.name().as_str()),
        async |tx| {
            let before = party.own(tx).await?;
            let owner = Owner::Application(party.application);
            let papers = qualifications::papers(tx, party.tenant, owner).await?;
            if papers.len() >= QUALIFICATIONS_MAX {
                return Err(too_many_papers().into());
            }
            // A paper changes the application like its text does.
            let phone = (before.phone.clone(), before.phone_digest.clone());
            let after = edit(&before, before.content.clone(), phone)?;
            sql::update_application(tx, &after).await?;
            qualifications::put_paper(tx, owner, &paper, &content).await?;
            answer(201, &shown::paper(&paper))
        },
    )
    .await?;
    Ok(private(replied(&kept)?))
}

pub(super) async fn file(
    context: &Context,
    request: &Request,
    (application, qualification): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let found = readable(context, &actor, application).await?;
    let id = path_id(qualification, unknown_qualification)?;
    let owner = Owner::Application(&found.id);
    let file = qualifications::content(&context.db, &actor.tenant, &id, owner).await?;
    file_reply(file.ok_or_else(unknown_qualification)?)
}

pub(super) async fn submit(
    context: &Context,
    request: &Request,
    application: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(application, unknown_application)?;
    submit_as(context, request, &party(&actor, &id)).await
}

pub(super) async fn submit_as(
    context: &Context,
    request: &Request,
    party: &Party<'_>,
) -> anyhow::Result<Reply> {
    change_stored(context, request, party, async |tx, before| {
        let owner = Owner::Application(party.application);
        let papers = qualifications::papers(tx, party.tenant, owner).await?;
        Ok(submitted(before, &papers, context.now)?)
    })
    .await
}

pub(super) async fn withdraw(
    context: &Context,
    request: &Request,
    application: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(application, unknown_application)?;
    let party = party(&actor, &id);
    change_stored(context, request, &party, async |_, before| {
        Ok(withdrawn(before)?)
    })
    .await
}

fn applicant_only() -> Refusal {
    Refusal::forbidden(
        "applicant_only",
        Message::new(
            "Only the applicant changes an application; ask for changes in a decision.",
            "仅申请人可以修改申请，审核人员可在审核中要求修改。",
        ),
    )
}
