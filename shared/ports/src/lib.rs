//! Traits for everything outside, few and narrow
