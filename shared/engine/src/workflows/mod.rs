//! Workflows: executions that nobody works on but the conductor, in turns.
//!
//! A workflow's state is a journal of its own partition: each turn writes one row with what changed, guarded by the row's absence, so that
//! of two turns at once one wins and the other looks again. Whoever has news for a workflow (a child that ended, a person who cancels)
//! puts a row into its inbox; a turn takes what is there, steps the conductor, and commits the journal's row, the children that start,
//! and the inbox's deletions as one.
//!
//! | what | file |
//! |---|---|
//! | a wake for a workflow, one turn at a time | `mod` |
//! | one turn | `turn` |
//! | what is known of a run, from and to the journal | `run` |
//! | a workflow begins | `begin` |
//! | a workflow goes on from some of its tasks | `re_run` |
//! | what a task requests, and what comes of it | `children` |
//! | the text of a workflow, read once | `definition` |
//! | a run that a state machine pictures, and what the machine is told | `drawn` |
//! | the machines themselves, and their calls | `machines` |
//! | what expressions ask of the world around | `outside` |
//! | pause, go on, cancel; and what follows for the children | `control` |
//! | the result of a workflow | `outcome` |
//! | a run as people look at it | `view` |
//! | what is an action chain's own | `chain` |
//! | what is wrong with workflows | `check` |
//! | what a workflow asks of actions | `content` |

mod begin;
mod chain;
mod check;
mod children;
mod content;
mod control;
mod definition;
mod drawn;
mod machines;
mod outcome;
mod outside;
mod re_run;
mod run;
mod turn;
mod view;

use expressions::orquesta::Expressions;
use futures::lock::Mutex as AsyncMutex;
use model::{Execution, Id, Payload};
use ports::{Key, Operation, Wake};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{Engine, Error, ErrorKind, catalog::lock, dispatch::Inbox, records};
pub use check::{inspect_workflow, inspect_workflows};
pub use content::Lookup;
use definition::Definition;
pub use drawn::WorkflowCall;
pub use machines::Aborted;
use run::Run;
pub use view::{TaskRunView, TransitionView, WorkflowRun};

/// Runs kept at hand. One that is not is read from its journal.
const KEPT_RUNS: usize = 1_024;

/// Tries where another process takes a turn at the same time.
const ATTEMPTS: usize = 8;

/// Operations of an action's end that leave a turn enough room in the same commit.
const MOST_OF_AN_END: usize = 20;

/// The runner types that the conductor carries out.
const CONDUCTED: [&str; 2] = ["orquesta", CHAIN];
/// The one of action chains.
const CHAIN: &str = "action-chain";

/// Is this an execution that the conductor drives?
pub(crate) fn is_conducted(execution: &Execution) -> bool {
    CONDUCTED.contains(&execution.runner.as_str())
}

/// What a wake for an execution names: whoever conducts is told of workflows.
pub(crate) fn wake_key(execution: &Execution) -> Key {
    if is_conducted(execution) {
        records::workflow_wake_key(execution.id)
    } else {
        records::execution_key(execution.id)
    }
}

/// What this process knows of workflows: nothing that the store does not have.
#[derive(Default)]
pub(crate) struct Workflows {
    runs: Mutex<HashMap<Id, Arc<Desk>>>,
    definitions: Mutex<HashMap<String, Arc<Definition>>>,
    expressions: Expressions,
}

/// The place where one workflow is worked on.
#[derive(Default)]
struct Desk {
    run: AsyncMutex<Option<Run>>,
    /// Somebody came while a turn was on: there may be news.
    again: AtomicBool,
}

impl Workflows {
    fn desk(&self, id: Id) -> Arc<Desk> {
        let mut runs = lock(&self.runs);
        if runs.len() >= KEPT_RUNS && !runs.contains_key(&id) {
            // Those that are at work now stay.
            runs.retain(|_, desk| Arc::strong_count(desk) > 1);
        }
        Arc::clone(runs.entry(id).or_default())
    }

    /// The place of a workflow that this process has at hand.
    fn known_desk(&self, id: Id) -> Option<Arc<Desk>> {
        lock(&self.runs).get(&id).cloned()
    }

    fn leave(&self, id: Id) {
        lock(&self.runs).remove(&id);
    }
}

impl Engine {
    /// Takes turns until there is no news for the workflow. Where somebody else in this process is at it, they are told to look again.
    pub(crate) async fn handle_workflow(&self, id: Id) -> Result<(), Error> {
        let desk = self.workflows.desk(id);
        desk.again.store(true, Ordering::SeqCst);
        while desk.again.load(Ordering::SeqCst) {
            let Some(mut held) = desk.run.try_lock() else { return Ok(()) };
            desk.again.store(false, Ordering::SeqCst);
            let mut attempt = 1;
            let more = loop {
                let more = self.turns(id, &mut held).await;
                let Err(error) = more else { break more };
                // What is in memory may be ahead of what is stored, or behind it.
                *held = None;
                if error.kind != ErrorKind::Conflict || attempt == ATTEMPTS {
                    break Err(error);
                }
                attempt += 1;
            };
            if !more? {
                drop(held);
                self.workflows.leave(id);
            }
        }
        Ok(())
    }

