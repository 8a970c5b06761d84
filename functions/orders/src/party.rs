//! Who is calling, and what of an order they may know and do.

use kernel::{Actor, ActorKind, MerchantId, OrderId, Refusal};
use store::{Read, Tx};
use web::Request;
use wire::mall::MerchantMode;

use crate::context::Context;
use crate::domain::{
    Order, Party, buyer_only, merchant_only, party_of, reports_denied, unknown_merchant,
    unknown_order,
};
use crate::inbox;
use crate::store::orders::Whose;
use crate::store::{known, orders};

/// A caller, and the shops that they act for.
pub(crate) struct Caller {
    pub(crate) actor: Actor,
    pub(crate) shops: Vec<MerchantId>,
}

/// Who is calling, once what others recorded is taken in.
pub(crate) async fn caller(context: &Context, request: &Request) -> anyhow::Result<Caller> {
    let actor = web::actor(request, &context.token_secret, context.now)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let shops = match actor.kind {
        ActorKind::Merchant => known::merchants_of(&context.db, &actor.tenant, &actor.id).await?,
        _ => Vec::new(),
    };
    Ok(Caller { actor, shops })
}

impl Caller {
    /// Their part in this order.
    ///
    /// # Errors
    /// 404 when they may not know of it.
    pub(crate) fn party(&self, order: &Order) -> Result<Party, Refusal> {
        let of = (&order.buyer, Some(&order.merchant));
        party_of(&self.actor, &self.shops, of).ok_or_else(unknown_order)
    }

    /// The order that a path names, and the caller's part in it.
    pub(crate) async fn order(&self, db: &impl Read, text: &str) -> anyhow::Result<(Order, Party)> {
        let id = OrderId::parse(text).map_err(|_| unknown_order())?;
        let found = orders::order(db, &self.actor.tenant, &id).await?;
        let order = found.ok_or_else(unknown_order)?;
        let party = self.party(&order)?;
        Ok((order, party))
    }

    /// The order, when the caller bought it.
    pub(crate) async fn bought(&self, tx: &Tx, text: &str) -> anyhow::Result<Order> {
        let (order, party) = self.order(tx, text).await?;
        buyer_only(party)?;
        Ok(order)
    }

    /// The order, when the caller sells it.
    pub(crate) async fn sold(&self, tx: &Tx, text: &str) -> anyhow::Result<Order> {
        let (order, party) = self.order(tx, text).await?;
        self.sells(tx, party, &order.merchant).await?;
        Ok(order)
    }

    /// Lets the merchant pass, and operators where the platform keeps the shop.
    pub(crate) async fn sells(
        &self,
        db: &impl Read,
        party: Party,
        merchant: &MerchantId,
    ) -> anyhow::Result<()> {
        let is_kept = self.keeps(db, party, merchant).await?;
        Ok(merchant_only(party, is_kept)?)
    }

    /// Whether somebody in this part keeps the shop.
    pub(crate) async fn keeps(
        &self,
        db: &impl Read,
        party: Party,
        merchant: &MerchantId,
    ) -> anyhow::Result<bool> {
        match party {
            Party::Merchant => Ok(true),
            Party::Operator => {
                let known = known::merchant(db, &self.actor.tenant, merchant).await?;
                Ok(known.is_some_and(|known| known.mode == MerchantMode::Hosted))
            }
            Party::Buyer | Party::Reader => Ok(false),
        }
    }

    /// Whose orders a list shows: the own ones, those of a shop that the caller acts for, or everybody's.
    pub(crate) fn whose(&self, merchant: Option<MerchantId>) -> Result<Whose, Refusal> {
        let nobody = party_of(
            &self.actor,
            &self.shops,
            (&self.actor.id, merchant.as_ref()),
        );
        match (nobody, merchant) {
            (Some(Party::Merchant | Party::Operator | Party::Reader), Some(merchant)) => {
                Ok(Whose::Merchant(merchant))
            }
            (_, Some(_)) => Err(unknown_merchant()),
            (Some(Party::Operator | Party::Reader), None) => Ok(Whose::Everybody),
            (Some(_), None) => Ok(Whose::Buyer(self.actor.id.clone())),
            (None, None) => Err(reports_denied()),
        }
    }
}
