//! `squall execution`.

mod show;
mod to_test;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

pub(super) use show::show_result;
use show::{FIELDS, show_errors, show_tasks};

use super::{
    Between, Last, in_order_of_time,
    run::{Wait, parameter_schemas},
};
use crate::{
    client::Query,
    failure::{Failure, Outcome},
    follow::{Follower, outcome},
    output::{Column, Kind},
    parameters::ParameterReader,
    session::Session,
};

const COLUMNS: [Column; 7] = [
    Column::new("id", "/id").of(Kind::Id),
    Column::new("action", "/action/ref"),
    Column::new("status", "/status").of(Kind::Status),
    Column::new("start", "/start_timestamp").of(Kind::Time),
    Column::new("elapsed", "/elapsed_seconds").of(Kind::Seconds),
    Column::new("user", "/context/user").of(Kind::Quiet),
    Column::new("rule", "/rule/ref").of(Kind::Quiet),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Execution {
    List(List),
    Get(Get),
    Tail(Tail),
    Cancel(Cancel),
    Pause(Pause),
    Resume(Resume),
    ReRun(ReRun),
    ToTest(to_test::ToTest),
}

/// List executions, the newest at the bottom
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall execution list
  squall execution list --status failed -n 10
  squall execution list --action demo.remediate --json | jq '.[].result'")]
pub(crate) struct List {
    #[command(flatten)]
    last: Last,
    #[command(flatten)]
    between: Between,
    /// Only of this action
    #[arg(long, value_name = "REF")]
    action: Option<String>,
    /// Only with this status
    #[arg(long)]
    status: Option<String>,
    /// Only of this user
    #[arg(long)]
    user: Option<String>,
    /// Only what this rule requested
    #[arg(long, value_name = "REF")]
    rule: Option<String>,
    /// Only what came of this event
    #[arg(long, alias = "trigger_instance", value_name = "ID")]
    trigger_instance: Option<String>,
    /// Only children of this execution
    #[arg(long, value_name = "ID")]
    parent: Option<String>,
}

/// Show one execution
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall execution get last
  squall execution get 696f5a3c1d2e3f4a5b6c7d8e --yaml")]
pub(crate) struct Get {
    /// The execution's id, or "last"
    id: String,
    /// Leave the result out
    #[arg(short = 'x', long)]
    exclude_result: bool,
}

/// Follow an execution's output until its end; of a workflow what its tasks do, and their output
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall execution tail last
  squall execution tail last --type stderr")]
pub(crate) struct Tail {
    /// The execution's id, or "last"
    #[arg(default_value = "last")]
    id: String,
    /// Only this stream
    #[arg(long = "type", value_parser = ["stdout", "stderr"])]
    stream: Option<String>,
}

/// Cancel executions
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall execution cancel 696f5a3c1d2e3f4a5b6c7d8e")]
pub(crate) struct Cancel {
    /// The executions' ids
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

/// Pause workflows: what runs ends, nothing starts
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall execution pause 696f5a3c1d2e3f4a5b6c7d8e")]
pub(crate) struct Pause {
    /// The executions' ids
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

/// Let paused workflows go on
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall execution resume 696f5a3c1d2e3f4a5b6c7d8e")]
pub(crate) struct Resume {
    /// The executions' ids
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

/// Run an execution again, with the same parameters but for those that are given
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall execution re-run last
  squall execution re-run 696f5a3c1d2e3f4a5b6c7d8e timeout=120 --tail
  squall execution re-run last --tasks deploy verify")]
pub(crate) struct ReRun {
    /// The execution's id, or "last"
    id: String,
    /// name=value, as for `squall run`
    #[arg(value_name = "PARAMETER")]
    parameters: Vec<String>,
    /// Of a workflow: go on from these tasks, in place of running it from the beginning
    #[arg(long, value_name = "TASK", num_args = 1.., conflicts_with = "parameters")]
    tasks: Vec<String>,
    /// Of these tasks: run all items again, not only those that failed
    #[arg(long, value_name = "TASK", num_args = 1.., requires = "tasks")]
    reset: Vec<String>,
    /// Don't wait; print the execution's id
    #[arg(short = 'a', long = "async", conflicts_with = "tail")]
    asynchronous: bool,
    /// Follow the output while it runs
    #[arg(long)]
    tail: bool,
    /// Start it so many milliseconds from now
    #[arg(long, value_name = "MS")]
    delay: Option<u64>,
}

impl Execution {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self {
            Execution::List(list) => list.run(session).await,
            Execution::Get(get) => get.run(session).await,
            Execution::Tail(tail) => tail.run(session).await,
            Execution::Cancel(cancel) => cancel.run(session).await,
            Execution::Pause(pause) => hold(session, &pause.ids, ("pausing", "is being paused")).await,
            Execution::Resume(resume) => hold(session, &resume.ids, ("resuming", "goes on")).await,
            Execution::ReRun(re_run) => re_run.run(session).await,
            Execution::ToTest(to_test) => to_test.run(session).await,
        }
    }
}

impl List {
    async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let query = Query::new()
            .maybe("action", self.action)
            .maybe("status", self.status)
            .maybe("user", self.user)
            .maybe("rule", self.rule)
            .maybe("trigger_instance", self.trigger_instance)
            .maybe("parent", self.parent)
            .maybe("timestamp_gt", self.between.timestamp_gt)
            .maybe("timestamp_lt", self.between.timestamp_lt);
        let listing = session.client()?.list(&["executions"], &query, self.last.last).await?;
        let listing = in_order_of_time(session, listing)?;
        session.print_table(&listing.items, &COLUMNS, "there are no such executions")?;
        Ok(Outcome::Success)
    }
}

impl Get {
    async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let query = if self.exclude_result { Query::new().with("exclude_attributes", "result") } else { Query::new() };
        let client = session.client()?;
        let execution = client.get(&["executions", &self.id], &query).await?;
        session.print_details(&execution, &FIELDS)?;
        show_tasks(session, &client, &execution).await?;
        show_errors(session, &execution)?;
        Ok(Outcome::Success)
    }
}

impl Tail {
    async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let client = session.client()?;
        let execution = client.get(&["executions", &self.id], &Query::new()).await?;
        let id = execution.get("id").and_then(Value::as_str).unwrap_or(&self.id);
        let done = Follower::new(&client, id).tail(session, &execution, self.stream.as_deref()).await?;
        show_errors(session, &done)?;
        Ok(outcome(&done))
    }
}

