//! From tasks and their transitions to the graph.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use super::cycles::on_cycle;
use super::{Edge, Graph, Node};
use crate::expression::Template;
use crate::spec::{Retry, Transition, Workflow};

/// How often the command `retry` tries a task again.
const TRIES_OF_COMMAND: u64 = 3;

/// One target of one transition.
struct Step<'w> {
    target: &'w Arc<str>,
    transition: usize,
    when: Option<&'w Template>,
}

/// What is asked about a workflow's tasks while its graph is made.
struct Outline<'w> {
    workflow: &'w Workflow,
    steps: HashMap<&'w str, Vec<Step<'w>>>,
    /// How many steps lead to each.
    inbound: HashMap<&'w str, usize>,
    in_cycle: HashMap<&'w str, bool>,
}

impl<'w> Outline<'w> {
    fn new(workflow: &'w Workflow) -> Outline<'w> {
        let steps: HashMap<&str, Vec<Step<'_>>> =
            workflow.tasks.iter().map(|(name, task)| (&**name, steps(&task.next))).collect();
        let mut inbound = HashMap::new();
        for step in steps.values().flatten() {
            *inbound.entry(&**step.target).or_insert(0) += 1;
        }
        let mut outline = Outline { workflow, steps, inbound, in_cycle: HashMap::new() };
        outline.in_cycle = outline.cycles();
        outline
    }

    fn cycles(&self) -> HashMap<&'w str, bool> {
        let index_of = |name: &str| self.workflow.tasks.get_index_of(name);
        let follow = |name: &str| self.steps(name).iter().filter_map(|step| index_of(step.target)).collect();
        let edges: Vec<Vec<usize>> = self.workflow.tasks.keys().map(|name| follow(name)).collect();
        self.workflow.tasks.keys().map(|name| &**name).zip(on_cycle(&edges)).collect()
    }

    fn steps(&self, name: &str) -> &[Step<'w>] {
        self.steps.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    fn is_split(&self, name: &str) -> bool {
        let joins = self.workflow.tasks.get(name).is_some_and(|task| task.join.is_some());
        !joins && self.inbound.get(name).is_some_and(|inbound| *inbound > 1)
    }

    fn in_cycle(&self, name: &str) -> bool {
        self.in_cycle.get(name).copied().unwrap_or_default()
    }

    fn node(&self, name: &Arc<str>) -> Node {
        let task = self.workflow.tasks.get(name);
        Node {
            name: Arc::clone(name),
            barrier: None,
            splits: Vec::new(),
            retry: task.and_then(|task| task.retry.clone()),
            edges: Vec::new(),
            inbound: 0,
            is_split: self.is_split(name),
            in_cycle: self.in_cycle(name),
        }
    }
}

/// The steps of a task by target; those to the same one in the order of the text.
fn steps(transitions: &[Transition]) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for (index, transition) in transitions.iter().enumerate() {
        let step = |target| Step { target, transition: index, when: transition.when.as_ref() };
        steps.extend(transition.targets.iter().map(step));
    }
    steps.sort_by_key(|step| step.target);
    steps
}

impl Graph {
    /// Composes the graph of a workflow. Tasks that can't be reached from a start are not in it.
    pub fn compose(workflow: &Workflow) -> Graph {
        let outline = Outline::new(workflow);
        let mut graph = Graph::default();
        let starts = workflow.tasks.keys().filter(|name| !outline.inbound.contains_key(&***name));
        let mut starts: Vec<&Arc<str>> = starts.collect();
        starts.sort();
        let mut open: VecDeque<(&Arc<str>, Vec<Arc<str>>)> =
            starts.into_iter().map(|name| (name, Vec::new())).collect();
        let mut queued: HashMap<&str, HashSet<Arc<str>>> = HashMap::new();
        while let Some((name, mut splits)) = open.pop_front() {
            if outline.is_split(name) && !outline.in_cycle(name) {
                splits.push(Arc::clone(name));
            }
            graph.visit(&outline, name, &splits);
            for step in outline.steps(name).iter().filter(|step| &**step.target != "retry") {
                if !graph.nodes.contains_key(step.target) || !outline.in_cycle(step.target) {
                    // What comes with no other splits than came before makes no difference.
                    let before = queued.get(&**step.target);
                    if before.is_none_or(|before| splits.iter().any(|split| !before.contains(split))) {
                        queued.entry(step.target).or_default().extend(splits.iter().cloned());
                        open.push_back((step.target, splits.clone()));
                    }
                }
                graph.connect(&outline, name, step);
            }
        }
        graph.count_inbound();
        graph
    }

    fn visit(&mut self, outline: &Outline<'_>, name: &Arc<str>, splits: &[Arc<str>]) {
        let node = self.nodes.entry(Arc::clone(name)).or_insert_with(|| outline.node(name));
        if !splits.is_empty() {
            node.splits = splits.to_vec();
        }
        node.barrier = outline.workflow.tasks.get(name).and_then(|task| task.join);
        if let Some(step) = outline.steps(name).iter().rfind(|step| &**step.target == "retry") {
            node.retry = Some(retry_of_command(step.when));
        }
    }

    fn connect(&mut self, outline: &Outline<'_>, from: &Arc<str>, step: &Step<'_>) {
        self.nodes.entry(Arc::clone(step.target)).or_insert_with(|| outline.node(step.target));
        let Some(node) = self.nodes.get_mut(from) else { return };
        let same = |edge: &&Edge| edge.target == *step.target;
        let is_known = node.edges.iter().filter(same).any(|edge| edge.transition == step.transition);
        if !is_known {
            let key = u32::try_from(node.edges.iter().filter(same).count()).unwrap_or(u32::MAX);
            let edge =
                Edge { target: Arc::clone(step.target), key, when: step.when.cloned(), transition: step.transition };
            let at = node.edges.partition_point(|other| (&other.target, other.key) < (&edge.target, key));
            node.edges.insert(at, edge);
        }
    }

    fn count_inbound(&mut self) {
        let mut sources: HashMap<Arc<str>, usize> = HashMap::new();
        for node in self.nodes.values() {
            let targets: HashSet<&Arc<str>> = node.edges.iter().map(|edge| &edge.target).collect();
            for target in targets {
                *sources.entry(Arc::clone(target)).or_default() += 1;
            }
        }
        for (name, count) in sources {
            if let Some(node) = self.nodes.get_mut(&name) {
                node.inbound = count;
            }
        }
    }
}

fn retry_of_command(when: Option<&Template>) -> Retry {
    let always = || Template::new(Value::from("<% completed() %>"));
    Retry {
        when: Some(when.cloned().unwrap_or_else(always)),
        count: Template::new(json!(TRIES_OF_COMMAND)),
        delay: None,
        is_command: true,
    }
}
