//! `squall workflow inspect`.

use clap::Args;
use model::{PackFiles, SourceFile};
use serde_json::{Value, json};
use std::path::Path;

use crate::{
    Ink, Look,
    failure::{Failure, Outcome},
    output::{DiagnosticView, Excerpts, counted},
    session::{Format, Session},
    workflows::{KnownActions, Source, sources},
};

/// Check workflows, and show all that is wrong with them: files without a host, refs on the host
#[derive(Debug, Args)]
#[command(after_help = "\
What may be wrong is of StackStorm's categories: syntax, semantics, expressions, context, content (what tasks ask of actions).
Exit code 1 where there is an error. Warnings don't keep a workflow from running.

Examples:
  squall workflow inspect packs/examples/actions/workflows/fork_join.yaml
  squall workflow inspect packs/examples               every workflow of a pack
  squall workflow inspect examples.fork_join           as the host has it, with its actions
  squall workflow inspect my.yaml --json | jq '.[].diagnostics'")]
pub(crate) struct Inspect {
    /// Workflows, metadata of actions, directories of packs, or refs of actions
    #[arg(required = true, value_name = "FILE|REF")]
    names: Vec<String>,
}

impl Inspect {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let mut all = Vec::new();
        for name in &self.names {
            let found = sources(session, name).await?;
            if found.is_empty() {
                super::note(session, &format!("no action in {name} runs a workflow"))?;
            }
            let is_local = found.iter().all(|source| source.path.is_some());
            let known = match found.as_slice() {
                [source] if !is_local => KnownActions::of_host(&session.client()?, source).await?,
                sources => KnownActions::near(sources),
            };
            for pack in &known.unknown {
                let text = format!("the pack {pack} is not near {name}: whether its actions are right is not known");
                super::note(session, &text)?;
            }
            all.extend(found.into_iter().map(|source| (source.inspect(&known), source)));
        }
        let count = |is_error: bool| {
            let all = all.iter().flat_map(|(found, _)| found);
            all.filter(|found| found.is_error() == is_error).count()
        };
        let (errors, warnings) = (count(true), count(false));
        if session.format() == Format::Text {
            let look = session.console.look();
            for (found, source) in all.iter().filter(|(found, _)| !found.is_empty()) {
                session.console.write(&rendered(look, source, found))?;
            }
            session.console.line(&summary(look, all.len(), errors, warnings))?;
        } else {
            session.print_data(&all.iter().map(|(found, source)| report(source, found)).collect::<Value>())?;
        }
        Ok(if errors > 0 { Outcome::Unsuccessful } else { Outcome::Success })
    }
}

/// Diagnostics with the lines that they are about.
pub(super) fn rendered(look: Look, source: &Source, found: &[DiagnosticView]) -> String {
    let bytes = source.text.clone().into_bytes();
    let files = PackFiles::new(vec![SourceFile { path: source.name.clone(), bytes, executable: false }]);
    Excerpts { directory: Path::new(""), files: &files }.render(look, found)
}

fn report(source: &Source, found: &[DiagnosticView]) -> Value {
    json!({
        "workflow": source.name,
        "action": source.action.as_ref().map(|action| action.reference.to_string()),
        "valid": !found.iter().any(DiagnosticView::is_error),
        "diagnostics": found,
    })
}

fn summary(look: Look, workflows: usize, errors: usize, warnings: usize) -> String {
    let warned = if warnings > 0 { format!(", {}", counted(warnings, "warning")) } else { String::new() };
    let workflows = counted(workflows, "workflow");
    match errors {
        0 => format!("{workflows}: {}{warned}", look.paint(Ink::Green, "no errors")),
        errors => format!("{workflows}: {}{warned}", look.paint(Ink::Red, &counted(errors, "error"))),
    }
}
