//! Amazon States Language, as far as workflows need it.
//!
//! [`compile`] turns an Orquesta workflow into a [`StateMachine`], and [`check()`] says what is wrong with one. What the boxes of such a machine
//! do is a [`Projection`] of the conductor. Everything is pure.

mod check;
mod compile;
mod condition;
mod interpreter;
mod machine;
mod path;
mod projection;
mod reply;
mod routing;
pub mod simulate;

pub use check::{Fault, LARGEST, LONGEST_NAME, check};
pub use compile::{MOST_STATES, Options, TRY_AGAIN, compile, driven};
pub use interpreter::{Call, Ending, Execution, NoSuchCall};
pub use machine::{
    Catcher, Choice, ChoiceRule, Fail, Onward, Parallel, Parameters, Resource, Retrier, State, StateMachine, Succeed,
    Task, Wait,
};
pub use projection::{Deed, MOST_EVENTS, Phase, Projection, ThreadHead, ThreadRecord, Threads, Token, Turn, Visit};
pub use reply::Reply;
