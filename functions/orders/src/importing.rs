//! Lists of goods become products: lines of one name and category are variants of one product; a line whose code the shop
//! has changes that variant. All of a file or nothing of it; a dry run takes the same way and is rolled back.

use kernel::{Actor, CategoryId};
use serde::Serialize;
use store::Tx;
use wire::mall::SaleKind;

use crate::context::Context;
use crate::domain::product::{Content, PRICE_MINOR_MAX, Product, ProductState, Shelf, Variant};
use crate::domain::stock::UNITS_MAX;
use crate::domain::text::{Code, Description, Name, Summary};
use crate::domain::{Merchant, product::check_category};
use crate::goods::{self, Draft, Units};
use crate::sheet::{Row, fen};
use crate::store::{known, products};

/// The most faults that are named.
const FAULTS_MAX: usize = 200;

/// Something that is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    row: u32,
    column: &'static str,
    code: &'static str,
    english: String,
    chinese: String,
}

/// What an import did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub(crate) struct Report {
    /// Lines with goods on them.
    pub(crate) rows: usize,
    /// Products that were added.
    pub(crate) added: usize,
    /// Products that were changed.
    pub(crate) changed: usize,
    /// What is wrong; with a fault nothing was taken in.
    pub(crate) faults: Vec<Fault>,
    /// Whether it was only tried.
    pub(crate) dry_run: bool,
}

/// A line that can be taken in.
struct Line {
    code: Code,
    name: Name,
    variant: Name,
    category: CategoryId,
    price_minor: i64,
    units: i64,
    summary: Option<Summary>,
    barcode: Option<Code>,
    shelf: Option<Shelf>,
}

/// Reads the lines and names what is wrong with them.
struct Reading {
    faults: Vec<Fault>,
}

impl Reading {
    fn fault(&mut self, row: &Row, column: &'static str, english: &str, chinese: &str) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault {
                row: row.number,
                column,
                code: "cell_invalid",
                english: english.to_owned(),
                chinese: chinese.to_owned(),
            });
        }
    }

    /// What stands in a column that may be blank.
    fn optional<T>(
        &mut self,
        row: &Row,
        column: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = row.cell(column)?;
        let parsed = parse(text);
        if parsed.is_none() {
            self.fault(row, column, "This cannot be read.", "内容不正确。");
        }
        parsed
    }

    /// What stands in a column that must not be blank.
    fn needed<T>(
        &mut self,
        row: &Row,
        column: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        if row.cell(column).is_none() {
            self.fault(row, column, "Fill this in.", "请填写此项。");
            return None;
        }
        self.optional(row, column, parse)
    }

    fn line(&mut self, row: &Row) -> Option<Line> {
        let number = |text: &str| text.parse::<i64>().ok();
        let price = |text: &str| fen(text).filter(|fen| (1..=PRICE_MINOR_MAX).contains(fen));
        let code = self.needed(row, "code", |text| Code::parse(text).ok());
        let name = self.needed(row, "name", |text| Name::parse(text).ok());
        let variant = self.needed(row, "variant", |text| Name::parse(text).ok());
        let category = self.needed(row, "category", |text| CategoryId::parse(text).ok());
        let price_minor = self.needed(row, "price", price);
        let units = self.optional(row, "units", |text| {
            number(text).filter(|units| (0..=UNITS_MAX).contains(units))
        });
        let summary = self.optional(row, "summary", |text| Summary::parse(text).ok());
        let barcode = self.optional(row, "barcode", |text| Code::parse(text).ok());
        let expires_on = self.optional(row, "expires_on", |text| text.parse().ok());
        let trace_code = self.optional(row, "trace_code", |text| Code::parse(text).ok());
        let near_days = self.optional(row, "near_days", |text| {
            text.parse().ok().filter(|days| *days <= 365_u32)
        });
        let markdown_bps = self.optional(row, "markdown_bps", |text| {
            text.parse().ok().filter(|bps| *bps <= 10_000_u32)
        });
        Some(Line {
            code: code?,
            name: name?,
            variant: variant?,
            category: category?,
            price_minor: price_minor?,
            units: units.unwrap_or(0),
            summary,
            barcode,
            shelf: expires_on.map(|expires_on| Shelf {
                expires_on,
                trace_code,
                near_days: near_days.unwrap_or(0),
                markdown_bps: markdown_bps.unwrap_or(0),
            }),
        })
    }
}

