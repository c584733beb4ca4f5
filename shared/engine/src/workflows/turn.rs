//! One turn: what is in the inbox is taken in, what is to start is requested, and all of it is one commit.

use indexmap::IndexMap;
use model::{Execution, ExecutionStatus, Id, Payload, Secret, TaskLink, Timestamp};
use orquesta::{Conductor, Event, LogEntry, LogType, Record, RecordKey, Refused, State, Status, Step, StepEvent};
use ports::{Guard, MAX_COMMIT_BYTES, MAX_OPERATIONS, Operation, Wake};
use serde_json::Value;
use std::{collections::VecDeque, time::Duration};

use super::{
    children::{self, Started},
    drawn::Drawn,
    outcome,
    run::{Row, Run},
};
use crate::{
    Engine, Error,
    dispatch::{Inbox, Message},
    records::{self, Stored},
};

/// Operations that a turn leaves free for its own row, the execution, and the platform's own events.
const SPARE_OPERATIONS: usize = 8;
/// Tasks of a turn that end as soon as they start. A circle of them is left now and then, so that it can be canceled.
const MOST_ENDED: usize = 500;
/// A workflow is looked at so often without any news: what it waits for is due by itself.
const LOOK_EVERY: Duration = Duration::from_secs(24 * 3_600);
/// The same while it owes something: children that are to start, to stop or to pause.
const URGE_EVERY: Duration = Duration::from_secs(30);

/// What a turn is going to commit.
pub(super) struct Turn {
    pub(super) now: Timestamp,
    pub(super) operations: Vec<Operation>,
    pub(super) wakes: Vec<Wake>,
    pub(super) row: Row,
    bytes: usize,
    changes: IndexMap<RecordKey, Record>,
    /// Children taken off what is owed.
    popped: usize,
    /// Those of them that had nothing to do.
    ended: usize,
    /// A child that was waited for has ended.
    has_answer: bool,
    /// Children are to be told what became of the workflow.
    pub(super) urges: bool,
    /// It was due: the next look is to be set.
    looks: bool,
}

impl Turn {
    fn new(now: Timestamp, inbox: Inbox) -> Turn {
        Turn {
            now,
            operations: inbox.deletes,
            wakes: Vec::new(),
            row: Row::default(),
            bytes: 0,
            changes: IndexMap::new(),
            popped: 0,
            ended: 0,
            has_answer: false,
            urges: false,
            looks: false,
        }
    }

    /// There is no room for one more child.
    fn is_full(&self) -> bool {
        let has_room = self.operations.len() + SPARE_OPERATIONS < MAX_OPERATIONS && self.bytes <= MAX_COMMIT_BYTES / 3;
        !has_room || self.ended >= MOST_ENDED
    }

    /// What is not to be shown is remembered with the run.
    fn learn(&mut self, run: &mut Run, secrets: Vec<Secret<String>>) {
        self.row.secrets.extend(secrets.iter().map(|secret| secret.expose().clone()));
        run.secrets.extend(secrets);
    }

    /// It changes nothing of the run.
    fn is_idle(&self) -> bool {
        self.operations.is_empty() && self.changes.is_empty() && self.popped == 0
    }

    pub(super) fn write(&mut self, operation: Operation) {
        if let Operation::Put(record, _) = &operation {
            self.bytes += record.body.len() + 2_048;
        }
        self.operations.push(operation);
    }
}

/// What became of a child.
struct News {
    task: TaskLink,
    execution: Id,
    status: ExecutionStatus,
    result: Option<Payload>,
    sealed: bool,
}

