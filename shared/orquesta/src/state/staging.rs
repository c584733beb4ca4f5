//! Tasks that are about to run, what led to them, and their items.

use std::sync::Arc;

use serde_json::Value;

use super::record::{Arrival, Arrow, Entry, RecordKey, Staged};
use super::{Action, Items, State, index};
use crate::Status;

impl State {
    pub(crate) fn staged(&self, at: u64) -> Option<&Staged> {
        self.staged.get(&at)
    }

    pub(crate) fn all_staged(&self) -> impl Iterator<Item = &Staged> {
        self.staged.values()
    }

    /// The first staged task of that name on a route.
    pub(crate) fn staged_task(&self, task: &str, route: u32) -> Option<&Staged> {
        self.staged.get(self.derived.staged.get(task, route)?.first()?)
    }

    pub(crate) fn ready(&self) -> impl Iterator<Item = &Staged> {
        self.derived.ready.iter().filter_map(|at| self.staged.get(at))
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.derived.ready.is_empty()
    }

    pub(crate) fn stage(&mut self, task: &Arc<str>, route: u32, context: u32) -> u64 {
        let at = self.head.next_staged;
        self.head.next_staged += 1;
        self.changed.insert(RecordKey::Head);
        self.put_staged(Staged {
            index: at,
            task: Arc::clone(task),
            route,
            context,
            ready: true,
            completed: false,
            run_on_fail: false,
            retry_after: None,
            items: None,
            arrivals: 0,
        });
        at
    }

    pub(crate) fn change_staged(&mut self, at: u64, change: impl FnOnce(&mut Staged)) {
        if let Some(mut staged) = self.staged.get(&at).cloned() {
            change(&mut staged);
            self.put_staged(staged);
        }
    }

    pub(super) fn put_staged(&mut self, staged: Staged) {
        let at = staged.index;
        self.changed.insert(RecordKey::Staged(at));
        if staged.ready && !staged.completed {
            self.derived.ready.insert(at);
        } else {
            self.derived.ready.remove(&at);
        }
        match staged.items {
            Some(count) if !self.items.contains_key(&at) => {
                self.items.insert(at, Items::new(usize::try_from(count).unwrap_or(usize::MAX)));
            }
            Some(_) => {}
            None => self.drop_items(at),
        }
        self.derived.staged.at(&staged.task, staged.route).insert(at);
        self.staged.insert(at, staged);
    }

    pub(super) fn drop_items(&mut self, at: u64) {
        self.rendered.remove(&at);
        let items = self.items.remove(&at);
        let begun = items.iter().flat_map(Items::iter).filter(|(_, status)| *status != Status::Unset);
        self.changed.extend(begun.map(|(item, _)| RecordKey::Item(at, index(item))));
    }

    pub(crate) fn unstage(&mut self, at: u64) {
        let Some(staged) = self.staged.remove(&at) else { return };
        self.derived.staged.at(&staged.task, staged.route).remove(&at);
        self.derived.ready.remove(&at);
        self.drop_items(at);
        self.changed.insert(RecordKey::Staged(at));
    }

    pub(crate) fn arrive(&mut self, at: u64, arrow: Arrow, entry: u32) {
        let Some(arrivals) = self.staged.get(&at).map(|staged| staged.arrivals) else { return };
        self.change_staged(at, |staged| staged.arrivals += 1);
        self.arrivals.insert((at, arrivals), Arrival { staged: at, index: arrivals, arrow, entry });
        self.changed.insert(RecordKey::Arrival(at, arrivals));
    }

    pub(crate) fn arrivals(&self, at: u64) -> impl Iterator<Item = &Arrival> {
        self.arrivals.range((at, 0)..=(at, u32::MAX)).map(|(_, arrival)| arrival)
    }

    /// Whether items of a run of a task are at work: some may have still to begin, and none be. Nothing where the run has no items.
    pub fn items_at_work(&self, entry: &Entry) -> Option<bool> {
        let staged = self.staged_task(&entry.task, entry.route)?;
        self.items(staged.index).map(Items::any_active)
    }

    pub(crate) fn items(&self, at: u64) -> Option<&Items> {
        self.items.get(&at)
    }

    /// False where there is no such item.
    pub(crate) fn set_item(&mut self, at: u64, item: usize, status: Status, result: Option<Arc<Value>>) -> bool {
        self.changed.insert(RecordKey::Item(at, index(item)));
        self.items.get_mut(&at).is_some_and(|items| items.set(item, status, result))
    }

    pub(crate) fn rendered(&self, at: u64) -> Option<&Arc<Vec<Action>>> {
        self.rendered.get(&at)
    }

    pub(crate) fn keep_rendered(&mut self, at: u64, actions: Arc<Vec<Action>>) {
        self.rendered.insert(at, actions);
    }
}
