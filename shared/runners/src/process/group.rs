//! A process group, and how it is stopped.

use super::{Invocation, start};
use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process_group, test_kill_process_group},
};
use std::time::Duration;
use tokio::{
    process::Child,
    time::{sleep, timeout},
};

/// How often a group that is being stopped is looked at: nothing tells of the end of processes that are not our children.
const LOOK: Duration = Duration::from_millis(10);

/// How long sudo may take to deliver a signal.
const SUDO_SIGNAL: Duration = Duration::from_millis(500);

/// The process group that a child leads. Killed on drop, unless it was left alone before.
pub(super) struct Group<'a> {
    id: Pid,
    invocation: &'a Invocation,
    left: bool,
}

impl<'a> Group<'a> {
    /// The group of a child just started, which leads it.
    pub(super) fn of(child: &Child, invocation: &'a Invocation) -> Result<Group<'a>, String> {
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        id.map(|id| Group { id, invocation, left: false }).ok_or_else(|| "the process has no id".to_owned())
    }

    /// Asks every process of the group to end.
    pub(super) async fn terminate(&self) {
        self.signal(Signal::TERM, "TERM").await;
    }

    /// Ends every process of the group.
    pub(super) async fn kill(&self) {
        self.signal(Signal::KILL, "KILL").await;
    }

    /// Waits until no process is left in the group. The child itself has to be waited for by somebody else.
    #[expect(clippy::disallowed_methods, reason = "looks at processes of the machine, which know no other clock")]
    pub(super) async fn gone(&self) {
        while test_kill_process_group(self.id) != Err(Errno::SRCH) {
            sleep(LOOK).await;
        }
    }

    /// What is left in the group may live on.
    pub(super) fn leave(mut self) {
        self.left = true;
    }

    async fn signal(&self, signal: Signal, name: &str) {
        // A group that is gone needs no signal; one that is root's, behind sudo, gets it through sudo.
        if kill_process_group(self.id, signal) == Err(Errno::PERM)
            && let Some(sudo) = &self.invocation.sudo
        {
            let group = format!("-{}", self.id.as_raw_nonzero());
            let _bounded = timeout(SUDO_SIGNAL, start::kill_by_sudo(self.invocation, sudo, [name, &group])).await;
        }
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        if !self.left {
            let _gone = kill_process_group(self.id, Signal::KILL);
        }
    }
}
