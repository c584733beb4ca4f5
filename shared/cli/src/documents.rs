//! Documents that are given as files: YAML or JSON, or `-` for the standard input.

use serde_json::Value;
use std::io::Read;

use crate::failure::Failure;

/// The name that stands for the standard input.
const STANDARD_INPUT: &str = "-";

/// The text of a file or of the standard input.
pub(crate) fn read_text(name: &str) -> Result<String, Failure> {
    let read = if name == STANDARD_INPUT {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(name)
    };
    read.map_err(|error| Failure::usage(format!("{name} can't be read: {error}")))
}

/// A document: YAML, of which JSON is a part.
pub(crate) fn read_document(name: &str) -> Result<Value, Failure> {
    parse_document(name, &read_text(name)?)
}

/// Reads a document's text; `name` is what errors call it.
pub(crate) fn parse_document(name: &str, text: &str) -> Result<Value, Failure> {
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    let node = yaml::read(text).map_err(|error| {
        let at = error.position;
        let failure = Failure::usage(format!("{name}:{}:{}: {}", at.line, at.column, error.message));
        failure.maybe_hint(error.hint)
    })?;
    Ok(node.to_json())
}