impl Engine {
    /// Takes a turn; says whether there is more to do right away.
    pub(super) async fn turn(&self, run: &mut Run, inbox: Inbox) -> Result<bool, Error> {
        let now = self.ports.clock.now();
        let (is_new, is_due) = (run.rows == 0, run.due.is_some_and(|due| due <= now));
        let is_restless = !run.calls.is_empty() || run.drawn.as_ref().is_some_and(Drawn::is_restless);
        if inbox.deletes.is_empty() && !is_new && run.owed.is_empty() && !is_due && !is_restless {
            // Somebody was to be told something, it may be.
            self.speak(run).await?;
            return Ok(false);
        }
        let messages = inbox.messages.clone();
        let mut turn = Turn::new(now, inbox);
        // Who was told of it before may have lost it.
        turn.urges = is_due && matches!(run.status(), Status::Canceling | Status::Pausing);
        turn.looks = is_due;
        let owed_before = run.owed.len();
        let mut events: VecDeque<_> = std::mem::take(&mut run.first).into();
        for message in messages {
            self.take_news(run, &mut turn, message, &mut events).await?;
        }
        run.take_calls(now);
        loop {
            while let Some(event) = events.pop_front() {
                // It goes on before it takes the answer in: held, it could not fail by it.
                if is_end(&event) && run.waits_for_answers() {
                    self.take_step(run, &mut turn, StepEvent::Request(Status::Running)).await?;
                }
                self.take_step(run, &mut turn, event).await?;
            }
            if std::mem::take(&mut turn.has_answer) && run.waits_for_answers() {
                events.push_back(StepEvent::Request(Status::Running));
                continue;
            }
            if turn.is_full() {
                break;
            }
            let Some(child) = run.owed.pop_front() else { break };
            turn.popped += 1;
            match self.start_child(run, &mut turn, &child).await? {
                Started::Requested => {}
                Started::Ended(event) => {
                    turn.ended += 1;
                    events.push_back(event);
                }
                Started::Refused(message) => events.push_back(refuse(run, &child.task, message)),
            }
        }
        turn.row.taken = turn.popped.min(owed_before);
        let still_owed = owed_before - turn.row.taken;
        turn.row.owed = run.owed.iter().skip(still_owed).cloned().collect();
        self.commit_turn(run, turn).await?;
        Ok(!run.owed.is_empty() || run.drawn.as_ref().is_some_and(Drawn::is_restless))
    }

    async fn take_step(&self, run: &mut Run, turn: &mut Turn, event: StepEvent) -> Result<(), Error> {
        match self.step(run, turn, event).await? {
            Ok(step) => {
                turn.changes.extend(step.changes.into_iter().map(|record| (record.key(), record)));
                for start in step.start {
                    let child = run.child(start, turn.now);
                    run.owed.push_back(child);
                }
                run.do_deeds(turn.now);
            }
            // News that comes late or twice finds the task further on.
            Err(refused) => tracing::debug!(execution = %run.execution.id, %refused, "news for a workflow is left out"),
        }
        let changes = run.state.take_changes();
        turn.changes.extend(changes.into_iter().map(|record| (record.key(), record)));
        Ok(())
    }

    async fn step(&self, run: &mut Run, turn: &mut Turn, event: StepEvent) -> Result<Result<Step, Refused>, Error> {
        if !run.definition.reads_outside {
            let conductor = self.conductor(&run.definition.conductor);
            return Ok(step((&mut run.state, run.drawn.as_mut()), &conductor, event));
        }
        let act = |conductor: &Conductor| {
            let (mut state, mut drawn) = (run.state.clone(), run.drawn.clone());
            let outcome = step((&mut state, drawn.as_mut()), conductor, event.clone());
            (state, drawn, outcome)
        };
        let conductor = &run.definition.conductor;
        let ((state, drawn, outcome), secrets) = self.with_outside((conductor, &run.execution), Some(run), act).await?;
        (run.state, run.drawn) = (state, drawn);
        turn.learn(run, secrets);
        Ok(outcome)
    }

    async fn take_news(
        &self,
        run: &mut Run,
        turn: &mut Turn,
        message: Message,
        events: &mut VecDeque<StepEvent>,
    ) -> Result<(), Error> {
        let context = &mut run.execution.context;
        match message {
            Message::Cancel { user } => {
                context.entry("cancelled_by").or_insert_with(|| Value::from(user));
                turn.urges = true;
                events.push_back(StepEvent::Request(Status::Canceling));
            }
            Message::Pause { user } => {
                context.insert("paused_by".to_owned(), Value::from(user));
                turn.urges = true;
                events.push_back(StepEvent::Request(Status::Pausing));
            }
            Message::Resume { user } => {
                context.remove("paused_by");
                context.insert("resumed_by".to_owned(), Value::from(user));
                turn.urges = true;
                events.push_back(StepEvent::Request(Status::Running));
            }
            Message::Broken { reason } => {
                let entry = LogEntry::new(LogType::Error, reason);
                run.definition.conductor.log(&mut run.state, entry);
                events.push_back(StepEvent::Request(Status::Failed));
            }
            Message::Child { task, execution, status, result, sealed } => {
                if run.child_of(&task) == Some(execution) {
                    turn.has_answer |= status.is_final() || status == ExecutionStatus::Running;
                    if status == ExecutionStatus::Canceled && !run.status().is_completed() {
                        // Who cancels a part of a workflow cancels all of it.
                        turn.urges = true;
                        events.push_back(StepEvent::Request(Status::Canceling));
                    }
                    let news = News { task, execution, status, result, sealed };
                    events.extend(self.take_child(run, turn, news).await?);
                }
            }
        }
        Ok(())
    }

