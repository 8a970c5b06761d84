//! Categories (品类): a tree of goods and of services, each with its operator and the papers that selling in it needs.

use kernel::{ActorId, CategoryId, Message, Refusal};
use wire::mall::SaleKind;

use super::{Name, QualificationKind};

/// The most categories above each other.
pub const CATEGORY_DEPTH_MAX: i64 = 4;
/// The most categories of a tenant.
pub const CATEGORIES_MAX: i64 = 1_000;
/// How many shops a category is to have when the mall is launched.
pub const SHOPS_WANTED: std::ops::RangeInclusive<i64> = 5..=10;

/// What goods or services are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// Its id.
    pub id: CategoryId,
    /// The one it is a part of.
    pub parent: Option<CategoryId>,
    /// The ids from the root down to this one, as `/food/fruit/`.
    pub path: String,
    /// 1 for a root.
    pub depth: i64,
    /// What buyers read.
    pub name: Name,
    /// Goods or services.
    pub kind: SaleKind,
    /// The platform's operator of it (品类专员).
    pub operator: Option<ActorId>,
    /// The papers that selling in it needs, beside the business licence.
    pub required: Vec<QualificationKind>,
    /// Whether nothing may be listed in it any more.
    pub gone: bool,
    /// Counts up with each change.
    pub version: i64,
}

/// A category as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCategory {
    /// Its id.
    pub id: CategoryId,
    /// What buyers read.
    pub name: Name,
    /// Goods or services.
    pub kind: SaleKind,
    /// The platform's operator of it.
    pub operator: Option<ActorId>,
    /// The papers that selling in it needs.
    pub required: Vec<QualificationKind>,
}

/// A new category below another one, or a root.
///
/// # Errors
/// The parent is gone or of the other kind; too deep.
pub fn below(parent: Option<&Category>, new: NewCategory) -> Result<Category, Refusal> {
    let depth = parent.map_or(1, |parent| parent.depth + 1);
    if depth > CATEGORY_DEPTH_MAX {
        return Err(Refusal::invalid(
            "category_too_deep",
            Message::new(
                format!("Categories stand at most {CATEGORY_DEPTH_MAX} above each other."),
                format!("品类最多 {CATEGORY_DEPTH_MAX} 级。"),
            ),
        ));
    }
    if parent.is_some_and(|parent| parent.gone) {
        return Err(Refusal::conflict(
            "category_gone",
            Message::new(
                "The category above was taken away. Choose another.",
                "上级品类已停用，请选择其他品类。",
            ),
        ));
    }
    if parent.is_some_and(|parent| parent.kind != new.kind) {
        return Err(Refusal::invalid(
            "category_kind_differs",
            Message::new(
                "A category is of the same kind as the one above it: goods or service.",
                "品类须与上级品类同为商品或服务。",
            ),
        ));
    }
    let above = parent.map_or("/", |parent| parent.path.as_str());
    Ok(Category {
        path: format!("{above}{}/", new.id),
        id: new.id,
        parent: parent.map(|parent| parent.id.clone()),
        depth,
        name: new.name,
        kind: new.kind,
        operator: new.operator,
        required: new.required,
        gone: false,
        version: 1,
    })
}

/// Another category beside it goes by that name.
#[must_use]
pub fn category_taken() -> Refusal {
    Refusal::conflict(
        "category_taken",
        Message::new(
            "There is a category of that id, or one of that name beside it. Choose another.",
            "该编号或同级名称已被使用，请更换。",
        ),
    )
}
