//! Columns and their articles.

use kernel::{ArticleId, ColumnId, TenantId};
use store::{Read, Row, Tx, Value};
use web::Page;

use super::{day, on, optional, text, word};
use crate::domain::column::{Article, ArticleState, Column, Season, YearDay};
use crate::rows::{targeting_of, targeting_text};

statements! {
    INSERT_COLUMN = "insert into ads_column (tenant, id, name, board, audience, from_day, until_day, season_from,
            season_until, active, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (tenant, id) do nothing
        returning id";

    UPDATE_COLUMN = "update ads_column set name = $3, board = $4, audience = $5, from_day = $6, until_day = $7,
            season_from = $8, season_until = $9, active = $10, version = $11
        where tenant = $1 and id = $2";

    COLUMN = "select id, name, board, audience, from_day, until_day, season_from, season_until, active, version
        from ads_column where tenant = $1 and id = $2";

    COLUMNS = "select id, name, board, audience, from_day, until_day, season_from, season_until, active, version
        from ads_column where tenant = $1 and id > $2 order by id limit $3";

    INSERT_ARTICLE = "insert into ads_article (tenant, id, column_id, merchant, sponsor, title, body, image, landing,
            from_day, until_day, state, reason, written_by, written_at, reviewed_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

    UPDATE_ARTICLE = "update ads_article set state = $3, reason = $4, reviewed_by = $5 where tenant = $1 and id = $2";

    ARTICLE = "select id, column_id, merchant, sponsor, title, body, image, landing, from_day, until_day, state, reason,
            written_by, written_at, reviewed_by
        from ads_article where tenant = $1 and id = $2";

    ARTICLES = "select id, column_id, merchant, sponsor, title, body, image, landing, from_day, until_day, state, reason,
            written_by, written_at, reviewed_by
        from ads_article where tenant = $1 and column_id = $2 and id > $3 order by id limit $4";

    READABLE = "select id, column_id, merchant, sponsor, title, body, image, landing, from_day, until_day, state, reason,
            written_by, written_at, reviewed_by
        from ads_article
        where tenant = $1 and column_id = $2 and id > $3 and state = 'approved' and from_day <= $5 and until_day > $5
        order by id limit $4";
}

fn parameters(tenant: &TenantId, column: &Column) -> anyhow::Result<[Value; 11]> {
    Ok([
        tenant.into(),
        (&column.id).into(),
        column.name.as_str().into(),
        column.board.as_ref().map(|board| board.as_str()).into(),
        targeting_text(&column.audience)?.into(),
        on(column.from),
        on(column.until),
        column.season.map(|season| season.from.text()).into(),
        column.season.map(|season| season.until.text()).into(),
        column.active.into(),
        column.version.into(),
    ])
}

fn column_of(row: &Row) -> anyhow::Result<Column> {
    let season_day = |position| {
        let text = row.optional_text(position)?;
        text.map(|text| word(text, YearDay::parse)).transpose()
    };
    let season = match (season_day(6)?, season_day(7)?) {
        (Some(from), Some(until)) => Some(Season { from, until }),
        _ => None,
    };
    Ok(Column {
        id: row.id(0)?,
        name: text(row, 1)?,
        board: optional(row, 2)?,
        audience: targeting_of(row.text(3)?)?,
        from: day(row, 4)?,
        until: day(row, 5)?,
        season,
        active: row.boolean(8)?,
        version: row.integer(9)?,
    })
}

/// Stores a column; false when its id is taken.
pub async fn insert_column(tx: &Tx, column: &Column) -> anyhow::Result<bool> {
    Ok(tx
        .row(INSERT_COLUMN, &parameters(tx.tenant(), column)?)
        .await?
        .is_some())
}

/// Stores a column's next version.
pub async fn update_column(tx: &Tx, column: &Column) -> anyhow::Result<()> {
    tx.execute(UPDATE_COLUMN, &parameters(tx.tenant(), column)?)
        .await
}

