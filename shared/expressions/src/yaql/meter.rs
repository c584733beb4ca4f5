//! What an evaluation has used up.

use std::cell::Cell;

use super::fail::{Res, over};
use crate::error::Limit;
use crate::limits::Limits;

const BYTES_PER_STEP: usize = 64;
/// How deep made values may be nested, so that they can be taken apart again.
const DEEPEST_VALUE: u32 = 400;

/// Steps and depth of one evaluation.
pub(crate) struct Meter {
    fuel: Cell<u64>,
    /// Bytes that don't make a step yet.
    owed: Cell<usize>,
    depth: Cell<usize>,
    most_depth: usize,
}

/// One level of nesting, left when this is dropped.
pub(crate) struct Entered<'m>(&'m Cell<usize>);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Meter {
        Meter {
            fuel: Cell::new(limits.fuel),
            owed: Cell::new(0),
            depth: Cell::new(0),
            most_depth: limits.recursion.saturating_mul(2),
        }
    }

    pub(crate) fn steps(&self, steps: u64) -> Res<()> {
        match self.fuel.get().checked_sub(steps) {
            Some(left) => {
                self.fuel.set(left);
                Ok(())
            }
            None => over(Limit::Fuel),
        }
    }

    /// Pays for data that is made or read as a whole.
    pub(crate) fn charge(&self, bytes: usize) -> Res<()> {
        let owed = self.owed.get().saturating_add(bytes);
        self.owed.set(owed % BYTES_PER_STEP);
        self.steps(u64::try_from(owed / BYTES_PER_STEP).unwrap_or(u64::MAX))
    }

    /// Goes one level deeper.
    pub(crate) fn enter(&self) -> Res<Entered<'_>> {
        let depth = self.depth.get() + 1;
        if depth > self.most_depth {
            return over(Limit::Depth);
        }
        self.depth.set(depth);
        Ok(Entered(&self.depth))
    }

    /// Refuses a value that is nested too deep.
    pub(crate) fn check_level(&self, level: u32) -> Res<()> {
        if level > DEEPEST_VALUE { over(Limit::Depth) } else { Ok(()) }
    }
}
