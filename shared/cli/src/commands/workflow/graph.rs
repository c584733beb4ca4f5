//! `squall workflow graph`.

use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

use crate::{
    failure::{Failure, Outcome},
    session::{Format, Session},
    workflows::{Picture, RunView, Source, dot, svg, text, whole},
};

/// Draw a workflow, or a run of one: tasks, conditions, joins, loops; of a run how far each task came, and which way it went
#[derive(Debug, Args)]
#[command(after_help = "\
As text, tasks stand by layer: those of one number may run at once. ↺ leads back.

Examples:
  squall workflow graph packs/examples/actions/workflows/fork_join.yaml
  squall workflow graph examples.fork_join --format dot | dot -Tpng > fork_join.png
  squall workflow graph last --format svg --out run.svg      the run that the last execution is a part of")]
pub(crate) struct Graph {
    /// A workflow, metadata of an action, an action's ref, an execution's id, or \"last\"
    #[arg(value_name = "FILE|REF|ID")]
    name: String,
    /// What to draw it as
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
    /// Write it to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Lines for a terminal
    Text,
    /// For Graphviz
    Dot,
    /// An image
    Svg,
}

impl Graph {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let picture = self.picture(session).await?;
        if session.format() != Format::Text {
            session.print_data(&picture.to_json())?;
            return Ok(Outcome::Success);
        }
        let drawn = match self.format {
            Form::Text => text(session.console.look(), &picture),
            Form::Dot => dot(&picture),
            Form::Svg => svg(&picture),
        };
        match &self.out {
            None => session.console.write(&drawn)?,
            Some(file) => std::fs::write(file, drawn)
                .map_err(|error| Failure::new(format!("{} can't be written: {error}", file.display())))?,
        }
        Ok(Outcome::Success)
    }

    async fn picture(&self, session: &mut Session) -> Result<Picture, Failure> {
        if !is_execution(&self.name) {
            let source = Source::find(session, &self.name).await?;
            super::refuse_unsound(session, &source)?;
            return Ok(Picture::new(&source.name, &source.conductor()?, None));
        }
        let client = session.client()?;
        let execution = whole(&client, &self.name).await?;
        let told = |pointer: &str| execution.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default();
        let run = RunView::of_host(&client, told("/id")).await?;
        let source = Source::of_run(&run, told("/runner/name"));
        let name = format!("{} {}", told("/action/ref"), told("/id"));
        Ok(Picture::new(&name, &source.conductor()?, Some(&run)))
    }
}

/// Is it an execution's id, or the word for the last one?
fn is_execution(name: &str) -> bool {
    let is_id = name.len() == 24 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id || name == "last") && !Path::new(name).exists()
}
