//! What is known of a run, from and to the rows of its journal.

use indexmap::IndexMap;
use model::{Execution, Id, Secret, TaskLink, Timestamp};
use orquesta::{Record, RecordKey, State, Status, StepEvent};
use ports::{Guard, Operation, Query};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use super::{
    chain::{ChainRun, Variables},
    definition::Definition,
    drawn::{Drawn, DrawnRow, WorkflowCall},
};
use crate::{Engine, Error, records};

/// Rows read at once.
const PAGE: usize = 100;
/// Rows of a small run until one has all of it again.
const MOST_ROWS: u64 = 64;
/// Longer rows stand in the blob store.
const INLINE_ROW_BYTES: usize = 256 * 1024;

/// A run of a workflow.
pub(super) struct Run {
    pub(super) execution: Execution,
    /// The version of the execution's record.
    pub(super) version: u64,
    /// When somebody must look at it, whatever happens.
    pub(super) due: Option<Timestamp>,
    pub(super) definition: Arc<Definition>,
    pub(super) state: State,
    /// What the conductor is told first, where the run begins.
    pub(super) first: Vec<StepEvent>,
    /// The number of the journal's next row.
    pub(super) rows: u64,
    /// The row that last had all of it, and when.
    pub(super) whole: (u64, Timestamp),
    /// What the last run of each task and route has requested.
    pub(super) children: BTreeMap<(Arc<str>, u32), TaskChildren>,
    /// What the conductor counts as started and is still to be requested, the first first.
    pub(super) owed: VecDeque<Child>,
    /// The inputs of an action chain, rendered.
    pub(super) inputs: Map<String, Value>,
    /// Where it is an action chain.
    pub(super) chain: Option<ChainRun>,
    /// Where a state machine pictures it.
    pub(super) drawn: Option<Drawn>,
    /// Calls of that, which the next turn takes.
    pub(super) calls: Vec<WorkflowCall>,
    /// What was decrypted on the way, so that it can be taken out of what is shown.
    pub(super) secrets: Vec<Secret<String>>,
}

/// The executions that one run of a task has requested.
#[derive(Clone, Debug, Default)]
pub(super) struct TaskChildren {
    /// The run of the task.
    pub(super) entry: u32,
    /// By item; a task without items has one.
    pub(super) ids: BTreeMap<Option<u32>, Id>,
}

/// An execution that a task is to request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Child {
    pub(super) task: TaskLink,
    /// The run of the task.
    pub(super) entry: u32,
    /// The action's reference, null where the task has none.
    pub(super) action: Value,
    pub(super) input: Value,
    /// Not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Timestamp>,
}

/// An execution that a task has requested.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Born {
    pub(super) task: TaskLink,
    pub(super) entry: u32,
    pub(super) id: Id,
}

/// A row of the journal: what one turn changed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Row {
    /// It has all of the run, so that the rows before it are not needed: when it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) whole: Option<Timestamp>,
    pub(super) changes: Vec<Record>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) born: Vec<Born>,
    /// So many were taken from the front of what was owed before.
    #[serde(default)]
    pub(super) taken: usize,
    /// What is owed besides from here on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) owed: Vec<Child>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) secrets: Vec<String>,
    /// In the first row of an action chain.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) inputs: Map<String, Value>,
    /// Of an action chain, where they have changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) variables: Option<Variables>,
    /// Of a workflow that a state machine pictures, where something has changed of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) drawn: Option<DrawnRow>,
}

/// What is needed of a workflow's journal.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// The oldest first.
    rows: VecDeque<Row>,
    next: u64,
    whole: Option<(u64, Timestamp)>,
}

/// A row as it is stored: sealed as a whole, for secrets can be anywhere in what a workflow carries.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Inline { sealed: String },
    Blob { blob: String },
}

impl Run {
    /// Nothing will happen in it any more.
    pub(super) fn is_over(&self) -> bool {
        self.execution.status.is_final()
            && self.owed.is_empty()
            && self.state.status().is_completed()
            && !self.state.has_active()
    }

    /// Others are still to be told something: children to start, to stop, to pause.
    pub(super) fn owes(&self) -> bool {
        !self.owed.is_empty() || matches!(self.status(), Status::Canceling | Status::Pausing)
    }

    /// What the conductor says of the run.
    pub(super) fn status(&self) -> Status {
        self.state.status()
    }

    pub(super) fn remember(&mut self, born: &Born) {
        let children = self.children.entry((Arc::from(born.task.name.as_str()), born.task.route)).or_default();
        if children.entry != born.entry {
            *children = TaskChildren { entry: born.entry, ids: BTreeMap::new() };
        }
        children.ids.insert(born.task.item, born.id);
    }

    /// The executions of tasks that have not ended.
    pub(super) fn open_children(&self) -> Vec<Id> {
        let is_open = |entry: &&orquesta::Entry| !entry.status.is_some_and(Status::is_completed);
        let of_task = |entry: &orquesta::Entry| {
            self.children.get(&(Arc::clone(&entry.task), entry.route)).filter(|children| children.entry == entry.index)
        };
        self.state
            .entries()
            .iter()
            .filter(is_open)
            .filter_map(of_task)
            .flat_map(|children| children.ids.values().copied())
            .collect()
    }

    /// Is the next row to have all of it? The first has; then now and then one, so that who reads the journal reads few rows, and none
    /// is needed that may have expired. The more there is of the run, the longer it takes.
    pub(super) fn wants_whole(&self, now: Timestamp, retention: Duration) -> bool {
        let (row, time) = self.whole;
        let size = u64::try_from(self.state.entries().len()).unwrap_or(u64::MAX);
        self.rows == 0 || self.rows - row > MOST_ROWS.saturating_add(size / 4) || now.since(time) > retention / 2
    }

