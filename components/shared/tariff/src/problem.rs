//! Why a schedule or a line is not rated. Never an amount of nothing instead.

/// The reason, for programs and for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The stable name, in snake_case.
    pub code: String,
    /// The sentence in English.
    pub english: String,
    /// The sentence in simplified Chinese.
    pub chinese: String,
}

pub(crate) fn problem(
    code: &str,
    english: impl Into<String>,
    chinese: impl Into<String>,
) -> Problem {
    Problem {
        code: code.to_owned(),
        english: english.into(),
        chinese: chinese.into(),
    }
}

pub(crate) fn too_many_lines() -> Problem {
    problem(
        "too_many_lines",
        format!("At most {} lines are rated in one call.", crate::LINES_MAX),
        format!("一次最多计算 {} 行。", crate::LINES_MAX),
    )
}

pub(crate) fn too_large() -> Problem {
    problem(
        "amount_too_large",
        "The amount is beyond every range. Check the usage and the prices.",
        "金额超出范围，请检查用量和单价。",
    )
}
