//! The runner types.

use crate::RunnerType;

/// All runner types, in the order of their names.
pub fn runner_types() -> &'static [RunnerType] {
    &[]
}

/// The runner type of that name or alias.
pub fn runner_type(_name: &str) -> Option<&'static RunnerType> {
    None
}
