//! Parameters as they are written on the command line: `name=value`, cast by the action's schema.

pub(crate) mod cast;

use serde_json::{Map, Value, json};
use std::path::Path;

use crate::{Environment, client::nearest, failure::Failure};

/// Variables that belong to the shell of whoever types, and the keys of whoever types, not to an action: `-e` leaves them out.
const NOT_INHERITED: [&str; 18] = [
    "PWD",
    "OLDPWD",
    "MAIL",
    "USER",
    "USERNAME",
    "LOGNAME",
    "HOME",
    "PATH",
    "PS1",
    "SHELL",
    "PYTHONPATH",
    "SSH_TTY",
    "SSH_CONNECTION",
    "LANG",
    "SQUALL_API_KEY",
    "ST2_API_KEY",
    "ST2_AUTH_TOKEN",
    "LS_COLORS",
];
/// The action whose files are sent as request bodies.
const HTTP_ACTION: &str = "core.http";

/// Schemas of parameters by name.
pub(crate) type Schemas = Map<String, Value>;

/// Reads words into parameters.
pub(crate) struct ParameterReader<'a> {
    /// What the parameters are of, for messages.
    pub(crate) of: &'a str,
    /// What they must be.
    pub(crate) schemas: &'a Schemas,
    /// Names that are not in the schemas are taken as they are.
    pub(crate) open: bool,
    /// `x:1,y:2` is an object where an array of objects is wanted.
    pub(crate) auto_dict: bool,
}

impl ParameterReader<'_> {
    /// Reads `name=value`, `@name=path`, and a command: the first word without `=` and all that follow.
    pub(crate) fn read(&self, words: &[String]) -> Result<Map<String, Value>, Failure> {
        let mut parameters = Map::new();
        for (at, word) in words.iter().enumerate() {
            let Some((name, text)) = word.split_once('=') else {
                let command = words.get(at..).unwrap_or_default().join(" ");
                self.schema("cmd", word)?;
                parameters.insert("cmd".to_owned(), Value::from(command));
                break;
            };
            match name.strip_prefix('@') {
                Some(name) => self.add_file(&mut parameters, name, text)?,
                None => self.add(&mut parameters, name, text)?,
            }
        }
        Ok(parameters)
    }

    fn add(&self, parameters: &mut Map<String, Value>, name: &str, text: &str) -> Result<(), Failure> {
        let schema = self.schema(name, name)?;
        let value = cast::cast(text, schema, self.auto_dict)
            .map_err(|problem| Failure::usage(format!("parameter \"{name}\" of {} {problem}", self.of)))?;
        match (parameters.get_mut(name), value) {
            (Some(Value::Array(before)), Value::Array(more)) => before.extend(more),
            (_, value) => drop(parameters.insert(name.to_owned(), value)),
        }
        Ok(())
    }

    fn add_file(&self, parameters: &mut Map<String, Value>, name: &str, path: &str) -> Result<(), Failure> {
        let content = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("{path} for parameter \"{name}\" can't be read: {error}")))?;
        if self.of != HTTP_ACTION {
            self.schema(name, name)?;
            parameters.insert(name.to_owned(), content.into());
            return Ok(());
        }
        let file_name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
        parameters.insert("file_content".to_owned(), content.into());
        parameters.entry("file_name").or_insert_with(|| json!(file_name));
        parameters.entry("method").or_insert_with(|| json!("POST"));
        Ok(())
    }

    /// The schema of that parameter; `word` is what was written.
    fn schema(&self, name: &str, word: &str) -> Result<&Value, Failure> {
        match self.schemas.get(name) {
            Some(schema) => Ok(schema),
            None if self.open => Ok(&Value::Null),
            None if name == "cmd" => Err(Failure::usage(format!("\"{word}\" is not of the form name=value"))
                .hint(format!("{} takes no command; {}", self.of, self.known()))),
            None => {
                let near = nearest(name, self.schemas.keys().map(String::as_str));
                let hint = near.map(|near| format!("did you mean \"{near}\"?")).unwrap_or_else(|| self.known());
                Err(Failure::usage(format!("{} has no parameter \"{name}\"", self.of)).hint(hint))
            }
        }
    }

    fn known(&self) -> String {
        let names: Vec<_> = self.schemas.keys().map(String::as_str).collect();
        if names.is_empty() { "it has no parameters".to_owned() } else { format!("it has {}", names.join(", ")) }
    }
}

/// What `-e` gives an action of whoever types it.
pub(crate) fn inherited(environment: &Environment) -> Value {
    environment
        .iter()
        .filter(|(name, _)| !NOT_INHERITED.contains(name))
        .map(|(name, value)| (name, json!(value)))
        .collect()
}

#[cfg(test)]
mod tests;
