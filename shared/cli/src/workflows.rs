//! Workflows on this side of the REST API: found, inspected, drawn, rehearsed.

mod graph;
mod known;
mod rehearsal;
mod run_view;
mod source;

pub(crate) use graph::{Picture, dot, svg, text};
pub(crate) use known::KnownActions;
pub(crate) use rehearsal::{Difference, Recorded, Rehearsal, Rehearsed, Step, random_surroundings, record, rehearse};
pub(crate) use run_view::{RunView, task_of, whole};
pub(crate) use source::{Source, sources};
