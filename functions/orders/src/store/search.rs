//! The index of what can be found.

use std::collections::BTreeSet;

use kernel::{CommunityId, MerchantId, TenantId};
use store::{Read, Tx, Value};

use crate::domain::search::{GRAMS_MAX, WORDS_MAX, Wanted};

statements! {
    PUT_FOUND = "insert into orders_found (tenant, kind, id, merchant, title, name, text)
        values ($1, $2, $3, $4, $5, $6, $7)";

    PUT_GRAM = "insert into orders_search (tenant, gram, kind, id) values ($1, $2, $3, $4)
        on conflict (tenant, gram, kind, id) do nothing";

    FORGET_GRAMS = "delete from orders_search where tenant = $1 and kind = $2 and id = $3";

    FORGET_FOUND = "delete from orders_found where tenant = $1 and kind = $2 and id = $3";

    // Pieces of the words find candidates, the words themselves decide. What is called so comes first, then what begins
    // so, then what holds it in its name; equals stand in the order of their ids.
    SEARCH = "select r.kind, r.id, r.merchant, r.title, r.shop, r.place,
            (select min(v.price_minor) from orders_variant v where v.tenant = $1 and v.product = r.id and v.gone = 0)
        from (select f.kind as kind, f.id as id, f.merchant as merchant, f.title as title, m.name as shop,
                case when f.name = $13 then 0 when f.name like $14 escape '!' then 1
                    when f.name like $10 escape '!' then 2 else 3 end as place
            from (select kind, id from orders_search
                where tenant = $1 and gram in ($2, $3, $4, $5, $6, $7, $8, $9)
                group by kind, id having count(*) = $15) g
            join orders_found f on f.tenant = $1 and f.kind = g.kind and f.id = g.id
            join orders_merchant m on m.tenant = $1 and m.id = f.merchant and m.trades = 1
            where f.text like $10 escape '!' and f.text like $11 escape '!' and f.text like $12 escape '!'
              and (cast($16 as text) is null or f.kind = $16)
              and (cast($17 as text) is null or m.everywhere = 1 or exists (
                select 1 from orders_merchant_community c
                where c.tenant = $1 and c.merchant = m.id and c.community = $17))) r
        where cast($18 as bigint) is null or r.place > $18 or (r.place = $18 and r.id > $19)
        order by r.place, r.id limit $20";
}

/// What is to be found.
pub(crate) struct Found {
    /// `goods`, `service` or `shop`.
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) merchant: MerchantId,
    pub(crate) title: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) kind: String,
    pub(crate) id: String,
    pub(crate) merchant: MerchantId,
    pub(crate) title: String,
    pub(crate) shop: String,
    /// How well it fits; 0 is best.
    pub(crate) place: i64,
    pub(crate) price_minor: Option<i64>,
}

/// What a search holds besides words.
pub(crate) struct Among<'a> {
    pub(crate) kind: Option<&'a str>,
    pub(crate) community: Option<&'a CommunityId>,
    pub(crate) after: Option<(i64, String)>,
    pub(crate) rows: i64,
}

/// Makes something found by its text; it is not there.
pub(crate) async fn put(
    tx: &Tx,
    found: &Found,
    (name, text): (&str, &str),
    grams: &BTreeSet<String>,
) -> anyhow::Result<()> {
    let parameters = [
        tx.tenant().into(),
        (&found.kind).into(),
        (&found.id).into(),
        (&found.merchant).into(),
        (&found.title).into(),
        name.into(),
        text.into(),
    ];
    tx.execute(PUT_FOUND, &parameters).await?;
    let rows: Vec<Vec<Value>> = grams
        .iter()
        .map(|gram| {
            vec![
                tx.tenant().into(),
                gram.into(),
                (&found.kind).into(),
                (&found.id).into(),
            ]
        })
        .collect();
    tx.insert_many(PUT_GRAM, &rows).await
}

/// Makes something not found any more.
pub(crate) async fn forget(tx: &Tx, kind: &str, id: &str) -> anyhow::Result<()> {
    let key = [tx.tenant().into(), kind.into(), id.into()];
    tx.execute(FORGET_GRAMS, &key).await?;
    tx.execute(FORGET_FOUND, &key).await
}

/// What is found by those words, the best first.
pub(crate) async fn search(
    db: &impl Read,
    tenant: &TenantId,
    wanted: &Wanted,
    among: &Among<'_>,
) -> anyhow::Result<Vec<Hit>> {
    let mut parameters: Vec<Value> = vec![tenant.into()];
    // Fewer pieces or words than places: the first fills the rest, which asks nothing new.
    let grams = wanted
        .grams
        .iter()
        .chain(wanted.grams.first().into_iter().cycle());
    parameters.extend(grams.take(GRAMS_MAX).map(Value::from));
    let words = wanted
        .words
        .iter()
        .chain(wanted.words.first().into_iter().cycle());
    parameters.extend(words.take(WORDS_MAX).map(|word| format!("%{word}%").into()));
    let whole = wanted.words.concat();
    parameters.push((&whole).into());
    parameters.push(format!("{whole}%").into());
    parameters.push(i64::try_from(wanted.grams.len())?.into());
    parameters.push(among.kind.into());
    parameters.push(among.community.into());
    let (place, id) = among.after.clone().unzip();
    parameters.push(place.into());
    parameters.push(id.into());
    parameters.push(among.rows.into());
    let rows = db.rows(SEARCH, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Hit {
                kind: row.text(0)?.to_owned(),
                id: row.text(1)?.to_owned(),
                merchant: row.id(2)?,
                title: row.text(3)?.to_owned(),
                shop: row.text(4)?.to_owned(),
                place: row.integer(5)?,
                price_minor: row.optional_integer(6)?,
            })
        })
        .collect()
}
