//! The commands, a file for each group.

mod action;
mod completion;
mod demo;
mod dlq;
mod execution;
mod explain;
mod inquiry;
mod key;
mod pack;
mod policy;
mod profile;
mod rule;
mod rule_enforcement;
mod rule_replay;
mod rule_test;
mod run;
mod timer;
mod trace;
mod trigger;
mod trigger_instance;
mod up;
mod webhook;
mod workflow;

use clap::{Args, Subcommand};

use crate::{
    client::Listing,
    console::Ink,
    failure::{Failure, Outcome},
    session::{Format, Session},
};

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(up::Up),
    Demo(demo::Demo),
    Run(run::Run),
    /// Executions: what ran, and what came of it
    #[command(subcommand)]
    Execution(execution::Execution),
    /// Rules: when this trigger, and these criteria, then that action
    #[command(subcommand)]
    Rule(rule::Rule),
    /// Trigger types, and events by hand
    #[command(subcommand)]
    Trigger(trigger::Trigger),
    /// Events that came in
    #[command(subcommand)]
    TriggerInstance(trigger_instance::TriggerInstance),
    /// What rules that matched got requested
    #[command(subcommand)]
    RuleEnforcement(rule_enforcement::RuleEnforcement),
    Explain(explain::Explain),
    /// Actions that can be run
    #[command(subcommand)]
    Action(action::Action),
    /// Workflows: checked, drawn, compiled, rehearsed
    #[command(subcommand)]
    Workflow(workflow::Workflow),
    /// Packs: content, checked and registered
    #[command(subcommand)]
    Pack(pack::Pack),
    /// Inquiries: executions that wait for a person's answer
    #[command(subcommand)]
    Inquiry(inquiry::Inquiry),
    /// Policies: how many executions at once, how often, what is tried again
    #[command(subcommand)]
    Policy(policy::Policy),
    /// The datastore: values by name
    #[command(subcommand)]
    Key(key::Key),
    /// Timers that rules listen to
    #[command(subcommand)]
    Timer(timer::Timer),
    /// Webhooks that rules listen to
    #[command(subcommand)]
    Webhook(webhook::Webhook),
    /// Traces: all that came of one event
    #[command(subcommand)]
    Trace(trace::Trace),
    /// Messages that a host on AWS could not handle
    #[command(subcommand)]
    Dlq(dlq::Dlq),
    /// Hosts by name, with address and key
    #[command(subcommand)]
    Profile(profile::ProfileCommand),
    Completion(completion::Completion),
}

impl Command {
    /// Does it.
    pub(crate) async fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        match self {
            Command::Up(command) => command.run(session).await,
            Command::Demo(command) => command.run(session).await,
            Command::Run(command) => command.run(session).await,
            Command::Execution(command) => command.run(session).await,
            Command::Rule(command) => command.run(session).await,
            Command::Trigger(command) => command.run(session).await,
            Command::TriggerInstance(command) => command.run(session).await,
            Command::RuleEnforcement(command) => command.run(session).await,
            Command::Explain(command) => command.run(session).await,
            Command::Action(command) => command.run(session).await,
            Command::Workflow(command) => command.run(session).await,
            Command::Pack(command) => command.run(session).await,
            Command::Inquiry(command) => command.run(session).await,
            Command::Policy(command) => command.run(session).await,
            Command::Key(command) => command.run(session).await,
            Command::Timer(command) => command.run(session).await,
            Command::Webhook(command) => command.run(session).await,
            Command::Trace(command) => command.run(session).await,
            Command::Dlq(command) => command.run(session).await,
            Command::Profile(command) => command.run(session),
            Command::Completion(command) => command.run(session),
        }
    }
}

/// How much of a list.
#[derive(Debug, Args)]
struct Last {
    /// How many, the newest
    #[arg(short = 'n', long, default_value_t = 50, value_name = "N")]
    last: usize,
}

/// Since when and until when.
#[derive(Debug, Args)]
struct Between {
    /// Only what came after this time, such as 2026-01-15T12:00:00Z
    #[arg(long, value_name = "TIME")]
    timestamp_gt: Option<String>,
    /// Only what came before this time
    #[arg(long, value_name = "TIME")]
    timestamp_lt: Option<String>,
}

/// Turns what came newest first into the order of time, so that the newest stands right above the prompt.
fn in_order_of_time(session: &mut Session, mut listing: Listing) -> Result<Listing, Failure> {
    listing.items.reverse();
    if listing.more && session.format() == Format::Text {
        let of = listing.total.map(|total| format!(" of {total}")).unwrap_or_default();
        let note = format!("these are the last {}{of}; -n shows more", listing.items.len());
        session.console.say(Ink::Dim, "note", &note)?;
    }
    Ok(listing)
}
