//! Creatives and their reviews.

use chrono::NaiveDate;
use kernel::{ActorId, CreativeId, MerchantId, TenantId};
use store::{Read, Row, Tx, Value};
use web::Page;
use wire::advertising::CreativeState;

use super::{on, optional, optional_day, text, word};
use crate::domain::creative::{Content, Video};
use crate::domain::placement::Format;
use crate::domain::text::Note;
use crate::domain::{Creative, Subject};

statements! {
    INSERT_CREATIVE = "insert into ads_creative (tenant, id, merchant, format, width, height, landing, title, body, image,
            domain, subject, approval_number, qualified_until, state, content_hash, approved_hash, reason, submitted_by,
            submitted_at, reviewed_by, reviewed_at, version, video, video_ms)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
            $24, $25)";

    UPDATE_CREATIVE = "update ads_creative set merchant = $3, format = $4, width = $5, height = $6, landing = $7, title = $8,
            body = $9, image = $10, domain = $11, subject = $12, approval_number = $13, qualified_until = $14, state = $15,
            content_hash = $16, approved_hash = $17, reason = $18, submitted_by = $19, submitted_at = $20,
            reviewed_by = $21, reviewed_at = $22, version = $23, video = $24, video_ms = $25
        where tenant = $1 and id = $2";

    OTHERWISE_SHOWN = "update ads_placement set shown_version = shown_version + 1 where tenant = $1 and id in
            (select l.placement from ads_line_creative lc cross join ads_line l
             where lc.tenant = $1 and lc.creative = $2 and l.tenant = lc.tenant and l.id = lc.line)";

    CREATIVE = "select id, merchant, format, width, height, landing, title, body, image, domain, subject, approval_number,
            qualified_until, state, approved_hash, reason, submitted_by, submitted_at, reviewed_by, reviewed_at, version, video, video_ms
        from ads_creative where tenant = $1 and id = $2";

    CREATIVES = "select id, merchant, format, width, height, landing, title, body, image, domain, subject, approval_number,
            qualified_until, state, approved_hash, reason, submitted_by, submitted_at, reviewed_by, reviewed_at, version, video, video_ms
        from ads_creative where tenant = $1 and merchant = $2 and id > $3
            and (cast($5 as text) is null or state = $5)
        order by id limit $4";

    IN_STATE = "select id, merchant, format, width, height, landing, title, body, image, domain, subject, approval_number,
            qualified_until, state, approved_hash, reason, submitted_by, submitted_at, reviewed_by, reviewed_at, version, video, video_ms
        from ads_creative where tenant = $1 and state = $2 and id > $3 order by id limit $4";

    ALL_CREATIVES = "select id, merchant, format, width, height, landing, title, body, image, domain, subject,
            approval_number, qualified_until, state, approved_hash, reason, submitted_by, submitted_at, reviewed_by,
            reviewed_at, version, video, video_ms
        from ads_creative where tenant = $1 and id > $2 order by id limit $3";

    DUE = "select tenant, id from ads_creative
        where state = 'approved' and qualified_until is not null and qualified_until <= $1
        order by qualified_until limit $2";
}

fn parameters(tenant: &TenantId, creative: &Creative) -> Vec<Value> {
    let content = &creative.content;
    let video = content.video.as_ref();
    vec![
        tenant.into(),
        (&creative.id).into(),
        (&creative.merchant).into(),
        content.format.as_str().into(),
        content.width.into(),
        content.height.into(),
        content.landing.as_str().into(),
        content.title.as_str().into(),
        content
            .body
            .as_ref()
            .map_or("", |body| body.as_str())
            .into(),
        content.image.as_ref().map(|image| image.as_str()).into(),
        content.domain.as_str().into(),
        content.subject.as_str().into(),
        content
            .approval_number
            .as_ref()
            .map(|number| number.as_str())
            .into(),
        content.qualified_until.map(|day| day.to_string()).into(),
        creative.state.as_str().into(),
        content.hash().into(),
        creative.approved_hash.as_deref().into(),
        creative
            .reason
            .as_ref()
            .map(|reason| reason.as_str())
            .into(),
        (&creative.submitted_by).into(),
        creative.submitted_at.into(),
        creative.reviewed_by.as_ref().into(),
        creative.reviewed_at.into(),
        creative.version.into(),
        video.map(|video| video.url.as_str()).into(),
        video.map_or(0, |video| video.millis).into(),
    ]
}

