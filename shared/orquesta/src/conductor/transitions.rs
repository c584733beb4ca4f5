//! A completed task leads to others.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Conductor, Refused, error, is_truthy};
use crate::expression::{CurrentTask, EvaluationError, Scope};
use crate::graph::{Edge, Node};
use crate::spec::{Join, is_command};
use crate::state::{Arrow, Entry, Merging, State, Variables};

/// What the expressions of a completed task can read.
pub(super) struct Seen {
    pub(super) variables: Variables,
    pub(super) task: CurrentTask,
}

impl Seen {
    pub(super) fn scope<'s>(&self, conductor: &'s Conductor, state: &'s State) -> Scope<'s> {
        conductor.scope(state, self.variables.clone(), Some(self.task.clone()))
    }
}

/// How far the tasks that lead to a task have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gathering {
    Satisfied,
    /// Some have not run, and may still.
    Open,
    Unsatisfied,
}

impl Conductor {
    /// Works through the transitions of a completed task. The commands among its targets, in order.
    pub(super) fn fire(&self, state: &mut State, entry: &Entry, seen: &Seen) -> Result<Vec<(Arc<str>, u32)>, Refused> {
        let Some(node) = self.graph.node(&entry.task) else { return Ok(Vec::new()) };
        let (mut commands, mut tasks) = (Vec::new(), Vec::new());
        let mut any = false;
        for (index, edge) in node.edges.iter().enumerate() {
            let Some(published) = self.try_edge(state, entry, index, seen)? else { continue };
            any = true;
            let Some((staged, route)) = self.lead(state, entry, node, edge, published) else { continue };
            if is_command(&edge.target) {
                commands.push((Arc::clone(&edge.target), route));
            } else {
                tasks.push(staged);
            }
        }
        if node.edges.is_empty() || (!any && state.merging() == Merging::Newest) {
            state.set_terminal(entry.index, true);
        }
        // What stands beside `fail` still runs, to clean up.
        if commands.iter().any(|(command, _)| &**command == "fail") {
            for staged in tasks {
                state.change_staged(staged, |staged| staged.run_on_fail = staged.run_on_fail || staged.ready);
            }
        }
        Ok(commands)
    }

    /// What a transition publishes; none where its condition doesn't hold, or something in it has no value: then the workflow fails.
    fn try_edge(
        &self,
        state: &mut State,
        entry: &Entry,
        index: usize,
        seen: &Seen,
    ) -> Result<Option<Map<String, Value>>, Refused> {
        let Some(edge) = self.graph.node(&entry.task).and_then(|node| node.edges.get(index)) else { return Ok(None) };
        let holds = match &edge.when {
            Some(when) => when.evaluate(&self.expressions, &seen.scope(self, state)).map(|value| is_truthy(&value)),
            None => Ok(true),
        };
        let outcome = match holds {
            Ok(holds) => {
                state.set_next(entry.index, index, holds);
                if holds { self.published(state, entry, edge, seen).map(Some) } else { Ok(None) }
            }
            Err(error) => Err(vec![error]),
        };
        match outcome {
            Ok(published) => Ok(published),
            Err(errors) => {
                for evaluation in errors {
                    let mut entry = error(evaluation.to_string(), &entry.task, entry.route);
                    entry.task_transition_id = Some(edge.id());
                    state.log(entry);
                }
                self.fail(state)?;
                Ok(None)
            }
        }
    }

