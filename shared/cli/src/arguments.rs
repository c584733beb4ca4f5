//! The command line.

use clap::{Args, Parser};
use std::path::PathBuf;

use crate::commands::Command;

/// Event-driven automation: when this happens, and these criteria hold, then run that.
#[derive(Debug, Parser)]
#[command(name = "squall", version, max_term_width = 110, disable_help_subcommand = true, after_help = EXAMPLES)]
pub(crate) struct Squall {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  squall demo                              see one alert go the whole way
  squall up                                start the platform on this machine
  squall run core.local cmd=date           run an action and wait for it
  squall execution list --status failed    what went wrong lately
  squall explain last                      which rules saw the last event, and why

Exit codes: 0 done; 1 an error, or the execution did not succeed; 2 the command line is wrong; 130 interrupted.";

/// What every command takes.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// The data directory [default: SQUALL_DATA, or squall in the XDG data directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The API's address [default: SQUALL_URL, ST2_API_URL, or the one that `squall up` left in the data directory]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// A host that `squall profile add` made [default: SQUALL_PROFILE]
    #[arg(long, global = true, value_name = "NAME", conflicts_with_all = ["url", "api_key_file"])]
    pub(crate) profile: Option<String>,
    /// A file that holds the API key [default: SQUALL_API_KEY, ST2_API_KEY, or the key in the data directory]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// Print the API's JSON
    #[arg(long, short = 'j', global = true, conflicts_with = "yaml")]
    pub(crate) json: bool,
    /// Print the API's answer as YAML
    #[arg(long, short = 'y', global = true)]
    pub(crate) yaml: bool,
    /// No colours, as with NO_COLOR in the environment
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}