/// The column of that id.
pub async fn column(
    db: &impl Read,
    tenant: &TenantId,
    id: &ColumnId,
) -> anyhow::Result<Option<Column>> {
    let row = db.row(COLUMN, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(column_of).transpose()
}

/// A page of columns.
pub async fn columns(
    db: &impl Read,
    tenant: &TenantId,
    page: &Page<ColumnId>,
) -> anyhow::Result<Vec<Column>> {
    let after = page.after.as_ref().map_or("", ColumnId::as_str);
    let rows = db
        .rows(COLUMNS, &[tenant.into(), after.into(), page.rows().into()])
        .await?;
    rows.iter().map(column_of).collect()
}

fn article_of(row: &Row) -> anyhow::Result<Article> {
    Ok(Article {
        id: row.id(0)?,
        column: row.id(1)?,
        sponsor: row.optional_id(2)?.zip(optional(row, 3)?),
        title: text(row, 4)?,
        body: text(row, 5)?,
        image: optional(row, 6)?,
        landing: optional(row, 7)?,
        from: day(row, 8)?,
        until: day(row, 9)?,
        state: word(row.text(10)?, ArticleState::parse)?,
        reason: optional(row, 11)?,
        written_by: row.id(12)?,
        written_at: row.timestamp(13)?,
        reviewed_by: row.optional_id(14)?,
    })
}

/// Stores an article that is new.
pub async fn insert_article(tx: &Tx, article: &Article) -> anyhow::Result<()> {
    let sponsor = article.sponsor.as_ref();
    let row: [Value; 16] = [
        tx.tenant().into(),
        (&article.id).into(),
        (&article.column).into(),
        sponsor.map(|(merchant, _)| merchant).into(),
        sponsor.map(|(_, name)| name.as_str()).into(),
        article.title.as_str().into(),
        article.body.as_str().into(),
        article.image.as_ref().map(|image| image.as_str()).into(),
        article
            .landing
            .as_ref()
            .map(|landing| landing.as_str())
            .into(),
        on(article.from),
        on(article.until),
        article.state.as_str().into(),
        article.reason.as_ref().map(|reason| reason.as_str()).into(),
        (&article.written_by).into(),
        article.written_at.into(),
        article.reviewed_by.as_ref().into(),
    ];
    tx.execute(INSERT_ARTICLE, &row).await
}

/// Stores what became of an article's review.
pub async fn update_article(tx: &Tx, article: &Article) -> anyhow::Result<()> {
    let row = [
        tx.tenant().into(),
        (&article.id).into(),
        article.state.as_str().into(),
        article.reason.as_ref().map(|reason| reason.as_str()).into(),
        article.reviewed_by.as_ref().into(),
    ];
    tx.execute(UPDATE_ARTICLE, &row).await
}

/// The article of that id.
pub async fn article(
    db: &impl Read,
    tenant: &TenantId,
    id: &ArticleId,
) -> anyhow::Result<Option<Article>> {
    let row = db.row(ARTICLE, &[tenant.into(), id.into()]).await?;
    row.as_ref().map(article_of).transpose()
}

/// A page of a column's articles: all of them, or those that may be read on that day.
pub async fn articles(
    db: &impl Read,
    (tenant, column): (&TenantId, &ColumnId),
    readable_on: Option<chrono::NaiveDate>,
    page: &Page<ArticleId>,
) -> anyhow::Result<Vec<Article>> {
    let after = page.after.as_ref().map_or("", ArticleId::as_str);
    let asked = [
        tenant.into(),
        column.into(),
        after.into(),
        page.rows().into(),
    ];
    let rows = match readable_on {
        None => db.rows(ARTICLES, &asked).await?,
        Some(today) => {
            let [tenant, column, after, limit] = asked;
            db.rows(READABLE, &[tenant, column, after, limit, on(today)])
                .await?
        }
    };
    rows.iter().map(article_of).collect()
}
