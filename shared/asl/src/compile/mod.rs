//! From a workflow to a definition of a state machine.
//!
//! The definition decides nothing: it is a picture of where the conductor's decisions can lead. A task answers with the tasks that started
//! because of it ([`crate::Reply`]), and each is a box of the definition. Where branches meet again in an orderly way the join is the state
//! behind a `Parallel`; where they don't, whoever arrives last goes on with the join; and what can be drawn in neither way is driven: one box
//! in which the conductor starts everything itself.

mod emit;
mod flow;
mod fork;
mod join;
mod names;
mod states;

use orquesta::Conductor;

use crate::machine::StateMachine;
use emit::Emitter;
use flow::Flow;
pub use states::TRY_AGAIN;

/// How many states a definition may have; beyond it the whole workflow is driven.
pub const MOST_STATES: usize = 400;

/// What is compiled, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Options<'o> {
    /// The function that the tasks call.
    pub function: &'o str,
    /// The file that the workflow is in, for comments.
    pub source: Option<&'o str>,
    /// How many states there may be.
    pub most_states: usize,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { function: "${TaskFunction}", source: None, most_states: MOST_STATES }
    }
}

/// More states than there may be.
#[derive(Debug)]
struct TooMany;

/// The definition of a workflow that is sound.
pub fn compile(conductor: &Conductor, options: &Options<'_>) -> StateMachine {
    let size = conductor.graph().nodes().count();
    let compiled = if size > options.most_states {
        Err(TooMany)
    } else {
        let flow = Flow::new(conductor);
        Emitter::new(&flow, options).workflow()
    };
    let mut machine = compiled.unwrap_or_else(|TooMany| driven(options));
    let source = options.source.map(|source| format!(" of {source}")).unwrap_or_default();
    let told = conductor.workflow().description.as_deref().map(|told| format!(": {}", told.trim())).unwrap_or_default();
    machine.comment = Some(format!("The workflow{source}{told}")).filter(|_| !source.is_empty() || !told.is_empty());
    machine
}

/// A definition of one box in which the conductor starts everything itself: of workflows that can't be drawn, and of re-runs.
pub fn driven(options: &Options<'_>) -> StateMachine {
    states::driven(options)
}
