//! `squall explain`.

use clap::Args;

use super::trigger_instance::resolve;
use crate::{
    failure::{Failure, Outcome},
    output::timeline,
    session::Session,
    trail::Trail,
};

/// Show the trail of an event: which rules saw it, why each did or did not match, and what came of it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall explain last
  squall explain 696f5a3c1d2e3f4a5b6c7d8e --json")]
pub(crate) struct Explain {
    /// The trigger instance's id, or "last"
    #[arg(value_name = "TRIGGER_INSTANCE", default_value = "last")]
    id: String,
}

impl Explain {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let client = session.client()?;
        let id = resolve(&client, self.id).await?;
        let trail = Trail::gather(&client, &id).await?;
        if !session.print_data(&trail.to_json())? {
            let look = session.console.look();
            session.console.line(&timeline(look, &trail))?;
        }
        Ok(Outcome::Success)
    }
}
