//! Writes the states of a workflow, scope by scope.
//!
//! A scope is the top level or a branch of a `Parallel`. A task has at most one state in a scope for each way of going on, so loops are
//! plain jumps; a task that several scopes need has a state in each.

use std::collections::{BTreeMap, HashMap, VecDeque};

use indexmap::IndexMap;

use super::flow::Flow;
use super::names::Names;
use super::{Options, TooMany, states};
use crate::machine::{ChoiceRule, Onward, State, StateMachine};
use crate::path;
use crate::routing::Group;

/// Joins at which a branch ends here, and where it goes on then.
pub(super) type Stops = BTreeMap<usize, Onward>;

/// Where a branch goes on at joins, and where it goes when it ends without reaching one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) stops: Stops,
    pub(super) exit: Onward,
}

impl Bounds {
    /// The same within a branch: there everything ends.
    pub(super) fn inside(&self) -> Bounds {
        Bounds { stops: self.stops.keys().map(|join| (*join, Onward::End)).collect(), exit: Onward::End }
    }
}

/// A run of a task that is to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    pub(super) task: usize,
    /// The how manieth run of the task by the same answer.
    pub(super) copy: usize,
    /// It may not come to it.
    pub(super) is_guarded: bool,
}

#[derive(Default)]
pub(super) struct Scope {
    pub(super) states: IndexMap<String, State>,
    /// Ways into tasks: the task, the path of its route, and the bounds.
    pub(super) known: HashMap<(usize, String), Vec<(Bounds, String)>>,
    pub(super) done: Option<String>,
    pub(super) is_top: bool,
}

/// Groups of transitions of which at least one fires where none of the others does.
struct Alternative<'r> {
    groups: Vec<&'r Group>,
    /// Groups that exclude the first one and lead to the same tasks.
    same: Vec<&'r Group>,
}

impl<'r> Alternative<'r> {
    fn add(alternatives: &mut Vec<Alternative<'r>>, groups: Vec<&'r Group>) {
        if let [only] = groups.as_slice() {
            let is_same = |known: &&mut Alternative<'_>| matches!(known.groups.as_slice(), [first] if first.targets == only.targets);
            if let Some(known) = alternatives.iter_mut().find(is_same) {
                known.same.push(only);
                return;
            }
        }
        alternatives.push(Alternative { groups, same: Vec::new() });
    }
}

/// What follows a task's state.
enum Following {
    /// Always this.
    Onward(Onward),
    /// What the answer has.
    Choice(Vec<ChoiceRule>),
}

pub(super) struct Emitter<'f> {
    pub(super) flow: &'f Flow<'f>,
    pub(super) options: &'f Options<'f>,
    pub(super) names: Names,
    pub(super) scope: Scope,
    pub(super) count: usize,
    pub(super) abort: String,
}

