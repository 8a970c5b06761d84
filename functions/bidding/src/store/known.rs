//! What other capabilities said: communities, merchants and who acts for them, and what they have to show.

use kernel::{ActorId, CommunityId, CreativeId, MerchantId, TenantId};
use store::{Read, Tx};
use wire::advertising::CreativeState;
use wire::event::{CreativeChanged, MerchantChanged, MerchantStandingChanged};

use super::lineups;

statements! {
    PUT_COMMUNITY = "insert into bidding_community (tenant, id) values ($1, $2) on conflict (tenant, id) do nothing";

    ANY_COMMUNITY = "select id from bidding_community where tenant = $1 order by id limit 1";

    PUT_MERCHANT = "insert into bidding_merchant (tenant, id, name, open, community, version, may_trade, standing_version)
        values ($1, $2, $3, $4, $5, $6, 0, 0)
        on conflict (tenant, id) do update set name = excluded.name, open = excluded.open,
            community = excluded.community, version = excluded.version
        where excluded.version > bidding_merchant.version
        returning id";

    DROP_MEMBERS = "delete from bidding_member where tenant = $1 and merchant = $2";

    ADD_MEMBER = "insert into bidding_member (tenant, merchant, person) values ($1, $2, $3)
        on conflict (tenant, merchant, person) do nothing";

    IS_MEMBER = "select person from bidding_member where tenant = $1 and merchant = $2 and person = $3";

    PUT_STANDING = "insert into bidding_merchant (tenant, id, name, open, community, version, may_trade,
            standing_version)
        values ($1, $2, $2, 0, null, 0, $3, $4)
        on conflict (tenant, id) do update set may_trade = excluded.may_trade,
            standing_version = excluded.standing_version
        where excluded.standing_version > bidding_merchant.standing_version";

    MERCHANT = "select open, community, may_trade from bidding_merchant where tenant = $1 and id = $2";

    PUT_CREATIVE = "insert into bidding_creative (tenant, id, merchant, format, width, height, landing, title, body,
            image, advertiser_domain, approved, version, video, video_ms)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        on conflict (tenant, id) do update set merchant = excluded.merchant, format = excluded.format,
            width = excluded.width, height = excluded.height, landing = excluded.landing, title = excluded.title,
            body = excluded.body, image = excluded.image, advertiser_domain = excluded.advertiser_domain,
            approved = excluded.approved, version = excluded.version, video = excluded.video,
            video_ms = excluded.video_ms
        where excluded.version > bidding_creative.version";

    CREATIVE = "select merchant, approved, landing from bidding_creative where tenant = $1 and id = $2";
}

/// A merchant that was heard of.
#[derive(Debug, Clone)]
pub(crate) struct Merchant {
    pub(crate) open: bool,
    pub(crate) community: Option<CommunityId>,
    pub(crate) may_trade: bool,
}

/// A creative that was heard of.
#[derive(Debug, Clone)]
pub(crate) struct Creative {
    pub(crate) merchant: MerchantId,
    pub(crate) approved: bool,
    pub(crate) landing: String,
}

/// Keeps that there is such a community.
pub(crate) async fn put_community(tx: &Tx, id: &CommunityId) -> anyhow::Result<()> {
    tx.execute(PUT_COMMUNITY, &[tx.tenant().into(), id.into()])
        .await
}

/// A community of the tenant, for merchants that serve all of them.
pub(crate) async fn any_community(
    db: &impl Read,
    tenant: &TenantId,
) -> anyhow::Result<Option<CommunityId>> {
    let row = db.row(ANY_COMMUNITY, &[tenant.into()]).await?;
    row.map(|row| row.id(0)).transpose()
}

/// Keeps what was said of a merchant; older news changes nothing.
pub(crate) async fn put_merchant(tx: &Tx, event: &MerchantChanged) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&event.merchant).into(),
        (&event.name).into(),
        event.open.into(),
        event.communities.first().into(),
        event.version.into(),
    ];
    if tx.row(PUT_MERCHANT, &parameters).await?.is_none() {
        return Ok(());
    }
    lineups::changed(tx).await?;
    let merchant = [tx.tenant().into(), (&event.merchant).into()];
    tx.execute(DROP_MEMBERS, &merchant).await?;
    for person in &event.members {
        let member = [tx.tenant().into(), (&event.merchant).into(), person.into()];
        tx.execute(ADD_MEMBER, &member).await?;
    }
    Ok(())
}

/// Whether the person acts for the merchant.
pub(crate) async fn is_member(
    db: &impl Read,
    tenant: &TenantId,
    (merchant, person): (&MerchantId, &ActorId),
) -> anyhow::Result<bool> {
    let parameters = [tenant.into(), merchant.into(), person.into()];
    Ok(db.row(IS_MEMBER, &parameters).await?.is_some())
}

/// Keeps how a merchant stands; older news changes nothing.
pub(crate) async fn put_standing(tx: &Tx, event: &MerchantStandingChanged) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&event.merchant).into(),
        event.standing.may_trade().into(),
        event.version.into(),
    ];
    tx.execute(PUT_STANDING, &parameters).await?;
    lineups::changed(tx).await
}

/// The merchant.
pub(crate) async fn merchant(
    db: &impl Read,
    tenant: &TenantId,
    id: &MerchantId,
) -> anyhow::Result<Option<Merchant>> {
    let row = db.row(MERCHANT, &[tenant.into(), id.into()]).await?;
    row.map(|row| {
        Ok(Merchant {
            open: row.boolean(0)?,
            community: row.optional_id(1)?,
            may_trade: row.boolean(2)?,
        })
    })
    .transpose()
}

/// Keeps what was said of a creative; older news changes nothing.
pub(crate) async fn put_creative(tx: &Tx, event: &CreativeChanged) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&event.creative).into(),
        (&event.merchant).into(),
        (&event.format).into(),
        event.width.into(),
        event.height.into(),
        (&event.landing).into(),
        (&event.title).into(),
        (&event.body).into(),
        event.image.as_ref().into(),
        (&event.advertiser_domain).into(),
        (event.state == CreativeState::Approved).into(),
        event.version.into(),
        event.video.as_ref().into(),
        event.video_ms.into(),
    ];
    tx.execute(PUT_CREATIVE, &parameters).await?;
    lineups::changed(tx).await
}

/// The creative.
pub(crate) async fn creative(
    db: &impl Read,
    tenant: &TenantId,
    id: &CreativeId,
) -> anyhow::Result<Option<Creative>> {
    let row = db.row(CREATIVE, &[tenant.into(), id.into()]).await?;
    row.map(|row| {
        Ok(Creative {
            merchant: row.id(0)?,
            approved: row.boolean(1)?,
            landing: row.text(2)?.to_owned(),
        })
    })
    .transpose()
}
