//! What starts together, and where it meets again.

use std::collections::BTreeSet;

use super::emit::{Bounds, Emitter, Target, in_order};
use super::join::{self, Branches};
use super::{TooMany, states};
use crate::machine::{Onward, State, StateMachine};
use crate::path;

impl Emitter<'_> {
    /// Draws what starts together.
    pub(super) fn fork(
        &mut self,
        from: Option<usize>,
        targets: Vec<Target>,
        bounds: &Bounds,
    ) -> Result<Onward, TooMany> {
        let (stopped, targets): (Vec<Target>, Vec<Target>) =
            targets.into_iter().partition(|target| bounds.stops.contains_key(&target.task));
        let [first, rest @ ..] = targets.as_slice() else {
            // What arrives at joins that are drawn elsewhere is known to the conductor.
            let mut onward = stopped.iter().filter_map(|target| bounds.stops.get(&target.task));
            let first = onward.next();
            let exits = onward.any(|onward| *onward == bounds.exit);
            return Ok(first.filter(|_| !exits).unwrap_or(&bounds.exit).clone());
        };
        if rest.is_empty() {
            return if first.is_guarded || self.flow.is_join(first.task) {
                self.guarded(*first, bounds)
            } else {
                self.enter(*first, bounds)
            };
        }
        let tasks: Vec<usize> = targets.iter().map(|target| target.task).collect::<BTreeSet<_>>().into_iter().collect();
        let limits: BTreeSet<usize> = bounds.stops.keys().copied().collect();
        let Branches { joins, groups, is_tangled } = Branches::of(self.flow, from, &tasks, &limits);
        let is_orderly = |join: &usize| join::is_orderly(self.flow, from, &tasks, *join, &limits);
        if groups.len() == 1
            && let Some(join) = joins.into_iter().find(is_orderly)
        {
            let behind = self.task(join, "$.r", bounds)?;
            let mut within = bounds.clone();
            within.stops.insert(join, behind.clone());
            within.exit = behind;
            let rest = targets.into_iter().filter(|target| target.task != join).collect();
            return self.fork(from, rest, &within);
        }
        if is_tangled {
            return self.drive(from, bounds);
        }
        // Branches that don't meet in an orderly way each get their own.
        let each = if groups.len() == 1 { tasks.into_iter().map(|task| vec![task]).collect() } else { groups };
        let of_group = |group: &Vec<usize>| -> Vec<Vec<Target>> {
            let own: Vec<Target> = targets.iter().filter(|target| group.contains(&target.task)).copied().collect();
            // Runs of one task on routes of their own have nothing in common.
            if group.len() == 1 { own.into_iter().map(|target| vec![target]).collect() } else { vec![own] }
        };
        let branches = each.iter().flat_map(of_group).collect();
        self.parallel(from, branches, bounds)
    }

    pub(super) fn parallel(
        &mut self,
        from: Option<usize>,
        branches: Vec<Vec<Target>>,
        bounds: &Bounds,
    ) -> Result<Onward, TooMany> {
        let name = self.reserve(&format!("fork {}", self.label(from)))?;
        let mut drawn = Vec::new();
        for targets in branches {
            let outer = std::mem::take(&mut self.scope);
            let start = self.fork(from, targets, &bounds.inside())?;
            let start_at = self.name_of(start)?;
            let inner = std::mem::replace(&mut self.scope, outer);
            let states = in_order(&start_at, inner.states);
            drawn.push(StateMachine { comment: None, start_at, states });
        }
        let catch = if self.scope.is_top { states::catchers(&self.abort) } else { Vec::new() };
        let comment = from.and_then(|from| self.comment(from, "after"));
        self.replace(&name, states::parallel(comment, drawn, catch, bounds.exit.clone()));
        Ok(Onward::Next(name))
    }

    /// A run that has started where the path to it is there.
    pub(super) fn guarded(&mut self, target: Target, bounds: &Bounds) -> Result<Onward, TooMany> {
        let name = self.reserve(&format!("if {}", self.flow.name(target.task)))?;
        let entered = self.enter(target, bounds)?;
        let entered = self.name_of(entered)?;
        let default = self.name_of(bounds.exit.clone())?;
        let rule = states::rule(None, &self.route(target), &entered);
        self.replace(&name, states::choice(None, vec![rule], default));
        Ok(Onward::Next(name))
    }

    pub(super) fn enter(&mut self, target: Target, bounds: &Bounds) -> Result<Onward, TooMany> {
        self.task(target.task, &self.route(target), bounds)
    }

    pub(super) fn route(&self, target: Target) -> String {
        path::of(&crate::reply::flag(target.copy), &self.flow.name(target.task))
    }

    pub(super) fn drive(&mut self, from: Option<usize>, bounds: &Bounds) -> Result<Onward, TooMany> {
        let name = self.reserve(&format!("drive {}", self.label(from)))?;
        let after = from.map(|from| self.flow.name(from));
        let comment = from.and_then(|from| self.comment(from, "whatever comes after"));
        let mut state = states::drive(self.options, comment, after.as_deref(), bounds.exit.clone());
        if self.scope.is_top {
            state.catch = states::catchers(&self.abort);
        }
        self.replace(&name, State::Task(state));
        Ok(Onward::Next(name))
    }
}
