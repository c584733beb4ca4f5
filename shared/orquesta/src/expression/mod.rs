//! Values with expressions in them, and what they can read.

mod scope;
mod simple;
mod template;

pub(crate) use scope::{CurrentTask, Scope};
pub use scope::{Nothing, Surroundings, TaskRun};
pub use template::{EvaluationError, Template};
