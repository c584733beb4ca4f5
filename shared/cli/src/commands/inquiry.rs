//! `squall inquiry`.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{Last, in_order_of_time};
use crate::{
    client::Query,
    documents::{parse_document, read_text},
    failure::{Failure, Outcome},
    output::{Column, Field, Kind},
    prompt,
    session::Session,
};

const COLUMNS: [Column; 5] = [
    Column::new("id", "/id").of(Kind::Id),
    Column::new("route", "/route"),
    Column::new("users", "/users"),
    Column::new("roles", "/roles"),
    Column::new("minutes", "/ttl").of(Kind::Quiet),
];

const FIELDS: [Field; 6] = [
    Field::new("id", "/id"),
    Field::new("route", "/route"),
    Field::new("users", "/users"),
    Field::new("roles", "/roles"),
    Field::new("minutes", "/ttl"),
    Field::new("schema", "/schema"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Inquiry {
    List(List),
    Get(Get),
    Respond(Respond),
}

/// List the inquiries that wait for an answer, the newest at the bottom
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall inquiry list")]
pub(crate) struct List {
    #[command(flatten)]
    last: Last,
}

/// Show an inquiry: what it asks, and whom
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall inquiry get 696f5a3c1d2e3f4a5b6c7d8e")]
pub(crate) struct Get {
    /// The inquiry's id, which is the execution's
    id: String,
}

/// Answer an inquiry; without --response it asks you, field by field
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall inquiry respond 696f5a3c1d2e3f4a5b6c7d8e
  squall inquiry respond 696f5a3c1d2e3f4a5b6c7d8e -r '{\"continue\": true}'
  squall inquiry respond 696f5a3c1d2e3f4a5b6c7d8e -r - < answer.yaml     (a secret does not belong on a command line)")]
pub(crate) struct Respond {
    /// The inquiry's id, which is the execution's
    id: String,
    /// The answer as JSON or YAML; - reads the standard input
    #[arg(short = 'r', long, value_name = "JSON")]
    response: Option<String>,
}

impl Inquiry {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self {
            Inquiry::List(List { last }) => {
                let listing = session.client()?.list(&["inquiries"], &Query::new(), last.last).await?;
                let listing = in_order_of_time(session, listing)?;
                session.print_table(&listing.items, &COLUMNS, "nothing waits for an answer")?;
            }
            Inquiry::Get(Get { id }) => {
                let inquiry = session.client()?.get(&["inquiries", &id], &Query::new()).await?;
                session.print_details(&inquiry, &FIELDS)?;
            }
            Inquiry::Respond(respond) => respond.run(session).await?,
        }
        Ok(Outcome::Success)
    }
}

impl Respond {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let client = session.client()?;
        let response = match &self.response {
            Some(text) => given(text)?,
            None => {
                let inquiry = client.get(&["inquiries", &self.id], &Query::new()).await?;
                let no_schema = Map::new();
                let schema = inquiry.get("schema").and_then(Value::as_object).unwrap_or(&no_schema);
                prompt::answer(&mut session.console, schema)?
            }
        };
        let body = json!({"id": self.id, "response": response});
        let answer = client.call(Method::PUT, &["inquiries", &self.id], Some(&body)).await?;
        session.print_done(&answer, &format!("inquiry {} is answered", self.id))
    }
}

fn given(text: &str) -> Result<Value, Failure> {
    let text = if text == "-" { read_text("-")? } else { text.to_owned() };
    let value = parse_document("the response", &text)?;
    if value.is_object() {
        return Ok(value);
    }
    Err(Failure::usage("the response must be an object").hint("such as -r '{\"continue\": true}'"))
}
