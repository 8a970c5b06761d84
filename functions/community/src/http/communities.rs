//! `/api/companies` and `/api/communities`.

use kernel::{CommunityId, CompanyId, Phone, Zone};
use serde::Deserialize;
use store::tx;
use web::{Query, Reply, Request};
use wire::event::{CommunityChanged, CompanyChanged};

use super::{answer, caller, path_id, shown, stored, versioned, write};
use crate::context::Context;
use crate::domain::{
    Community, Company, Name, Note, operators_only, taken, unknown, unknown_community,
};
use crate::{facts, store as sql};

const COMPANY: (&str, &str, &str) = ("company_unknown", "company", "物业公司");
const COMMUNITY: (&str, &str, &str) = ("community_unknown", "community", "小区");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCompany {
    id: CompanyId,
    name: Name,
    phone: Option<Phone>,
    address: Option<Note>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompanyChange {
    name: Option<Name>,
    phone: Option<Phone>,
    address: Option<Note>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCommunity {
    id: CommunityId,
    name: Name,
    address: Option<Note>,
    time_zone: Option<Zone>,
    company: Option<CompanyId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommunityChange {
    name: Option<Name>,
    address: Option<Note>,
    time_zone: Option<Zone>,
    company: Option<CompanyId>,
}

pub(super) async fn add_company(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    operators_only(&actor)?;
    let new: NewCompany = web::body(request)?;
    let company = Company {
        id: new.id,
        name: new.name,
        phone: new.phone,
        address: new.address,
        version: 1,
    };
    let added = write(context, request, &actor, async |tx| {
        if sql::company(tx, &actor.tenant, &company.id)
            .await?
            .is_some()
        {
            return Err(taken("company_exists", "company", "物业公司").into());
        }
        sql::insert_company(tx, &company).await?;
        let fact = CompanyChanged {
            company: company.id.clone(),
            version: company.version,
            actor: actor.id.clone(),
        };
        facts::append(context, tx, &fact).await?;
        answer(201, &shown::company(&company))
    })
    .await?;
    stored(&added, "/api/companies")
}

pub(super) async fn list_companies(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(CompanyId::parse)?;
    query.finish()?;
    let companies = sql::companies(&context.db, &actor.tenant, &page).await?;
    Ok(Reply::ok(&page.listing(
        companies,
        |company| company.id.to_string(),
        |company| shown::company(&company),
    )))
}

pub(super) async fn show_company(
    context: &Context,
    request: &Request,
    company: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(company, COMPANY)?;
    let found = sql::company(&context.db, &actor.tenant, &id).await?;
    let (code, english, chinese) = COMPANY;
    let company = found.ok_or_else(|| unknown(code, english, chinese))?;
    Ok(versioned(
        request,
        company.version,
        &shown::company(&company),
    ))
}

pub(super) async fn change_company(
    context: &Context,
    request: &Request,
    company: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    operators_only(&actor)?;
    let id: CompanyId = path_id(company, COMPANY)?;
    let expected = web::required_if_match(request)?;
    let change: CompanyChange = web::body(request)?;
    let changed = tx(&context.db, &actor.tenant, async |tx| {
        let (code, english, chinese) = COMPANY;
        let found = sql::company(tx, &actor.tenant, &id).await?;
        let before = found.ok_or_else(|| unknown(code, english, chinese))?;
        expected.check(before.version)?;
        let after = Company {
            name: change.name.clone().unwrap_or(before.name),
            phone: change.phone.clone().or(before.phone),
            address: change.address.clone().or(before.address),
            version: before.version + 1,
            id: before.id,
        };
        sql::update_company(tx, &after).await?;
        let (company, version, actor) = (after.id.clone(), after.version, actor.id.clone());
        facts::append(
            context,
            tx,
            &CompanyChanged {
                company,
                version,
                actor,
            },
        )
        .await?;
        Ok(after)
    })
    .await?;
    Ok(Reply::ok(&shown::company(&changed)).with_etag(changed.version))
}

pub(super) async fn add(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    operators_only(&actor)?;
    let new: NewCommunity = web::body(request)?;
    let community = Community {
        id: new.id,
        name: new.name,
        address: new.address,
        zone: new.time_zone.unwrap_or(Zone::SHANGHAI),
        company: new.company,
        version: 1,
    };
    let added = write(context, request, &actor, async |tx| {
        if sql::community(tx, &actor.tenant, &community.id)
            .await?
            .is_some()
        {
            return Err(taken("community_exists", "community", "小区").into());
        }
        check_company(tx, community.company.as_ref()).await?;
        sql::insert_community(tx, &community).await?;
        facts::append(context, tx, &fact(&actor, &community)).await?;
        answer(201, &shown::community(&community))
    })
    .await?;
    stored(&added, "/api/communities")
}

async fn check_company(tx: &store::Tx, company: Option<&CompanyId>) -> anyhow::Result<()> {
    if let Some(id) = company
        && sql::company(tx, tx.tenant(), id).await?.is_none()
    {
        let (code, english, chinese) = COMPANY;
        return Err(unknown(code, english, chinese).into());
    }
    Ok(())
}

fn fact(actor: &kernel::Actor, community: &Community) -> CommunityChanged {
    CommunityChanged {
        community: community.id.clone(),
        name: community.name.as_str().to_owned(),
        time_zone: community.zone.as_str().to_owned(),
        version: community.version,
        actor: actor.id.clone(),
    }
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(CommunityId::parse)?;
    let is_mine = query.take("mine", str::parse::<bool>)?.unwrap_or(false);
    query.finish()?;
    let mine = is_mine.then_some((&actor.id, context.now));
    let communities = sql::communities(&context.db, &actor, mine, &page).await?;
    Ok(Reply::ok(&page.listing(
        communities,
        |community| community.id.to_string(),
        |community| shown::community(&community),
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    community: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(community, COMMUNITY)?;
    let found = sql::community(&context.db, &actor.tenant, &id).await?;
    let community = found.ok_or_else(unknown_community)?;
    Ok(versioned(
        request,
        community.version,
        &shown::community(&community),
    ))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    community: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    operators_only(&actor)?;
    let id: CommunityId = path_id(community, COMMUNITY)?;
    let expected = web::required_if_match(request)?;
    let change: CommunityChange = web::body(request)?;
    let changed = tx(&context.db, &actor.tenant, async |tx| {
        let found = sql::community(tx, &actor.tenant, &id).await?;
        let before = found.ok_or_else(unknown_community)?;
        expected.check(before.version)?;
        check_company(tx, change.company.as_ref()).await?;
        let after = Community {
            name: change.name.clone().unwrap_or(before.name),
            address: change.address.clone().or(before.address),
            zone: change.time_zone.unwrap_or(before.zone),
            company: change.company.clone().or(before.company),
            version: before.version + 1,
            id: before.id,
        };
        sql::update_community(tx, &after).await?;
        facts::append(context, tx, &fact(&actor, &after)).await?;
        Ok(after)
    })
    .await?;
    Ok(Reply::ok(&shown::community(&changed)).with_etag(changed.version))
}
