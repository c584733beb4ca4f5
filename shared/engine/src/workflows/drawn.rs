//! A workflow that a state machine pictures: the machine calls when it comes to a task, and is told what the conductor has decided.
//!
//! What is to be told is a word, written in the row of the turn that decided it and said once that is committed. A process that reads words
//! in a journal does not know whether they were said, and says them again in its first turn: to be told twice does no harm, for the call is
//! over by then. Whoever dies before it has said its words is woken again by what woke it, as nobody has said that this was handled.

use asl::{Deed, Projection, Reply, ThreadRecord, Threads, Token};
use model::{TaskLink, Timestamp};
use orquesta::{Conductor, Refused, Start, State, Status, Step, StepEvent};
use ports::{StateMachineError, StateMachines};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use super::run::{Child, Run};
use crate::{Engine, Error, ErrorKind};

/// The token of a drive that nobody waits for.
const NOBODY: &str = "nobody";
/// Characters of a cause; Step Functions takes 32,768.
const LONGEST_CAUSE: usize = 4_000;
/// The error by which a machine knows that its workflow failed.
pub(super) const FAILED: &str = "Orquesta.Failed";
const CANCELED: &str = "Orquesta.Canceled";

/// A call of a state machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkflowCall {
    /// It has come to a task.
    Run {
        /// The task.
        task: String,
        /// The route on which it has come.
        route: u32,
        /// What the answer is for.
        token: String,
    },
    /// It has come to a box in which the conductor starts what comes after a task, or everything.
    Drive {
        /// The task.
        after: Option<String>,
        /// The route.
        route: u32,
        /// What the answer is for.
        token: String,
    },
}

impl WorkflowCall {
    pub(super) fn token(&self) -> &str {
        match self {
            WorkflowCall::Run { token, .. } | WorkflowCall::Drive { token, .. } => token,
        }
    }
}

/// What a state machine is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Saying {
    Begin {
        input: Reply,
    },
    Answer {
        token: Token,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        former: Vec<Token>,
        task: Arc<str>,
        reply: Reply,
    },
    Fail {
        token: Token,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        former: Vec<Token>,
    },
    Stop,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Word {
    say: Saying,
    #[serde(skip)]
    state: Said,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Said {
    /// Perhaps, by whoever wrote it into the journal.
    #[default]
    Perhaps,
    NotYet,
    Yes,
}

/// What the journal's rows keep of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct DrawnRow {
    /// In rows that have all of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    machine: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    threads: Vec<ThreadRecord>,
    /// Of each visit what is kept for it from here on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    kept: BTreeMap<u64, Vec<Child>>,
    /// So many words were taken from the front.
    #[serde(default)]
    said: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    words: Vec<Word>,
}

/// The picture of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Drawn {
    /// The name of the machine.
    pub(super) machine: String,
    threads: Threads,
    /// What was started, and waits for the machine to come.
    kept: BTreeMap<u64, Vec<Child>>,
    words: VecDeque<Word>,
    has_begun: bool,
    deeds: Vec<Deed>,
    /// The machine can't be walked through: the conductor starts everything itself.
    is_missing: bool,
    /// Answers that nobody waits for any more.
    returned: Vec<(Arc<str>, Reply)>,
    // What is not in the journal yet.
    changed: BTreeMap<Option<u64>, ThreadRecord>,
    touched: BTreeSet<u64>,
    said: usize,
    new: usize,
}

impl Drawn {
    pub(super) fn new(machine: &str) -> Drawn {
        Drawn { machine: machine.to_owned(), ..Drawn::default() }
    }

    /// As these rows tell, the oldest first; none where they tell of no machine.
    pub(super) fn restore(rows: impl IntoIterator<Item = DrawnRow>) -> Option<Drawn> {
        let mut drawn: Option<Drawn> = None;
        let mut threads = Vec::new();
        for row in rows {
            let drawn = drawn.get_or_insert_default();
            drawn.machine = row.machine.unwrap_or(std::mem::take(&mut drawn.machine));
            threads.extend(row.threads);
            drawn.kept.extend(row.kept);
            drawn.words.drain(..row.said.min(drawn.words.len()));
            drawn.words.extend(row.words);
        }
        let drawn = drawn?;
        let kept = drawn.kept.into_iter().filter(|(_, children)| !children.is_empty()).collect();
        Some(Drawn { threads: Threads::from_records(threads), kept, has_begun: true, ..drawn })
    }

    /// What is to be written of it now; with all of it, or with what has changed since the last row.
    pub(super) fn row(&mut self, is_whole: bool) -> Option<DrawnRow> {
        let taken = self.words.iter().take_while(|word| word.state == Said::Yes).count();
        self.words.drain(..taken);
        self.said += taken;
        let changed = std::mem::take(&mut self.changed);
        let touched = std::mem::take(&mut self.touched);
        let (said, new) = (std::mem::take(&mut self.said), std::mem::take(&mut self.new));
        if is_whole {
            return Some(DrawnRow {
                machine: Some(self.machine.clone()),
                threads: self.threads.records().collect(),
                kept: self.kept.clone(),
                said: 0,
                words: self.words.iter().cloned().collect(),
            });
        }
        let is_new = !changed.is_empty() || !touched.is_empty() || new > 0 || said > 0;
        is_new.then(|| DrawnRow {
            machine: None,
            threads: changed.into_values().collect(),
            kept: touched
                .into_iter()
                .map(|visit| (visit, self.kept.get(&visit).cloned().unwrap_or_default()))
                .collect(),
            said,
            words: self.words.iter().skip(self.words.len() - new.min(self.words.len())).cloned().collect(),
        })
    }

