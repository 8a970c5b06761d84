//! What of a commission goes back with a refund: cumulative, so that the last refund closes the sum.

use crate::charge::half_up;
use crate::problem::problem;
use crate::{Problem, Refund, ReturnOutcome};

/// `round_half_up(C x R_k / B) - sum(C_<k)`, with R_k what of the base has gone back, this refund included.
pub(crate) fn amount(refund: &Refund) -> ReturnOutcome {
    check(refund)?;
    let gone = i128::from(refund.refunded_before) + i128::from(refund.refunded);
    let due = if refund.base == 0 {
        0
    } else {
        half_up(i128::from(refund.amount) * gone, i128::from(refund.base))?
    };
    if due < refund.returned_before {
        return Err(problem(
            "returned_too_much",
            "More of the commission went back before than is due by now. Check the refunds of the line.",
            "此前退回的佣金已超过应退金额，请核对该行的退款。",
        ));
    }
    Ok(due - refund.returned_before)
}

fn check(refund: &Refund) -> Result<(), Problem> {
    let amounts = [
        refund.base,
        refund.amount,
        refund.refunded_before,
        refund.returned_before,
        refund.refunded,
    ];
    if amounts.iter().any(|amount| *amount < 0) || refund.amount > refund.base {
        return Err(problem(
            "bad_refund",
            "Amounts are never below zero, and a commission is never more than its base.",
            "金额不能为负数，佣金不能超过计佣基数。",
        ));
    }
    let gone = i128::from(refund.refunded_before) + i128::from(refund.refunded);
    if gone > i128::from(refund.base) {
        return Err(problem(
            "refund_too_large",
            "More would go back than was paid. Refund at most the rest.",
            "退款超过已付金额，最多退还剩余部分。",
        ));
    }
    Ok(())
}
