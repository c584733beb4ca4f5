//! Whether variables are set before they are read.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use serde_json::{Value, json};
use yaml::{Node, Position};

use super::expressions::inline_action;
use super::outline::{Outline, TaskOutline, is_set};
use super::{Category, Issue};
use crate::expression::Languages;
use crate::spec::{inline, is_command};

/// How many visits to tasks there are at most: a task is visited once for each different set of variables that reaches it.
const MOST_VISITS: usize = 10_000;

type Names = BTreeSet<String>;

pub(super) fn inspect(outline: &Outline<'_>, known: &[&str], languages: &Languages) -> Vec<Issue> {
    let mut check = Check { languages, issues: Vec::new() };
    let mut names: Names = known.iter().map(|name| (*name).to_owned()).collect();
    for key in ["input", "vars"] {
        check.key(outline.root, ("", ""), key, true, &mut names);
    }
    check.tasks(outline, &mut names);
    check.key(outline.root, ("", ""), "output", true, &mut names);
    check.issues
}

struct Check<'l> {
    languages: &'l Languages,
    issues: Vec<Issue>,
}

impl Check<'_> {
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
            let Some(task) = outline.task(name).filter(|_| !is_command(name)) else { continue };
            let given = given.filter(|given| !given.is_empty());
            let own = given.unwrap_or_else(|| at_joins.get(name).cloned().unwrap_or_default());
            self.task(task, &own);
            names.extend(own.iter().cloned());
            for (index, (transition, targets)) in task.transitions.iter().enumerate() {
                for target in targets {
                    let mut published = own.clone();
                    self.transition(task, index, transition, &mut published);
                    let Some(next) = outline.task(target).filter(|_| !is_command(target)) else { continue };
                    if seen.contains(next.name) {
                        continue;
                    }
                    if next.has("join") {
                        at_joins.entry(next.name).or_default().extend(published);
                        visits.push_back((next.name, None));
                    } else if queued.get(next.name) != Some(&published) {
                        queued.insert(next.name, published.clone());
                        visits.push_back((next.name, Some(published)));
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
        for reference in self.languages.references(value) {
            let name = &reference.name;
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
                expression: Some((Some(reference.language), reference.expression.clone())),
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