fn creative_of(row: &Row) -> anyhow::Result<Creative> {
    let body = match row.text(7)? {
        "" => None,
        _ => Some(text(row, 7)?),
    };
    let millis = row.integer(22)?;
    let video: Option<Note> = optional(row, 21)?;
    Ok(Creative {
        id: row.id(0)?,
        merchant: row.id(1)?,
        content: Content {
            format: word(row.text(2)?, Format::parse)?,
            width: row.integer(3)?,
            height: row.integer(4)?,
            landing: text(row, 5)?,
            title: text(row, 6)?,
            body,
            image: optional(row, 8)?,
            video: video.map(|url| Video { url, millis }),
            domain: text(row, 9)?,
            subject: word(row.text(10)?, Subject::parse)?,
            approval_number: optional(row, 11)?,
            qualified_until: optional_day(row, 12)?,
        },
        state: word(row.text(13)?, CreativeState::parse)?,
        approved_hash: row.optional_text(14)?.map(str::to_owned),
        reason: optional(row, 15)?,
        submitted_by: row.id(16)?,
        submitted_at: row.timestamp(17)?,
        reviewed_by: row.optional_id::<ActorId>(18)?,
        reviewed_at: row.optional_timestamp(19)?,
        version: row.integer(20)?,
    })
}

/// Stores a creative that is new.
pub async fn insert_creative(tx: &Tx, creative: &Creative) -> anyhow::Result<()> {
    tx.execute(INSERT_CREATIVE, &parameters(tx.tenant(), creative))
        .await
}

/// Stores a creative's next version.
pub async fn update_creative(tx: &Tx, creative: &Creative) -> anyhow::Result<()> {
    tx.execute(UPDATE_CREATIVE, &parameters(tx.tenant(), creative))
        .await?;
    // Where it stands, something else may be shown from now on.
    let whose = [tx.tenant().into(), (&creative.id).into()];
    tx.execute(OTHERWISE_SHOWN, &whose).await
}

/// The creative of that id.
pub async fn creative(
    db: &impl Read,
    tenant: &TenantId,
    id: &CreativeId,
) -> anyhow::Result<Option<Creative>> {
    let row = db.row(CREATIVE, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(creative_of).transpose()
}

/// A page of creatives: of a merchant, in a state, or all.
pub async fn creatives(
    db: &impl Read,
    tenant: &TenantId,
    (merchant, state): (Option<&MerchantId>, Option<CreativeState>),
    page: &Page<CreativeId>,
) -> anyhow::Result<Vec<Creative>> {
    let after = page.after.as_ref().map_or("", CreativeId::as_str).into();
    let limit = page.rows().into();
    let rows = match (merchant, state) {
        (Some(merchant), _) => {
            let state = state.map(CreativeState::as_str).into();
            db.rows(
                CREATIVES,
                &[tenant.into(), merchant.into(), after, limit, state],
            )
            .await?
        }
        (None, Some(state)) => {
            db.rows(
                IN_STATE,
                &[tenant.into(), state.as_str().into(), after, limit],
            )
            .await?
        }
        (None, None) => {
            db.rows(ALL_CREATIVES, &[tenant.into(), after, limit])
                .await?
        }
    };
    rows.iter().map(creative_of).collect()
}

/// Approved creatives of which something they need has run out on that day.
pub async fn due(
    db: &impl Read,
    today: NaiveDate,
    limit: i64,
) -> anyhow::Result<Vec<(TenantId, CreativeId)>> {
    let rows = db.rows(DUE, &[on(today), limit.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.id(0)?, row.id(1)?)))
        .collect()
}
