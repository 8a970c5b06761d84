//! What other capabilities recorded: who people are and what they agreed to, what became of payments, and everything that
//! somebody is to be told of.

mod rules;

use kernel::TenantId;
use store::Tx;
use store::events::{Consumer, Drained, Recorded, concerns, drain, waiting};
use wire::event::{
    BillPaid, BillPublished, BillRefunded, BillReminderDue, BindingEnded, BindingRequestDecided,
    BindingStarted, CommunityChanged, ConsentChanged, DoorOpened, DoorOpeningFailed,
    DoorOpeningTimedOut, DoorsReleased, Event, FeeCouponChanged, FeedbackAnswered,
    MerchantApplicationDecided, MerchantChanged, MerchantQualificationExpired,
    MerchantQualificationExpiring, MerchantStandingChanged, MeterAlarmRaised, OrderChanged,
    PaymentClosed, PaymentSucceeded, PersonAliased, PersonChanged, PersonErased, PersonRegistered,
    PlatformAccountChanged, PushMessageCreated, RechargeFinished, ResidentRecorded,
    StatementIssued, StatementOverdue, SwitchingSettled, VisitArrived, VisitRequested,
    WithdrawalChanged,
};

use crate::agreeing::{self, Says};
use crate::context::Context;
use crate::domain::Use;
use crate::selling;
use crate::store::{keeping, merchants, people, terms};

/// The consumer, and what it hears.
pub const CONSUMER: Consumer<'static> = Consumer {
    name: "push",
    kinds: &[
        CommunityChanged::KIND,
        ResidentRecorded::KIND,
        PersonRegistered::KIND,
        PersonChanged::KIND,
        PersonAliased::KIND,
        PersonErased::KIND,
        BindingStarted::KIND,
        BindingEnded::KIND,
        ConsentChanged::KIND,
        MerchantChanged::KIND,
        PushMessageCreated::KIND,
        PaymentSucceeded::KIND,
        PaymentClosed::KIND,
        OrderChanged::KIND,
        DoorOpened::KIND,
        DoorOpeningFailed::KIND,
        DoorOpeningTimedOut::KIND,
        DoorsReleased::KIND,
        VisitRequested::KIND,
        VisitArrived::KIND,
        BillPublished::KIND,
        BillReminderDue::KIND,
        BillPaid::KIND,
        BillRefunded::KIND,
        FeeCouponChanged::KIND,
        RechargeFinished::KIND,
        BindingRequestDecided::KIND,
        FeedbackAnswered::KIND,
        MeterAlarmRaised::KIND,
        SwitchingSettled::KIND,
        MerchantApplicationDecided::KIND,
        MerchantQualificationExpiring::KIND,
        MerchantQualificationExpired::KIND,
        MerchantStandingChanged::KIND,
        StatementIssued::KIND,
        StatementOverdue::KIND,
        WithdrawalChanged::KIND,
        PlatformAccountChanged::KIND,
    ],
};

/// Handles what waits for all tenants.
///
/// # Errors
/// A failure of the database.
pub async fn take_all(context: &Context) -> anyhow::Result<Drained> {
    let mut done = Drained::default();
    for tenant in waiting(&context.db, CONSUMER.name).await? {
        done += take(context, &tenant).await?;
    }
    Ok(done)
}

/// Handles what waits for one tenant, so that a request finds what was recorded right before it; whether anything was.
///
/// # Errors
/// A failure of the database.
pub async fn catch_up(context: &Context, tenant: &TenantId) -> anyhow::Result<bool> {
    if concerns(&context.db, tenant, CONSUMER).await? {
        return Ok(take(context, tenant).await?.handled > 0);
    }
    Ok(false)
}

async fn take(context: &Context, tenant: &TenantId) -> anyhow::Result<Drained> {
    let drained = drain(
        &context.db,
        tenant,
        CONSUMER,
        context.now,
        async |tx, event| handle(context, tx, event).await,
    )
    .await?;
    if let Some(cause) = &drained.failed {
        web::log(
            "warn",
            "-",
            &format!("an event of {tenant} failed: {cause}"),
        );
    }
    Ok(drained)
}

async fn handle(context: &Context, tx: &mut Tx, event: &Recorded) -> anyhow::Result<()> {
    if let Some(succeeded) = event.read::<PaymentSucceeded>()? {
        selling::paid(context, tx, &succeeded).await?;
    } else if let Some(closed) = event.read::<PaymentClosed>()? {
        return selling::closed(context, tx, &closed).await;
    } else if let Some(changed) = event.read::<OrderChanged>()? {
        people::active(tx, &changed.buyer, changed.at).await?;
        if changed.change == "paid" {
            selling::bought(context, tx, &changed).await?;
        }
    } else if of_people(context, tx, event).await? {
        return Ok(());
    }
    match rules::told(context, tx, event).await? {
        Some(told) => rules::tell(context, tx, (event, told)).await,
        None => Ok(()),
    }
}

/// Who people are; whether the event says it.
async fn of_people(context: &Context, tx: &Tx, event: &Recorded) -> anyhow::Result<bool> {
    if let Some(changed) = event.read::<CommunityChanged>()? {
        let said = (changed.name.as_str(), changed.time_zone.as_str());
        terms::put_community(tx, &changed.community, said).await?;
    } else if let Some(recorded) = event.read::<ResidentRecorded>()? {
        people::meet(tx, &recorded.person).await?;
    } else if let Some(registered) = event.read::<PersonRegistered>()? {
        people::meet(tx, &registered.person).await?;
        let who = (&registered.person, registered.kind.as_str());
        people::set_communities(tx, who, &registered.communities, event.at).await?;
    } else if let Some(changed) = event.read::<PersonChanged>()? {
        people::meet(tx, &changed.person).await?;
        let role = people::account_role(tx, &changed.person).await?;
        let who = (&changed.person, role.as_str());
        people::set_communities(tx, who, &changed.communities, event.at).await?;
    } else if let Some(started) = event.read::<BindingStarted>()? {
        people::meet(tx, &started.person).await?;
        people::bind(tx, &started).await?;
    } else if let Some(ended) = event.read::<BindingEnded>()? {
        people::unbind(tx, &ended).await?;
    } else if let Some(changed) = event.read::<ConsentChanged>()? {
        consent(context, tx, &changed).await?;
    } else if let Some(changed) = event.read::<MerchantChanged>()? {
        merchants::put(tx, &changed).await?;
    } else if let Some(aliased) = event.read::<PersonAliased>()? {
        keeping::alias(tx, &aliased.alias, &aliased.person).await?;
    } else if let Some(erased) = event.read::<PersonErased>()? {
        keeping::erase(tx, &erased.person).await?;
    } else {
        return Ok(event.kind == PushMessageCreated::KIND);
    }
    Ok(true)
}

/// What a person said to identity counts on every channel, if it is of a purpose of ours.
async fn consent(context: &Context, tx: &Tx, changed: &ConsentChanged) -> anyhow::Result<()> {
    let Some(purpose) = Use::parse(&changed.purpose) else {
        return Ok(());
    };
    let says = Says {
        person: &changed.person,
        purpose,
        channel: None,
        given: changed.given,
        text_version: Some(&changed.text_version),
        via: "consents",
        evidence: serde_json::json!({"text_version": changed.text_version}),
        actor: &changed.person,
    };
    agreeing::say(context, tx, &says).await
}
