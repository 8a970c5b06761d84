//! What a room owes by area, a fixed amount or rent: exact for each month of the bill, and rounded once.

use serde_json::{Value, json};

use super::{Charge, Charged, Household, Rule, Skip, Span, Stretch, in_days, prorated, rent, skip};

/// An exact amount in fen: numerator and denominator.
type Exact = (i128, i128);

impl Rule {
    /// What a room owes by area, a fixed amount or rent.
    ///
    /// # Errors
    /// The reason to skip the room.
    pub fn charge_plain(
        &self,
        household: &Household,
        span: impl Into<Span>,
    ) -> Result<Charged, Skip> {
        let span = span.into();
        let stretches = self.stretches(household, span)?;
        let mut sum: Exact = (0, 1);
        let mut basis = self.plain_basis(household)?;
        let mut rents = Vec::new();
        for stretch in &stretches {
            let (exact, of_rent) = self.plain_part(household, *stretch)?;
            sum = added(sum, exact).ok_or_else(|| skip("amount_too_large"))?;
            rents.extend(of_rent);
        }
        if let (Charge::Rent { .. }, Some(basis)) = (&self.charge, basis.as_object_mut()) {
            basis.insert("rents".to_owned(), json!(rents));
        }
        in_months(&mut basis, (span, &stretches));
        let amount_fen =
            tariff::to_fen(sum.0, sum.1, self.rounding).map_err(|problem| Skip(problem.code))?;
        if amount_fen == 0 {
            return Err(skip("nothing_due"));
        }
        Ok(Charged {
            amount_fen,
            basis,
            mark: String::new(),
        })
    }

    /// The days of each month on which the rule holds for the room; at least one.
    fn stretches(&self, household: &Household, span: Span) -> Result<Vec<Stretch>, Skip> {
        let mut found = Vec::new();
        let mut reason = skip("not_in_force");
        for month in span.each() {
            match self.stretch(household, month) {
                Ok(stretch) => found.push(stretch),
                Err(none) => reason = none,
            }
        }
        if found.is_empty() {
            return Err(reason);
        }
        Ok(found)
    }

    /// What is due for these days of a month, with the rents that it was made of.
    fn plain_part(
        &self,
        household: &Household,
        stretch: Stretch,
    ) -> Result<(Exact, Vec<(i64, i64)>), Skip> {
        match &self.charge {
            Charge::Area {
                price,
                vacancy_percent,
            } => {
                let area = i128::from(known_area(household.area_dm2)?);
                let percent = percent_of(household, *vacancy_percent);
                // 1/10,000 yuan x 1/100 m2 is 1/10,000 fen; the percent makes it 1/1,000,000.
                let (numerator, denominator) =
                    prorated(i128::from(*price) * area * i128::from(percent), stretch);
                Ok(((numerator, denominator * 1_000_000), Vec::new()))
            }
            Charge::Fixed {
                amount_minor,
                vacancy_percent,
            } => {
                let percent = percent_of(household, *vacancy_percent);
                let (numerator, denominator) =
                    prorated(i128::from(*amount_minor) * i128::from(percent), stretch);
                Ok(((numerator, denominator * 100), Vec::new()))
            }
            Charge::Rent {
                amount_minor,
                escalation,
            } => {
                let terms = (*amount_minor, self.contract_from(household));
                let (numerator, denominator, rents) =
                    rent(terms, *escalation, stretch).map_err(|problem| Skip(problem.code))?;
                Ok(((numerator, denominator), rents))
            }
            _ => Err(skip("not_plain")),
        }
    }

    fn plain_basis(&self, household: &Household) -> Result<Value, Skip> {
        Ok(match &self.charge {
            Charge::Area {
                price,
                vacancy_percent,
            } => {
                json!({"kind": "area", "area_dm2": known_area(household.area_dm2)?, "price": price, "percent": percent_of(household, *vacancy_percent)})
            }
            Charge::Fixed {
                amount_minor,
                vacancy_percent,
            } => {
                json!({"kind": "fixed", "amount_minor": amount_minor, "percent": percent_of(household, *vacancy_percent)})
            }
            Charge::Rent { amount_minor, .. } => {
                json!({"kind": "rent", "amount_minor": amount_minor, "contract_from": self.contract_from(household)})
            }
            _ => return Err(skip("not_plain")),
        })
    }

    fn contract_from(&self, household: &Household) -> chrono::NaiveDate {
        let terms = self.scope.rooms.iter();
        let mut own = terms.filter(|term| term.room == household.room);
        let first = own.next().and_then(|term| term.first_day);
        first.unwrap_or(self.first_day)
    }
}

/// One month has its days on the bill, several have each its own.
fn in_months(basis: &mut Value, (span, stretches): (Span, &[Stretch])) {
    if let (1, [stretch]) = (span.months, stretches) {
        in_days(basis, *stretch);
        return;
    }
    let months: Vec<Value> = stretches
        .iter()
        .map(|stretch| json!({"month": stretch.month.to_string(), "days": stretch.days(), "days_of_month": stretch.month.days()}))
        .collect();
    if let Some(basis) = basis.as_object_mut() {
        basis.insert("months".to_owned(), months.into());
    }
}

/// What a vacant room bears, in 1/100.
fn percent_of(household: &Household, vacancy_percent: Option<u32>) -> i64 {
    match vacancy_percent {
        Some(percent) if household.is_vacant() => i64::from(percent),
        _ => 100,
    }
}

fn known_area(area_dm2: i64) -> Result<i64, Skip> {
    match area_dm2 {
        ..0 => Err(skip("area_negative")),
        0 => Err(skip("area_missing")),
        area => Ok(area),
    }
}

/// The sum of two exact amounts in lowest terms; nothing beyond 2^127.
fn added(left: Exact, right: Exact) -> Option<Exact> {
    let numerator = left
        .0
        .checked_mul(right.1)?
        .checked_add(right.0.checked_mul(left.1)?)?;
    let denominator = left.1.checked_mul(right.1)?;
    let divisor = common(numerator.checked_abs()?, denominator).max(1);
    Some((numerator / divisor, denominator / divisor))
}

/// The greatest common divisor.
fn common(mut left: i128, mut right: i128) -> i128 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}
