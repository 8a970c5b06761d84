//! The library as a component: values of the interface become values of ours, and back.
// What the interface generates to cross the component's border is unsafe; we write none.
#![allow(unsafe_code, missing_docs)]

mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit/settlement",
        world: "plugin",
    });
}

use bindings::exports::linli::settlement::commission as wit;

struct Plugin;

bindings::export!(Plugin with_types_in bindings);

impl wit::Guest for Plugin {
    fn check(rules: Vec<wit::Rule>) -> Result<(), wit::Problem> {
        commission::check(&told(rules)).map_err(problem)
    }

    fn rate(
        rules: Vec<wit::Rule>,
        lines: Vec<wit::Line>,
    ) -> Result<Vec<wit::Outcome>, wit::Problem> {
        let lines: Vec<commission::Line> = lines.into_iter().map(line).collect();
        let charged = commission::charge(&told(rules), &lines).map_err(problem)?;
        Ok(charged.into_iter().map(outcome).collect())
    }

    fn give_back(refunds: Vec<wit::Refund>) -> Result<Vec<wit::ReturnOutcome>, wit::Problem> {
        let refunds: Vec<commission::Refund> = refunds.into_iter().map(refund).collect();
        let given = commission::give_back(&refunds).map_err(problem)?;
        Ok(given.into_iter().map(returned).collect())
    }
}

fn told(rules: Vec<wit::Rule>) -> Vec<commission::Rule> {
    let rules = rules.into_iter().map(|rule| commission::Rule {
        id: rule.id,
        version: rule.version,
        merchant: rule.merchant,
        category: rule.category,
        kind: rule.kind.map(kind),
        rate_bps: rule.rate_bps,
        includes_freight: rule.includes_freight,
        begins: rule.begins,
        ends: rule.ends,
    });
    rules.collect()
}

fn kind(kind: wit::SaleKind) -> commission::SaleKind {
    match kind {
        wit::SaleKind::Goods => commission::SaleKind::Goods,
        wit::SaleKind::Service => commission::SaleKind::Service,
    }
}

fn line(line: wit::Line) -> commission::Line {
    commission::Line {
        merchant: line.merchant,
        categories: line.categories,
        kind: kind(line.kind),
        paid: line.paid,
        subsidy: line.subsidy,
        freight: line.freight,
        paid_at: line.paid_at,
    }
}

fn refund(refund: wit::Refund) -> commission::Refund {
    commission::Refund {
        base: refund.base,
        amount: refund.amount,
        refunded_before: refund.refunded_before,
        returned_before: refund.returned_before,
        refunded: refund.refunded,
    }
}

fn outcome(outcome: commission::Outcome) -> wit::Outcome {
    match outcome {
        Err(refused) => wit::Outcome::Refused(problem(refused)),
        Ok(charge) => wit::Outcome::Charged(wit::Charge {
            chosen: charge.chosen.map(|chosen| wit::Chosen {
                rule: chosen.rule,
                version: chosen.version,
            }),
            rate_bps: charge.rate_bps,
            base: charge.base,
            amount: charge.amount,
        }),
    }
}

fn returned(outcome: commission::ReturnOutcome) -> wit::ReturnOutcome {
    match outcome {
        Ok(amount) => wit::ReturnOutcome::Returned(amount),
        Err(refused) => wit::ReturnOutcome::Refused(problem(refused)),
    }
}

fn problem(problem: commission::Problem) -> wit::Problem {
    wit::Problem {
        code: problem.code,
        english: problem.english,
        chinese: problem.chinese,
    }
}
