//! `squall workflow rehearse`.

use clap::Args;
use model::Ref;
use orquesta::Status;
use serde_json::{Value, json};
use std::path::Path;

use crate::{
    Ink, Look,
    console::printable,
    failure::{Failure, Outcome},
    output::{counted, cut},
    session::{Format, Session},
    workflows::{Difference, Rehearsal, Rehearsed, Source, Step, rehearse},
};

/// Lines are cut to this where there is no terminal to fit.
const LONGEST: usize = 160;

/// Run workflows against given results of their tasks: unit tests, in which no action starts and no time passes
#[derive(Debug, Args)]
#[command(after_help = "\
A file names a workflow and has cases:

  workflow: ../actions/workflows/deploy.yaml   # from this file, or an action's ref
  cases:
    - name: a build that fails is tried again
      input: {version: '1.2'}
      tasks:                                   # what each gives, run by run; core.noop needs nothing
        build: [{status: failed}, {result: {image: a1}}]
        probe: {items: [{result: {up: true}}, {result: {up: false}}]}
      expect:
        status: succeeded
        output: {image: a1}
        tasks: [build, build, probe]           # in this order, or how often: {build: 2, probe: 1}

A case may have `context`, `keys` (the datastore) and `now`, an answer `lasts` (seconds), and `expect` may have `errors`.
`squall execution to-test ID` writes such a file from what really ran.

