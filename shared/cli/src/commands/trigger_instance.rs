//! `squall trigger-instance`.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::Value;

use super::{Between, Last, in_order_of_time};
use crate::{
    client::{Client, Query},
    failure::{Failure, Outcome},
    output::{Column, Field, Kind},
    session::Session,
};

const COLUMNS: [Column; 4] = [
    Column::new("id", "/id").of(Kind::Id),
    Column::new("trigger", "/trigger"),
    Column::new("occurred", "/occurrence_time").of(Kind::Time),
    Column::new("status", "/status").of(Kind::Status),
];

const FIELDS: [Field; 6] = [
    Field::new("id", "/id"),
    Field::new("trigger", "/trigger"),
    Field::new("occurred", "/occurrence_time").of(Kind::Time),
    Field::new("status", "/status").of(Kind::Status),
    Field::new("failure reason", "/failure_reason"),
    Field::new("payload", "/payload"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum TriggerInstance {
    List(List),
    Get(Get),
    ReEmit(ReEmit),
}

/// List events, the newest at the bottom
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall trigger-instance list -n 10
  squall trigger-instance list --trigger-type core.st2.webhook")]
pub(crate) struct List {
    #[command(flatten)]
    last: Last,
    #[command(flatten)]
    between: Between,
    /// Only of this trigger
    #[arg(long, value_name = "REF")]
    trigger: Option<String>,
    /// Only of this trigger type
    #[arg(long, value_name = "REF")]
    trigger_type: Option<String>,
    /// Only with this status
    #[arg(long)]
    status: Option<String>,
}

/// Show one event and what it carries
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall trigger-instance get last --yaml")]
pub(crate) struct Get {
    /// The trigger instance's id, or "last"
    id: String,
}

/// Let the same event happen again
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall trigger-instance re-emit last")]
pub(crate) struct ReEmit {
    /// The trigger instance's id, or "last"
    id: String,
}

impl TriggerInstance {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let client = session.client()?;
        match self {
            TriggerInstance::List(list) => list.run(session, &client).await?,
            TriggerInstance::Get(Get { id }) => {
                let id = resolve(&client, id).await?;
                let instance = client.get(&["triggerinstances", &id], &Query::new()).await?;
                session.print_details(&instance, &FIELDS)?;
            }
            TriggerInstance::ReEmit(ReEmit { id }) => {
                let id = resolve(&client, id).await?;
                let answer = client.call(Method::POST, &["triggerinstances", &id, "re_emit"], None).await?;
                let message =
                    answer.get("message").and_then(Value::as_str).unwrap_or("it has happened again").to_owned();
                session.print_done(&answer, &message)?;
            }
        }
        Ok(Outcome::Success)
    }
}

impl List {
    async fn run(self, session: &mut Session, client: &Client) -> Result<(), Failure> {
        let query = Query::new()
            .maybe("trigger", self.trigger)
            .maybe("trigger_type", self.trigger_type)
            .maybe("status", self.status)
            .maybe("timestamp_gt", self.between.timestamp_gt)
            .maybe("timestamp_lt", self.between.timestamp_lt)
            .with("exclude_attributes", "payload");
        let listing = client.list(&["triggerinstances"], &query, self.last.last).await?;
        let listing = in_order_of_time(session, listing)?;
        session.print_table(&listing.items, &COLUMNS, "there are no such events")
    }
}

/// The id; of the newest event where "last" was said.
pub(super) async fn resolve(client: &Client, id: String) -> Result<String, Failure> {
    if id != "last" {
        return Ok(id);
    }
    let newest = client.list(&["triggerinstances"], &Query::new().with("exclude_attributes", "payload"), 1).await?;
    let id = newest.items.first().and_then(|instance| instance.get("id")?.as_str());
    id.map(str::to_owned).ok_or_else(|| {
        Failure::not_found("nothing has happened yet")
            .hint("post something to a webhook; `squall webhook list` shows them")
    })
}
