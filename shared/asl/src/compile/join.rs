//! Where branches meet in an orderly way.

use std::collections::BTreeSet;

use orquesta::Join;

use super::flow::Flow;

/// How branches lie to one another that begin with these tasks.
pub(super) struct Branches {
    /// The joins on the level of the forking task that several of them can come to, the inner ones first.
    pub(super) joins: Vec<usize>,
    /// The tasks that they begin with, those together whose branches can meet.
    pub(super) groups: Vec<Vec<usize>>,
    /// No picture of them is sound: one leads back to the forking task, or several come to a task that the conductor may start once more
    /// while it runs, so that it can't be told which branch goes on with it.
    pub(super) is_tangled: bool,
}

impl Branches {
    /// `limits`: joins that are drawn elsewhere.
    pub(super) fn of(flow: &Flow<'_>, fork: Option<usize>, targets: &[usize], limits: &BTreeSet<usize>) -> Branches {
        let none = BTreeSet::new();
        let level = fork.and_then(|fork| flow.spot(fork)).map_or(&none, |spot| &spot.splits);
        let reached: Vec<BTreeSet<usize>> =
            targets.iter().map(|target| flow.reach([*target].into_iter(), limits)).collect();
        let meets = |join: &usize| {
            let Some(spot) = flow.spot(*join).filter(|spot| spot.is_join) else { return false };
            let arriving = reached.iter().filter(|reached| reached.contains(join)).count();
            arriving > 1 && !limits.contains(join) && spot.splits == *level
        };
        let all: BTreeSet<usize> = reached.iter().flatten().copied().collect();
        let mut joins: Vec<usize> = all.iter().copied().filter(meets).collect();
        joins.sort_by_key(|join| (std::cmp::Reverse(flow.spot(*join).map_or(0, |spot| spot.after.len())), *join));
        let mut groups: Vec<(Vec<usize>, BTreeSet<usize>)> = Vec::new();
        for (target, reached) in targets.iter().zip(&reached) {
            let own: BTreeSet<usize> = joins.iter().filter(|join| reached.contains(join)).copied().collect();
            let (near, far): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(_, joins)| !joins.is_disjoint(&own));
            let (mut members, mut met) = (vec![*target], own);
            for (others, joins) in near {
                members.extend(others);
                met.extend(joins);
            }
            groups = far;
            groups.push((members, met));
        }
        let mut groups: Vec<Vec<usize>> = groups.into_iter().map(|(members, _)| members).collect();
        groups.iter_mut().for_each(|group| group.sort_unstable());
        groups.sort();
        let leads_back = fork.is_some_and(|fork| reached.iter().any(|reached| reached.contains(&fork)));
        let meets_oddly = all.iter().filter(|at| !limits.contains(at) && runs_over_itself(flow, **at)).any(|at| {
            let arriving = reached.iter().filter(|reached| reached.contains(at)).count();
            arriving > 1
        });
        Branches { joins, groups, is_tangled: leads_back || meets_oddly }
    }
}

/// Whether a task may be started once more while it runs: in a loop, or since a join goes on with each branch after the first few, and
/// something about it takes several calls.
fn runs_over_itself(flow: &Flow<'_>, at: usize) -> bool {
    let Some(spot) = flow.spot(at) else { return false };
    let calls_again = flow.task(at).is_some_and(|task| task.delay.is_some() || task.with.is_some());
    spot.node.in_cycle || (!waits_for_all(flow, at) && (calls_again || spot.node.retry.is_some()))
}

fn waits_for_all(flow: &Flow<'_>, at: usize) -> bool {
    flow.spot(at).is_some_and(|spot| match spot.node.barrier {
        Some(Join::Count(count)) => usize::try_from(count) == Ok(spot.node.inbound),
        _ => true,
    })
}

/// Whether all that begins with these tasks ends at the join or does without it: then the join is what comes behind them all.
pub(super) fn is_orderly(
    flow: &Flow<'_>,
    fork: Option<usize>,
    targets: &[usize],
    join: usize,
    limits: &BTreeSet<usize>,
) -> bool {
    let Some(spot) = flow.spot(join) else { return false };
    let mut region = flow.reach(targets.iter().copied(), &BTreeSet::from([join]));
    region.remove(&join);
    if !region.is_disjoint(limits) {
        return false;
    }
    let within = |at: &usize| region.contains(at) || fork == Some(*at);
    if fork.is_some_and(|fork| region.contains(&fork)) || !spot.inbound.iter().all(within) || !waits_for_all(flow, join)
    {
        return false;
    }
    if spot.node.in_cycle {
        // In a loop the conductor remembers how the tasks before the join ended the last time, unless they start together.
        let plain = |at: &usize| targets.contains(at) && !flow.is_join(*at);
        if !spot.inbound.iter().all(plain) {
            return false;
        }
    } else if spot.inbound.iter().any(|at| flow.spot(*at).is_some_and(|spot| spot.node.in_cycle)) {
        return false;
    }
    let sound_inside = |at: &usize| {
        let Some(inner) = flow.spot(*at) else { return false };
        let is_fine_join = !inner.is_join
            || (!spot.after.contains(at) && waits_for_all(flow, *at) && inner.inbound.iter().all(within));
        is_fine_join && keeps_together(flow, *at, join)
    };
    targets.iter().all(|target| flow.leads_to(*target, join)) && region.iter().all(sound_inside)
}

/// Whatever fires at once at a task leads to the join, or nothing of it does.
fn keeps_together(flow: &Flow<'_>, at: usize, join: usize) -> bool {
    let Some(spot) = flow.spot(at) else { return false };
    spot.routing.clusters.iter().all(|cluster| {
        let groups = cluster.iter().filter_map(|group| spot.routing.groups.get(*group));
        let targets = groups.flat_map(|group| group.targets.keys()).filter_map(|target| flow.number(target));
        let towards: BTreeSet<bool> = targets.map(|target| flow.leads_to(target, join)).collect();
        towards.len() <= 1
    })
}
