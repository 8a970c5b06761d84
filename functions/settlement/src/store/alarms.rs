//! Alarms: deadlines that passed, each told once.

use kernel::{MerchantId, TenantId, Timestamp};
use store::{Read, Tx};
use web::Page;

statements! {
    RAISE = "insert into settlement_alarm (tenant, kind, subject, merchant, at) values ($1, $2, $3, $4, $5)
        on conflict (tenant, kind, subject) do nothing returning kind";

    ALARMS = "select kind, subject, merchant, at from settlement_alarm
        where tenant = $1 and (cast($2 as bigint) is null or at < $2) order by at desc, kind, subject limit $3";
}

/// An alarm.
#[derive(Debug, Clone)]
pub(crate) struct Alarm {
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) merchant: Option<MerchantId>,
    pub(crate) at: Timestamp,
}

/// Keeps an alarm; whether it is news.
pub(crate) async fn raise(
    tx: &Tx,
    (kind, subject): (&str, &str),
    (merchant, now): (Option<&MerchantId>, Timestamp),
) -> anyhow::Result<bool> {
    let parameters = [
        tx.tenant().into(),
        kind.into(),
        subject.into(),
        merchant.into(),
        now.into(),
    ];
    Ok(tx.row(RAISE, &parameters).await?.is_some())
}

/// The alarms, the latest first.
pub(crate) async fn alarms(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<Timestamp>,
) -> anyhow::Result<Vec<Alarm>> {
    let parameters = [tenant.into(), page.after.into(), page.rows().into()];
    let rows = db.rows(ALARMS, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Alarm {
                kind: row.text(0)?.to_owned(),
                subject: row.text(1)?.to_owned(),
                merchant: row.optional_id(2)?,
                at: row.timestamp(3)?,
            })
        })
        .collect()
}
