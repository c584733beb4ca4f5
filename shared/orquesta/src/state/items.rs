//! The items of a task.

use std::sync::Arc;

use serde_json::Value;

use crate::Status;

/// The items of a staged task, with what is asked about them after each event kept at hand.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Items {
    items: Vec<(Status, Option<Arc<Value>>)>,
    active: usize,
    held: usize,
    canceled: usize,
    abended: usize,
    completed: usize,
    /// No item before this one has still to begin.
    cursor: usize,
}

/// How the items stand besides the one that an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    Active,
    Paused,
    Canceled,
    Failed,
    Incomplete,
    Completed,
}

impl Items {
    pub(crate) fn new(count: usize) -> Items {
        Items { items: vec![(Status::Unset, None); count], ..Items::default() }
    }

    pub(crate) fn get(&self, index: usize) -> Option<&(Status, Option<Arc<Value>>)> {
        self.items.get(index)
    }

    pub(crate) fn any_active(&self) -> bool {
        self.active > 0
    }

    pub(crate) fn active(&self) -> usize {
        self.active
    }

    pub(crate) fn all_completed(&self) -> bool {
        self.completed == self.items.len()
    }

    /// False where there is no such item.
    pub(crate) fn set(&mut self, index: usize, status: Status, result: Option<Arc<Value>>) -> bool {
        let Some(item) = self.items.get_mut(index) else { return false };
        let before = std::mem::replace(item, (status, result)).0;
        self.count(before, false);
        self.count(status, true);
        if status == Status::Unset {
            self.cursor = self.cursor.min(index);
        }
        while self.items.get(self.cursor).is_some_and(|(status, _)| *status != Status::Unset) {
            self.cursor += 1;
        }
        true
    }

    fn count(&mut self, status: Status, more: bool) {
        let change = |count: &mut usize, counts: bool| match (counts, more) {
            (true, true) => *count += 1,
            (true, false) => *count = count.saturating_sub(1),
            (false, _) => {}
        };
        change(&mut self.active, status.is_active());
        change(&mut self.held, matches!(status, Status::Pending | Status::Paused));
        change(&mut self.canceled, status == Status::Canceled);
        change(&mut self.abended, status.is_abended());
        change(&mut self.completed, status.is_completed());
    }

    pub(crate) fn others(&self, but: usize) -> Others {
        let status = self.items.get(but).map_or(Status::Unset, |(status, _)| *status);
        let besides = |count: usize, counted: bool| count - usize::from(counted && count > 0);
        if besides(self.active, status.is_active()) > 0 {
            Others::Active
        } else if besides(self.held, matches!(status, Status::Pending | Status::Paused)) > 0 {
            Others::Paused
        } else if besides(self.canceled, status == Status::Canceled) > 0 {
            Others::Canceled
        } else if besides(self.abended, status.is_abended()) > 0 {
            Others::Failed
        } else if besides(self.completed, status.is_completed()) + 1 < self.items.len() {
            Others::Incomplete
        } else {
            Others::Completed
        }
    }

    /// The items that have still to begin, the first ones first.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = usize> {
        let statuses = self.items.iter().enumerate().skip(self.cursor);
        statuses.filter(|(_, (status, _))| *status == Status::Unset).map(|(index, _)| index)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, Status)> {
        self.items.iter().enumerate().map(|(index, (status, _))| (index, *status))
    }

    /// The results in the order of the items, a null for each that has none.
    pub(crate) fn results(&self) -> Value {
        self.items.iter().map(|(_, result)| result.as_deref().cloned().unwrap_or_default()).collect()
    }
}