    /// What the conductor is told of a child.
    async fn take_child(&self, run: &mut Run, turn: &mut Turn, news: News) -> Result<Option<StepEvent>, Error> {
        let status = outcome::task_status(news.status);
        let Some(payload) = news.result else { return Ok(Some(children::event(&news.task, status, None))) };
        if run.chain.is_none() && !news.sealed {
            let result = self.load(&payload).await?;
            return Ok(Some(children::event(&news.task, status, Some(result))));
        }
        let record = self.ports.store.get(&records::execution_key(news.execution)).await?;
        let Some(execution) = record.as_ref().map(records::read::<Execution>).transpose()? else { return Ok(None) };
        let clear = self.clear_result(&execution).await?;
        if news.sealed {
            let shown = self.load(&payload).await?;
            turn.learn(run, crate::redact::hidden(clear.expose(), &shown));
        }
        Ok(match self.note_end(run, &execution, clear.expose().clone()).await? {
            Started::Ended(event) => Some(event),
            Started::Refused(message) => Some(refuse(run, &news.task, message)),
            Started::Requested => None,
        })
    }

    async fn commit_turn(&self, run: &mut Run, mut turn: Turn) -> Result<(), Error> {
        let (now, is_new) = (turn.now, run.rows == 0);
        let is_whole = run.wants_whole(now, self.options.retention);
        let appends = is_whole || !turn.is_idle() || run.drawn.as_ref().is_some_and(Drawn::is_changed);
        if appends {
            let row = if is_whole {
                run.snapshot(now)
            } else {
                turn.row.changes = std::mem::take(&mut turn.changes).into_values().collect();
                turn.row.variables = run.chain.as_ref().map(|chain| chain.variables.clone());
                turn.row.drawn = run.drawn.as_mut().and_then(|drawn| drawn.row(false));
                std::mem::take(&mut turn.row)
            };
            turn.operations.push(self.append(run.execution.id, run.rows, &row).await?);
        }
        let before = run.execution.status;
        let mut execution = run.execution.clone();
        if !before.is_final() {
            execution.advance_by(run.ends_as(), now).map_err(Error::damaged)?;
        }
        if execution.status.is_final() && !before.is_final() {
            let result = self.workflow_result(run).await?;
            run.execution = self.complete(execution, result, run.version, turn.operations).await?;
            (run.version, run.due) = (run.version + 1, None);
        } else {
            let due = now.after(if run.owes() { URGE_EVERY } else { LOOK_EVERY });
            let is_late = run.owes() && run.due.is_none_or(|known| known > due);
            let is_changed = execution.status != before || is_new || turn.urges || turn.looks || is_late;
            if is_changed && !before.is_final() {
                if execution.status != before {
                    self.tell_parent(&execution, None, (&mut turn.operations, &mut turn.wakes))?;
                }
                turn.operations.push(execution.put(Guard::Version(run.version), Some(due), None)?);
                self.ports.store.commit(turn.operations).await?;
                (run.execution, run.version, run.due) = (execution, run.version + 1, Some(due));
            } else {
                self.ports.store.commit(turn.operations).await?;
            }
        }
        if is_whole {
            run.whole = (run.rows, now);
        }
        run.rows += u64::from(appends);
        self.ports.wakes.send(turn.wakes).await;
        self.speak(run).await?;
        if turn.urges {
            self.urge_children(run).await?;
        }
        Ok(())
    }
}

/// A step of the conductor, by way of the picture where there is one.
fn step(
    (state, drawn): (&mut State, Option<&mut Drawn>),
    conductor: &Conductor,
    event: StepEvent,
) -> Result<Step, Refused> {
    match drawn {
        Some(drawn) => drawn.step(conductor, state, event),
        None => conductor.step(state, event),
    }
}

fn is_end(event: &StepEvent) -> bool {
    matches!(event, StepEvent::Task { event: Event::Action { status, .. } | Event::Item { status, .. }, .. } if status.is_completed())
}

/// What can't be requested, or not be published, fails the workflow, and its log says why. The conductor goes on counting it as started, as
/// Orquesta's does.
fn refuse(run: &mut Run, task: &TaskLink, message: String) -> StepEvent {
    if let Some(drawn) = &mut run.drawn {
        drawn.refuse(task);
    }
    let task_id = Some(task.name.as_str().into());
    let entry = LogEntry { task_id, route: Some(task.route), ..LogEntry::new(LogType::Error, message) };
    let conductor = run.definition.conductor.clone();
    conductor.log(&mut run.state, entry);
    StepEvent::Request(Status::Failed)
}
