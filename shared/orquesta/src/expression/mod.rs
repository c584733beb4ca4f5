//! Values with expressions in them, what they can read, and the languages that they are written in.

mod functions;
mod language;
mod scope;
mod simple;
mod template;

pub use language::{Invalid, Language, Languages, Reference};
pub use scope::{Nothing, Surroundings};
pub(crate) use scope::{CurrentTask, Scope};
pub use template::{EvaluationError, Template};
