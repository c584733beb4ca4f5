//! Asking whoever sits at the terminal, field by field as a schema says.

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::{Map, Value};
use std::io::{self, BufRead, IsTerminal};

use crate::{
    console::{Console, Ink, printable},
    failure::Failure,
    parameters::cast::cast,
};

/// One field of the answer.
struct Question<'a> {
    name: &'a str,
    schema: &'a Value,
}

/// Fills in an object that has this schema.
pub(crate) fn answer(console: &mut Console, schema: &Map<String, Value>) -> Result<Value, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("there is no terminal to ask at").hint("give the answer with --response JSON"));
    }
    fill(console, schema, read_line)
}

fn fill(
    console: &mut Console,
    schema: &Map<String, Value>,
    mut read: impl FnMut(bool) -> Result<String, Failure>,
) -> Result<Value, Failure> {
    let mut answer = Map::new();
    for (name, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let question = Question { name, schema };
        loop {
            console.write(&question.text())?;
            match question.take(&read(question.flag("secret"))?) {
                Ok(Some(value)) => drop(answer.insert(name.clone(), value)),
                Ok(None) => {}
                Err(problem) => {
                    console.say(Ink::Yellow, "note", &format!("it {problem}"))?;
                    continue;
                }
            }
            break;
        }
    }
    Ok(Value::Object(answer))
}

impl Question<'_> {
    fn flag(&self, attribute: &str) -> bool {
        self.schema.get(attribute) == Some(&Value::Bool(true))
    }

    fn default(&self) -> Option<&Value> {
        self.schema.get("default").filter(|default| !default.is_null())
    }

    fn options(&self) -> Vec<String> {
        self.schema.get("enum").and_then(Value::as_array).into_iter().flatten().map(plain).collect()
    }

    /// Such as `host, one of db1, db2 [db1]: `.
    fn text(&self) -> String {
        let mut text = self.name.to_owned();
        if let Some(description) = self.schema.get("description").and_then(Value::as_str) {
            text.push_str(&format!(" ({description})"));
        }
        match (self.options(), self.schema.get("type").and_then(Value::as_str)) {
            (options, _) if !options.is_empty() => text.push_str(&format!(", one of {}", options.join(", "))),
            (_, Some(kind)) if kind != "string" => text.push_str(&format!(", {kind}")),
            _ => {}
        }
        match self.default() {
            Some(default) => text.push_str(&format!(" [{}]", plain(default))),
            None if !self.flag("required") => text.push_str(" [none]"),
            None => {}
        }
        printable(&format!("{text}: "))
    }

    /// The value that was typed; `None` where nothing was, and nothing need be.
    fn take(&self, typed: &str) -> Result<Option<Value>, String> {
        if typed.trim().is_empty() {
            return match (self.default(), self.flag("required")) {
                (Some(default), _) => Ok(Some(default.clone())),
                (None, false) => Ok(None),
                (None, true) => Err("must be given".to_owned()),
            };
        }
        let value = cast(typed, self.schema, false)?;
        let options = self.options();
        if options.is_empty() || options.contains(&plain(&value)) {
            return Ok(Some(value));
        }
        Err(format!("must be one of {}", options.join(", ")))
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A line from the terminal; a secret is not shown while it is typed.
fn read_line(secret: bool) -> Result<String, Failure> {
    let input = io::stdin();
    let before = if secret { tcgetattr(&input).ok() } else { None };
    if let Some(mut silent) = before.clone() {
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&input, OptionalActions::Flush, &silent).map_err(io::Error::from)?;
    }
    let mut line = String::new();
    let read = input.lock().read_line(&mut line);
    if let Some(before) = before {
        tcsetattr(&input, OptionalActions::Flush, &before).map_err(io::Error::from)?;
        end_line()?;
    }
    if read? == 0 {
        return Err(Failure::interrupted("the answer was not given to its end"));
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The end of a line that was typed unseen.
fn end_line() -> Result<(), Failure> {
    use io::Write;
    Ok(io::stderr().write_all(b"\n")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::Look;
    use serde_json::json;

    #[test]
    fn every_field_is_asked_until_it_fits() {
        let schema = json!({"type": "object", "properties": {
            "continue": {"type": "boolean", "description": "Go on?", "required": true},
            "host": {"type": "string", "enum": ["db1", "db2"], "default": "db1"},
            "pin": {"type": "string", "secret": true, "required": true},
            "tags": {"type": "array"}, "count": {"type": "integer"},
        }});
        let typed = ["", "maybe", "yes", "db3", "", "1234", "a,b", ""];
        let (mut lines, mut hidden) = (typed.into_iter(), Vec::new());
        let mut console = Console::new(Box::new(io::sink()), Box::new(io::sink()), Look::default());
        let answer = fill(&mut console, schema.as_object().unwrap(), |secret| {
            let line = lines.next().unwrap();
            hidden.extend(secret.then_some(line));
            Ok(line.to_owned())
        });
        assert_eq!(answer.unwrap(), json!({"continue": true, "host": "db1", "pin": "1234", "tags": ["a", "b"]}));
        assert_eq!((hidden, lines.next()), (vec!["1234"], None));
        let question = Question { name: "host", schema: &schema["properties"]["host"] };
        assert_eq!(question.text(), "host, one of db1, db2 [db1]: ");
    }
}
