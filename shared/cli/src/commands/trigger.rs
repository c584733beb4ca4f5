//! `squall trigger`.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::{
    client::{Client, Query},
    documents::{parse_document, read_document},
    failure::{Failure, Outcome},
    output::{Column, Field, Kind},
    parameters::{ParameterReader, Schemas},
    session::Session,
};

/// More trigger types than anybody looks at in a terminal.
const MOST: usize = 10_000;

const COLUMNS: [Column; 3] = [
    Column::new("ref", "/ref"),
    Column::new("pack", "/pack").of(Kind::Quiet),
    Column::new("description", "/description"),
];

const FIELDS: [Field; 5] = [
    Field::new("ref", "/ref"),
    Field::new("id", "/id"),
    Field::new("description", "/description"),
    Field::new("parameters", "/parameters_schema/properties"),
    Field::new("payload", "/payload_schema/properties"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Trigger {
    List(List),
    Get(Get),
    Emit(Emit),
}

/// List trigger types
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall trigger list --pack core")]
pub(crate) struct List {
    /// Only of this pack
    #[arg(short = 'p', long)]
    pack: Option<String>,
}

/// Show one trigger type: its parameters and its payload
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall trigger get core.st2.webhook")]
pub(crate) struct Get {
    /// The trigger type's ref or id
    #[arg(value_name = "REF")]
    trigger: String,
}

/// Let a trigger happen
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall trigger emit demo.deployed service=shop version=1.4.2
  squall trigger emit demo.deployed --payload-file event.json
  jq -n '{service: \"shop\"}' | squall trigger emit demo.deployed --payload-file -")]
pub(crate) struct Emit {
    /// The ref of a trigger type, or a trigger's ref
    #[arg(value_name = "REF")]
    trigger: String,
    /// The payload's fields, as name=value; cast by the trigger type's payload schema
    #[arg(value_name = "FIELD")]
    fields: Vec<String>,
    /// The whole payload as JSON or YAML
    #[arg(long, value_name = "DOCUMENT", conflicts_with = "payload_file")]
    payload: Option<String>,
    /// The whole payload from a file; - reads the standard input
    #[arg(long, value_name = "FILE")]
    payload_file: Option<String>,
    /// A tag to find all that comes of it by
    #[arg(long, value_name = "TAG")]
    trace_tag: Option<String>,
}

impl Trigger {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self {
            Trigger::List(list) => {
                let query = Query::new().maybe("pack", list.pack);
                let listing = session.client()?.list(&["triggertypes"], &query, MOST).await?;
                session.print_table(&listing.items, &COLUMNS, "there are no such trigger types")?;
            }
            Trigger::Get(get) => {
                let found = session.client()?.get_one("triggertypes", &get.trigger, &Query::new()).await?;
                session.print_details(&found, &FIELDS)?;
            }
            Trigger::Emit(emit) => emit.run(session).await?,
        }
        Ok(Outcome::Success)
    }
}

impl Emit {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let client = session.client()?;
        let payload = self.payload(&client).await?;
        let body = json!({"trigger": self.trigger, "payload": payload});
        let request = client.request(Method::POST, &["webhooks", "st2"])?.json(&body);
        let request = self.trace_tag.iter().fold(request, |request, tag| request.header("St2-Trace-Tag", tag));
        let answer = client.send(request).await?;
        let id = answer.trigger_instance();
        let text = format!(
            "{} has happened\nsee what came of it with `squall explain {}`",
            self.trigger,
            id.as_deref().unwrap_or("last")
        );
        session.print_done(&json!({"id": id, "trigger": self.trigger, "payload": payload}), &text)
    }

    async fn payload(&self, client: &Client) -> Result<Value, Failure> {
        let whole = match (&self.payload, &self.payload_file) {
            (Some(text), _) => parse_document("--payload", text)?,
            (None, Some(file)) => read_document(file)?,
            (None, None) => Value::Object(Map::new()),
        };
        let Value::Object(mut payload) = whole else {
            return Err(
                Failure::usage("the payload must be an object").hint("such as --payload '{\"service\": \"shop\"}'")
            );
        };
        if !self.fields.is_empty() {
            let schemas = payload_schemas(client, &self.trigger).await?;
            // What a payload schema does not name it may allow; the host knows.
            let reader = ParameterReader { of: &self.trigger, schemas: &schemas, open: true, auto_dict: false };
            payload.extend(reader.read(&self.fields)?);
        }
        Ok(Value::Object(payload))
    }
}

async fn payload_schemas(client: &Client, trigger: &str) -> Result<Schemas, Failure> {
    match client.get_one("triggertypes", trigger, &Query::new()).await {
        Ok(found) => {
            Ok(found.pointer("/payload_schema/properties").and_then(Value::as_object).cloned().unwrap_or_default())
        }
        // It may be a trigger with parameters: the host says whether there is one.
        Err(failure) if failure.is_not_found() && failure.hints().is_empty() => Ok(Schemas::new()),
        Err(failure) => Err(failure),
    }
}
