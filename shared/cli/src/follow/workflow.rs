//! Following a workflow: what its tasks do, and those of workflows within it, and what they write.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use super::{Follower, is_asking, is_final, status};
use crate::{
    Ink, client::Query, console::printable, failure::Failure, output::duration, session::Session, workflows::task_of,
};

/// Runner types that write nothing themselves.
const SILENT: [&str; 5] = ["orquesta", "action-chain", "noop", "inquirer", "inject-trigger"];

/// A task's execution that has been told of.
#[derive(Default)]
struct Told {
    /// The way to it from the workflow.
    path: String,
    is_silent: bool,
    /// The last piece of output that was written.
    after: Option<u64>,
    /// The beginning of a line whose end is still to come.
    rest: String,
    is_asking: bool,
    has_ended: bool,
}

/// The tasks of a workflow as far as they have been told of.
#[derive(Default)]
pub(super) struct Tasks {
    told: BTreeMap<String, Told>,
}

impl Tasks {
    /// Tells what is new; false where nothing is.
    async fn look(
        &mut self,
        session: &mut Session,
        follower: &Follower<'_>,
        stream: Option<&str>,
    ) -> Result<bool, Failure> {
        let query = Query::new().with("exclude_attributes", "result,trigger_instance");
        let all = follower.client.get(&["executions", follower.id, "children"], &query).await?;
        let mut children: Vec<&Value> = all.as_array().into_iter().flatten().collect();
        children.sort_by_key(|child| text(child, "/start_timestamp"));
        let mut is_new = false;
        // A workflow within comes before its own tasks.
        let mut open: Vec<&Value> = children.clone();
        while !open.is_empty() {
            let count = open.len();
            let (known, later): (Vec<&Value>, Vec<&Value>) = open.into_iter().partition(|child| {
                let parent = text(child, "/parent");
                parent == follower.id || self.told.contains_key(parent)
            });
            for child in known {
                is_new |= self.begin(session, child)?;
            }
            open = if later.len() == count { Vec::new() } else { later };
        }
        for child in children {
            is_new |= self.go_on(session, follower, child, stream).await?;
        }
        Ok(is_new)
    }

    fn begin(&mut self, session: &mut Session, child: &Value) -> Result<bool, Failure> {
        let id = text(child, "/id");
        if self.told.contains_key(id) {
            return Ok(false);
        }
        let above = self.told.get(text(child, "/parent")).map(|above| format!("{}/", above.path)).unwrap_or_default();
        let item = child.pointer("/context/orquesta/item_id").map(|item| format!("[{item}]")).unwrap_or_default();
        let path = printable(&format!("{above}{}{item}", task_of(child).unwrap_or("-")));
        let is_silent = SILENT.contains(&text(child, "/runner/name"));
        say(session, Ink::Cyan, "▶", &format!("{path}  {}", text(child, "/action/ref")))?;
        self.told.insert(id.to_owned(), Told { path, is_silent, ..Told::default() });
        Ok(true)
    }

    async fn go_on(
        &mut self,
        session: &mut Session,
        follower: &Follower<'_>,
        child: &Value,
        stream: Option<&str>,
    ) -> Result<bool, Failure> {
        let id = text(child, "/id");
        let Some(told) = self.told.get_mut(id).filter(|told| !told.has_ended) else { return Ok(false) };
        let mut is_new = false;
        while !told.is_silent {
            let answer = follower.output(id, stream, told.after).await?;
            let chunks = answer.get("chunks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            for chunk in chunks {
                told.after = told.after.max(chunk.get("sequence").and_then(Value::as_u64));
                told.rest.push_str(text(chunk, "/data"));
            }
            let mut lines: Vec<String> = told.rest.split('\n').map(str::to_owned).collect();
            told.rest = lines.pop().unwrap_or_default();
            is_new |= !chunks.is_empty();
            lines.iter().try_for_each(|line| write(session, &told.path, line))?;
            if chunks.is_empty() {
                break;
            }
        }
        if is_asking(child) && !told.is_asking {
            told.is_asking = true;
            let path = &told.path;
            say(session, Ink::Yellow, "‖", &format!("{path} waits for an answer: squall inquiry respond {id}"))?;
        }
        if is_final(child) {
            told.has_ended = true;
            let rest = std::mem::take(&mut told.rest);
            if !rest.is_empty() {
                write(session, &told.path, &rest)?;
            }
            end(session, &told.path, child)?;
            is_new = true;
        }
        Ok(is_new)
    }

    /// Those that have not ended.
    fn open(&self) -> BTreeSet<&str> {
        self.told.values().filter(|told| !told.has_ended).map(|told| told.path.as_str()).collect()
    }
}

impl Follower<'_> {
    /// Tells what a workflow does until it ends; returns the execution as it then is.
    pub(super) async fn watch(mut self, session: &mut Session, stream: Option<&str>) -> Result<Value, Failure> {
        let mut tasks = Tasks::default();
        loop {
            let workflow = self.client.get(&["executions", self.id], &Query::new()).await?;
            let is_new = tasks.look(session, &self, stream).await?;
            if is_final(&workflow) {
                let open = tasks.open();
                if !open.is_empty() {
                    let open: Vec<&str> = open.into_iter().collect();
                    session.console.say(Ink::Dim, "note", &format!("still under way: {}", open.join(", ")))?;
                }
                end(session, text(&workflow, "/action/ref"), &workflow)?;
                return Ok(workflow);
            }
            if is_new {
                self.pause = super::SHORTEST_PAUSE;
            }
            self.rest().await?;
        }
    }
}

fn end(session: &mut Session, path: &str, child: &Value) -> Result<(), Failure> {
    let status = status(child);
    let mark = match status {
        "succeeded" => "✔",
        "canceled" => "■",
        _ => "✘",
    };
    let elapsed = child.get("elapsed_seconds").and_then(Value::as_f64);
    let elapsed = elapsed.map(|elapsed| format!(" in {}", duration(elapsed))).unwrap_or_default();
    say(session, Ink::of_status(status).unwrap_or(Ink::Dim), mark, &format!("{path} {status}{elapsed}"))
}

fn say(session: &mut Session, ink: Ink, mark: &str, line: &str) -> Result<(), Failure> {
    let mark = session.console.look().paint(ink, mark);
    session.console.line(&format!("{mark} {line}"))
}

/// A line of a task's output, with the task before it.
fn write(session: &mut Session, path: &str, line: &str) -> Result<(), Failure> {
    let path = session.console.look().paint(Ink::Dim, &format!("{path} |"));
    session.console.line(&format!("  {path} {}", printable(line)))
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
