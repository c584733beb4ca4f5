//! `squall trace`.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Last, in_order_of_time};
use crate::{
    client::Query,
    failure::{Failure, Outcome},
    output::{Column, Field, Kind, table},
    session::{Format, Session},
};

const COLUMNS: [Column; 3] = [
    Column::new("id", "/id").of(Kind::Id),
    Column::new("trace tag", "/trace_tag"),
    Column::new("start", "/start_timestamp").of(Kind::Time),
];

const FIELDS: [Field; 3] = [
    Field::new("id", "/id"),
    Field::new("trace tag", "/trace_tag"),
    Field::new("start", "/start_timestamp").of(Kind::Time),
];

const PARTS: [Column; 4] = [
    Column::new("at", "/updated_at").of(Kind::Time),
    Column::new("what", "/what").of(Kind::Quiet),
    Column::new("ref", "/ref"),
    Column::new("id", "/object_id").of(Kind::Id),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Trace {
    List(List),
    Get(Get),
}

/// List traces, the newest at the bottom
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall trace list --trace-tag release-42")]
pub(crate) struct List {
    #[command(flatten)]
    last: Last,
    /// Only with this tag
    #[arg(short = 'c', long, value_name = "TAG")]
    trace_tag: Option<String>,
    /// Only the one of this execution
    #[arg(short = 'e', long, value_name = "ID")]
    execution: Option<String>,
    /// Only those of this rule
    #[arg(short = 'r', long, value_name = "ID")]
    rule: Option<String>,
    /// Only the one of this event
    #[arg(short = 'g', long, value_name = "ID")]
    trigger_instance: Option<String>,
}

/// Show all that belongs to one trace, in the order of time
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall trace get 696f5a3c1d2e3f4a5b6c7d8e")]
pub(crate) struct Get {
    /// The trace's id
    id: String,
}

impl Trace {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self {
            Trace::List(list) => list.run(session).await?,
            Trace::Get(get) => get.run(session).await?,
        }
        Ok(Outcome::Success)
    }
}

impl List {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let query = Query::new()
            .maybe("trace_tag", self.trace_tag)
            .maybe("execution", self.execution)
            .maybe("rule", self.rule)
            .maybe("trigger_instance", self.trigger_instance);
        let listing = session.client()?.list(&["traces"], &query, self.last.last).await?;
        let listing = in_order_of_time(session, listing)?;
        session.print_table(&listing.items, &COLUMNS, "there are no such traces")
    }
}

impl Get {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let trace = session.client()?.get(&["traces", &self.id], &Query::new()).await?;
        session.print_details(&trace, &FIELDS)?;
        let parts = parts(&trace);
        let look = session.console.look();
        if session.format() == Format::Text && !parts.is_empty() {
            session.console.line(&format!("\n{}", table(look, &PARTS, &parts)))?;
        }
        Ok(())
    }
}

/// Everything that belongs to the trace, each with what it is.
fn parts(trace: &Value) -> Vec<Value> {
    let kinds = [("trigger_instances", "trigger instance"), ("rules", "rule"), ("action_executions", "execution")];
    let mut parts: Vec<Value> = Vec::new();
    for (key, what) in kinds {
        for part in trace.get(key).and_then(Value::as_array).into_iter().flatten() {
            let mut part = part.clone();
            if let Value::Object(fields) = &mut part {
                fields.insert("what".to_owned(), Value::from(what));
            }
            parts.push(part);
        }
    }
    parts.sort_by_key(|part| part.get("updated_at").and_then(Value::as_str).map(str::to_owned));
    parts
}
