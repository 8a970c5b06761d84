//! Why rules, a line or a refund are not computed. Never an amount of nothing instead.

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

pub(crate) fn too_many(english: &str, chinese: &str, most: usize) -> Problem {
    problem(
        "too_many",
        format!("At most {most} {english} are computed in one call."),
        format!("一次最多计算 {most} {chinese}。"),
    )
}

pub(crate) fn too_large() -> Problem {
    problem(
        "amount_too_large",
        "The amount is beyond every range. Check the prices and the quantities.",
        "金额超出范围，请检查单价和数量。",
    )
}
