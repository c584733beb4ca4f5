//! `squall workflow simulate`.

use asl::{
    Ending, Options, Projection,
    simulate::{self, Journey, Outcome as Came, Report, Scenario, Started},
};
use clap::Args;
use orquesta::{Conductor, Status};
use serde_json::{Map, Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::{
    Ink, Look,
    failure::{Failure, Outcome},
    output::duration,
    parameters::{ParameterReader, Schemas},
    session::{Format, Session},
    workflows::{Source, random_surroundings},
};

/// A run that starts more is given up.
const MOST_STARTS: usize = 1_000;

/// Run a workflow's Step Functions definition in an interpreter, beside the workflow itself, and show that both go the same way
#[derive(Debug, Args)]
#[command(after_help = "\
What comes of each task is drawn from the seed: how it ends, and how long it takes. Its result is {stdout, stderr, return_code, …}, or
what --result says. Exit code 1 where the two differ.

Examples:
  squall workflow simulate packs/examples/actions/workflows/fork_join.yaml
  squall workflow simulate deploy.yaml version=1.2 --seed 7 --failures 30
  squall workflow simulate deploy.yaml --result build='{\"image\": \"a1\"}' --runs 100")]
pub(crate) struct Simulate {
    /// A workflow, metadata of an action, or an action's ref
    #[arg(value_name = "FILE|REF")]
    name: String,
    /// Inputs, name=value
    #[arg(value_name = "INPUT")]
    inputs: Vec<String>,
    /// What is drawn follows from it
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// So many of a hundred actions fail
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=100))]
    failures: u64,
    /// What a task gives, as JSON
    #[arg(long = "result", value_name = "TASK=JSON")]
    results: Vec<String>,
    /// So many runs, with seeds one after the other
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
}

/// What is drawn for a run.
struct Dice<'d> {
    seed: u64,
    failures: u64,
    results: &'d Map<String, Value>,
}

impl Dice<'_> {
    fn below(&self, limit: u64, what: &str, started: &Started) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, what, &*started.task, started.route, started.item, started.again).hash(&mut hasher);
        hasher.finish() % limit
    }

    /// It follows from what is started, not from when: so it is the same both ways.
    fn throw(&self, started: &Started) -> Came {
        let fails = !started.action.is_null() && self.below(100, "status", started) < self.failures;
        let plain = json!({
            "failed": fails, "succeeded": !fails, "return_code": u8::from(fails), "stdout": "", "stderr": "",
        });
        let result = self.results.get(&*started.task).cloned().unwrap_or(plain);
        let status = if fails { Status::Failed } else { Status::Succeeded };
        Came { status, result, lasts: 1 + self.below(5_000_000, "lasts", started) }
    }
}

impl Simulate {
    pub(super) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let source = Source::find(session, &self.name).await?;
        super::refuse_unsound(session, &source)?;
        let machine = super::compile::compiled(&source, Options::default().function)?;
        let conductor = source.conductor()?.with_surroundings(random_surroundings());
        let (inputs, results) = (self.inputs(&source, &conductor)?, self.results(&conductor)?);
        let projection = Projection::new(conductor.clone());
        let mut reports = Vec::new();
        let mut differing = 0;
        for seed in (self.seed..).take(usize::try_from(self.runs).unwrap_or(usize::MAX)) {
            let dice = Dice { seed, failures: self.failures, results: &results };
            let mut throw = |started: &Started| Some(dice.throw(started));
            let direct = simulate::direct(&conductor, scenario(&inputs, &mut throw));
            let mut throw = |started: &Started| Some(dice.throw(started));
            let (compiled, journey) = simulate::compiled(&projection, &machine, scenario(&inputs, &mut throw));
            let differences = simulate::differences(&direct, &compiled, &journey);
            differing += usize::from(!differences.is_empty());
            if session.format() == Format::Text {
                let look = session.console.look();
                // Of many runs those are of interest that differ.
                if self.runs == 1 || !differences.is_empty() {
                    session.console.write(&shown(look, (seed, &dice), &direct, &journey, &differences))?;
                }
            } else {
                reports.push(report(seed, &direct, &journey, &differences));
            }
        }
        if !session.print_data(&Value::from(reports))? && self.runs > 1 {
            let same = usize::try_from(self.runs).unwrap_or(usize::MAX) - differing;
            session.console.line(&format!("{} runs: {same} the same both ways, {differing} not", self.runs))?;
        }
        Ok(if differing > 0 { Outcome::Unsuccessful } else { Outcome::Success })
    }

    fn inputs(&self, source: &Source, conductor: &Conductor) -> Result<Map<String, Value>, Failure> {
        let action = source.action.as_ref();
        let mut schemas = Schemas::default();
        for input in &conductor.workflow().input {
            let parameter = action.and_then(|action| action.parameters.get(&*input.name));
            schemas.insert(input.name.to_string(), parameter.map_or_else(|| json!({}), |known| json!(known)));
        }
        let mut inputs: Map<String, Value> = Map::new();
        for (name, parameter) in action.into_iter().flat_map(|action| &action.parameters) {
            inputs.extend(
                parameter.default.clone().filter(|_| schemas.contains_key(name)).map(|value| (name.clone(), value)),
            );
        }
        inputs.extend(
            ParameterReader { of: &source.name, schemas: &schemas, open: false, auto_dict: false }
                .read(&self.inputs)?,
        );
        Ok(inputs)
    }

    fn results(&self, conductor: &Conductor) -> Result<Map<String, Value>, Failure> {
        let read = |text: &String| {
            let wrong = |why: String| Failure::usage(format!("--result {text}: {why}"));
            let (task, json) = text.split_once('=').ok_or_else(|| wrong("TASK=JSON is wanted".to_owned()))?;
            if !conductor.workflow().tasks.contains_key(task) {
                return Err(wrong(format!("the workflow has no task \"{task}\"")));
            }
            let result = serde_json::from_str(json).map_err(|error| wrong(format!("that is no JSON: {error}")))?;
            Ok((task.to_owned(), result))
        };
        self.results.iter().map(read).collect()
    }
}

