//! What can follow a task, as far as its conditions tell before it has run.

use std::collections::BTreeMap;
use std::sync::Arc;

use orquesta::{Conductor, Graph, Join, Node, Task, is_command};

use crate::condition::Condition;

/// What can follow a task.
#[derive(Clone, Debug)]
pub(crate) struct Routing {
    /// Transitions that fire together, those that lead to tasks.
    pub(crate) groups: Vec<Group>,
    /// Groups of which several may fire at once, by number. Of two clusters never both fire.
    pub(crate) clusters: Vec<Vec<usize>>,
    /// All that the task leads to starts whenever an answer comes: no choice is needed.
    pub(crate) is_certain: bool,
}

/// Transitions of one condition.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    condition: Condition,
    /// The condition as written.
    pub(crate) when: Option<String>,
    /// Their numbers.
    pub(crate) transitions: Vec<usize>,
    /// The tasks that they lead to, and how many runs of each.
    pub(crate) targets: BTreeMap<Arc<str>, usize>,
}

impl Routing {
    /// Of a task of the workflow.
    pub(crate) fn of(conductor: &Conductor, node: &Node) -> Routing {
        let graph = conductor.graph();
        let transitions =
            conductor.workflow().tasks.get(&node.name).map(|task| task.next.as_slice()).unwrap_or_default();
        let mut groups: Vec<Group> = Vec::new();
        let mut handles_failure = false;
        for (index, transition) in transitions.iter().enumerate() {
            let condition = Condition::of(transition.when.as_ref(), index);
            if condition.is_dead() {
                continue;
            }
            let edges = node.edges.iter().filter(|edge| edge.transition == index);
            let targets: Vec<&Arc<str>> = edges.map(|edge| &edge.target).filter(|target| !is_command(target)).collect();
            if targets.is_empty() {
                handles_failure |= transition.targets.iter().any(|target| matches!(&**target, "noop" | "fail"));
                continue;
            }
            let group = match groups.iter().position(|group| group.condition == condition) {
                Some(known) => known,
                None => {
                    let when =
                        transition.when.as_ref().map(|when| when.written().as_str().unwrap_or_default().to_owned());
                    groups.push(Group { condition, when, transitions: Vec::new(), targets: BTreeMap::new() });
                    groups.len() - 1
                }
            };
            let Some(group) = groups.get_mut(group) else { continue };
            group.transitions.push(index);
            for target in targets {
                let runs = group.targets.entry(Arc::clone(target)).or_insert(0);
                let each = graph.node(target).is_some_and(runs_per_edge);
                *runs = if each { *runs + 1 } else { 1 };
            }
        }
        let clusters = clusters(&groups);
        let is_certain = match groups.as_slice() {
            [only] => {
                let covers = only.condition.holds_on_success();
                let on_failure = only.condition.holds_on_failure() || !handles_failure;
                let may_start_late = |target: &Arc<str>| graph.node(target).is_some_and(is_join);
                let starts = only.targets.len() > 1 || !only.targets.keys().any(may_start_late);
                covers && on_failure && only.condition.is_of_status() && starts && !runs_oddly(node)
            }
            _ => false,
        };
        Routing { groups, clusters, is_certain }
    }

    /// All conditions of a cluster ask for nothing but how the task ended.
    pub(crate) fn is_of_status(&self, cluster: &[usize]) -> bool {
        cluster.iter().filter_map(|at| self.groups.get(*at)).all(|group| group.condition.is_of_status())
    }

    /// Transitions fired of which no two were foreseen to fire at once.
    pub(crate) fn is_surprised(&self, fired: &[usize]) -> bool {
        let has_fired = |group: &&Group| group.transitions.iter().any(|transition| fired.contains(transition));
        self.groups.iter().filter(has_fired).count() > 1
    }
}

/// Runs once for each transition that leads to it.
pub(crate) fn runs_per_edge(node: &Node) -> bool {
    node.is_split && !node.in_cycle
}

/// How many runs of a task another one can start at once.
pub(crate) fn runs_at_once(graph: &Graph, task: &str) -> usize {
    if !graph.node(task).is_some_and(runs_per_edge) {
        return 1;
    }
    let edges = |node: &Node| node.edges.iter().filter(|edge| &*edge.target == task).count();
    graph.nodes().map(edges).max().unwrap_or(0).max(1)
}

/// May have to wait for other branches.
pub(crate) fn is_join(node: &Node) -> bool {
    match node.barrier {
        None => false,
        Some(Join::All | Join::Count(1)) => node.inbound > 1,
        Some(Join::Count(_)) => true,
    }
}

/// Can be started anew while it runs: then of two runs only one leads on.
fn runs_oddly(node: &Node) -> bool {
    node.in_cycle || matches!(node.barrier, Some(Join::Count(_)))
}

/// The connected components of "not proved to exclude one another".
fn clusters(groups: &[Group]) -> Vec<Vec<usize>> {
    let mut clusters: Vec<Vec<usize>> = Vec::new();
    for (at, group) in groups.iter().enumerate() {
        let meets = |other: &usize| groups.get(*other).is_some_and(|other| !group.condition.excludes(&other.condition));
        let (mut near, far): (Vec<_>, Vec<_>) = clusters.into_iter().partition(|cluster| cluster.iter().any(meets));
        let mut own: Vec<usize> = near.drain(..).flatten().chain([at]).collect();
        own.sort_unstable();
        clusters = far;
        clusters.push(own);
    }
    clusters.sort();
    clusters
}

/// Seconds that the state machine waits before a task by itself. With items it doesn't: where there are none nothing waits.
pub(crate) fn literal_delay(task: &Task) -> Option<u64> {
    let delay = task.delay.as_ref().filter(|_| task.with.is_none())?.written().as_u64();
    delay.filter(|delay| *delay > 0).map(|delay| delay.min(LONGEST_WAIT))
}

/// An answer may say that a task is to wait before it begins.
pub(crate) fn may_wait(task: &Task) -> bool {
    task.delay.as_ref().is_some_and(|delay| literal_delay(task).is_none() && delay.written().as_u64() != Some(0))
}

/// As long as Step Functions waits.
pub(crate) const LONGEST_WAIT: u64 = 99_999_999;
