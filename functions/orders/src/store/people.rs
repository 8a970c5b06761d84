//! What is done to all that is held of one person's shopping: carts, favourites, addresses and coupons.

use kernel::ActorId;
use store::Tx;

statements! {
    // What both ids hold alike is held once.
    MERGE_CART = "delete from orders_cart where tenant = $1 and person = $2 and exists (
            select 1 from orders_cart o where o.tenant = $1 and o.person = $3 and o.variant = orders_cart.variant
                and o.slot = orders_cart.slot)";
    RENAME_IN_CART = "update orders_cart set person = $3 where tenant = $1 and person = $2";

    MERGE_FAVOURITES = "delete from orders_favourite where tenant = $1 and person = $2 and exists (
            select 1 from orders_favourite o where o.tenant = $1 and o.person = $3 and o.kind = orders_favourite.kind
                and o.id = orders_favourite.id)";
    RENAME_IN_FAVOURITES = "update orders_favourite set person = $3 where tenant = $1 and person = $2";

    MERGE_DEFAULT = "update orders_address set is_default = 0 where tenant = $1 and person = $2 and exists (
            select 1 from orders_address o where o.tenant = $1 and o.person = $3 and o.is_default = 1)";
    RENAME_IN_ADDRESSES = "update orders_address set person = $3 where tenant = $1 and person = $2";

    MERGE_COUPONS = "delete from orders_coupon where tenant = $1 and person = $2 and state = 'held' and exists (
            select 1 from orders_coupon o where o.tenant = $1 and o.person = $3
                and o.promotion = orders_coupon.promotion)";
    RENAME_IN_COUPONS = "update orders_coupon set person = $3 where tenant = $1 and person = $2 and not exists (
            select 1 from orders_coupon o where o.tenant = $1 and o.person = $3
                and o.promotion = orders_coupon.promotion)";

    RENAME_IN_CLAIMS = "update orders_stock_claim set buyer = $3 where tenant = $1 and buyer = $2";
    RENAME_IN_SEATS = "update orders_group_seat set person = $3 where tenant = $1 and person = $2";
    RENAME_IN_GROUPS = "update orders_group set opened_by = $3 where tenant = $1 and opened_by = $2";
    RENAME_IN_MOVEMENTS = "update orders_stock_movement set actor = $3 where tenant = $1 and actor = $2";

    FORGET_CART = "delete from orders_cart where tenant = $1 and person = $2";
    FORGET_FAVOURITES = "delete from orders_favourite where tenant = $1 and person = $2";
    FORGET_ADDRESSES = "delete from orders_address where tenant = $1 and person = $2";
    FORGET_COUPONS = "delete from orders_coupon where tenant = $1 and person = $2 and state = 'held'";
}

/// What stands where a person stood who was forgotten.
pub(crate) const ERASED: &str = "erased";

/// Puts another id wherever this person stands.
pub(crate) async fn rename(tx: &Tx, person: &ActorId, new: &str) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), person.into(), new.into()];
    for statement in [
        MERGE_CART,
        RENAME_IN_CART,
        MERGE_FAVOURITES,
        RENAME_IN_FAVOURITES,
        MERGE_DEFAULT,
        RENAME_IN_ADDRESSES,
        MERGE_COUPONS,
        RENAME_IN_COUPONS,
        RENAME_IN_CLAIMS,
        RENAME_IN_SEATS,
        RENAME_IN_GROUPS,
        RENAME_IN_MOVEMENTS,
    ] {
        tx.execute(statement, &parameters).await?;
    }
    Ok(())
}

/// Forgets a person: what they wanted, liked, and where they live; what they bought stays without their name.
pub(crate) async fn erase(tx: &Tx, person: &ActorId) -> anyhow::Result<()> {
    let parameters = [tx.tenant().into(), person.into()];
    for statement in [
        FORGET_CART,
        FORGET_FAVOURITES,
        FORGET_ADDRESSES,
        FORGET_COUPONS,
    ] {
        tx.execute(statement, &parameters).await?;
    }
    let parameters = [tx.tenant().into(), person.into(), ERASED.into()];
    for statement in [
        RENAME_IN_CLAIMS,
        RENAME_IN_SEATS,
        RENAME_IN_GROUPS,
        RENAME_IN_MOVEMENTS,
    ] {
        tx.execute(statement, &parameters).await?;
    }
    Ok(())
}
