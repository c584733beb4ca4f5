//! Orquesta workflows: read, inspected, conducted.
//!
//! [`Workflow`] is what an author wrote; [`inspect`] says all that is wrong with a text, with Orquesta's categories and paths, and where;
//! [`Graph`] is what follows what; a [`Conductor`] takes the [`State`] of a run and an event, and gives what is to start and which
//! [`Record`]s have changed. Everything is pure: no clock, no identity, no input or output.

mod chain;
mod conductor;
mod expression;
mod graph;
mod inspect;
mod locate;
mod spec;
mod state;
mod status;

pub use chain::{Chain, ChainError, ChainNode};
pub use conductor::{Conductor, Event, NextTask, Refused, Rerun, Start, Step, StepEvent};
pub use expression::{EvaluationError, Nothing, Surroundings, TaskRun, Template};
pub use graph::{Edge, Graph, Node};
pub use inspect::{Category, Inspection, Issue, ReadError, inspect, place};
pub use locate::locate;
pub use spec::{Assignment, COMMANDS, Itemized, Join, Retry, Task, Transition, Workflow, is_command};
pub use state::{
    Action, Arrival, Arrow, Context, Entry, Head, Item, LogEntry, LogType, Record, RecordKey, Route, Staged, State,
    Tries,
};
pub use status::Status;
