//! `squall timer`.

use clap::{Args, Subcommand};

use crate::{
    client::Query,
    failure::{Failure, Outcome},
    output::{Column, Kind},
    session::Session,
};

/// More timers than anybody looks at in a terminal.
const MOST: usize = 10_000;

const COLUMNS: [Column; 5] = [
    Column::new("id", "/id").of(Kind::Id),
    Column::new("type", "/type"),
    Column::new("parameters", "/parameters"),
    Column::new("next", "/next_occurrence").of(Kind::Time),
    Column::new("last", "/last_occurrence").of(Kind::Time),
];

#[derive(Debug, Subcommand)]
pub(crate) enum Timer {
    List(List),
}

/// List the timers that rules listen to, and when they fire
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall timer list --type core.st2.CronTimer")]
pub(crate) struct List {
    /// Only of this trigger type
    #[arg(long = "type", alias = "timer-type", value_name = "REF")]
    timer_type: Option<String>,
}

impl Timer {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let Timer::List(List { timer_type }) = self;
        let query = Query::new().maybe("timer_type", timer_type);
        let listing = session.client()?.list(&["timers"], &query, MOST).await?;
        session.print_table(&listing.items, &COLUMNS, "no enabled rule listens to a timer")?;
        Ok(Outcome::Success)
    }
}
