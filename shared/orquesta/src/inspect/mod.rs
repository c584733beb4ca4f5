//! All that is wrong with a workflow, at once: with Orquesta's categories, paths and messages, and with the place in the text.

mod context;
mod expression;
mod outline;
mod python;
mod schema;
mod semantics;
mod unreachable;

use expressions::orquesta::{Expressions, Language};
use serde_json::{Map, Value, json};
use yaml::{Content, Entry, Node, Position};

use crate::spec::Workflow;
use outline::Outline;

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// A key is unknown or missing, a value of the wrong kind.
    Syntax,
    /// Tasks don't fit together.
    Semantics,
    /// An expression can't be read.
    Expressions,
    /// A variable is read that nothing sets.
    Context,
}

impl Category {
    /// The name that Orquesta has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Category::Syntax => "syntax",
            Category::Semantics => "semantics",
            Category::Expressions => "expressions",
            Category::Context => "context",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The kind of thing.
    pub category: Category,
    /// What is wrong.
    pub message: String,
    /// Where in the workflow, such as `tasks.task1.next[0].do`; empty for the workflow as a whole.
    pub spec_path: String,
    /// Which rule of the schema is meant.
    pub schema_path: String,
    /// The expression, where it is about one, and its language.
    pub expression: Option<(Option<Language>, String)>,
    /// Where in the text.
    pub position: Position,
}

/// All that is wrong with a workflow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// By category, and within it by path.
    pub issues: Vec<Issue>,
}

impl Inspection {
    /// Nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.issues.is_empty()
    }

    /// As Orquesta tells it, with line and column besides: `{category: [{message, spec_path, …}]}`.
    pub fn to_json(&self) -> Value {
        let mut categories = Map::new();
        for issue in &self.issues {
            let issues = categories.entry(issue.category.name()).or_insert_with(|| json!([]));
            if let Value::Array(issues) = issues {
                issues.push(issue.to_json());
            }
        }
        Value::Object(categories)
    }
}

impl Issue {
    fn to_json(&self) -> Value {
        let path = |path: &str| if path.is_empty() { Value::Null } else { Value::from(path) };
        let mut written = Map::new();
        if let Some((language, expression)) = &self.expression {
            written.insert("type".to_owned(), json!(language.map(Language::name)));
            written.insert("expression".to_owned(), json!(expression));
        }
        written.insert("message".to_owned(), json!(self.message));
        written.insert("spec_path".to_owned(), path(&self.spec_path));
        written.insert("schema_path".to_owned(), path(&self.schema_path));
        written.insert("line".to_owned(), json!(self.position.line));
        written.insert("column".to_owned(), json!(self.position.column));
        Value::Object(written)
    }
}

impl std::fmt::Display for Issue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}: {}", self.position, self.category.name(), self.message)?;
        if self.spec_path.is_empty() { Ok(()) } else { write!(f, " ({})", self.spec_path) }
    }
}

/// Why a workflow can't be read.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadError {
    /// The text isn't YAML.
    Yaml(yaml::Error),
    /// It isn't a workflow.
    Syntax(Inspection),
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReadError::Yaml(error) => error.fmt(f),
            ReadError::Syntax(inspection) => {
                let told: Vec<String> = inspection.issues.iter().map(Issue::to_string).collect();
                f.write_str(&told.join("\n"))
            }
        }
    }
}

impl std::error::Error for ReadError {}

impl Workflow {
    /// Reads a workflow whose syntax is sound. What else may be wrong with it, [`inspect`] says.
    pub fn read(text: &str) -> Result<Workflow, ReadError> {
        let root = unfold(&yaml::read(text).map_err(ReadError::Yaml)?);
        let issues = syntax(&root);
        if issues.is_empty() { Ok(Workflow::from_node(&root)) } else { Err(ReadError::Syntax(Inspection { issues })) }
    }
}

impl Workflow {
    /// What can be read of a workflow of which something may be wrong.
    pub fn outline(root: &Node) -> Workflow {
        Workflow::from_node(&unfold(root))
    }
}

