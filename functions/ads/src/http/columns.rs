//! `/api/ads/columns`: columns for an audience, some dates and a season.

use chrono::NaiveDate;
use kernel::{Actor, ColumnId, Message, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Read;
use web::{Query, Reply, Request};

use super::{answer, caller, path_id, replied, stored, write};
use crate::context::Context;
use crate::domain::column::{Column, Season, YearDay};
use crate::domain::text::Name;
use crate::domain::{check_writer, may_read, unknown_column};
use crate::rows::WrittenTargeting;
use crate::store::columns as sql;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewColumn {
    id: ColumnId,
    #[serde(flatten)]
    content: Content,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Content {
    name: Name,
    board: Option<Name>,
    #[serde(default)]
    audience: WrittenTargeting,
    from: NaiveDate,
    until: NaiveDate,
    season: Option<SentSeason>,
    #[serde(default = "active")]
    active: bool,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct SentSeason {
    from: String,
    until: String,
}

fn active() -> bool {
    true
}

impl Content {
    fn column(self, id: ColumnId, version: i64) -> Result<Column, Refusal> {
        let season = self.season.map(|season| {
            let day = |text: &str| YearDay::parse(text).ok_or_else(season_invalid);
            Ok::<_, Refusal>(Season {
                from: day(&season.from)?,
                until: day(&season.until)?,
            })
        });
        let column = Column {
            id,
            name: self.name,
            board: self.board,
            audience: self.audience.into(),
            from: self.from,
            until: self.until,
            season: season.transpose()?,
            active: self.active,
            version,
        };
        column.checked()
    }
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_writer(&actor)?;
    let new: NewColumn = web::body(request)?;
    let column = new.content.column(new.id, 1)?;
    let made = write(context, request, &actor, async |tx| {
        if !sql::insert_column(tx, &column).await? {
            return Err(taken().into());
        }
        answer(201, &shown(&column))
    })
    .await?;
    stored(&made, "/api/ads/columns")
}

/// The columns that are shown to the caller today; all of them for those who keep them.
pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(ColumnId::parse)?;
    query.finish()?;
    let found = sql::columns(&context.db, &actor.tenant, &page).await?;
    let mut listing = page.listing(found, |one| one.id.to_string(), |one| one);
    listing
        .items
        .retain(|column| is_shown(context, &actor, column));
    let items: Vec<Value> = listing.items.iter().map(shown).collect();
    Ok(Reply::ok(&json!({"items": items, "next": listing.next})))
}

fn is_shown(context: &Context, actor: &Actor, column: &Column) -> bool {
    may_read(actor) || column.is_shown(context.today(), actor.kind, &actor.communities)
}

/// The column of that id, as far as the caller may know of it.
pub(super) async fn seen(
    context: &Context,
    db: &impl Read,
    actor: &Actor,
    id: &str,
) -> anyhow::Result<Column> {
    let id: ColumnId = path_id(id, unknown_column)?;
    let column = sql::column(db, &actor.tenant, &id).await?;
    let column = column.filter(|column| is_shown(context, actor, column));
    Ok(column.ok_or_else(unknown_column)?)
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    column: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let column = seen(context, &context.db, &actor, column).await?;
    Ok(Reply::ok(&shown(&column)).with_etag(column.version))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    column: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    check_writer(&actor)?;
    let if_match = web::required_if_match(request)?;
    let content: Content = web::body(request)?;
    let changed = write(context, request, &actor, async |tx| {
        let before = seen(context, tx, &actor, column).await?;
        if_match.check(before.version)?;
        let after = content.clone().column(before.id, before.version + 1)?;
        sql::update_column(tx, &after).await?;
        answer(200, &shown(&after))
    })
    .await?;
    replied(&changed)
}

fn shown(column: &Column) -> Value {
    let season = column
        .season
        .map(|season| json!({"from": season.from.text(), "until": season.until.text()}));
    json!({
        "id": column.id,
        "name": column.name.as_str(),
        "board": column.board.as_ref().map(Name::as_str),
        "audience": WrittenTargeting::from(&column.audience),
        "from": column.from,
        "until": column.until,
        "season": season,
        "active": column.active,
        "version": column.version,
    })
}

fn taken() -> Refusal {
    Refusal::conflict(
        "column_taken",
        Message::new(
            "There is a column of this id. Choose another one.",
            "该栏目编号已被使用，请更换。",
        ),
    )
}

fn season_invalid() -> Refusal {
    Refusal::invalid(
        "season_invalid",
        Message::new(
            "A season goes from a day of the year to another, written 08-20.",
            "季节的起止日期格式为 08-20。",
        ),
    )
}
