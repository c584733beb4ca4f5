//! `squall workflow compile`.

use asl::{Options, StateMachine};
use clap::Args;
use std::path::PathBuf;

use crate::{
    failure::{Failure, Outcome},
    output::counted,
    session::Session,
    workflows::Source,
};

/// Print the Step Functions definition of a workflow
#[derive(Debug, Args)]
#[command(after_help = "\
Every state says in its Comment what it is for, and where that stands. The definition is checked before it is printed.

Examples:
  squall workflow compile packs/examples/actions/workflows/fork_join.yaml
  squall workflow compile fork_join.yaml --out fork_join.asl.json
  squall workflow compile fork_join.yaml --function arn:aws:lambda:eu-west-1:123456789012:function:workflow-engine")]
pub(crate) struct Compile {
    /// A workflow, metadata of an action, or an action's ref
    #[arg(value_name = "FILE|REF")]
    name: String,
    /// Write it to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The function that the states call
    #[arg(long, value_name = "ARN", default_value_t = Options::default().function.to_owned())]
    function: String,
}

impl Compile {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let source = Source::find(session, &self.name).await?;
        super::refuse_unsound(session, &source)?;
        let machine = compiled(&source, &self.function)?;
        let text = format!("{:#}\n", machine.to_json());
        match &self.out {
            None => session.console.write(&text)?,
            Some(file) => {
                std::fs::write(file, &text)
                    .map_err(|error| Failure::new(format!("{} can't be written: {error}", file.display())))?;
                let states = counted(machine.count(), "state");
                session.console.line(&format!("{}: {states}, {} bytes", file.display(), text.len()))?;
            }
        }
        Ok(Outcome::Success)
    }
}

/// The definition of a workflow, which Step Functions would take.
pub(super) fn compiled(source: &Source, function: &str) -> Result<StateMachine, Failure> {
    let options = Options { function, source: Some(&source.name), ..Options::default() };
    let machine = asl::compile(&source.conductor()?, &options);
    let faults: Vec<String> = asl::check(&machine).iter().map(ToString::to_string).collect();
    if faults.is_empty() {
        Ok(machine)
    } else {
        Err(Failure::new(format!("Step Functions would not take {}: {}", source.name, faults.join("; "))))
    }
}
