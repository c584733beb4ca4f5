//! What the compiler asks about a workflow's graph.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orquesta::{Conductor, Graph, Node, Task, is_command};

use crate::routing::{Routing, is_join};

/// The tasks of a workflow, by number.
pub(super) struct Flow<'c> {
    conductor: &'c Conductor,
    spots: Vec<Spot<'c>>,
    numbers: BTreeMap<&'c str, usize>,
}

/// A task, and how it lies in the graph.
pub(super) struct Spot<'c> {
    pub(super) node: &'c Node,
    pub(super) routing: Routing,
    pub(super) is_join: bool,
    pub(super) splits: BTreeSet<&'c str>,
    /// The tasks that lead to it.
    pub(super) inbound: BTreeSet<usize>,
    /// What it leads to.
    pub(super) targets: BTreeSet<usize>,
    /// What can run because of it, near or far.
    pub(super) after: BTreeSet<usize>,
}

impl<'c> Flow<'c> {
    pub(super) fn new(conductor: &'c Conductor) -> Flow<'c> {
        let graph: &Graph = conductor.graph();
        let nodes: Vec<&Node> = graph.nodes().filter(|node| !is_command(&node.name)).collect();
        let numbers: BTreeMap<&str, usize> = nodes.iter().enumerate().map(|(at, node)| (&*node.name, at)).collect();
        let targets = |node: &Node| -> BTreeSet<usize> {
            node.edges.iter().filter_map(|edge| numbers.get(&*edge.target).copied()).collect()
        };
        let onward: Vec<BTreeSet<usize>> = nodes.iter().map(|node| targets(node)).collect();
        let spots = nodes.iter().enumerate().map(|(at, node)| Spot {
            node,
            routing: Routing::of(conductor, node),
            is_join: is_join(node),
            splits: node.splits.iter().map(|split| &**split).collect(),
            inbound: onward
                .iter()
                .enumerate()
                .filter(|(_, onward)| onward.contains(&at))
                .map(|(from, _)| from)
                .collect(),
            targets: onward.get(at).cloned().unwrap_or_default(),
            after: reach(onward.get(at).into_iter().flatten().copied(), |at| onward.get(at)),
        });
        Flow { conductor, spots: spots.collect(), numbers }
    }

    /// The tasks that a run begins with.
    pub(super) fn roots(&self) -> Vec<usize> {
        self.conductor.graph().roots().iter().filter_map(|root| self.number(&root.name)).collect()
    }

    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    pub(super) fn spot(&self, at: usize) -> Option<&Spot<'c>> {
        self.spots.get(at)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'c str> {
        self.numbers.keys().copied()
    }

    pub(super) fn task(&self, at: usize) -> Option<&'c Task> {
        self.conductor.workflow().tasks.get(&self.spot(at)?.node.name)
    }

    pub(super) fn name(&self, at: usize) -> Arc<str> {
        self.spot(at).map(|spot| Arc::clone(&spot.node.name)).unwrap_or_default()
    }

    pub(super) fn is_join(&self, at: usize) -> bool {
        self.spot(at).is_some_and(|spot| spot.is_join)
    }

    /// Whether something can run because of a task, or is that task.
    pub(super) fn leads_to(&self, from: usize, to: usize) -> bool {
        from == to || self.spot(from).is_some_and(|spot| spot.after.contains(&to))
    }

    /// What can be reached from these tasks, themselves included, up to the limits, themselves included.
    pub(super) fn reach(&self, from: impl Iterator<Item = usize>, limits: &BTreeSet<usize>) -> BTreeSet<usize> {
        reach(from, |at| self.spot(at).map(|spot| &spot.targets).filter(|_| !limits.contains(&at)))
    }
}

fn reach<'t>(
    from: impl Iterator<Item = usize>,
    onward: impl Fn(usize) -> Option<&'t BTreeSet<usize>>,
) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<usize> = from.collect();
    while let Some(at) = open.pop() {
        if reached.insert(at) {
            open.extend(onward(at).into_iter().flatten());
        }
    }
    reached
}