/// Takes the lines into the merchant's shop as drafts, in the caller's transaction; the caller rolls back when there are
/// faults.
pub(crate) async fn import(
    context: &Context,
    tx: &Tx,
    (actor, merchant): (&Actor, &Merchant),
    rows: &[Row],
) -> anyhow::Result<Report> {
    let mut reading = Reading { faults: Vec::new() };
    let mut groups: Vec<(SaleKind, Vec<Line>)> = Vec::new();
    let mut codes = std::collections::BTreeSet::new();
    for row in rows {
        let Some(line) = reading.line(row) else {
            continue;
        };
        if !codes.insert(line.code.as_str().to_owned()) {
            reading.fault(
                row,
                "code",
                "This code stands twice in the file.",
                "编码在文件中重复。",
            );
            continue;
        }
        let kind = known::kind_of_category(tx, tx.tenant(), &line.category).await?;
        let Some(kind) = kind.filter(|_| check_category(merchant, &line.category).is_ok()) else {
            reading.fault(
                row,
                "category",
                "The merchant may not sell in this category.",
                "品类不存在或该商家未获准经营。",
            );
            continue;
        };
        let same = |held: &Line| held.name == line.name && held.category == line.category;
        match groups
            .iter_mut()
            .find(|(_, lines)| lines.first().is_some_and(same))
        {
            Some((_, lines)) => lines.push(line),
            None => groups.push((kind, vec![line])),
        }
    }
    let mut report = Report {
        rows: rows.len(),
        faults: reading.faults,
        ..Report::default()
    };
    if report.faults.is_empty() {
        for (kind, lines) in groups {
            take_in(context, tx, (actor, merchant, kind), (lines, &mut report)).await?;
        }
    }
    Ok(report)
}

async fn take_in(
    context: &Context,
    tx: &Tx,
    (actor, merchant, kind): (&Actor, &Merchant, SaleKind),
    (lines, report): (Vec<Line>, &mut Report),
) -> anyhow::Result<()> {
    let Some(first) = lines.first() else {
        return Ok(());
    };
    let mut held = None;
    for line in &lines {
        let found = products::variant_of_code(tx, &merchant.id, line.code.as_str()).await?;
        held = held.or(found.map(|(_, product)| product));
    }
    let (product, mut variants) = match &held {
        None => (fresh(context, merchant, (kind, first))?, Vec::new()),
        Some(id) => {
            let product = products::product(tx, tx.tenant(), id).await?;
            let product = product.ok_or_else(crate::domain::unknown_product)?;
            let variants = products::variants(tx, tx.tenant(), id).await?;
            (counted(context, product, first), variants)
        }
    };
    variants.retain(|variant| !variant.gone);
    let mut units = Units::new();
    for line in lines {
        put_variant(context, &mut variants, &mut units, line)?;
    }
    let draft = Draft {
        product,
        variants,
        units,
    };
    if held.is_none() {
        report.added += 1;
        return goods::add(context, tx, actor, &draft).await;
    }
    report.changed += 1;
    goods::change(context, tx, actor, &draft).await
}

fn put_variant(
    context: &Context,
    variants: &mut Vec<Variant>,
    units: &mut Units,
    line: Line,
) -> anyhow::Result<()> {
    let held = variants
        .iter_mut()
        .find(|variant| variant.code.as_ref() == Some(&line.code));
    let id = match &held {
        Some(variant) => variant.id.clone(),
        None => context.new_id()?,
    };
    let new = Variant {
        id: id.clone(),
        name: line.variant,
        price_minor: line.price_minor,
        code: Some(line.code),
        barcode: line.barcode,
        shelf: line.shelf,
        gone: false,
    };
    match held {
        // What a known variant has is counted where it lies, not in a file of prices.
        Some(variant) => *variant = new,
        None => {
            variants.push(new);
            units.push((id, line.units));
        }
    }
    Ok(())
}

fn fresh(
    context: &Context,
    merchant: &Merchant,
    (kind, line): (SaleKind, &Line),
) -> anyhow::Result<Product> {
    Ok(Product {
        id: context.new_id()?,
        merchant: merchant.id.clone(),
        category: line.category.clone(),
        kind,
        content: Content {
            name: line.name.clone(),
            summary: line.summary.clone(),
            description: Description::default(),
            lead_minutes: 0,
            cancel_minutes: 0,
        },
        state: ProductState::Draft,
        version: 1,
        created_at: context.now,
        changed_at: context.now,
    })
}

fn counted(context: &Context, product: Product, line: &Line) -> Product {
    let summary = line.summary.clone().or(product.content.summary);
    Product {
        content: Content {
            name: line.name.clone(),
            summary,
            ..product.content
        },
        version: product.version + 1,
        changed_at: context.now,
        ..product
    }
}
