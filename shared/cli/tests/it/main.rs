//! The command as a shell sees it: arguments and environment in, output, errors and exit code out. A small server answers with recorded
//! bodies.

mod connection;
mod demo;
mod execution;
mod harness;
mod help;
mod key;
mod pack;
mod rule;
mod run;
mod trigger;
