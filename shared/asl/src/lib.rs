//! Amazon States Language, as far as workflows need it.
//!
//! [`compile`] turns an Orquesta workflow into a [`StateMachine`], and [`check()`] says what is wrong with one. The boxes of such a machine show
//! what the conductor does; they decide nothing. Everything is pure.

mod check;
mod compile;
mod condition;
mod machine;
mod path;
mod reply;
mod routing;

pub use check::{Fault, LARGEST, LONGEST_NAME, check};
pub use compile::{MOST_STATES, Options, compile, driven};
pub use machine::{
    Catcher, Choice, ChoiceRule, Fail, Onward, Parallel, Parameters, Resource, Retrier, State, StateMachine, Succeed,
    Task, Wait,
};
pub use reply::Reply;
