//! `squall workflow`.

mod compile;
mod graph;
mod inspect;
mod rehearse;
mod simulate;

pub(super) use rehearse::{error_told, of_case};

use clap::Subcommand;

use crate::{
    Ink,
    failure::{Failure, Outcome},
    output::{DiagnosticView, counted},
    session::Session,
    workflows::{KnownActions, Source},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Workflow {
    Inspect(inspect::Inspect),
    Compile(compile::Compile),
    Graph(graph::Graph),
    Rehearse(rehearse::Rehearse),
    Simulate(simulate::Simulate),
}

impl Workflow {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self {
            Workflow::Inspect(inspect) => inspect.run(session).await,
            Workflow::Compile(compile) => compile.run(session).await,
            Workflow::Graph(graph) => graph.run(session).await,
            Workflow::Rehearse(rehearse) => rehearse.run(session).await,
            Workflow::Simulate(simulate) => simulate.run(session).await,
        }
    }
}

/// Shows the errors of a workflow that is to be used, if there are any: such a workflow would not run.
fn refuse_unsound(session: &mut Session, source: &Source) -> Result<(), Failure> {
    let known = KnownActions::near(std::slice::from_ref(source));
    let found = source.inspect(&known);
    let errors: Vec<_> = found.into_iter().filter(DiagnosticView::is_error).collect();
    if errors.is_empty() {
        return Ok(());
    }
    let look = session.console.look();
    session.console.say_plain(&inspect::rendered(look, source, &errors))?;
    Err(Failure::new(format!("{} would not run: {}", source.name, counted(errors.len(), "error"))))
}

/// A note beside the output.
fn note(session: &mut Session, text: &str) -> Result<(), Failure> {
    session.console.say(Ink::Dim, "note", text)
}