impl<'f> Emitter<'f> {
    pub(super) fn new(flow: &'f Flow<'f>, options: &'f Options<'f>) -> Emitter<'f> {
        let mut names = Names::new(flow.names());
        let abort = names.of_helper(states::ABORT);
        let scope = Scope { is_top: true, ..Scope::default() };
        Emitter { flow, options, names, scope, count: 2, abort }
    }

    pub(super) fn workflow(mut self) -> Result<StateMachine, TooMany> {
        let roots = self.flow.roots().into_iter();
        let roots = roots.map(|task| Target { task, copy: 0, is_guarded: false }).collect();
        let start = self.fork(None, roots, &Bounds::default())?;
        let start_at = self.name_of(start)?;
        let failed = self.names.of_helper(states::FAILED);
        let [abort, fail] = states::ending(self.options, &failed);
        let mut states = in_order(&start_at, self.scope.states);
        states.insert(self.abort, abort);
        states.insert(failed, fail);
        Ok(StateMachine { comment: None, start_at, states })
    }

    // Tasks.

    /// The way into a task.
    pub(super) fn task(&mut self, task: usize, route: &str, bounds: &Bounds) -> Result<Onward, TooMany> {
        let key = (task, route.to_owned());
        let known = self.scope.known.get(&key).into_iter().flatten().find(|(known, _)| known == bounds);
        if let Some((_, name)) = known {
            return Ok(Onward::Next(name.clone()));
        }
        let name = self.flow.name(task);
        let delay = self.literal_delay(task);
        let waiting = delay.map(|_| self.reserve(&format!("delay {name}"))).transpose()?;
        let own = self.names.of_task(&name);
        self.put(own.clone(), states::succeed())?;
        let entrance = waiting.clone().unwrap_or_else(|| own.clone());
        self.scope.known.entry(key).or_default().push((bounds.clone(), entrance.clone()));
        if let (Some(waiting), Some(delay)) = (waiting, delay) {
            self.replace(&waiting, states::wait(self.comment(task, "before"), delay, own.clone()));
        }
        // A join that is drawn behind its branches may not have come about.
        let is_behind = route == "$.r";
        let following = self.following(task, &own, is_behind, bounds)?;
        let mut state = states::run(self.options, self.told(task), &name, route, following);
        if self.scope.is_top {
            state.catch = states::catchers(&self.abort);
        }
        self.replace(&own, State::Task(state));
        Ok(Onward::Next(entrance))
    }

    /// What the state of a task leads to.
    fn following(&mut self, task: usize, own: &str, is_behind: bool, bounds: &Bounds) -> Result<Onward, TooMany> {
        let name = self.flow.name(task);
        // Reserved first, so that it stands right behind the task's own.
        let may_wait = self.may_wait(task);
        let is_certain = self.flow.spot(task).is_some_and(|spot| spot.routing.is_certain) && !is_behind;
        let has_targets = self.flow.spot(task).is_some_and(|spot| !spot.routing.groups.is_empty());
        if !may_wait && (is_certain || !has_targets) {
            return match self.routes(task, is_certain, bounds)? {
                Following::Onward(onward) => Ok(onward),
                Following::Choice(_) => Ok(bounds.exit.clone()),
            };
        }
        let route = self.reserve(&format!("route {name}"))?;
        let mut rules = Vec::new();
        if may_wait {
            let waiting = self.reserve(&format!("wait {name}"))?;
            self.replace(&waiting, states::wait_as_told(self.comment(task, "before"), own.to_owned()));
            rules.push(states::rule(None, "$.w", &waiting));
        }
        let default = match self.routes(task, is_certain, bounds)? {
            Following::Onward(onward) => onward,
            Following::Choice(more) => {
                rules.extend(more);
                bounds.exit.clone()
            }
        };
        if rules.is_empty() {
            // Everything goes the same way: the choice is none.
            self.scope.states.shift_remove(&route);
            self.count -= 1;
            return Ok(default);
        }
        let default = self.name_of(default)?;
        self.replace(&route, states::choice(self.comment(task, "after"), rules, default));
        Ok(Onward::Next(route))
    }

    /// Where the answers of a task can lead.
    fn routes(&mut self, task: usize, is_certain: bool, bounds: &Bounds) -> Result<Following, TooMany> {
        let Some(spot) = self.flow.spot(task) else { return Ok(Following::Onward(bounds.exit.clone())) };
        let routing = &spot.routing;
        if is_certain && let [only] = routing.groups.as_slice() {
            let targets = self.targets(&[only]);
            return Ok(Following::Onward(self.fork(Some(task), targets, bounds)?));
        }
        let mut is_surprising = false;
        let mut alternatives: Vec<Alternative<'_>> = Vec::new();
        for cluster in &routing.clusters {
            let groups: Vec<&Group> = cluster.iter().filter_map(|at| routing.groups.get(*at)).collect();
            let mut targets = groups.iter().flat_map(|group| group.targets.keys());
            let loops = targets.any(|target| self.flow.number(target).is_some_and(|at| self.flow.leads_to(at, task)));
            if groups.len() > 1 && loops && !routing.is_of_status(cluster) {
                // In a loop that several ways go on at once is the exception.
                is_surprising = true;
                groups.into_iter().for_each(|group| Alternative::add(&mut alternatives, vec![group]));
            } else {
                Alternative::add(&mut alternatives, groups);
            }
        }
        let mut rules = Vec::new();
        for alternative in &alternatives {
            let others = alternatives.iter().filter(|other| !std::ptr::eq(*other, alternative));
            let others: Vec<&Group> = others.flat_map(|other| other.groups.iter().copied()).collect();
            rules.extend(self.alternative(task, alternative, &others, bounds)?);
        }
        if is_surprising {
            let drive = self.drive(Some(task), bounds)?;
            let drive = self.name_of(drive)?;
            rules.insert(0, states::rule(Some("several conditions hold".to_owned()), "$.d", &drive));
        }
        Ok(Following::Choice(rules))
    }

    /// The rules by which an answer leads to what one of the alternatives starts.
    fn alternative(
        &mut self,
        task: usize,
        alternative: &Alternative<'_>,
        others: &[&Group],
        bounds: &Bounds,
    ) -> Result<Vec<ChoiceRule>, TooMany> {
        let targets = self.targets(&alternative.groups);
        let mut tests: Vec<(Option<String>, String)> = Vec::new();
        for group in alternative.groups.iter().chain(&alternative.same) {
            let (when, test) = (group.when.as_deref().map(shortened), self.test(group, others, bounds));
            match tests.iter_mut().find(|(_, known)| *known == test) {
                Some((known, _)) => *known = known.take().zip(when).map(|(one, other)| format!("{one}; {other}")),
                None => tests.push((when, test)),
            }
        }
        // Where a test tells that the one target has started, it need not be asked again.
        let tested = match (targets.as_slice(), tests.as_slice()) {
            ([only], [(_, test)]) if *test == path::of("n", &self.flow.name(only.task)) => {
                vec![Target { is_guarded: false, ..*only }]
            }
            _ => Vec::new(),
        };
        let onward = match tested.first() {
            Some(only) if !bounds.stops.contains_key(&only.task) => self.enter(*only, bounds)?,
            _ => self.fork(Some(task), targets, bounds)?,
        };
        if onward == bounds.exit {
            return Ok(Vec::new());
        }
        let next = self.name_of(onward)?;
        Ok(tests.into_iter().map(|(comment, test)| states::rule(comment, &test, &next)).collect())
    }

    /// The path that is there if and only if a group has fired, as far as that matters.
    fn test(&self, group: &Group, others: &[&Group], bounds: &Bounds) -> String {
        let is_own = |target: &&std::sync::Arc<str>| !others.iter().any(|other| other.targets.contains_key(*target));
        let number = |target: &std::sync::Arc<str>| self.flow.number(target);
        let starts = |target: &&std::sync::Arc<str>| {
            number(target).is_some_and(|target| !self.flow.is_join(target) && !bounds.stops.contains_key(&target))
        };
        let alone = group.targets.len() == 1;
        let joins_alone = |target: &&std::sync::Arc<str>| {
            alone && number(target).is_some_and(|target| !bounds.stops.contains_key(&target))
        };
        let flag = group.targets.keys().filter(is_own).find(|target| starts(target) || joins_alone(target));
        match (flag, group.transitions.first()) {
            (Some(target), _) => path::of("n", target),
            (None, first) => path::of("k", &crate::reply::fired(first.copied().unwrap_or_default())),
        }
    }

    /// The runs that these groups can start. Of several groups none is certain.
    pub(super) fn targets(&self, groups: &[&Group]) -> Vec<Target> {
        let mut runs: BTreeMap<usize, usize> = BTreeMap::new();
        for group in groups {
            for (target, more) in &group.targets {
                let Some(target) = self.flow.number(target) else { continue };
                let each = self.flow.spot(target).is_some_and(|spot| crate::routing::runs_per_edge(spot.node));
                let runs = runs.entry(target).or_insert(0);
                *runs = if each { *runs + more } else { 1 };
            }
        }
        let is_guarded = groups.len() > 1;
        runs.into_iter().flat_map(|(task, runs)| (0..runs).map(move |copy| Target { task, copy, is_guarded })).collect()
    }

    // Names and places.

    pub(super) fn label(&self, from: Option<usize>) -> std::sync::Arc<str> {
        from.map_or_else(|| "start".into(), |from| self.flow.name(from))
    }

    /// The name of what is next, where an end must be a state of its own.
    pub(super) fn name_of(&mut self, onward: Onward) -> Result<String, TooMany> {
        match (onward, self.scope.done.clone()) {
            (Onward::Next(name), _) | (Onward::End, Some(name)) => Ok(name),
            (Onward::End, None) => {
                let name = self.reserve("done")?;
                self.scope.done = Some(name.clone());
                Ok(name)
            }
        }
    }

    pub(super) fn reserve(&mut self, name: &str) -> Result<String, TooMany> {
        let name = self.names.of_helper(name);
        self.put(name.clone(), states::succeed())?;
        Ok(name)
    }

    fn put(&mut self, name: String, state: State) -> Result<(), TooMany> {
        self.count += 1;
        self.scope.states.insert(name, state);
        if self.count > self.options.most_states { Err(TooMany) } else { Ok(()) }
    }

    pub(super) fn replace(&mut self, name: &str, state: State) {
        if let Some(known) = self.scope.states.get_mut(name) {
            *known = state;
        }
    }

    fn literal_delay(&self, task: usize) -> Option<u64> {
        crate::routing::literal_delay(self.flow.task(task)?)
    }

    /// An answer may say that it runs again after a while, or has to wait first.
    fn may_wait(&self, task: usize) -> bool {
        let retries = self.flow.spot(task).is_some_and(|spot| spot.node.retry.is_some());
        retries || self.flow.task(task).is_some_and(crate::routing::may_wait)
    }

    /// What a task runs, and where it stands.
    fn told(&self, task: usize) -> Option<String> {
        let spec = self.flow.task(task)?;
        let action = spec.action.written().as_str().unwrap_or("nothing");
        let each = if spec.with.is_some() { " for each item" } else { "" };
        let place = self.place(task).map(|place| format!(" ({place})")).unwrap_or_default();
        Some(format!("{action}{each}{place}"))
    }

    pub(super) fn comment(&self, task: usize, what: &str) -> Option<String> {
        let place = self.place(task).map(|place| format!(" ({place})")).unwrap_or_default();
        Some(format!("{what} {}{place}", self.flow.name(task)))
    }

    fn place(&self, task: usize) -> Option<String> {
        let line = self.flow.task(task)?.position.line;
        Some(format!("{}:{line}", self.options.source?))
    }
}

/// The states in the order in which a reader meets them.
pub(super) fn in_order(start: &str, mut states: IndexMap<String, State>) -> IndexMap<String, State> {
    let mut ordered = IndexMap::with_capacity(states.len());
    let mut open = VecDeque::from([start.to_owned()]);
    while let Some(name) = open.pop_front() {
        if let Some((name, state)) = states.swap_remove_entry(&name) {
            open.extend(state.successors().into_iter().map(str::to_owned));
            ordered.insert(name, state);
        }
    }
    ordered
}

/// A condition as it fits on an arrow.
fn shortened(when: &str) -> String {
    const LONGEST: usize = 100;
    let inside = when.trim().trim_start_matches("<%").trim_end_matches("%>");
    let inside = inside.trim_start_matches("{{").trim_end_matches("}}").trim();
    if inside.chars().count() <= LONGEST {
        return inside.to_owned();
    }
    inside.chars().take(LONGEST - 1).chain(['…']).collect()
}
