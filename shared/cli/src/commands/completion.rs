//! `squall completion`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{
    arguments::Squall,
    failure::{Failure, Outcome},
    session::Session,
};

/// Print what a shell needs to complete squall's command lines
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall completion bash > ~/.local/share/bash-completion/completions/squall
  squall completion zsh > ~/.zfunc/_squall
  squall completion fish > ~/.config/fish/completions/squall.fish")]
pub(crate) struct Completion {
    /// The shell
    shell: Shell,
}

impl Completion {
    pub(super) fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Squall::command(), "squall", &mut script);
        session.console.write(&String::from_utf8_lossy(&script))?;
        Ok(Outcome::Success)
    }
}
