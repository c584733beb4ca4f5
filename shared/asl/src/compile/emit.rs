//! Writes the states of a workflow, scope by scope.
//!
//! A scope is the top level or a branch of a `Parallel`. A task has at most one state in a scope for each way of going on, so loops are
//! plain jumps; a task that several scopes need has a state in each.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use indexmap::IndexMap;

use super::flow::Flow;
use super::join::{self, Branches};
use super::names::Names;
use super::{Options, TooMany, states};
use crate::machine::{ChoiceRule, Onward, State, StateMachine};
use crate::path;
use crate::routing::Group;

/// Joins at which a branch ends here, and where it goes on then.
type Stops = BTreeMap<usize, Onward>;

/// Where a branch goes on at joins, and where it goes when it ends without reaching one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Bounds {
    stops: Stops,
    exit: Onward,
}

impl Bounds {
    /// The same within a branch: there everything ends.
    fn inside(&self) -> Bounds {
        Bounds { stops: self.stops.keys().map(|join| (*join, Onward::End)).collect(), exit: Onward::End }
    }
}

/// A run of a task that is to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    task: usize,
    /// The how manieth run of the task by the same answer.
    copy: usize,
    /// It may not come to it.
    is_guarded: bool,
}

#[derive(Default)]
struct Scope {
    states: IndexMap<String, State>,
    /// Ways into tasks: the task, the path of its route, and the bounds.
    known: HashMap<(usize, String), Vec<(Bounds, String)>>,
    done: Option<String>,
    is_top: bool,
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
    flow: &'f Flow<'f>,
    options: &'f Options<'f>,
    names: Names,
    scope: Scope,
    count: usize,
    abort: String,
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
    fn task(&mut self, task: usize, route: &str, bounds: &Bounds) -> Result<Onward, TooMany> {
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
    fn targets(&self, groups: &[&Group]) -> Vec<Target> {
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

    // Forks and joins.

    /// Draws what starts together.
    fn fork(&mut self, from: Option<usize>, targets: Vec<Target>, bounds: &Bounds) -> Result<Onward, TooMany> {
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
        let Branches { joins, groups, leads_back } = Branches::of(self.flow, from, &tasks, &limits);
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
        if leads_back {
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

    fn parallel(
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
    fn guarded(&mut self, target: Target, bounds: &Bounds) -> Result<Onward, TooMany> {
        let name = self.reserve(&format!("if {}", self.flow.name(target.task)))?;
        let entered = self.enter(target, bounds)?;
        let entered = self.name_of(entered)?;
        let default = self.name_of(bounds.exit.clone())?;
        let rule = states::rule(None, &self.route(target), &entered);
        self.replace(&name, states::choice(None, vec![rule], default));
        Ok(Onward::Next(name))
    }

    fn enter(&mut self, target: Target, bounds: &Bounds) -> Result<Onward, TooMany> {
        self.task(target.task, &self.route(target), bounds)
    }

    fn route(&self, target: Target) -> String {
        path::of(&crate::reply::flag(target.copy), &self.flow.name(target.task))
    }

    fn drive(&mut self, from: Option<usize>, bounds: &Bounds) -> Result<Onward, TooMany> {
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

    // Names and places.

    fn label(&self, from: Option<usize>) -> std::sync::Arc<str> {
        from.map_or_else(|| "start".into(), |from| self.flow.name(from))
    }

    /// The name of what is next, where an end must be a state of its own.
    fn name_of(&mut self, onward: Onward) -> Result<String, TooMany> {
        match (onward, self.scope.done.clone()) {
            (Onward::Next(name), _) | (Onward::End, Some(name)) => Ok(name),
            (Onward::End, None) => {
                let name = self.reserve("done")?;
                self.scope.done = Some(name.clone());
                Ok(name)
            }
        }
    }

    fn reserve(&mut self, name: &str) -> Result<String, TooMany> {
        let name = self.names.of_helper(name);
        self.put(name.clone(), states::succeed())?;
        Ok(name)
    }

    fn put(&mut self, name: String, state: State) -> Result<(), TooMany> {
        self.count += 1;
        self.scope.states.insert(name, state);
        if self.count > self.options.most_states { Err(TooMany) } else { Ok(()) }
    }

    fn replace(&mut self, name: &str, state: State) {
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
        retries || self.flow.task(task).is_some_and(crate::routing::has_computed_delay)
    }

    /// What a task runs, and where it stands.
    fn told(&self, task: usize) -> Option<String> {
        let spec = self.flow.task(task)?;
        let action = spec.action.written().as_str().unwrap_or("nothing");
        let each = if spec.with.is_some() { " for each item" } else { "" };
        let place = self.place(task).map(|place| format!(" ({place})")).unwrap_or_default();
        Some(format!("{action}{each}{place}"))
    }

    fn comment(&self, task: usize, what: &str) -> Option<String> {
        let place = self.place(task).map(|place| format!(" ({place})")).unwrap_or_default();
        Some(format!("{what} {}{place}", self.flow.name(task)))
    }

    fn place(&self, task: usize) -> Option<String> {
        let line = self.flow.task(task)?.position.line;
        Some(format!("{}:{line}", self.options.source?))
    }
}

/// The states in the order in which a reader meets them.
fn in_order(start: &str, mut states: IndexMap<String, State>) -> IndexMap<String, State> {
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
