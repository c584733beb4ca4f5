//! `squall dlq`.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::Query,
    failure::{Failure, Outcome},
    output::{Column, Kind, counted},
    session::Session,
};

const QUEUES: [Column; 2] = [Column::new("queue", "/name"), Column::new("letters", "/letters")];

const LETTERS: [Column; 6] = [
    Column::new("id", "/id"),
    Column::new("sent", "/sent_at").of(Kind::Time),
    Column::new("reason", "/reason"),
    Column::new("message", "/message"),
    Column::new("function", "/function").of(Kind::Quiet),
    Column::new("body", "/body"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Dlq {
    List(List),
    Show(Show),
    Redrive(Redrive),
}

/// List the queues and how many letters each has
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall dlq list")]
pub(crate) struct List {}

/// Show messages that could not be handled, and why
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall dlq show triggers\n  squall dlq show triggers --json | jq -r '.[].body'")]
pub(crate) struct Show {
    /// The queue
    queue: String,
    /// How many
    #[arg(short = 'n', long, default_value_t = 10, value_name = "N")]
    last: u32,
}

/// Send messages back to where they came from
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall dlq redrive triggers --all\n  squall dlq redrive triggers 8f3c…")]
pub(crate) struct Redrive {
    /// The queue
    queue: String,
    /// Letters, by id
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<String>,
    /// All of them, up to 100 at once
    #[arg(long)]
    all: bool,
}

impl Dlq {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let client = session.client()?;
        match self {
            Dlq::List(List {}) => {
                let queues = rows(client.get(&["deadletters"], &Query::new()).await?);
                session.print_table(&queues, &QUEUES, "this host has no queues whose messages could be lost")?;
            }
            Dlq::Show(Show { queue, last }) => {
                let query = Query::new().with("limit", last.to_string());
                let letters = rows(client.get(&["deadletters", &queue], &query).await?);
                session.print_table(&letters, &LETTERS, "there are no letters")?;
            }
            Dlq::Redrive(Redrive { queue, ids, all: _ }) => {
                let answer =
                    client.call(Method::POST, &["deadletters", &queue, "redrive"], Some(&json!({"ids": ids}))).await?;
                let moved = answer.get("redriven").and_then(Value::as_u64).unwrap_or_default();
                let moved = usize::try_from(moved).unwrap_or(usize::MAX);
                let text = format!("{} sent back to {queue}", counted(moved, "letter"));
                session.print_done(&answer, &text)?;
            }
        }
        Ok(Outcome::Success)
    }
}

fn rows(answer: Value) -> Vec<Value> {
    match answer {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    }
}
