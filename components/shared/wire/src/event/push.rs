//! What push records: what is told to people, what they agreed to, plans, and pushes that merchants pay for. Amounts are
//! whole minor units (fen).

use kernel::{
    ActorId, Currency, MerchantId, PushMessageId, PushOrderId, PushPlanId, SubscriptionId,
    Timestamp, TransactionId, WebhookId,
};

events! {
    /// Something is to be told to people; push itself wakes to tell it.
    PushMessageCreated = "push.message_created", awaited {
        /// The message.
        message: PushMessageId,
        /// `safety`, `service`, `notice` or `marketing`.
        purpose: String,
        /// What made it: `api`, `event`, `plan` or `order`.
        source: String,
        /// The plan, the order or the event that it is of; the caller of the interface otherwise.
        reference: String,
        /// From when on it is told.
        due_at: Timestamp,
    }
    /// A message is not told any further: it was cancelled.
    PushMessageCancelled = "push.message_cancelled" {
        /// The message.
        message: PushMessageId,
        /// Who cancelled it.
        actor: ActorId,
    }
    /// Nothing of a message is on its way any more.
    PushMessageFinished = "push.message_finished" {
        /// The message.
        message: PushMessageId,
        /// How many deliveries it had.
        deliveries: i64,
        /// How many of them a service took.
        sent: i64,
        /// How many it was decided against.
        suppressed: i64,
        /// How many were given up.
        failed: i64,
    }
    /// Somebody can be reached on a way more, or no longer.
    PushDeviceChanged = "push_device.changed" {
        /// The way.
        device: SubscriptionId,
        /// Whose.
        person: ActorId,
        /// `web_push`, `unified_push`, `ntfy`, `jpush` or `webhook`.
        channel: String,
        /// `active`, `removed` or `gone`.
        state: String,
    }
    /// A person agreed to be told for a purpose on a channel, or no longer does.
    PushConsentChanged = "push.consent_changed" {
        /// The person.
        person: ActorId,
        /// For what.
        purpose: String,
        /// On which channel; `all` for every one.
        channel: String,
        /// Whether it holds from now on.
        given: bool,
        /// How it came: `app`, `stop_link`, `consents` or `staff`.
        via: String,
        /// Who said so.
        actor: ActorId,
    }
    /// What is known of a person for audiences was changed by hand.
    PushPersonChanged = "push_person.changed" {
        /// The person.
        person: ActorId,
        /// Who changed it.
        actor: ActorId,
    }
    /// What holds for all pushes is otherwise than before.
    PushTermsChanged = "push_terms.changed" {
        /// The version after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A template has other texts.
    PushTemplateChanged = "push_template.changed" {
        /// Its name.
        template: String,
        /// Its version after the change, from 1.
        version: i64,
        /// Who changed it.
        actor: ActorId,
    }
    /// A plan was made, changed, paused or ended.
    PushPlanChanged = "push_plan.changed" {
        /// The plan.
        plan: PushPlanId,
        /// `active`, `paused` or `ended`.
        state: String,
        /// Its version after the change, from 1.
        version: i64,
        /// Who changed it; absent when it ended by itself.
        actor: Option<ActorId>,
    }
    /// A push that a merchant pays for came further.
    PushOrderChanged = "push_order.changed" {
        /// The order.
        order: PushOrderId,
        /// Whose.
        merchant: MerchantId,
        /// `draft`, `quoted`, `asked`, `held`, `scheduled`, `sending`, `settled`, `rejected`, `cancelled` or `expired`.
        state: String,
        /// How many people it was quoted for.
        people: i64,
        /// What was quoted.
        amount_minor: i64,
        /// The currency.
        currency: Currency,
        /// Who did it; absent when it happened by itself.
        actor: Option<ActorId>,
    }
    /// A push that a merchant paid for was told: what was delivered is earned, the rest goes back.
    PushOrderSettled = "push_order.settled" {
        /// The order.
        order: PushOrderId,
        /// Whose.
        merchant: MerchantId,
        /// How many people it reached.
        delivered: i64,
        /// What of the price is earned.
        charged_minor: i64,
        /// What of it goes back.
        refunded_minor: i64,
        /// The currency.
        currency: Currency,
        /// The ledger transaction `suspense` to `ad_income`; absent when nobody was reached.
        transaction: Option<TransactionId>,
    }
    /// A webhook was registered, changed, given another secret, or disabled.
    PushWebhookChanged = "push_webhook.changed" {
        /// The webhook.
        webhook: WebhookId,
        /// Whose.
        owner: ActorId,
        /// `active`, `disabled` or `removed`.
        state: String,
        /// Who did it; absent when the service itself wanted no more.
        actor: Option<ActorId>,
    }
    /// Somebody may publish to a topic or read it from now on, or no longer.
    PushTopicChanged = "push_topic.changed" {
        /// The topic.
        topic: String,
        /// Whose.
        owner: ActorId,
        /// `made`, `key_changed` or `removed`.
        change: String,
        /// Who did it.
        actor: ActorId,
    }
    /// A push service does not believe us: somebody has to look at the keys.
    PushAlarmRaised = "push_alarm.raised" {
        /// `sender_refused`.
        kind: String,
        /// The service's origin.
        origin: String,
        /// When.
        at: Timestamp,
    }
}
