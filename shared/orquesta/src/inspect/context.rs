//! Whether variables are set before they are read.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use expressions::orquesta;
use serde_json::{Value, json};
use yaml::{Node, Position};

use super::expression::inline_action;
use super::outline::{Outline, TaskOutline, is_set};
use super::{Category, Issue};
use crate::spec::{inline, is_command};

/// How many visits to tasks there are at most: a task is visited once for each different set of variables that reaches it.
const MOST_VISITS: usize = 10_000;

type Names = BTreeSet<String>;

pub(super) fn inspect(outline: &Outline<'_>, known: &[&str]) -> Vec<Issue> {
    let mut check = Check { issues: Vec::new() };
    let mut names: Names = known.iter().map(|name| (*name).to_owned()).collect();
    for key in ["input", "vars"] {
        check.key(outline.root, ("", ""), key, true, &mut names);
    }
    check.tasks(outline, &mut names);
    check.key(outline.root, ("", ""), "output", true, &mut names);
    check.issues
}

struct Check {
    issues: Vec<Issue>,
}

impl Check {
    /// Follows the tasks as they follow one another, and adds to the names what they publish.
    fn tasks(&mut self, outline: &Outline<'_>, names: &mut Names) {
        let mut visits: VecDeque<(&str, Option<Names>)> =
            outline.starts().into_iter().map(|task| (task.name, Some(names.clone()))).collect();
        let mut seen: HashSet<&str> = HashSet::new();
        let mut at_joins: HashMap<&str, Names> = HashMap::new();
        let mut queued: HashMap<&str, Names> = HashMap::new();
        for _ in 0..MOST_VISITS {
            let Some((name, given)) = visits.pop_front() else { break };
            seen.insert(name);
            let given = given.filter(|given| !given.is_empty());
            let own = given.unwrap_or_else(|| at_joins.get(name).cloned().unwrap_or_default());
            names.extend(own.iter().cloned());
            // A command is visited, too: what is published on the way to it is known from then on.
            let Some(task) = outline.task(name).filter(|_| !is_command(name)) else { continue };
            self.task(task, &own);
            for (index, (transition, targets)) in task.transitions.iter().enumerate() {
                for target in targets {
                    let mut published = own.clone();
                    self.transition(task, index, transition, &mut published);
                    if seen.contains(&**target) || !outline.exists(target) {
                        continue;
                    }
                    if !is_command(target) && outline.task(target).is_some_and(|next| next.has("join")) {
                        at_joins.entry(target).or_default().extend(published);
                        visits.push_back((target, None));
                    } else if queued.get(&**target) != Some(&published) {
                        queued.insert(target, published.clone());
                        visits.push_back((target, Some(published)));
                    }
                }
            }
        }
    }

    fn task(&mut self, task: &TaskOutline<'_>, names: &Names) {
        let mut names = names.clone();
        let (spec, schema) = (task.spec_path(), TaskOutline::schema_path());
        let place = (spec.as_str(), schema.as_str());
        self.key(task.node, place, "delay", false, &mut names);
        if let Some(with) = task.node.get("with") {
            let (spec, schema) = (format!("{spec}.with"), format!("{schema}.properties.with"));
            for key in ["items", "concurrency"] {
                self.key(with, (&spec, &schema), key, false, &mut names);
            }
        }
        match inline_action(task.node) {
            Some((action, input)) => {
                self.value(&action, place, "action", false, &mut names);
                self.value(&input, place, "input", false, &mut names);
            }
            None => ["action", "input"].iter().for_each(|key| self.key(task.node, place, key, false, &mut names)),
        }
    }

    fn transition(&mut self, task: &TaskOutline<'_>, index: usize, transition: &Node, names: &mut Names) {
        let spec = format!("{}.next[{index}]", task.spec_path());
        let schema = format!("{}.properties.next.items", TaskOutline::schema_path());
        self.key(transition, (&spec, &schema), "when", false, names);
        self.key(transition, (&spec, &schema), "publish", true, names);
        self.key(transition, (&spec, &schema), "do", false, names);
    }

    fn key(&mut self, node: &Node, place: (&str, &str), key: &str, sets: bool, names: &mut Names) {
        if let Some(value) = node.get(key).filter(|value| is_set(value)) {
            self.value(&value.to_json(), place, key, sets, names);
        }
    }

    /// Checks a value; where it `sets` variables they are known from there on.
    fn value(&mut self, value: &Value, (spec, schema): (&str, &str), key: &str, sets: bool, names: &mut Names) {
        let dot = if spec.is_empty() { "" } else { "." };
        let (spec, schema) = (format!("{spec}{dot}{key}"), format!("{schema}{dot}properties.{key}"));
        let inlined = value.as_str().map(inline::parameters).filter(|inlined| !inlined.is_empty());
        let inlined: Option<Value> =
            inlined.map(|inlined| inlined.into_iter().map(|(name, value)| json!({name: value})).collect());
        match inlined.as_ref().unwrap_or(value) {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.item(item, &format!("{spec}[{index}]"), &schema, names);
                    names.extend(set_by(item, sets));
                }
            }
            value => {
                self.item(value, &spec, &schema, names);
                names.extend(set_by(value, sets));
            }
        }
    }

    fn item(&mut self, value: &Value, spec: &str, schema: &str, names: &Names) {
        for variable in orquesta::variables(value) {
            let name = &variable.name;
            let private = name.starts_with("__").then(|| {
                format!(
                    "Variable \"{name}\" that is prefixed with double underscores is considered a private variable and \
                     cannot be referenced."
                )
            });
            let early =
                (!names.contains(name)).then(|| format!("Variable \"{name}\" is referenced before assignment."));
            self.issues.extend(private.into_iter().chain(early).map(|message| Issue {
                category: Category::Context,
                message,
                spec_path: spec.to_owned(),
                schema_path: schema.to_owned(),
                expression: Some((Some(variable.language), variable.text.clone())),
                position: Position::default(),
            }));
        }
    }
}

/// The names that a text, a mapping, or a list of these sets.
fn set_by(value: &Value, sets: bool) -> Vec<String> {
    match value {
        _ if !sets => Vec::new(),
        Value::String(name) => vec![name.clone()],
        Value::Object(entries) => entries.keys().cloned().collect(),
        _ => Vec::new(),
    }
}
