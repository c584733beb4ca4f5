//! The parts of Python that StackStorm's templates, casts, criteria and commands show: `str`, `repr`, `ast.literal_eval`, `int` and `float`
//! of a text, and what is equal, less, or in what.

mod compare;
mod dumps;
mod escape;
mod float;
mod literal;
mod number;
mod plain;
mod print;

pub use compare::{Membership, Numeric, contains, equal, is_truthy, kind, order};
pub(crate) use dumps::Dumps;
pub(crate) use escape::write_quoted;
pub(crate) use float::float_text;
pub(crate) use literal::literal_eval;
pub(crate) use number::{parse_float, parse_int};
pub use plain::plain_text;
pub(crate) use print::{Printer, repr, text};
