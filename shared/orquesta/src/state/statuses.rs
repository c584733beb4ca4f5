//! The statuses of tasks by name and route.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::record::Arrow;
use crate::Status;

/// Something for each task and route.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ByTask<T> {
    tasks: HashMap<Arc<str>, BTreeMap<u32, T>>,
}

impl<T> Default for ByTask<T> {
    fn default() -> ByTask<T> {
        ByTask { tasks: HashMap::new() }
    }
}

impl<T> ByTask<T> {
    pub(crate) fn get(&self, task: &str, route: u32) -> Option<&T> {
        self.tasks.get(task)?.get(&route)
    }

    pub(crate) fn insert(&mut self, task: &Arc<str>, route: u32, value: T) -> Option<T> {
        match self.tasks.get_mut(task) {
            Some(routes) => routes.insert(route, value),
            None => self.tasks.entry(Arc::clone(task)).or_default().insert(route, value),
        }
    }

    pub(crate) fn at(&mut self, task: &Arc<str>, route: u32) -> &mut T
    where
        T: Default,
    {
        self.tasks.entry(Arc::clone(task)).or_default().entry(route).or_default()
    }
}

/// The last run of a task on a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Last {
    pub(crate) entry: u32,
    pub(crate) status: Status,
}

/// What expressions can ask about tasks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Statuses {
    pub(crate) last: ByTask<Last>,
    pub(crate) routes: Vec<Vec<Arrow>>,
}

impl Statuses {
    /// The status of a task on a route, or on the last earlier one that the route goes on from.
    pub(crate) fn of(&self, task: &str, route: u32) -> Status {
        self.route_that_ran(task, route)
            .and_then(|route| self.last.get(task, route))
            .map_or(Status::Unset, |last| last.status)
    }

    /// The route itself, or the last earlier one that it goes on from, on which the task ran.
    pub(crate) fn route_that_ran(&self, task: &str, route: u32) -> Option<u32> {
        let mut route = route;
        loop {
            if self.last.get(task, route).is_some() {
                return Some(route);
            }
            let own = self.arrows(route)?;
            let goes_on_from = |earlier: &u32| {
                self.arrows(*earlier).is_some_and(|arrows| arrows.iter().all(|arrow| own.contains(arrow)))
            };
            route = (0..route).rev().find(goes_on_from)?;
        }
    }

    pub(crate) fn arrows(&self, route: u32) -> Option<&[Arrow]> {
        self.routes.get(usize::try_from(route).ok()?).map(Vec::as_slice)
    }
}