    /// All of it as one row.
    pub(super) fn snapshot(&mut self, now: Timestamp) -> Row {
        let born = self.children.iter().flat_map(|((name, route), children)| {
            children.ids.iter().map(|(item, id)| Born {
                task: TaskLink { name: name.to_string(), route: *route, item: *item },
                entry: children.entry,
                id: *id,
            })
        });
        let born = born.collect();
        let drawn = self.drawn.as_mut().and_then(|drawn| drawn.row(true));
        Row {
            whole: Some(now),
            changes: self.state.records(),
            born,
            taken: 0,
            owed: self.owed.iter().cloned().collect(),
            secrets: self.secrets.iter().map(|secret| secret.expose().clone()).collect(),
            inputs: self.inputs.clone(),
            variables: self.chain.as_ref().map(|chain| chain.variables.clone()),
            drawn,
        }
    }
}

impl Engine {
    /// The run from its journal; gives the execution back where it has none yet.
    pub(super) async fn read_run(
        &self,
        execution: Execution,
        record: &ports::Record,
    ) -> Result<Result<Run, Box<Execution>>, Error> {
        let journal = self.journal(execution.id).await?;
        if journal.rows.is_empty() {
            return Ok(Err(Box::new(execution)));
        }
        let (action, pack) = self.action_of(&execution).await?;
        let definition = self.definition(&action, pack.as_ref()).await?;
        let mut run = restore(execution, (record.version, record.due), definition, journal);
        self.recall_chain(&mut run).await?;
        Ok(Ok(run))
    }

    /// The rows of a workflow's journal from the last one on that has all of the run.
    pub(super) async fn journal(&self, id: Id) -> Result<Journal, Error> {
        let mut query = Query::partition(records::workflow_partition(id), PAGE).descending();
        let mut journal = Journal::default();
        loop {
            let page = self.ports.store.query(&query).await?;
            for record in &page.records {
                let row = self.open_row(id, records::read(record)?).await?;
                let number = records::workflow_row(&record.key)?;
                journal.next = journal.next.max(number + 1);
                let whole = row.whole;
                journal.rows.push_front(row);
                if let Some(time) = whole {
                    journal.whole = Some((number, time));
                    return Ok(journal);
                }
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None if journal.rows.is_empty() => return Ok(journal),
                None => return Err(Error::damaged(format!("the journal of workflow {id} has lost its beginning"))),
            }
        }
    }

    async fn open_row(&self, id: Id, stored: Stored) -> Result<Row, Error> {
        let sealed = match stored {
            Stored::Inline { sealed } => sealed,
            Stored::Blob { blob } => String::from_utf8(self.ports.blobs.get(&blob).await?.to_vec())
                .map_err(|_| Error::damaged(format!("the journal of workflow {id}")))?,
        };
        let plain = self.ports.vault.open(&seal_context(id), &sealed).await?;
        serde_json::from_slice(plain.expose()).map_err(|_| Error::damaged(format!("the journal of workflow {id}")))
    }

    /// The operation that appends a row, where nobody else did.
    pub(super) async fn append(&self, id: Id, rows: u64, row: &Row) -> Result<Operation, Error> {
        let plain = Secret::new(serde_json::to_vec(row).map_err(|_| Error::damaged("a row of a journal"))?);
        let sealed = self.ports.vault.seal(&seal_context(id), &plain).await?;
        let stored = if sealed.len() <= INLINE_ROW_BYTES {
            Stored::Inline { sealed }
        } else {
            Stored::Blob { blob: self.ports.blobs.put(sealed.into()).await? }
        };
        let life = records::Life { due: None, ttl: Some(self.ports.clock.now().after(self.options.retention)) };
        records::put(records::workflow_key(id, rows), &stored, Vec::new(), Guard::Absent, life)
    }
}

fn seal_context(id: Id) -> String {
    format!("workflow/{id}")
}

pub(super) fn restore(
    execution: Execution,
    (version, due): (u64, Option<Timestamp>),
    definition: Arc<Definition>,
    journal: Journal,
) -> Run {
    let start = execution.start;
    let mut newest: IndexMap<RecordKey, Record> = IndexMap::new();
    let (mut born, mut owed, mut secrets) = (Vec::new(), VecDeque::new(), Vec::new());
    let (mut inputs, mut variables, mut drawn) = (Map::new(), Variables::default(), Vec::new());
    for row in journal.rows {
        for record in row.changes {
            newest.insert(record.key(), record);
        }
        born.extend(row.born);
        owed.drain(..row.taken.min(owed.len()));
        owed.extend(row.owed);
        secrets.extend(row.secrets.into_iter().map(Secret::new));
        inputs.extend(row.inputs);
        variables = row.variables.unwrap_or(variables);
        drawn.extend(row.drawn);
    }
    let kept = newest.into_values().filter(|record| !matches!(record, Record::Gone(_)));
    let state = definition.conductor.restore(kept);
    let chain = definition.chain.clone().map(|chain| ChainRun::new(chain, variables));
    let mut run = Run {
        execution,
        version,
        due,
        definition,
        state,
        first: Vec::new(),
        rows: journal.next,
        whole: journal.whole.unwrap_or((0, start)),
        children: BTreeMap::new(),
        owed,
        inputs,
        chain,
        drawn: Drawn::restore(drawn),
        calls: Vec::new(),
        secrets,
    };
    born.iter().for_each(|born| run.remember(born));
    run
}
