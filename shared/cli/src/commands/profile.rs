//! `squall profile`.

use clap::{Args, Subcommand};
use embedded::SystemClock;
use ports::Clock;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    documents::read_text,
    failure::{Failure, Outcome},
    output::{Column, Kind},
    profiles::{Profile, Profiles},
    session::Session,
};

const COLUMNS: [Column; 3] =
    [Column::new("name", "/name"), Column::new("url", "/url"), Column::new("key", "/key").of(Kind::Quiet)];

#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    List(List),
    Add(Add),
    Remove(Remove),
}

/// List the profiles
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall profile list")]
pub(crate) struct List {}

/// Make a profile or change it; a new one gets a key of its own
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  squall profile add prod                                        make a key, and print the hash to deploy with
  squall profile add prod --url https://abc.execute-api.eu-west-1.amazonaws.com
  squall profile add prod --api-key-file key.txt                 with a key that there is already")]
pub(crate) struct Add {
    /// The profile's name
    name: String,
    /// Make a new key in place of the one that the profile has
    #[arg(long, conflicts_with = "api_key_file")]
    new_key: bool,
}

/// Remove a profile and its key
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  squall profile remove prod")]
pub(crate) struct Remove {
    /// The profile's name
    name: String,
}

impl ProfileCommand {
    pub(super) fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let mut profiles = Profiles::load(&session.environment)?;
        match self {
            ProfileCommand::List(List {}) => {
                let rows: Vec<_> = profiles.by_name.iter().map(|(name, profile)| row(name, profile)).collect();
                session.print_table(&rows, &COLUMNS, "there are no profiles")?;
            }
            ProfileCommand::Add(add) => add.run(session, &mut profiles)?,
            ProfileCommand::Remove(Remove { name }) => {
                profiles.get(&name)?;
                profiles.by_name.remove(&name);
                profiles.save()?;
                session.print_done(&json!({"removed": name}), &format!("profile {name} is removed"))?;
            }
        }
        Ok(Outcome::Success)
    }
}

fn row(name: &str, profile: &Profile) -> Value {
    let key = if profile.api_key.is_some() { "there" } else { "missing" };
    json!({"name": name, "url": profile.url, "key": key})
}

impl Add {
    fn run(self, session: &mut Session, profiles: &mut Profiles) -> Result<(), Failure> {
        let profile = profiles.by_name.entry(self.name.clone()).or_default();
        if let Some(url) = &session.globals.url {
            profile.url = Some(url.clone());
        }
        if let Some(file) = &session.globals.api_key_file {
            let text = read_text(&file.to_string_lossy())?;
            profile.api_key = Some(text.trim().to_owned());
        } else if self.new_key || profile.api_key.is_none() {
            profile.api_key = Some(fresh_key());
        }
        let hash = profile.api_key.as_ref().map(|key| hash(key)).unwrap_or_default();
        let url = profile.url.clone();
        profiles.save()?;
        let next = match &url {
            None => format!(
                "deploy with OperatorKeyHash={hash}, then say where: squall profile add {} --url URL",
                self.name
            ),
            Some(_) => format!("try it: squall --profile {} execution list", self.name),
        };
        let done = json!({"profile": self.name, "url": url, "operator_key_hash": hash});
        session.print_done(&done, &format!("profile {} is in {}\n{next}", self.name, profiles.path().display()))
    }
}

/// 256 bits that nobody can foretell, in hex.
fn fresh_key() -> String {
    (0..4).map(|_| format!("{:016x}", SystemClock.entropy())).collect()
}

/// What the host is told of the key.
fn hash(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
