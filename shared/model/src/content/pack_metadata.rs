//! `pack.yaml`.

use semver::Version;
use serde_json::{Map, Value};
use yaml::{Content, Node};

use super::{finding::Findings, form::Form};
use crate::PackMetadata;

const TEXTS: [&str; 3] = ["email", "stackstorm_version", "path"];
const LISTS: [&str; 4] = ["keywords", "contributors", "dependencies", "python_versions"];
/// Keys that have a meaning; any other is kept too.
const KNOWN: [&str; 15] = [
    "ref",
    "name",
    "description",
    "version",
    "author",
    "email",
    "keywords",
    "contributors",
    "dependencies",
    "python_versions",
    "stackstorm_version",
    "system",
    "files",
    "path",
    "uid",
];

pub(super) fn read(node: &Node, findings: &mut Findings) -> Option<PackMetadata> {
    let mut form = Form::open(node, "", findings)?;
    let name = form.required_text("name");
    let description = form.required_text("description");
    let author = form.required_text("author");
    let version = version(&mut form);
    let reference = reference(&mut form, name);
    for key in TEXTS {
        form.text(key);
    }
    for key in LISTS {
        form.list(key);
    }
    python_versions(&mut form);
    warn_of_misspelt(&mut form);
    Some(PackMetadata {
        reference: reference?,
        name: name?.to_owned(),
        description: description?.to_owned(),
        version: version?,
        author: author?.to_owned(),
        extra: extra(node),
    })
}

fn extra(node: &Node) -> Map<String, Value> {
    let own = ["ref", "name", "description", "version", "author"];
    let others = node.as_map().unwrap_or_default().iter().filter(|entry| !own.contains(&entry.key.as_str()));
    others.map(|entry| (entry.key.clone(), entry.value.to_json())).collect()
}

fn reference(form: &mut Form<'_, '_>, name: Option<&str>) -> Option<String> {
    let is_reference =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let (key, reference) = match form.text("ref") {
        Some(reference) => ("ref", reference),
        None => ("name", name?),
    };
    if !is_reference(reference) {
        let message = format!(
            "\"{reference}\" can't be the pack's ref, which has lower-case letters, digits and underscores only"
        );
        let hint = if key == "name" { "add a key \"ref\" beside the name" } else { "change it" };
        form.error("bad-pack-ref", key, message, Some(hint));
        return None;
    }
    if reference == "_global" {
        form.error("bad-pack-ref", key, "\"_global\" is reserved", None);
        return None;
    }
    Some(reference.to_owned())
}

/// `1.2` is read as `1.2.0`, as in StackStorm.
fn version(form: &mut Form<'_, '_>) -> Option<String> {
    let value = form.require("version")?;
    let written = match &value.content {
        Content::Text(text) => text.clone(),
        Content::Number(number) => {
            let hint = "quote it: without quotes 1.10 is the number 1.1";
            form.warn("version-number", "version", format!("the version is the number {number}"), Some(hint));
            number.to_string()
        }
        _ => {
            form.text("version");
            return None;
        }
    };
    let full = if written.matches('.').count() == 1 { format!("{written}.0") } else { written.clone() };
    if Version::parse(&full).is_err() {
        let message = format!("\"{written}\" is not a semantic version");
        form.error("bad-version", "version", message, Some("write it as \"1.2.3\""));
        return None;
    }
    Some(full)
}

fn python_versions(form: &mut Form<'_, '_>) {
    let Some(items) = form.value("python_versions").and_then(Node::as_list) else { return };
    if items.iter().any(|item| !matches!(item.as_text(), Some("2" | "3"))) {
        form.error("bad-python-version", "python_versions", "each must be \"2\" or \"3\", in quotes", None);
    }
}

/// Other keys are allowed; one that is nearly a known one is likely a slip.
fn warn_of_misspelt(form: &mut Form<'_, '_>) {
    for entry in form.entries() {
        let missing = KNOWN.into_iter().filter(|key| form.node.get(key).is_none());
        let near = crate::schema::suggestion(&entry.key, missing);
        if let Some(near) = near.filter(|_| !KNOWN.contains(&entry.key.as_str())) {
            let hint = format!("did you mean \"{near}\"?");
            form.warn("unknown-key", &entry.key, "is no key that has a meaning", Some(&hint));
        }
    }
}