    /// There is something that must be written.
    pub(super) fn is_changed(&self) -> bool {
        !self.changed.is_empty() || !self.touched.is_empty() || self.new > 0
    }

    /// There is something to be done for it without news.
    pub(super) fn is_restless(&self) -> bool {
        self.is_missing || !self.returned.is_empty()
    }

    /// Tells the conductor, and finds out what that means for the machine.
    pub(super) fn step(&mut self, conductor: &Conductor, state: &mut State, event: StepEvent) -> Result<Step, Refused> {
        let projection = Projection::new(conductor.clone());
        let threads = &mut self.threads;
        let turn = match event {
            StepEvent::Request(Status::Running) if !self.has_begun => {
                let (turn, input) = projection.begin(state, threads)?;
                self.has_begun = true;
                input.into_iter().for_each(|input| self.say(Saying::Begin { input }));
                turn
            }
            StepEvent::Request(status) => projection.request(state, threads, status)?,
            StepEvent::Rerun(tasks) => {
                let turn = projection.rerun(state, threads, tasks)?;
                self.has_begun = true;
                self.say(Saying::Begin { input: Reply::default() });
                turn
            }
            StepEvent::Task { task, route, event } => match threads.visit_of(&task, route) {
                Some(visit) => projection.update(state, threads, visit, event)?,
                None => asl::Turn::default(),
            },
        };
        let changes = self.take(turn);
        Ok(Step { status: state.status(), start: Vec::new(), changes })
    }

    /// The machine has come to a box.
    pub(super) fn called(&mut self, conductor: &Conductor, state: &State, call: &WorkflowCall) {
        let projection = Projection::new(conductor.clone());
        let token: Token = Arc::from(call.token());
        let turn = match call {
            WorkflowCall::Run { task, route, .. } => {
                if !self.threads.expects(task, *route)
                    && let Some(reply) = self.answered(task, *route, &token)
                {
                    let task = Arc::from(task.as_str());
                    return self.say(Saying::Answer { token, former: Vec::new(), task, reply });
                }
                projection.enter(state, &mut self.threads, task, *route, &token)
            }
            WorkflowCall::Drive { after, route, .. } => {
                projection.drive(state, &mut self.threads, after.as_deref(), *route, &token)
            }
        };
        self.take(turn);
    }

    /// What a task wants can't be requested.
    pub(super) fn refuse(&mut self, task: &TaskLink) {
        self.threads.refuse(&task.name, task.route);
    }

    /// What was said at that task last, to another call: the machine calls again where the call before came to grief.
    fn answered(&self, task: &str, route: u32, token: &Token) -> Option<Reply> {
        self.words.iter().rev().find_map(|word| match &word.say {
            Saying::Answer { token: other, task: of, reply, .. }
                if **of == *task && reply.route == route && other != token =>
            {
                let is_unheard = reply.started.iter().any(|(task, route)| self.threads.expects(task, *route));
                is_unheard.then(|| reply.clone())
            }
            _ => None,
        })
    }

    /// What came of the words that nobody waited for, and of a machine that is not there.
    pub(super) fn take_up(&mut self, conductor: &Conductor, state: &State) {
        let projection = Projection::new(conductor.clone());
        for (task, reply) in std::mem::take(&mut self.returned) {
            let turn = projection.returned(state, &mut self.threads, &task, reply);
            self.take(turn);
        }
        if std::mem::take(&mut self.is_missing) {
            let turn = projection.drive(state, &mut self.threads, None, 0, &Arc::from(NOBODY));
            self.take(turn);
        }
    }

    fn take(&mut self, turn: asl::Turn) -> Vec<orquesta::Record> {
        self.changed.extend(turn.threads.into_iter().map(|record| (record.visit(), record)));
        self.deeds.extend(turn.deeds);
        turn.changes
    }

    fn say(&mut self, say: Saying) {
        self.words.push_back(Word { say, state: Said::NotYet });
        self.new += 1;
    }

    fn take_kept(&mut self, visit: u64) -> Vec<Child> {
        self.touched.insert(visit);
        self.kept.remove(&visit).unwrap_or_default()
    }
}

