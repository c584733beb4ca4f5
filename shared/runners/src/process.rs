//! A child process in its own process group: started, read, and stopped for certain.
//!
//! Whatever ends a run — the process itself, its time limit, a cancel, the future being dropped — nothing of its process group outlives
//! a stop, and a process that left the group but still holds the pipes can't hold up the runner. What a process that ended by itself
//! left running in the background is left alone.

mod capture;
mod group;
mod start;

pub(crate) use capture::Captured;
pub(crate) use start::{Invocation, Sudo, shell};

use capture::pump;
use futures::{
    FutureExt,
    future::{Either, FusedFuture, join, select},
};
use group::Group;
use model::OutputStream;
use ports::{CancelHandle, Canceled, OutputSink};
use std::{
    future::Future,
    io,
    pin::{Pin, pin},
    process::ExitStatus,
    time::Duration,
};
use tokio::{
    process::Child,
    time::{sleep, timeout},
};

/// How long a process has between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);

/// How long the kernel has to take away what got SIGKILL.
const KILL_GRACE: Duration = Duration::from_secs(1);

/// How long the pipes are read after the process has ended, where something in the background still holds them.
const LINGER: Duration = Duration::from_secs(2);

/// Why a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// By itself.
    Code(i32),
    /// By a signal that was not ours.
    Signal(i32),
    /// At its time limit.
    TimedOut,
    /// On request.
    Canceled,
}

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    pub(crate) stdout: Captured,
    pub(crate) stderr: Captured,
}

/// Runs a process to its end. An error, fit for the action's author, where it can't be started.
pub(crate) async fn run(invocation: &Invocation, output: &dyn OutputSink, canceled: Canceled) -> Result<Ended, String> {
    let mut child = start::start(invocation).await?;
    let group = Group::of(&child, invocation)?;
    if let (Some(mut stdin), Some(sudo)) = (child.stdin.take(), &invocation.sudo) {
        sudo.write_password(&mut stdin).await;
    }
    let mut stdout = Captured::new(invocation.output_limit);
    let mut stderr = Captured::new(invocation.output_limit);
    let exit = {
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (release, closing) = CancelHandle::new();
        let pumps = join(
            pump(out, (OutputStream::Stdout, output), &mut stdout, closing.clone()),
            pump(err, (OutputStream::Stderr, output), &mut stderr, closing),
        );
        let mut work = pin!(to_the_end(child, release, pumps).fuse());
        let limit = time_limit(invocation.timeout);
        tokio::select! {
            biased;
            status = &mut work => exit_of(status.map_err(|error| format!("the process can't be waited for: {error}"))?),
            () = canceled.wait() => stop(&group, work.as_mut(), Exit::Canceled).await,
            () = limit => stop(&group, work.as_mut(), Exit::TimedOut).await,
        }
    };
    group.leave();
    Ok(Ended { exit, stdout, stderr })
}

/// Until the process has ended and its pipes are closed or given up.
async fn to_the_end<P>(mut child: Child, release: CancelHandle, pumps: P) -> io::Result<ExitStatus>
where
    P: Future<Output = ((), ())>,
{
    let mut pumps = pin!(pumps);
    let ended = match select(pin!(child.wait()), pumps.as_mut()).await {
        Either::Left((status, _)) => Some(status),
        Either::Right(_) => None,
    };
    let Some(status) = ended else { return child.wait().await };
    if timeout(LINGER, pumps.as_mut()).await.is_err() {
        // What was read still goes to the sink; only the reading stops.
        release.cancel();
        pumps.await;
    }
    status
}

#[expect(clippy::disallowed_methods, reason = "a process's time limit is real time, whatever clock the host has")]
async fn time_limit(limit: Option<Duration>) {
    match limit {
        Some(limit) => sleep(limit).await,
        None => std::future::pending().await,
    }
}

/// Ends the group: politely, then not.
async fn stop<W>(group: &Group<'_>, mut work: Pin<&mut W>, exit: Exit) -> Exit
where
    W: FusedFuture<Output = io::Result<ExitStatus>>,
{
    group.terminate().await;
    let politely = async {
        let _status = work.as_mut().await;
        group.gone().await;
    };
    if timeout(GRACE, politely).await.is_err() {
        group.kill().await;
        if !work.is_terminated() {
            // Past this the pipes are closed on whatever still holds them.
            let _late = timeout(KILL_GRACE, work).await;
        }
    }
    exit
}

fn exit_of(status: ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or_default()),
    }
}
