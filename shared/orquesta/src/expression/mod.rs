//! Values with expressions in them, and what they can read.

mod scope;
mod simple;
mod template;

pub use scope::{Nothing, Surroundings};
pub(crate) use scope::{CurrentTask, Scope};
pub use template::{EvaluationError, Template};