impl Run {
    /// Does what the machine's picture asks for: what is to start is owed, what is to be told waits for the commit.
    pub(super) fn do_deeds(&mut self, now: Timestamp) {
        let deeds = self.drawn.as_mut().map(|drawn| std::mem::take(&mut drawn.deeds)).unwrap_or_default();
        for deed in deeds {
            match deed {
                Deed::Start { visit, start, is_kept } => self.begin_or_keep((visit, is_kept), start, now),
                Deed::Begin { visit, delay } => {
                    let at = (delay > 0).then(|| now.after(Duration::from_secs(delay)));
                    let kept = self.drawn.as_mut().map(|drawn| drawn.take_kept(visit)).unwrap_or_default();
                    self.owed.extend(kept.into_iter().map(|child| Child { at, ..child }));
                }
                Deed::Answer { token, former, task, reply } => {
                    self.say(Saying::Answer { token, former, task, reply });
                }
                Deed::Fail { token, former } => self.say(Saying::Fail { token, former }),
                Deed::Stop => self.say(Saying::Stop),
            }
        }
        if matches!(self.status(), Status::Canceling)
            && let Some(drawn) = &mut self.drawn
        {
            // They will not begin: the conductor is told so without waiting for the machine.
            let visits: Vec<u64> = drawn.kept.keys().copied().collect();
            let kept = visits.into_iter().flat_map(|visit| drawn.take_kept(visit));
            self.owed.extend(kept);
        }
    }

    fn begin_or_keep(&mut self, (visit, is_kept): (u64, bool), start: Start, now: Timestamp) {
        let child = self.child(start, now);
        match self.drawn.as_mut().filter(|_| is_kept) {
            Some(drawn) => {
                drawn.touched.insert(visit);
                drawn.kept.entry(visit).or_default().push(child);
            }
            None => self.owed.push_back(child),
        }
    }

    fn say(&mut self, say: Saying) {
        self.drawn.iter_mut().for_each(|drawn| drawn.say(say.clone()));
    }
}

impl Engine {
    /// The service that walks through pictures, where new workflows are to be pictured.
    pub(super) fn artist(&self) -> Option<&Arc<dyn StateMachines>> {
        self.ports.state_machines.as_ref().filter(|_| self.options.step_functions)
    }

    /// Says what was decided and is committed, and what may not have been said before.
    pub(super) async fn speak(&self, run: &mut Run) -> Result<(), Error> {
        let id = run.execution.id;
        let Some(drawn) = &run.drawn else { return Ok(()) };
        let is_due = |word: &Word| word.state != Said::Yes;
        if !drawn.words.iter().any(is_due) {
            return Ok(());
        }
        let fails = drawn.words.iter().any(|word| matches!(word.say, Saying::Fail { .. }));
        let cause = if fails { cause(&self.workflow_result(run).await?) } else { String::new() };
        let Some(drawn) = &mut run.drawn else { return Ok(()) };
        let Some(machines) = &self.ports.state_machines else {
            return Err(Error::new(ErrorKind::Unavailable, "this host reaches no state machines"));
        };
        for word in drawn.words.iter_mut().filter(|word| is_due(word)) {
            let said = match &word.say {
                Saying::Begin { input } => {
                    let mut input = input.to_json();
                    if let Some(input) = input.as_object_mut() {
                        input.insert("wf".to_owned(), json!(id));
                    }
                    machines.start(&drawn.machine, &id.to_string(), &input).await
                }
                Saying::Answer { token, .. } | Saying::Fail { token, .. } if **token == *NOBODY => Ok(()),
                Saying::Answer { token, former, reply, .. } => {
                    answer(machines, (token, former), Ok(&reply.to_json())).await
                }
                Saying::Fail { token, former } => answer(machines, (token, former), Err(&cause)).await,
                Saying::Stop => machines.stop(&drawn.machine, &id.to_string(), CANCELED, "canceled").await,
            };
            match (said, &word.say) {
                (Err(error @ StateMachineError::Unavailable(_)), _) => {
                    return Err(Error::new(ErrorKind::Unavailable, error.to_string()));
                }
                (Err(StateMachineError::Unknown(machine)), Saying::Begin { .. }) => {
                    tracing::info!(execution = %id, machine, "the workflow goes on without its state machine");
                    drawn.is_missing = true;
                }
                // An answer that leads nowhere is given to whoever comes anyway.
                (Err(StateMachineError::Over), Saying::Answer { task, reply, .. })
                    if word.state == Said::NotYet && !reply.started.is_empty() =>
                {
                    drawn.returned.push((Arc::clone(task), reply.clone()));
                }
                _ => {}
            }
            word.state = Said::Yes;
        }
        Ok(())
    }
}

/// Answers a call, which has one of these tokens: with what it is told, or with why its workflow failed.
async fn answer(
    machines: &Arc<dyn StateMachines>,
    (token, former): (&Token, &[Token]),
    answer: Result<&Value, &str>,
) -> Result<(), StateMachineError> {
    let mut said = Err(StateMachineError::Over);
    for token in std::iter::once(token).chain(former.iter().rev()) {
        said = match answer {
            Ok(reply) => machines.succeed(token, reply).await,
            Err(cause) => machines.fail(token, FAILED, cause).await,
        };
        if !matches!(said, Err(StateMachineError::Over)) {
            break;
        }
    }
    said
}

/// Why a workflow failed, as its result says.
pub(super) fn cause(result: &Value) -> String {
    let message = result.pointer("/errors/0/message").and_then(Value::as_str).unwrap_or("a task of it has failed");
    message.chars().take(LONGEST_CAUSE).collect()
}