impl Cancel {
    async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let client = session.client()?;
        let mut all_canceled = Outcome::Success;
        for id in &self.ids {
            let answer = client.call(Method::DELETE, &["executions", id], None).await?;
            // As in StackStorm, what can't be canceled is answered with 200 and a fault.
            match answer.get("faultstring").and_then(Value::as_str) {
                Some(fault) => {
                    session.print_done(&answer, &format!("{id} was not canceled: {fault}"))?;
                    all_canceled = Outcome::Unsuccessful;
                }
                None => session.print_done(&answer, &format!("{id} is being canceled"))?,
            }
        }
        Ok(all_canceled)
    }
}

/// Asks workflows to take that status.
async fn hold(session: &mut Session, ids: &[String], (status, done): (&str, &str)) -> Result<Outcome, Failure> {
    let client = session.client()?;
    for id in ids {
        let answer = client.call(Method::PUT, &["executions", id], Some(&json!({"status": status}))).await?;
        session.print_done(&answer, &format!("{id} {done}"))?;
    }
    Ok(Outcome::Success)
}

impl ReRun {
    async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let client = session.client()?;
        let before = client.get(&["executions", &self.id], &Query::new()).await?;
        let text = |pointer: &str| before.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (id, action) = (text("/id"), text("/action/ref"));
        let mut body = Map::new();
        if !self.parameters.is_empty() {
            let schemas = parameter_schemas(&client, action).await?;
            let reader = ParameterReader { of: action, schemas: &schemas, open: false, auto_dict: false };
            body.insert("parameters".to_owned(), Value::Object(reader.read(&self.parameters)?));
        }
        if !self.tasks.is_empty() {
            body.insert("tasks".to_owned(), json!(self.tasks));
            body.insert("reset".to_owned(), json!(self.reset));
        }
        body.extend(self.delay.map(|delay| ("delay".to_owned(), json!(delay))));
        let execution = client.call(Method::POST, &["executions", id, "re_run"], Some(&Value::Object(body))).await?;
        Wait { asynchronous: self.asynchronous, tail: self.tail }.finish(session, &client, execution).await
    }
}