/// Inspects a workflow. `known`: the names of variables that come from outside.
pub fn inspect(root: &Node, known: &[&str], expressions: &Expressions) -> Inspection {
    let root = &unfold(root);
    let mut issues = syntax(root);
    if has_shape(root) {
        let outline = Outline::new(root);
        issues.extend(semantics::inspect(&outline));
        issues.extend(unreachable::inspect(&outline));
        issues.extend(expression::inspect(&outline, expressions));
        issues.extend(context::inspect(&outline, known));
    }
    issues.sort_by(|a, b| (a.category, &a.schema_path, &a.spec_path).cmp(&(b.category, &b.schema_path, &b.spec_path)));
    locate(root, &mut issues);
    Inspection { issues }
}

/// The workflow with `with: x in <% … %>` written out.
fn unfold(root: &Node) -> Node {
    let mut root = root.clone();
    let tasks = entries_of(&mut root).filter(|entry| entry.key == "tasks");
    let keys = tasks.flat_map(|tasks| entries_of(&mut tasks.value)).flat_map(|task| entries_of(&mut task.value));
    for with in keys.filter(|entry| entry.key == "with" && entry.value.as_text().is_some()) {
        let position = with.value.position;
        let placeholder = Node { content: Content::Null, position };
        let items = std::mem::replace(&mut with.value, placeholder);
        with.value.content = Content::Map(vec![Entry { key: "items".to_owned(), position, value: items }]);
    }
    root
}

fn entries_of(node: &mut Node) -> impl Iterator<Item = &mut Entry> {
    match &mut node.content {
        Content::Map(entries) => entries.iter_mut(),
        _ => [].iter_mut(),
    }
}

fn syntax(root: &Node) -> Vec<Issue> {
    let mut issues = schema::check(root);
    locate(root, &mut issues);
    issues
}

/// Says where the issues are, of those that don't say so themselves.
fn locate(root: &Node, issues: &mut [Issue]) {
    for issue in issues.iter_mut().filter(|issue| issue.position == Position::default()) {
        issue.position = place(root, &issue.spec_path);
    }
}

/// Whether enough is where it should be for the other checks: where it isn't, the syntax has errors.
fn has_shape(root: &Node) -> bool {
    let is_kind = |node: Option<&Node>, right: fn(&Content) -> bool| {
        node.is_none_or(|node| node.is_null() || right(&node.content))
    };
    let is_list = |content: &Content| matches!(content, Content::List(_));
    let is_map = |content: &Content| matches!(content, Content::Map(_));
    let task_has_shape = |task: &Node| {
        let transitions = task.get("next").and_then(Node::as_list).unwrap_or_default();
        task.as_map().is_some()
            && is_kind(task.get("next"), is_list)
            && is_kind(task.get("retry"), is_map)
            && transitions.iter().all(|transition| transition.as_map().is_some())
    };
    let tasks = root.get("tasks").and_then(Node::as_map).unwrap_or_default();
    root.as_map().is_some()
        && is_kind(root.get("tasks"), is_map)
        && tasks.iter().all(|task| task_has_shape(&task.value))
}

/// Where a path such as `tasks.task1.next[0].do` leads in a workflow's text, as far as it goes.
pub fn place(root: &Node, path: &str) -> Position {
    follow(root, path).1
}

/// What a path leads to, as far as it goes.
pub(crate) fn reach<'n>(root: &'n Node, path: &str) -> &'n Node {
    follow(root, path).0
}

fn follow<'n>(root: &'n Node, path: &str) -> (&'n Node, Position) {
    let (mut node, mut position) = (root, root.position);
    for part in path.split('.') {
        let (key, indexes) = part.split_once('[').unwrap_or((part, ""));
        let Some(entry) = node.entry(key) else { break };
        (node, position) = (&entry.value, entry.position);
        for index in indexes.split('[').filter_map(|index| index.strip_suffix(']')?.parse::<usize>().ok()) {
            let Some(item) = node.as_list().and_then(|items| items.get(index)) else { return (node, position) };
            (node, position) = (item, item.position);
        }
    }
    (node, position)
}
