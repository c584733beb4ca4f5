//! The parts of Python that StackStorm's templates and casts show: `str`, `repr`, `ast.literal_eval`, `int` and `float` of a text.

mod dumps;
mod escape;
mod float;
mod literal;
mod number;
mod print;

pub(crate) use dumps::Dumps;
pub(crate) use escape::write_quoted;
pub(crate) use float::float_text;
pub(crate) use literal::literal_eval;
pub(crate) use number::{parse_float, parse_int};
pub(crate) use print::{Printer, repr, text};
