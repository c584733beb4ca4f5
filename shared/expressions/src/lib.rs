//! Jinja and YAQL over JSON values, as StackStorm has them.
//!
//! [`Jinja`] renders and evaluates templates over a [`Context`], [`Yaql`] evaluates expressions over it, and [`orquesta`] finds both in texts; [`casts`] turns what came out into the type of a parameter, and [`params`]
//! does both for the parameters of an action, which may refer to one another. Everything is bounded ([`Limits`]), reads nothing but what it
//! is given, and gives the same for the same.

mod cache;
mod call;
pub mod casts;
mod context;
mod datastore;
mod error;
mod filters;
mod jinja;
mod json;
pub mod jsonpath;
mod limits;
mod methods;
pub mod orquesta;
pub mod params;
mod part;
pub mod python;
pub mod regexes;
mod tests;
mod yaql;

pub use context::{Context, Function};
pub use datastore::{KeyValues, Scope, datastore_keys};
pub use error::{ErrorKind, ExpressionError, Limit};
pub use jinja::{Jinja, Undefined, is_template};
pub use limits::Limits;
pub use part::Part;
pub use yaql::{Lacking, Yaql};