    /// Writes the end of an action in the same commit as the turn of its workflow that follows from it, where this process has the workflow
    /// at hand and nobody is at it. Says whether it did; otherwise the end is to be written alone, and the workflow told by its inbox: what is
    /// wrong with a workflow keeps no action from ending. Where it did and does not know, that write meets its guard.
    pub(crate) async fn end_in_turn(&self, execution: &Execution, result: &Payload, end: &[Operation]) -> bool {
        let Some((workflow, message)) = children::news_of(execution, Some(result)) else { return false };
        let is_simple = !is_conducted(execution) && execution.sealed_result.is_none() && end.len() <= MOST_OF_AN_END;
        if !self.options.conducts || !is_simple {
            return false;
        }
        let Some(desk) = self.workflows.known_desk(workflow) else { return false };
        let Some(mut held) = desk.run.try_lock() else { return false };
        // Chains and some expressions read the execution as it is stored.
        let may = |run: &&mut Run| run.drawn.is_none() && run.chain.is_none() && !run.definition.reads_outside;
        let Some(run) = held.as_mut().filter(may) else { return false };
        let more = self.turn(run, Inbox { messages: vec![message], deletes: end.to_vec() }).await;
        let is_over = run.is_over();
        if more.is_err() || is_over {
            // What is in memory may be ahead of what is stored, or behind it.
            *held = None;
        }
        drop(held);
        if is_over {
            self.workflows.leave(workflow);
        }
        // Whoever came meanwhile found the place taken, and relies on somebody's looking again.
        if desk.again.load(Ordering::SeqCst) || !matches!(more, Ok(false)) {
            let wake = Wake { key: records::workflow_wake_key(workflow), at: self.ports.clock.now() };
            self.ports.wakes.send(vec![wake]).await;
        }
        more.inspect_err(
            |error| tracing::debug!(%workflow, %error, "an action's end is written without its workflow's turn"),
        )
        .is_ok()
    }

    /// Turn after turn while there is something to do; says whether the run goes on.
    async fn turns(&self, id: Id, held: &mut Option<Run>) -> Result<bool, Error> {
        loop {
            let inbox = self.inbox(id).await?;
            // Woken for nothing: another process may have written what was not said, and died.
            let is_trusted = |run: &Run| run.drawn.is_none() || !run.calls.is_empty() || !inbox.messages.is_empty();
            let run = match held.take().filter(is_trusted) {
                Some(run) => run,
                None => match self.open_run(id, inbox.messages.is_empty()).await? {
                    Some(run) => run,
                    None => {
                        self.clear_inbox_of_ended(id).await?;
                        return Ok(false);
                    }
                },
            };
            let run = held.insert(run);
            let is_full = inbox.messages.len() == crate::dispatch::INBOX_BATCH;
            let more = self.turn(run, inbox).await?;
            if run.is_over() {
                return Ok(false);
            }
            if !more && !is_full {
                return Ok(true);
            }
        }
    }

    /// The run of a workflow as the store has it; `None` where nothing is left to be done for it.
    async fn open_run(&self, id: Id, is_quiet: bool) -> Result<Option<Run>, Error> {
        let Some(record) = self.ports.store.get(&records::execution_key(id)).await? else { return Ok(None) };
        let execution: Execution = records::read(&record)?;
        let is_final = execution.status.is_final();
        if is_final && is_quiet && machines::is_pictured(&execution) {
            // Its machine was to be told of the end, it may be.
            if let Ok(mut run) = self.read_run(execution, &record).await? {
                self.speak(&mut run).await?;
            }
            return Ok(None);
        }
        if (is_final && is_quiet) || execution.not_before.is_some_and(|at| at > self.ports.clock.now()) {
            return Ok(None);
        }
        let run = match self.read_run(execution, &record).await? {
            Ok(run) => run,
            Err(execution) if is_final => {
                tracing::debug!(execution = %execution.id, "a workflow that never began has news");
                return Ok(None);
            }
            Err(execution) => {
                let Some((execution, version)) = self.admit_workflow(*execution, record.version).await? else {
                    return Ok(None);
                };
                match self.begin_workflow(execution, version).await? {
                    Some(run) => run,
                    None => return Ok(None),
                }
            }
        };
        Ok(Some(run).filter(|run| !run.is_over()))
    }
}
