//! The crate's tests.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod checks;
mod equality;
mod projection;
mod random;
mod shapes;

use std::sync::Arc;

use expressions::orquesta::Expressions;
use orquesta::{Conductor, Nothing, Workflow};

fn conductor(text: &str) -> Conductor {
    let workflow = Workflow::read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Conductor::new(Arc::new(workflow), Expressions::default(), Arc::new(Nothing))
}
