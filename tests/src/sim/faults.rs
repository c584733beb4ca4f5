//! What goes wrong in a run, and how often. Each seed has some kinds of faults and not others: a fault that happens everywhere hides
//! what a rarer one would have shown.

use super::random::Random;

/// Chances in 10,000 for each occasion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// The process dies, before or after a commit or a wake.
    pub(crate) crash: u32,
    /// The process dies at this occasion of all, counted from the start.
    pub(crate) crash_at: Option<u64>,
    /// A call does not reach the store, the blobs, the vault or the bus.
    pub(crate) unreachable: u32,
    /// The store or the bus does it, and the answer is lost.
    pub(crate) answer_lost: u32,
    /// The store answers that another one was faster, and none was.
    pub(crate) conflict: u32,
    /// An index of a store of several hosts has not followed the table yet.
    pub(crate) index_lags: u32,
    /// A call takes up to 5 s, before or after the store does it.
    pub(crate) slow: u32,
    /// A wake is lost.
    pub(crate) wake_lost: u32,
    /// A wake arrives twice.
    pub(crate) wake_doubled: u32,
    /// A wake is late, and so behind others.
    pub(crate) wake_late: u32,
    /// An event on a durable bus is delivered once more after it was taken.
    pub(crate) redelivered: u32,
    /// A task is not polled for longer than a lease.
    pub(crate) stall: u32,
}

/// Calls that may be a process's last, roughly, in a run of the usual length.
const OCCASIONS: u64 = 1_500;

impl Faults {
    /// The faults of a seed.
    pub(crate) fn of(random: &mut Random) -> Faults {
        let mut rate = |most: u64| {
            let on = random.chance(6_000);
            let rate = random.between(most / 10, most);
            if on { u32::try_from(rate).unwrap_or(0) } else { 0 }
        };
        let mut faults = Faults {
            crash: rate(80),
            crash_at: None,
            unreachable: rate(600),
            answer_lost: rate(300),
            conflict: rate(300),
            index_lags: rate(5_000),
            slow: rate(2_000),
            wake_lost: rate(5_000),
            wake_doubled: rate(5_000),
            wake_late: rate(5_000),
            redelivered: rate(3_000),
            stall: rate(30),
        };
        if random.chance(1_000) {
            faults = Faults { crash: 0, unreachable: 0, slow: 0, stall: 0, ..faults };
        } else if faults.crash == 0 {
            faults.crash_at = Some(random.below(OCCASIONS));
        }
        faults
    }

    /// Does every worker live, and reach the store in good time? Then none may lose what it works on, whatever the store answers.
    pub(crate) fn spare_workers(&self) -> bool {
        (self.crash, self.crash_at, self.unreachable, self.slow, self.stall) == (0, None, 0, 0, 0)
    }
}
