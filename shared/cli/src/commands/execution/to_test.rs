//! `squall execution to-test`.

use clap::Args;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::super::workflow::of_case;
use crate::{
    client::{Client, Query},
    failure::{Failure, Outcome},
    session::Session,
    workflows::{Recorded, Rehearsal, Rehearsed, RunView, Source, record, rehearse, whole},
};

/// Write a rehearsal from what a workflow really did: its inputs, what each task gave, what came of it
#[derive(Debug, Args)]
#[command(after_help = "\
The file passes in `squall workflow rehearse` as it is. Secrets stay masked.

Examples:
  squall execution to-test last > tests/deploy.yaml
  squall execution to-test 696f5a3c1d2e3f4a5b6c7d8e --out tests/deploy.yaml")]
pub(crate) struct ToTest {
    /// The execution's id, or "last"
    id: String,
    /// Write it to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl ToTest {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let client = session.client()?;
        let execution = whole(&client, &self.id).await?;
        let told = |pointer: &str| execution.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (id, status) = (told("/id"), told("/status"));
        let run = RunView::of_host(&client, id).await?;
        let source = Source::of_run(&run, told("/runner/name"));
        if source.is_chain {
            return Err(Failure::usage(format!("{id} is an action chain: only workflows of Orquesta are rehearsed")));
        }
        if !matches!(status, "succeeded" | "failed") {
            let message = format!("{id} is {status}: only what has succeeded or failed can be gone through again");
            return Err(Failure::usage(message));
        }
        if execution.pointer("/context/re-run/tasks").and_then(Value::as_array).is_some_and(|tasks| !tasks.is_empty()) {
            return Err(Failure::usage(format!("{id} goes on from another execution: what came before it is there")));
        }
        let query = Query::new().with("depth", "1").with("exclude_attributes", "trigger_instance");
        let children = client.get(&["executions", id, "children"], &query).await?;
        let conductor = source.conductor()?;
        let mut recorded = Recorded {
            execution: &execution,
            children: children.as_array().map(Vec::as_slice).unwrap_or_default(),
            counts: run.counts(&conductor),
            inputs: conductor.workflow().input.iter().map(|input| input.name.to_string()).collect(),
            text: &run.text,
            keys: BTreeMap::new(),
        };
        let (mut text, mut done) = written(&source, &recorded)?;
        // What it reads in the datastore shows when it is gone through.
        while add_keys(&client, &done, &mut recorded.keys).await {
            (text, done) = written(&source, &recorded)?;
        }
        match &self.out {
            None => session.console.write(&text)?,
            Some(file) => std::fs::write(file, &text)
                .map_err(|error| Failure::new(format!("{} can't be written: {error}", file.display())))?,
        }
        if done.has_passed() {
            return Ok(Outcome::Success);
        }
        let look = session.console.look();
        session.console.say_plain(&of_case(look, &done))?;
        Err(Failure::new("the rehearsal goes another way than the execution did")
            .hint("it may depend on secrets, which stay masked, on the datastore, or on an action that could not be requested"))
    }
}

/// The file's text, and how it does. Where branches ran at once it may have to say how long each result took.
fn written(source: &Source, recorded: &Recorded<'_>) -> Result<(String, Rehearsed), Failure> {
    let try_it = |takes_time: bool| {
        let options = yaml::WriteOptions { sort_keys: false, ..yaml::WriteOptions::default() };
        let text = yaml::to_string_with(&record(recorded, takes_time), &options);
        let rehearsal = Rehearsal::parse(Path::new("rehearsal"), &text)?;
        let case = rehearsal.cases.first().ok_or_else(|| Failure::new("a rehearsal has a case"))?;
        Ok((rehearse(source, &source.conductor()?, case), text)).map(|(done, text)| (text, done))
    };
    match try_it(false)? {
        (text, done) if done.has_passed() => Ok((text, done)),
        _ => try_it(true),
    }
}

/// Adds the keys that a rehearsal has read in vain; false where the host has none of them, either.
async fn add_keys(client: &Client, done: &Rehearsed, keys: &mut BTreeMap<String, String>) -> bool {
    let before = keys.len();
    for key in done.absent_keys.iter().filter(|_| !done.has_passed()) {
        let scoped = key.split_once('.').filter(|(scope, _)| matches!(*scope, "system" | "user"));
        let (scope, name) = scoped.unwrap_or(("user", key));
        let answer = client.get(&["keys", name], &Query::new().with("scope", scope)).await;
        let value = answer.ok().and_then(|answer| answer.get("value")?.as_str().map(str::to_owned));
        keys.extend(value.map(|value| (key.clone(), value)));
    }
    keys.len() > before
}
