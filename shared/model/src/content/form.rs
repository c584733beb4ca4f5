//! Reading a mapping key by key.

use serde_json::{Map, Value};
use yaml::{Content, Entry, Node, Position};

use super::{
    Origin,
    finding::{Finding, Findings},
};
use crate::Ref;

/// A mapping, the place where it stands, and where to report what is wrong with it.
pub(super) struct Form<'a, 'f> {
    pub(super) node: &'a Node,
    path: String,
    pub(super) findings: &'f mut Findings,
}

impl<'a, 'f> Form<'a, 'f> {
    /// `None`, and an error, where the node is no mapping.
    pub(super) fn open(node: &'a Node, path: &str, findings: &'f mut Findings) -> Option<Form<'a, 'f>> {
        if node.as_map().is_none() {
            let message = match node.kind() {
                "nothing" if path.is_empty() => "the file is empty".to_owned(),
                kind => format!("must be a mapping, and this is {kind}"),
            };
            findings.push(Finding::error("not-a-mapping", node.position, message).at(path));
            return None;
        }
        Some(Form { node, path: path.to_owned(), findings })
    }

    pub(super) fn entries(&self) -> &'a [Entry] {
        self.node.as_map().unwrap_or_default()
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// The value of a key, unless it is null.
    pub(super) fn value(&self, key: &str) -> Option<&'a Node> {
        self.node.get(key).filter(|value| !value.is_null())
    }

    /// Where a key stands, else where the mapping does.
    pub(super) fn position(&self, key: &str) -> Position {
        self.node.entry(key).map_or(self.node.position, |entry| entry.position)
    }

    pub(super) fn error(&mut self, code: &'static str, key: &str, message: impl Into<String>, hint: Option<&str>) {
        let finding = Finding::error(code, self.position(key), message).at(&self.path_of(key));
        self.findings.push(if let Some(hint) = hint { finding.hint(hint) } else { finding });
    }

    pub(super) fn warn(&mut self, code: &'static str, key: &str, message: impl Into<String>, hint: Option<&str>) {
        let finding = Finding::warning(code, self.position(key), message).at(&self.path_of(key));
        self.findings.push(if let Some(hint) = hint { finding.hint(hint) } else { finding });
    }

    /// Every other key is an error.
    pub(super) fn close(&mut self, known: &[&str]) {
        self.unknown_keys(known, Finding::error);
    }

    /// Every other key is worth a warning.
    pub(super) fn close_leniently(&mut self, known: &[&str]) {
        self.unknown_keys(known, Finding::warning);
    }

    fn unknown_keys(&mut self, known: &[&str], finding: fn(&'static str, Position, String) -> Finding) {
        for entry in self.entries().iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let missing = known.iter().copied().filter(|key| self.node.get(key).is_none());
            let message = format!("there is no key \"{}\" here", entry.key);
            let finding = finding("unknown-key", entry.position, message).at(&self.path).suggest(&entry.key, missing);
            self.findings.push(finding);
        }
    }

    fn misfit(&mut self, key: &str, wanted: &str, hint: Option<&str>) {
        if let Some(value) = self.node.get(key) {
            let message = format!("must be {wanted}, and this is {}", value.kind());
            let finding = Finding::error("wrong-type", value.position, message).at(&self.path_of(key));
            self.findings.push(if let Some(hint) = hint { finding.hint(hint) } else { finding });
        }
    }

    pub(super) fn text(&mut self, key: &str) -> Option<&'a str> {
        match &self.value(key)?.content {
            Content::Text(text) => Some(text),
            Content::List(_) | Content::Map(_) => {
                self.misfit(key, "a text", None);
                None
            }
            _ => {
                self.misfit(key, "a text", Some("quote it"));
                None
            }
        }
    }

    /// A text that must be there and must not be empty.
    pub(super) fn required_text(&mut self, key: &str) -> Option<&'a str> {
        self.require(key)?;
        let text = self.text(key)?;
        if text.trim().is_empty() {
            self.error("empty", key, "must not be empty", None);
            return None;
        }
        Some(text)
    }

    pub(super) fn require(&mut self, key: &str) -> Option<&'a Node> {
        let value = self.value(key);
        if value.is_none() {
            let message = format!("the key \"{key}\" is missing");
            let misspelt: Vec<&str> = self.entries().iter().map(|entry| entry.key.as_str()).collect();
            let finding = Finding::error("missing-key", self.position(key), message).at(&self.path);
            let hint = crate::schema::suggestion(key, misspelt).map(|near| format!("is \"{near}\" meant to be it?"));
            self.findings.push(if let Some(hint) = hint.filter(|_| self.node.get(key).is_none()) {
                finding.hint(hint)
            } else {
                finding
            });
        }
        value
    }

    pub(super) fn flag(&mut self, key: &str, default: bool) -> bool {
        match self.value(key).map(|value| &value.content) {
            None => default,
            Some(Content::Bool(flag)) => *flag,
            Some(_) => {
                self.misfit(key, "true or false", None);
                default
            }
        }
    }

    pub(super) fn map(&mut self, key: &str) -> Map<String, Value> {
        match self.value(key).map(Node::to_json) {
            Some(Value::Object(map)) => map,
            None => Map::new(),
            Some(_) => {
                self.misfit(key, "a mapping", None);
                Map::new()
            }
        }
    }

    pub(super) fn list(&mut self, key: &str) -> &'a [Node] {
        match self.value(key).map(|value| &value.content) {
            None => &[],
            Some(Content::List(items)) => items,
            Some(_) => {
                self.misfit(key, "a list", None);
                &[]
            }
        }
    }

    pub(super) fn tags(&mut self) -> Vec<Value> {
        self.list("tags").iter().map(Node::to_json).collect()
    }

    /// A mapping within.
    pub(super) fn inner(&mut self, key: &str) -> Option<Form<'a, '_>> {
        let path = self.path_of(key);
        Form::open(self.value(key)?, &path, self.findings)
    }

    pub(super) fn reference(&mut self, key: &str) -> Option<Ref> {
        let text = self.required_text(key)?;
        match text.parse() {
            Ok(reference) => Some(reference),
            Err(error) => {
                let value = self.node.get(key).unwrap_or(self.node);
                let finding =
                    Finding::error("bad-reference", value.position, format!("{error}")).at(&self.path_of(key));
                self.findings.push(finding);
                None
            }
        }
    }

    /// `<pack>.<name>`, the name being what stands under `key`, and the path of the file.
    pub(super) fn identity(&mut self, key: &str, origin: Origin<'_>) -> Option<(Ref, String)> {
        let given = self.text("pack");
        let (pack, path) = match origin {
            Origin::File { pack, path, .. } => (pack, path),
            Origin::Body => (given.unwrap_or("default"), self.text("metadata_file").unwrap_or_default()),
        };
        if let Some(given) = given.filter(|given| *given != pack && !pack.is_empty()) {
            let message = format!("says \"{given}\", and the file is in the pack \"{pack}\"");
            self.error("wrong-pack", "pack", message, Some("leave the key \"pack\" out"));
        }
        let name = self.required_text(key)?;
        // Where pack.yaml is wrong the other files are still checked, as if it were a pack of this name.
        match Ref::new(if pack.is_empty() { "unknown" } else { pack }, name) {
            Ok(reference) => Some((reference, path.to_owned())),
            Err(_) => {
                let message = format!("\"{name}\" is not a name: it must not hold spaces");
                self.error("bad-name", key, message, None);
                None
            }
        }
    }
}
