//! `squall rule`.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::{rule_replay::Replay, rule_test::Test};
use crate::{
    client::{Client, Query},
    documents::read_document,
    failure::{Failure, Outcome},
    output::{Column, Field, Kind},
    session::Session,
};

/// More rules than anybody looks at in a terminal.
const MOST: usize = 10_000;

const COLUMNS: [Column; 5] = [
    Column::new("ref", "/ref"),
    Column::new("enabled", "/enabled"),
    Column::new("trigger", "/trigger/type"),
    Column::new("action", "/action/ref"),
    Column::new("description", "/description").of(Kind::Quiet),
];

const FIELDS: [Field; 11] = [
    Field::new("ref", "/ref"),
    Field::new("id", "/id"),
    Field::new("description", "/description"),
    Field::new("enabled", "/enabled"),
    Field::new("type", "/type/ref"),
    Field::new("trigger", "/trigger/type"),
    Field::new("trigger parameters", "/trigger/parameters"),
    Field::new("criteria", "/criteria"),
    Field::new("action", "/action/ref"),
    Field::new("action parameters", "/action/parameters"),
    Field::new("tags", "/tags"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Rule {
    List(List),
    Get(Get),
    Create(Create),
    Update(Update),
    Delete(Delete),
    Enable(Enable),
    Disable(Disable),
    Test(Test),
    Replay(Replay),
}

/// List rules
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall rule list --pack demo
  squall rule list --trigger core.st2.webhook --enabled")]
pub(crate) struct List {
    /// Only of this pack
    #[arg(short = 'p', long)]
    pack: Option<String>,
    /// Only those that request this action
    #[arg(short = 'c', long, value_name = "REF")]
    action: Option<String>,
    /// Only those that listen to this trigger
    #[arg(short = 'g', long, value_name = "REF")]
    trigger: Option<String>,
    /// Only enabled ones
    #[arg(long, conflicts_with = "disabled")]
    enabled: bool,
    /// Only disabled ones
    #[arg(long)]
    disabled: bool,
}

/// Show one rule
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall rule get demo.critical_alert --yaml")]
pub(crate) struct Get {
    /// The rule's ref or id
    #[arg(value_name = "REF")]
    rule: String,
}

/// Create a rule from a file
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall rule create rules/on_push.yaml
  squall rule get demo.critical_alert --yaml | sed s/critical_alert/mine/ | squall rule create -")]
pub(crate) struct Create {
    /// YAML or JSON; - reads the standard input
    file: String,
}

/// Replace a rule by what a file holds
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall rule update default.on_push rules/on_push.yaml")]
pub(crate) struct Update {
    /// The rule's ref or id
    #[arg(value_name = "REF")]
    rule: String,
    /// YAML or JSON; - reads the standard input
    file: String,
}

/// Delete rules
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall rule delete default.on_push")]
pub(crate) struct Delete {
    /// The rules' refs or ids
    #[arg(required = true, value_name = "REF")]
    rules: Vec<String>,
}

/// Enable a rule
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall rule enable demo.heartbeat")]
pub(crate) struct Enable {
    /// The rule's ref or id
    #[arg(value_name = "REF")]
    rule: String,
}

/// Disable a rule: it is kept, and has no effect
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall rule disable demo.heartbeat")]
pub(crate) struct Disable {
    /// The rule's ref or id
    #[arg(value_name = "REF")]
    rule: String,
}

impl Rule {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self {
            Rule::List(list) => list.run(session).await?,
            Rule::Get(get) => {
                let rule = session.client()?.get_one("rules", &get.rule, &Query::new()).await?;
                session.print_details(&rule, &FIELDS)?;
            }
            Rule::Create(create) => create.run(session).await?,
            Rule::Update(update) => update.run(session).await?,
            Rule::Delete(delete) => delete.run(session).await?,
            Rule::Enable(Enable { rule }) => set_enabled(session, &rule, true).await?,
            Rule::Disable(Disable { rule }) => set_enabled(session, &rule, false).await?,
            Rule::Test(test) => return test.run(session).await,
            Rule::Replay(replay) => return replay.run(session).await,
        }
        Ok(Outcome::Success)
    }
}

impl List {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let enabled = self.enabled.then_some("true").or(self.disabled.then_some("false"));
        let query = Query::new()
            .maybe("pack", self.pack)
            .maybe("action", self.action)
            .maybe("trigger", self.trigger)
            .maybe("enabled", enabled);
        let listing = session.client()?.list(&["rules"], &query, MOST).await?;
        session.print_table(&listing.items, &COLUMNS, "there are no such rules")
    }
}

impl Create {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let rule = read_document(&self.file)?;
        let rule = session.client()?.call(Method::POST, &["rules"], Some(&rule)).await?;
        session.print_details(&rule, &FIELDS)
    }
}

impl Update {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let rule = read_document(&self.file)?;
        let client = session.client()?;
        let id = id_of(&client, &self.rule).await?;
        let rule = client.call(Method::PUT, &["rules", &id], Some(&rule)).await?;
        session.print_details(&rule, &FIELDS)
    }
}

impl Delete {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let client = session.client()?;
        for rule in &self.rules {
            let id = id_of(&client, rule).await?;
            client.call(Method::DELETE, &["rules", &id], None).await?;
            session.print_done(&json!({"deleted": rule}), &format!("{rule} is deleted"))?;
        }
        Ok(())
    }
}

async fn set_enabled(session: &mut Session, rule: &str, enabled: bool) -> Result<(), Failure> {
    let client = session.client()?;
    // The whole rule goes back, so it must come without masks.
    let mut body = client.get_one("rules", rule, &Query::new().flag("show_secrets", true)).await?;
    let id = body.get("id").and_then(Value::as_str).unwrap_or(rule).to_owned();
    if let Value::Object(fields) = &mut body {
        fields.insert("enabled".to_owned(), json!(enabled));
    }
    let answer = client.call(Method::PUT, &["rules", &id], Some(&body)).await?;
    session.print_done(&answer, &format!("{rule} is {}", if enabled { "enabled" } else { "disabled" }))
}

/// StackStorm takes changes to a rule by its id.
async fn id_of(client: &Client, rule: &str) -> Result<String, Failure> {
    let found = client.get_one("rules", rule, &Query::new()).await?;
    Ok(found.get("id").and_then(Value::as_str).unwrap_or(rule).to_owned())
}
