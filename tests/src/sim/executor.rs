//! A single-threaded executor that polls in the order that its caller picks. No time, no threads, no I/O: whatever a task waits for
//! must come from another task, or from outside through the task's waker.

use futures::future::BoxFuture;
use model::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Wake, Waker},
};

/// A task's number; they count up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TaskId(u64);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}", self.0)
    }
}

/// What tasks belong to: one start of a host, or the clients. All tasks of a group end together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Group(pub(crate) u64);

/// A lock that goes on after a panic elsewhere: the run is reported as failed anyway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Spawned {
    group: Group,
    future: BoxFuture<'static, ()>,
}

#[derive(Default)]
struct Shared {
    ready: Mutex<BTreeSet<TaskId>>,
    spawned: Mutex<BTreeMap<TaskId, Spawned>>,
    last: Mutex<u64>,
    current: Mutex<Option<TaskId>>,
}

/// Starts tasks, also from within tasks.
#[derive(Clone, Default)]
pub(crate) struct Spawner(Arc<Shared>);

impl Spawner {
    /// Starts a task; it is polled when its turn comes.
    pub(crate) fn spawn(&self, group: Group, future: impl Future<Output = ()> + Send + 'static) -> TaskId {
        let mut last = lock(&self.0.last);
        *last += 1;
        let id = TaskId(*last);
        lock(&self.0.spawned).insert(id, Spawned { group, future: Box::pin(future) });
        lock(&self.0.ready).insert(id);
        id
    }

    /// The task that is being polled just now.
    pub(crate) fn current(&self) -> Option<TaskId> {
        *lock(&self.0.current)
    }
}

struct TaskWaker {
    id: TaskId,
    shared: Arc<Shared>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        lock(&self.shared.ready).insert(self.id);
    }
}

struct Task {
    group: Group,
    future: BoxFuture<'static, ()>,
    waker: Waker,
}

/// The tasks, and which of them may be polled.
#[derive(Default)]
pub(crate) struct Executor {
    spawner: Spawner,
    tasks: BTreeMap<TaskId, Task>,
    stalled: BTreeMap<TaskId, Timestamp>,
}

impl Executor {
    /// Starts tasks for this executor.
    pub(crate) fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    /// The tasks that may be polled at this time, by number.
    pub(crate) fn ready(&mut self, now: Timestamp) -> Vec<TaskId> {
        self.adopt();
        self.stalled.retain(|_, until| *until > now);
        let mut ready = lock(&self.spawner.0.ready);
        // Who was woken after its end has nothing to do.
        ready.retain(|id| self.tasks.contains_key(id));
        ready.iter().copied().filter(|id| !self.stalled.contains_key(id)).collect()
    }

    /// Polls one task once.
    pub(crate) fn poll(&mut self, id: TaskId) {
        lock(&self.spawner.0.ready).remove(&id);
        let Some(task) = self.tasks.get_mut(&id) else { return };
        *lock(&self.spawner.0.current) = Some(id);
        let done = task.future.as_mut().poll(&mut Context::from_waker(&task.waker)).is_ready();
        if done {
            self.tasks.remove(&id);
        }
        *lock(&self.spawner.0.current) = None;
    }

    /// Does not offer a task before that time, whatever wakes it: a thread that the machine has forgotten.
    pub(crate) fn stall(&mut self, id: TaskId, until: Timestamp) {
        self.stalled.insert(id, until);
    }

    /// When the first stalled task may go on.
    pub(crate) fn next_stall_end(&self) -> Option<Timestamp> {
        self.stalled.values().min().copied()
    }

    /// Drops all tasks of a group as they stand, in the order of their numbers.
    pub(crate) fn kill(&mut self, group: Group) {
        self.adopt();
        let doomed: Vec<TaskId> =
            self.tasks.iter().filter(|(_, task)| task.group == group).map(|(id, _)| *id).collect();
        for id in doomed {
            self.stalled.remove(&id);
            self.tasks.remove(&id);
        }
    }

    /// The group of a living task.
    pub(crate) fn group_of(&self, id: TaskId) -> Option<Group> {
        self.tasks.get(&id).map(|task| task.group)
    }

    /// How many tasks of a group live.
    pub(crate) fn count(&mut self, group: Group) -> usize {
        self.adopt();
        self.tasks.values().filter(|task| task.group == group).count()
    }

    /// Does no task live?
    pub(crate) fn is_empty(&mut self) -> bool {
        self.adopt();
        self.tasks.is_empty()
    }

    fn adopt(&mut self) {
        let spawned = std::mem::take(&mut *lock(&self.spawner.0.spawned));
        for (id, Spawned { group, future }) in spawned {
            let waker = Arc::new(TaskWaker { id, shared: Arc::clone(&self.spawner.0) }).into();
            self.tasks.insert(id, Task { group, future, waker });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::channel::oneshot;

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn run(executor: &mut Executor, pick: fn(&[TaskId]) -> TaskId) -> usize {
        let mut polls = 0;
        loop {
            let ready = executor.ready(NOW);
            if ready.is_empty() {
                return polls;
            }
            executor.poll(pick(&ready));
            polls += 1;
        }
    }

    #[test]
    fn tasks_wake_each_other_and_are_polled_only_when_woken() {
        let mut executor = Executor::default();
        let (sender, receiver) = oneshot::channel();
        let told = Arc::new(Mutex::new(None));
        let heard = Arc::clone(&told);
        executor.spawner().spawn(Group(1), async move { *lock(&heard) = receiver.await.ok() });
        assert_eq!(run(&mut executor, |ready| ready[0]), 1);
        assert_eq!(run(&mut executor, |ready| ready[0]), 0);
        executor.spawner().spawn(Group(1), async move { sender.send(7).unwrap() });
        assert_eq!(run(&mut executor, |ready| ready[0]), 2);
        assert_eq!(*lock(&told), Some(7));
        assert!(executor.is_empty());
    }

    #[test]
    fn the_caller_picks_the_order() {
        let order = |pick: fn(&[TaskId]) -> TaskId| {
            let mut executor = Executor::default();
            let log = Arc::new(Mutex::new(Vec::new()));
            for number in 0..3 {
                let log = Arc::clone(&log);
                executor.spawner().spawn(Group(1), async move { lock(&log).push(number) });
            }
            run(&mut executor, pick);
            lock(&log).clone()
        };
        assert_eq!(order(|ready| ready[0]), [0, 1, 2]);
        assert_eq!(order(|ready| ready[ready.len() - 1]), [2, 1, 0]);
    }

    #[test]
    fn a_killed_group_is_dropped_where_it_stands() {
        let mut executor = Executor::default();
        let (kept, held) = oneshot::channel::<()>();
        executor.spawner().spawn(Group(1), async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        let other = executor.spawner().spawn(Group(2), std::future::pending());
        run(&mut executor, |ready| ready[0]);
        executor.kill(Group(1));
        assert!(kept.is_canceled());
        assert_eq!((executor.count(Group(1)), executor.group_of(other)), (0, Some(Group(2))));
    }

    #[test]
    fn a_stalled_task_waits_for_its_time() {
        let mut executor = Executor::default();
        let task = executor.spawner().spawn(Group(1), async {});
        let later = Timestamp::from_millis(5);
        assert_eq!(executor.ready(NOW), [task]);
        executor.stall(task, later);
        assert_eq!(executor.ready(NOW), []);
        assert_eq!(executor.next_stall_end(), Some(later));
        assert_eq!(executor.ready(later), [task]);
    }
}
