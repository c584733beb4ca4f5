//! `squall webhook`.

use clap::{Args, Subcommand};

use crate::{
    client::Query,
    failure::{Failure, Outcome},
    output::{Column, Kind},
    session::{Format, Session},
};

/// More webhooks than anybody looks at in a terminal.
const MOST: usize = 10_000;

const COLUMNS: [Column; 2] = [Column::new("url", "/parameters/url"), Column::new("trigger", "/ref").of(Kind::Quiet)];

#[derive(Debug, Subcommand)]
pub(crate) enum Webhook {
    List(List),
}

/// List the webhooks that rules listen to
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall webhook list")]
pub(crate) struct List {}

impl Webhook {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let Webhook::List(List {}) = self;
        let client = session.client()?;
        let listing = client.list(&["webhooks"], &Query::new(), MOST).await?;
        session.print_table(&listing.items, &COLUMNS, "no enabled rule listens to a webhook")?;
        if session.format() == Format::Text && !listing.items.is_empty() {
            let note = format!("post to {}/api/v1/webhooks/<url> with the key in St2-Api-Key", client.address());
            session.console.say(crate::Ink::Dim, "note", &note)?;
        }
        Ok(Outcome::Success)
    }
}
