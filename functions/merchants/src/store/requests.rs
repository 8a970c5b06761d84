//! What hosted merchants ask for.

use anyhow::bail;
use kernel::{ActorId, ChangeRequestId, MerchantId, TenantId};
use store::{Read, Row, Tx, Value};
use web::Page;

use crate::domain::{Answer, ChangeRequest, Name, Note, RequestState};

statements! {
    REQUEST = "select id, merchant, category, title, detail, operator, state, asked_by, asked_at, answer, answered_by,
            answered_at
        from merchants_request where tenant = $1 and id = $2";

    REQUESTS = "select id, merchant, category, title, detail, operator, state, asked_by, asked_at, answer, answered_by,
            answered_at
        from merchants_request
        where tenant = $1 and (cast($2 as text) is null or state = $2) and (cast($3 as text) is null or merchant = $3)
          and (cast($4 as text) is null or operator = $4) and (cast($5 as text) is null or id < $5)
        order by id desc limit $6";

    INSERT_REQUEST = "insert into merchants_request (tenant, id, merchant, category, title, detail, operator, state,
            asked_by, asked_at)
        values ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9)";

    ANSWER_REQUEST = "update merchants_request set state = $3, answer = $4, answered_by = $5, answered_at = $6
        where tenant = $1 and id = $2 and state = 'open'
        returning id";
}

/// Which requests are asked for.
#[derive(Default)]
pub(crate) struct Filter {
    /// `open`, `done` or `rejected`.
    pub state: Option<String>,
    /// Of this merchant.
    pub merchant: Option<MerchantId>,
    /// The tasks of this operator.
    pub operator: Option<ActorId>,
}

/// The request.
pub(crate) async fn request(
    db: &impl Read,
    tenant: &TenantId,
    id: &ChangeRequestId,
) -> anyhow::Result<Option<ChangeRequest>> {
    let row = db.row(REQUEST, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(read_request).transpose()
}

/// Requests, the latest first.
pub(crate) async fn requests(
    db: &impl Read,
    tenant: &TenantId,
    filter: &Filter,
    page: &Page<ChangeRequestId>,
) -> anyhow::Result<Vec<ChangeRequest>> {
    let parameters = [
        tenant.into(),
        filter.state.as_deref().into(),
        filter.merchant.as_ref().into(),
        filter.operator.as_ref().into(),
        page.after.as_ref().into(),
        page.rows().into(),
    ];
    let rows = db.rows(REQUESTS, &parameters).await?;
    rows.iter().map(read_request).collect()
}

fn read_request(row: &Row) -> anyhow::Result<ChangeRequest> {
    let answer = row.optional_text(9)?.map(Note::parse).transpose()?;
    let state = match row.text(6)? {
        "open" => RequestState::Open,
        "done" => RequestState::Done {
            by: row.id(10)?,
            at: row.timestamp(11)?,
            answer,
        },
        "rejected" => RequestState::Rejected {
            by: row.id(10)?,
            at: row.timestamp(11)?,
            answer,
        },
        other => bail!("a change request is {other:?}"),
    };
    Ok(ChangeRequest {
        id: row.id(0)?,
        merchant: row.id(1)?,
        category: row.optional_id(2)?,
        title: Name::parse(row.text(3)?)?,
        detail: Answer::parse(row.text(4)?)?,
        operator: row.optional_id(5)?,
        asked_by: row.id(7)?,
        asked_at: row.timestamp(8)?,
        state,
    })
}

/// Adds a request.
pub(crate) async fn insert_request(tx: &Tx, new: &ChangeRequest) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&new.id).into(),
        (&new.merchant).into(),
        new.category.as_ref().into(),
        new.title.as_str().into(),
        new.detail.as_str().into(),
        new.operator.as_ref().into(),
        (&new.asked_by).into(),
        new.asked_at.into(),
    ];
    tx.execute(INSERT_REQUEST, &parameters).await
}

/// Stores what became of an open request.
pub(crate) async fn answer_request(tx: &Tx, answered: &ChangeRequest) -> anyhow::Result<()> {
    let said = answered.state.answered();
    let parameters: [Value; 6] = [
        tx.tenant().into(),
        (&answered.id).into(),
        answered.state.as_str().into(),
        said.and_then(|(_, _, answer)| answer.map(Note::as_str))
            .into(),
        said.map(|(by, _, _)| by).into(),
        said.map(|(_, at, _)| at).into(),
    ];
    let stored = tx.row(ANSWER_REQUEST, &parameters).await?;
    anyhow::ensure!(stored.is_some(), "a change request was answered before");
    Ok(())
}