Examples:
  squall workflow rehearse packs/examples/tests/rehearsals/*.yaml
  squall workflow rehearse deploy.yaml --json | jq '.[].cases[] | select(.passed | not)'")]
pub(crate) struct Rehearse {
    /// Files of rehearsals
    #[arg(required = true, value_name = "TEST.yaml")]
    files: Vec<String>,
    /// Only cases with this in their names
    #[arg(long, value_name = "TEXT")]
    case: Option<String>,
}

impl Rehearse {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let (mut passed, mut failed, mut reports) = (0, 0, Vec::new());
        for file in &self.files {
            let rehearsal = Rehearsal::read(file)?;
            let source = source_of(session, &rehearsal).await?;
            let conductor = source.conductor()?;
            let wanted = |name: &str| self.case.as_ref().is_none_or(|part| name.contains(part.as_str()));
            let cases = rehearsal.cases.iter().filter(|case| wanted(&case.name));
            let done: Vec<Rehearsed> = cases.map(|case| rehearse(&source, &conductor, case)).collect();
            passed += done.iter().filter(|case| case.has_passed()).count();
            failed += done.iter().filter(|case| !case.has_passed()).count();
            if session.format() == Format::Text {
                let look = session.console.look();
                session.console.write(&shown(look, file, &source, &done))?;
            } else {
                let cases: Vec<Value> = done.iter().map(Rehearsed::to_json).collect();
                reports.push(json!({"file": file, "workflow": source.name, "cases": cases}));
            }
        }
        if let (0, 0, Some(part)) = (passed, failed, &self.case) {
            return Err(Failure::usage(format!("no case has \"{part}\" in its name")));
        }
        if !session.print_data(&Value::from(reports))? {
            let look = session.console.look();
            let failures = if failed > 0 {
                format!(", {}", look.paint(Ink::Red, &format!("{failed} failed")))
            } else {
                String::new()
            };
            let all = look.paint(Ink::Green, &format!("{passed} passed"));
            session.console.line(&format!("{}: {all}{failures}", counted(passed + failed, "case")))?;
        }
        Ok(if failed > 0 { Outcome::Unsuccessful } else { Outcome::Success })
    }
}

/// The workflow of a rehearsal, which is sound.
pub(super) async fn source_of(session: &mut Session, rehearsal: &Rehearsal) -> Result<Source, Failure> {
    let beside = rehearsal.file.parent().unwrap_or(Path::new("")).join(&rehearsal.workflow);
    // The name of a file reads like a ref, too.
    let is_path = [".yaml", ".yml"].iter().any(|end| rehearsal.workflow.ends_with(end));
    let source = match rehearsal.workflow.parse::<Ref>() {
        _ if beside.is_file() => Source::read(&beside)?,
        Ok(reference) if !is_path => match Source::near(&rehearsal.file, &reference) {
            Some(source) => source,
            None => Source::of_host(&session.client()?, &reference).await?,
        },
        _ => {
            let message = format!("{}: there is no file {}", rehearsal.file.display(), beside.display());
            return Err(Failure::usage(message).hint("the workflow is named as seen from the rehearsal's file"));
        }
    };
    if source.is_chain {
        return Err(Failure::usage(format!(
            "{} is an action chain: only workflows of Orquesta are rehearsed",
            source.name
        )));
    }
    super::refuse_unsound(session, &source)?;
    Ok(source)
}

fn shown(look: Look, file: &str, source: &Source, done: &[Rehearsed]) -> String {
    let mut text = format!("{}  {}\n", look.paint(Ink::Bold, file), look.paint(Ink::Dim, &source.name));
    done.iter().for_each(|case| text.push_str(&of_case(look, case)));
    text
}

/// A case and what came of it.
pub(crate) fn of_case(look: Look, case: &Rehearsed) -> String {
    let width = look.width.map_or(LONGEST, usize::from);
    let mark = if case.has_passed() { look.paint(Ink::Green, "✔") } else { look.paint(Ink::Red, "✘") };
    let mut lines = vec![format!("  {mark} {}", printable(&case.name))];
    if !case.path.is_empty() {
        lines.push(look.paint(Ink::Dim, &cut(&printable(&format!("    {}", path(&case.path))), width)));
    }
    lines.extend(case.problems.iter().map(|problem| format!("    {}", look.paint(Ink::Red, &printable(problem)))));
    for Difference { at, expected, actual } in &case.differences {
        lines.push(format!("    {at}"));
        let told = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        lines.push(format!("      expected {}", look.paint(Ink::Green, &printable(&told(expected)))));
        lines.push(format!("      became   {}", look.paint(Ink::Red, &printable(&told(actual)))));
    }
    if !case.has_passed() {
        lines.extend(case.errors.iter().map(|error| format!("    {}", error_told(error))));
    }
    if !case.has_passed() && !case.absent_keys.is_empty() {
        lines.push(look.paint(Ink::Dim, &format!("    read and not in `keys`: {}", case.absent_keys.join(", "))));
    }
    if !case.unused.is_empty() {
        lines.push(look.paint(Ink::Dim, &format!("    given and not asked for: {}", case.unused.join(", "))));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// An error of a workflow in a line.
pub(crate) fn error_told(error: &Value) -> String {
    let text = |key: &str| error.get(key).and_then(Value::as_str);
    let line = error.get("line").and_then(Value::as_u64).map(|line| format!("line {line}: ")).unwrap_or_default();
    let task = text("task_id").map(|task| format!("task {task}")).unwrap_or_default();
    let to = text("task_transition_id").and_then(|id| id.rsplit_once("__t"));
    let to = to.map(|(to, _)| format!(", transition to {to}")).unwrap_or_default();
    let colon = if task.is_empty() { "" } else { ": " };
    let place = text("spec_path").map(|path| format!(" ({path})")).unwrap_or_default();
    printable(&format!("{line}{task}{to}{colon}{}{place}", text("message").unwrap_or_default()))
}

/// The runs of tasks in their order.
pub(super) fn path(steps: &[Step]) -> String {
    let told = |step: &Step| {
        let delay = if step.delay > 0 { format!("(after {} s) ", step.delay) } else { String::new() };
        let items = step.items.map(|items| format!(" ×{items}")).unwrap_or_default();
        let mark = match step.status {
            Status::Succeeded | Status::Unset => "",
            Status::Canceled => " ■",
            _ => " ✘",
        };
        format!("{delay}{}{items}{mark}", step.task)
    };
    steps.iter().map(told).collect::<Vec<_>>().join(" → ")
}
