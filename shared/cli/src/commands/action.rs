//! `squall action`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::run::parameter_schemas;
use crate::{
    client::Query,
    failure::{Failure, Outcome},
    output::{Column, Field, Kind, table},
    session::{Format, Session},
};

/// More actions than anybody looks at in a terminal.
const MOST: usize = 10_000;

const COLUMNS: [Column; 3] = [
    Column::new("ref", "/ref"),
    Column::new("runner", "/runner_type").of(Kind::Quiet),
    Column::new("description", "/description"),
];

const FIELDS: [Field; 8] = [
    Field::new("ref", "/ref"),
    Field::new("id", "/id"),
    Field::new("description", "/description"),
    Field::new("runner", "/runner_type"),
    Field::new("enabled", "/enabled"),
    Field::new("entry point", "/entry_point"),
    Field::new("output schema", "/output_schema"),
    Field::new("notify", "/notify"),
];

const PARAMETERS: [Column; 5] = [
    Column::new("parameter", "/name"),
    Column::new("type", "/type").of(Kind::Quiet),
    Column::new("required", "/required"),
    Column::new("default", "/default"),
    Column::new("description", "/description"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    List(List),
    Get(Get),
}

/// List actions
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall action list --pack core")]
pub(crate) struct List {
    /// Only of this pack
    #[arg(short = 'p', long)]
    pack: Option<String>,
}

/// Show one action and its parameters
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall action get core.http")]
pub(crate) struct Get {
    /// The action's ref or id
    #[arg(value_name = "REF")]
    action: String,
}

impl Action {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self {
            Action::List(List { pack }) => {
                let listing = session.client()?.list(&["actions"], &Query::new().maybe("pack", pack), MOST).await?;
                session.print_table(&listing.items, &COLUMNS, "there are no such actions")?;
            }
            Action::Get(get) => get.run(session).await?,
        }
        Ok(Outcome::Success)
    }
}

impl Get {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let client = session.client()?;
        let action = client.get_one("actions", &self.action, &Query::new()).await?;
        session.print_details(&action, &FIELDS)?;
        if session.format() != Format::Text {
            return Ok(());
        }
        let schemas = parameter_schemas(&client, &self.action).await?;
        let mut rows: Vec<_> =
            schemas.iter().filter(|(_, schema)| !is_true(schema, "immutable")).map(parameter_row).collect();
        // What must be given comes first.
        rows.sort_by_key(|row| row.get("required") != Some(&json!("yes")));
        let look = session.console.look();
        if rows.is_empty() { Ok(()) } else { session.console.line(&format!("\n{}", table(look, &PARAMETERS, &rows))) }
    }
}

fn parameter_row((name, schema): (&String, &Value)) -> Value {
    let has_default = schema.get("default").is_some_and(|default| !default.is_null());
    json!({
        "name": name,
        "type": schema.get("type").unwrap_or(&json!("string")),
        "required": if is_true(schema, "required") && !has_default { "yes" } else { "" },
        "default": schema.get("default"),
        "description": schema.get("description"),
    })
}

fn is_true(schema: &Value, attribute: &str) -> bool {
    schema.get(attribute).and_then(Value::as_bool) == Some(true)
}