    fn published(
        &self,
        state: &State,
        entry: &Entry,
        edge: &Edge,
        seen: &Seen,
    ) -> Result<Map<String, Value>, Vec<EvaluationError>> {
        let task = self.workflow.tasks.get(&entry.task);
        let transition = task.and_then(|task| task.next.get(edge.transition));
        let assignments = transition.map(|transition| transition.publish.as_slice()).unwrap_or_default();
        let (mut published, mut errors) = (Map::new(), Vec::new());
        if assignments.is_empty() {
            return Ok(published);
        }
        let mut rolling = seen.scope(self, state);
        for assignment in assignments {
            match assignment.value.evaluate(&self.expressions, &rolling) {
                Ok(value) => {
                    rolling.variables.assign(&assignment.name, Arc::new(value.clone()));
                    published.insert(assignment.name.to_string(), value);
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(published) } else { Err(errors) }
    }

    /// Stages what a transition leads to: the number of the staged task, and its route.
    fn lead(
        &self,
        state: &mut State,
        entry: &Entry,
        node: &Node,
        edge: &Edge,
        published: Map<String, Value>,
    ) -> Option<(u64, u32)> {
        let target = self.graph.node(&edge.target)?;
        let context = if published.is_empty() { entry.context } else { state.publish(entry.context, published) };
        let arrow = Arrow { from: Arc::clone(&node.name), key: edge.key };
        let route = route_into(state, target, &arrow, entry.route);
        if is_passed(state, target, route) {
            return None;
        }
        let known = state.staged_task(&target.name, route).map(|staged| (staged.index, staged.context));
        let staged = match known {
            Some((staged, own)) => {
                let joined = if context == 0 || context == own { own } else { state.join(own, context) };
                state.change_staged(staged, |staged| {
                    (staged.context, staged.items, staged.completed) = (joined, None, false);
                });
                staged
            }
            None => state.stage(&target.name, route, context),
        };
        state.arrive(staged, arrow, entry.index);
        let ready = self.gathering(state, target, entry.route) == Gathering::Satisfied;
        state.change_staged(staged, |staged| staged.ready = ready);
        Some((staged, route))
    }

    fn gathering(&self, state: &State, node: &Node, route: u32) -> Gathering {
        let Some(barrier) = node.barrier else { return Gathering::Satisfied };
        let inbound = state.inbound(&node.name, route);
        let wanted = match barrier {
            Join::All => node.inbound,
            Join::Count(count) => usize::try_from(count.max(1)).unwrap_or(usize::MAX),
        };
        if inbound.satisfied >= wanted {
            Gathering::Satisfied
        } else if inbound.known < node.inbound && (state.has_active() || state.has_ready()) {
            Gathering::Open
        } else {
            Gathering::Unsatisfied
        }
    }

    pub(super) fn is_unreachable_join(&self, state: &State, task: &str, route: u32) -> bool {
        let node = self.graph.node(task).filter(|node| node.barrier.is_some());
        node.is_some_and(|node| self.gathering(state, node, route) == Gathering::Unsatisfied)
    }

    /// Whether a completed task has led to something other than `continue`. `reachable`: joins that nothing can satisfy any more don't count.
    pub(super) fn has_next(&self, state: &State, entry: &Entry, reachable: bool) -> bool {
        let Some(node) = self.graph.node(&entry.task).filter(|_| entry.status.is_some_and(crate::Status::is_completed))
        else {
            return false;
        };
        let fired = entry.next.iter().filter(|(_, fired)| **fired);
        let edges = fired.filter_map(|(at, _)| node.edges.get(usize::try_from(*at).ok()?));
        edges
            .filter(|edge| &*edge.target != "continue")
            .any(|edge| !reachable || !self.leads_nowhere(state, &edge.target, entry.route))
    }

    /// Nothing starts there any more.
    fn leads_nowhere(&self, state: &State, task: &str, route: u32) -> bool {
        self.is_unreachable_join(state, task, route)
            || self.graph.node(task).is_some_and(|node| is_passed(state, node, route))
    }
}

/// A task that several transitions lead to, and that is no join, runs once for each: it and what follows are on a route of their own.
fn route_into(state: &mut State, target: &Node, arrow: &Arrow, route: u32) -> u32 {
    if !target.is_split || target.in_cycle {
        return route;
    }
    let statuses = state.statuses();
    let taken = statuses.arrows(route).unwrap_or_default();
    if taken.contains(arrow) {
        return route;
    }
    let arrows = taken.iter().chain([arrow]).cloned().collect();
    state.add_route(arrows)
}

/// A join that waits for some of the branches only has run already, which is once where the workflow is strict.
fn is_passed(state: &State, target: &Node, route: u32) -> bool {
    state.merging() == Merging::Newest
        && matches!(target.barrier, Some(Join::Count(_)))
        && !target.in_cycle
        && state.last_entry(&target.name, route).is_some()
}
