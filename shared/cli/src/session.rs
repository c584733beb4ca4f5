//! What one command line has to do with: its global options, the environment, the console, and the way to the host.

use embedded::DataLayout;
use serde_json::Value;
use std::path::{Path, PathBuf};

use crate::{
    Console, Environment,
    arguments::Globals,
    client::{Access, Client},
    failure::Failure,
    output::{self, Column, Field},
    profiles::Profiles,
};

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// As the API has it.
    Json,
    /// The same as YAML.
    Yaml,
}

/// One command line at work.
pub(crate) struct Session {
    pub(crate) globals: Globals,
    pub(crate) environment: Environment,
    pub(crate) console: Console,
}

impl Session {
    pub(crate) fn new(globals: Globals, environment: Environment, console: Console) -> Session {
        Session { globals, environment, console }
    }

    pub(crate) fn format(&self) -> Format {
        match (self.globals.json, self.globals.yaml) {
            (true, _) => Format::Json,
            (false, true) => Format::Yaml,
            (false, false) => Format::Text,
        }
    }

    /// The data directory: as told, or where the XDG base directories say.
    pub(crate) fn data_directory(&self) -> Result<PathBuf, Failure> {
        if let Some(data) = &self.globals.data {
            return Ok(data.clone());
        }
        if let Some(data) = self.environment.first(&["SQUALL_DATA"]) {
            return Ok(data.into());
        }
        let xdg = self.environment.first(&["XDG_DATA_HOME"]).map(Path::new).filter(|path| path.is_absolute());
        let home = self.environment.first(&["HOME"]).map(|home| Path::new(home).join(".local/share"));
        xdg.map(Path::to_owned).or(home).map(|base| base.join("squall")).ok_or_else(|| {
            Failure::new("there is no data directory: neither HOME nor XDG_DATA_HOME is set")
                .hint("give one with --data DIR or SQUALL_DATA")
        })
    }

    /// The way to the host: the address and the key as told, else as the host left them in the data directory.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        if let Some(name) = self.profile() {
            return self.client_of(name);
        }
        let told = self.globals.url.as_deref().or_else(|| self.environment.first(&["SQUALL_URL", "ST2_API_URL"]));
        let data = self.data_directory().ok().map(DataLayout::new);
        let left = data.as_ref().and_then(|data| first_line(&data.address()));
        let address = match (told, &left) {
            (Some(told), _) => told.to_owned(),
            (None, Some(left)) => left.clone(),
            (None, None) => return Err(not_up(data.as_ref())),
        };
        let mut access = Access::new(&address)?;
        // A key that was made for this machine's host is not shown to another one.
        let own = access.is_loopback() || left.as_deref() == Some(address.as_str());
        access.key = self.api_key(data.as_ref().filter(|_| own))?;
        access.key_file = data.map(|data| data.api_key());
        Client::new(access)
    }

    /// The profile that is asked for. An address or a key on the command line stands before the environment's.
    fn profile(&self) -> Option<&str> {
        let told = self.globals.url.is_some() || self.globals.api_key_file.is_some();
        let default = self.environment.first(&["SQUALL_PROFILE"]).filter(|_| !told);
        self.globals.profile.as_deref().or(default)
    }

    /// The way to a host by its name. Its key goes to its own address and to no other.
    fn client_of(&self, name: &str) -> Result<Client, Failure> {
        let profiles = Profiles::load(&self.environment)?;
        let profile = profiles.get(name)?;
        let url = profile.url.as_deref().ok_or_else(|| {
            Failure::new(format!("profile {name} has no address yet"))
                .hint(format!("say it with `squall profile add {name} --url URL`"))
        })?;
        let mut access = Access::new(url)?;
        access.key.clone_from(&profile.api_key);
        access.key_file = Some(profiles.path().to_owned());
        Client::new(access)
    }

    fn api_key(&self, data: Option<&DataLayout>) -> Result<Option<String>, Failure> {
        if let Some(file) = &self.globals.api_key_file {
            return first_line(file)
                .map(Some)
                .ok_or_else(|| Failure::usage(format!("there is no API key in {}", file.display())));
        }
        let told = self.environment.first(&["SQUALL_API_KEY", "ST2_API_KEY"]).map(str::to_owned);
        Ok(told.or_else(|| data.and_then(|data| first_line(&data.api_key()))))
    }

    /// Prints a value as JSON or YAML; `false` where it is for people and not printed.
    pub(crate) fn print_data(&mut self, value: &Value) -> Result<bool, Failure> {
        match self.format() {
            Format::Text => return Ok(false),
            Format::Json => self.console.line(&format!("{value:#}"))?,
            Format::Yaml => {
                let options = yaml::WriteOptions { sort_keys: false, ..yaml::WriteOptions::default() };
                self.console.line(&yaml::to_string_with(value, &options))?;
            }
        }
        Ok(true)
    }

    /// Prints rows as a table, or says what there is none of.
    pub(crate) fn print_table(&mut self, rows: &[Value], columns: &[Column], nothing: &str) -> Result<(), Failure> {
        if self.format() != Format::Text {
            return self.print_data(&Value::from(rows)).map(drop);
        }
        if rows.is_empty() {
            return self.console.say(crate::Ink::Dim, "note", nothing);
        }
        let look = self.console.look();
        self.console.line(&output::table(look, columns, rows))
    }

    /// Prints one thing as lines of name and value.
    pub(crate) fn print_details(&mut self, value: &Value, fields: &[Field]) -> Result<(), Failure> {
        if self.print_data(value)? {
            return Ok(());
        }
        let look = self.console.look();
        self.console.line(&output::details(look, fields, value))
    }

    /// Prints what a command did, where it was not asked for data.
    pub(crate) fn print_done(&mut self, value: &Value, text: &str) -> Result<(), Failure> {
        if self.print_data(value)? { Ok(()) } else { self.console.line(text) }
    }
}

fn not_up(data: Option<&DataLayout>) -> Failure {
    let place = data.map(|data| format!(" from {}", data.path().display())).unwrap_or_default();
    Failure::new(format!("no host has been started{place}"))
        .hint("start one with `squall up`, or say where one is with --url URL")
}

fn first_line(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}
