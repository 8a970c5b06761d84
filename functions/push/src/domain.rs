//! What push decides, pure: what can be told, who may, when a plan is due, what a paid push costs, what events say.

mod caller;
mod consent;
mod content;
mod order;
mod payload;
mod plan;
mod rules;
mod terms;
mod text;
mod words;

#[cfg(test)]
mod plan_tests;

pub use caller::*;
pub use consent::*;
pub use content::*;
pub use order::*;
pub use payload::*;
pub use plan::*;
pub use rules::*;
pub use terms::*;
pub use text::*;
pub use words::*;
