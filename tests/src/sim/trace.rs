//! What happened in a run: a hash of every step, and on demand the steps themselves.

use model::Timestamp;
use std::{
    fmt,
    io::{self, Write},
};

/// Two runs of one seed have equal hashes, or something in them depends on more than the seed.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: u64,
    steps: u64,
    print: bool,
}

impl Trace {
    /// An empty trace, whose steps are printed where `print` says so.
    pub(crate) fn new(print: bool) -> Trace {
        Trace { hash: 0xcbf2_9ce4_8422_2325, steps: 0, print }
    }

    /// One step.
    pub(crate) fn step(&mut self, now: Timestamp, what: fmt::Arguments<'_>) {
        self.steps += 1;
        self.bytes(&now.micros().to_be_bytes());
        // Writing into a hash can't fail.
        let _infallible = fmt::write(self, what);
        if self.print {
            // Who reads may have seen enough.
            let _closed = writeln!(io::stdout(), "{:>7} {now} {what}", self.steps);
        }
    }

    /// Bytes that belong to the last step and are too many to show.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// How many steps there were.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// A function of all that happened.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}

impl fmt::Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}