fn scenario<'s>(inputs: &Map<String, Value>, outcomes: &'s mut dyn FnMut(&Started) -> Option<Came>) -> Scenario<'s> {
    let context = json!({"st2": {"user": "simulation", "action_execution_id": "simulation", "workflow_execution_id": "simulation"}});
    let context = context.as_object().cloned().unwrap_or_default();
    Scenario { inputs: inputs.clone(), context, outcomes, requests: Vec::new(), most_starts: MOST_STARTS }
}

fn shown(
    look: Look,
    (seed, dice): (u64, &Dice<'_>),
    direct: &Report,
    journey: &Journey,
    differences: &[String],
) -> String {
    let mut lines = vec![format!("seed {seed}"), String::new(), look.paint(Ink::Bold, "tasks")];
    let seconds = |micros: u64| duration(std::time::Duration::from_micros(micros).as_secs_f64());
    for started in &direct.started {
        let came = dice.throw(started);
        let item = started.item.map(|item| format!("[{item}]")).unwrap_or_default();
        let status = came.status.name();
        let status = Ink::of_status(status).map_or_else(|| status.to_owned(), |ink| look.paint(ink, status));
        let at = format!("+{}", seconds(started.at));
        lines.push(format!("  {at:>10}  {}{item}  {status} after {}", started.task, seconds(came.lasts)));
    }
    lines.extend([String::new(), look.paint(Ink::Bold, "states"), format!("  {}", journey.visited.join(" → "))]);
    let ending = match &journey.ending {
        Some(Ending::Succeeded) => "succeeded".to_owned(),
        Some(Ending::Failed { error, cause }) => format!("failed: {error}: {cause}"),
        Some(Ending::Aborted) => "stopped".to_owned(),
        None => "not ended".to_owned(),
    };
    lines.extend([String::new(), format!("the workflow:       {} after {}", direct.status, seconds(direct.ended))]);
    lines.push(format!("the state machine:  {ending}, {} events", journey.events));
    lines.extend(direct.output.iter().map(|output| format!("output:             {}", json!(output))));
    lines.extend(direct.errors.iter().map(|error| super::rehearse::error_told(&error.to_json())));
    if direct.is_cut_off {
        lines.push(format!("both were given up after {MOST_STARTS} starts"));
    }
    match differences {
        [] => lines.push(look.paint(Ink::Green, "✔ both did the same, at the same times")),
        found => {
            lines.push(look.paint(Ink::Red, "✘ they differ"));
            lines.extend(found.iter().map(|difference| format!("  {difference}")));
        }
    }
    lines.iter().map(|line| format!("{}\n", line)).collect()
}

fn report(seed: u64, direct: &Report, journey: &Journey, differences: &[String]) -> Value {
    let started = direct.started.iter().map(|one| {
        json!({"task": one.task, "route": one.route, "item": one.item, "at": one.at, "action": one.action, "input": one.input})
    });
    json!({
        "seed": seed,
        "status": direct.status,
        "output": direct.output,
        "errors": direct.errors.iter().map(orquesta::LogEntry::to_json).collect::<Vec<_>>(),
        "started": started.collect::<Vec<_>>(),
        "states": journey.visited,
        "events": journey.events,
        "differences": differences,
    })
}
