//! `squall policy`.

use clap::{Args, Subcommand};

use crate::{
    client::Query,
    failure::{Failure, Outcome},
    output::{Column, Field, Kind},
    session::Session,
};

/// More policies than anybody looks at in a terminal.
const MOST: usize = 10_000;

const COLUMNS: [Column; 5] = [
    Column::new("ref", "/ref"),
    Column::new("action", "/resource_ref"),
    Column::new("type", "/policy_type"),
    Column::new("parameters", "/parameters"),
    Column::new("enabled", "/enabled").of(Kind::Quiet),
];

const FIELDS: [Field; 6] = [
    Field::new("ref", "/ref"),
    Field::new("action", "/resource_ref"),
    Field::new("type", "/policy_type"),
    Field::new("enabled", "/enabled"),
    Field::new("description", "/description"),
    Field::new("parameters", "/parameters"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    List(List),
    Get(Get),
}

/// List the policies on actions
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall policy list --action demo.remediate")]
pub(crate) struct List {
    /// Only on this action
    #[arg(long, alias = "resource-ref", value_name = "REF")]
    action: Option<String>,
    /// Only of this type, such as action.retry
    #[arg(long = "type", alias = "policy-type", value_name = "TYPE")]
    policy_type: Option<String>,
}

/// Show one policy
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall policy get demo.one_at_a_time")]
pub(crate) struct Get {
    /// The policy's ref or id
    name: String,
}

impl Policy {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self {
            Policy::List(List { action, policy_type }) => {
                let query = Query::new().maybe("resource_ref", action).maybe("policy_type", policy_type);
                let listing = session.client()?.list(&["policies"], &query, MOST).await?;
                session.print_table(&listing.items, &COLUMNS, "there are no such policies")?;
            }
            Policy::Get(Get { name }) => {
                let policy = session.client()?.get_one("policies", &name, &Query::new()).await?;
                session.print_details(&policy, &FIELDS)?;
            }
        }
        Ok(Outcome::Success)
    }
}
