//! `squall rule-enforcement`.

use clap::{Args, Subcommand};

use super::{Between, Last, in_order_of_time};
use crate::{
    client::Query,
    failure::{Failure, Outcome},
    output::{Column, Field, Kind},
    session::Session,
};

const COLUMNS: [Column; 6] = [
    Column::new("id", "/id").of(Kind::Id),
    Column::new("rule", "/rule/ref"),
    Column::new("trigger instance", "/trigger_instance_id").of(Kind::Id),
    Column::new("execution", "/execution_id").of(Kind::Id),
    Column::new("status", "/status").of(Kind::Status),
    Column::new("enforced", "/enforced_at").of(Kind::Time),
];

const FIELDS: [Field; 7] = [
    Field::new("id", "/id"),
    Field::new("rule", "/rule/ref"),
    Field::new("trigger instance", "/trigger_instance_id"),
    Field::new("execution", "/execution_id"),
    Field::new("status", "/status").of(Kind::Status),
    Field::new("failure reason", "/failure_reason"),
    Field::new("enforced", "/enforced_at").of(Kind::Time),
];

#[derive(Debug, Subcommand)]
pub(crate) enum RuleEnforcement {
    List(List),
    Get(Get),
}

/// List enforcements, the newest at the bottom
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall rule-enforcement list --rule demo.critical_alert")]
pub(crate) struct List {
    #[command(flatten)]
    last: Last,
    /// Only of this rule
    #[arg(long, value_name = "REF")]
    rule: Option<String>,
    /// Only for this event
    #[arg(long, value_name = "ID")]
    trigger_instance: Option<String>,
    /// Only the one that requested this execution
    #[arg(long, value_name = "ID")]
    execution: Option<String>,
    #[command(flatten)]
    between: Between,
}

/// Show one enforcement
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall rule-enforcement get 696f5a3c1d2e3f4a5b6c7d8e")]
pub(crate) struct Get {
    /// The enforcement's id
    id: String,
}

impl RuleEnforcement {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self {
            RuleEnforcement::List(list) => list.run(session).await?,
            RuleEnforcement::Get(Get { id }) => {
                let enforcement = session.client()?.get(&["ruleenforcements", &id], &Query::new()).await?;
                session.print_details(&enforcement, &FIELDS)?;
            }
        }
        Ok(Outcome::Success)
    }
}

impl List {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let query = Query::new()
            .maybe("rule_ref", self.rule)
            .maybe("trigger_instance", self.trigger_instance)
            .maybe("execution", self.execution)
            .maybe("enforced_at_gt", self.between.timestamp_gt)
            .maybe("enforced_at_lt", self.between.timestamp_lt);
        let listing = session.client()?.list(&["ruleenforcements"], &query, self.last.last).await?;
        let listing = in_order_of_time(session, listing)?;
        session.print_table(&listing.items, &COLUMNS, "there are no such enforcements")
    }
}
