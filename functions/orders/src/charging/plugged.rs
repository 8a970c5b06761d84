//! The plugged component: values of ours become values of the interface, and back.

use commission::{Charge, Chosen, Line, Outcome, Problem, Refund, ReturnOutcome, Rule, SaleKind};

mod bindings {
    #![allow(missing_docs)]
    wit_bindgen::generate!({
        path: "../../wit/settlement",
        world: "caller",
    });
}

use bindings::linli::settlement::commission as wit;

pub(super) fn rate(rules: &[Rule], lines: &[Line]) -> Result<Vec<Outcome>, Problem> {
    let rules: Vec<wit::Rule> = rules.iter().map(rule).collect();
    let lines: Vec<wit::Line> = lines.iter().map(line).collect();
    let charged = wit::rate(&rules, &lines).map_err(problem)?;
    Ok(charged.into_iter().map(outcome).collect())
}

pub(super) fn give_back(refunds: &[Refund]) -> Result<Vec<ReturnOutcome>, Problem> {
    let refunds: Vec<wit::Refund> = refunds.iter().map(refund).collect();
    let returned = wit::give_back(&refunds).map_err(problem)?;
    Ok(returned.into_iter().map(returned_outcome).collect())
}

fn refund(refund: &Refund) -> wit::Refund {
    wit::Refund {
        base: refund.base,
        amount: refund.amount,
        refunded_before: refund.refunded_before,
        returned_before: refund.returned_before,
        refunded: refund.refunded,
    }
}

fn returned_outcome(outcome: wit::ReturnOutcome) -> ReturnOutcome {
    match outcome {
        wit::ReturnOutcome::Refused(refused) => Err(problem(refused)),
        wit::ReturnOutcome::Returned(amount) => Ok(amount),
    }
}

fn rule(rule: &Rule) -> wit::Rule {
    wit::Rule {
        id: rule.id.clone(),
        version: rule.version,
        merchant: rule.merchant.clone(),
        category: rule.category.clone(),
        kind: rule.kind.map(kind),
        rate_bps: rule.rate_bps,
        includes_freight: rule.includes_freight,
        begins: rule.begins,
        ends: rule.ends,
    }
}

fn kind(kind: SaleKind) -> wit::SaleKind {
    match kind {
        SaleKind::Goods => wit::SaleKind::Goods,
        SaleKind::Service => wit::SaleKind::Service,
    }
}

fn line(line: &Line) -> wit::Line {
    wit::Line {
        merchant: line.merchant.clone(),
        categories: line.categories.clone(),
        kind: kind(line.kind),
        paid: line.paid,
        subsidy: line.subsidy,
        freight: line.freight,
        paid_at: line.paid_at,
    }
}

fn outcome(outcome: wit::Outcome) -> Outcome {
    match outcome {
        wit::Outcome::Refused(refused) => Err(problem(refused)),
        wit::Outcome::Charged(charge) => Ok(Charge {
            chosen: charge.chosen.map(|chosen| Chosen {
                rule: chosen.rule,
                version: chosen.version,
            }),
            rate_bps: charge.rate_bps,
            base: charge.base,
            amount: charge.amount,
        }),
    }
}

fn problem(problem: wit::Problem) -> Problem {
    Problem {
        code: problem.code,
        english: problem.english,
        chinese: problem.chinese,
    }
}
